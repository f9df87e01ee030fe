import CongestionControl
import TestSupport
import Testing
import Timing

private let media = SimulatedCall.Content.elastic(3_000_000)
private let seeds = 1..<6 as Range<UInt64>

@Test(arguments: seeds) func aSteadyLineIsFilledWithoutAQueue(seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
  call.run(for: .seconds(30))
  #expect(call.meanTarget(3, 30) > 1_250_000 && call.meanTarget(3, 30) < 2_100_000)
  #expect(call.queueDelayMax(3, 30) < 200)
  #expect(call.path.dropped == 0)
}

@Test(arguments: [200, 500], seeds)
func aLineThatFallsAndComesBackIsFollowed(queueMilliseconds: Int64, seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
  call.path.queueMax = .milliseconds(queueMilliseconds)
  call.run(for: .seconds(20))
  call.path.capacity = 150_000
  call.run(for: .seconds(20))
  call.path.capacity = 2_000_000
  call.run(for: .seconds(30))
  #expect(call.queueDelayMax(22, 24) < 150, "two seconds after the fall")
  #expect(call.samples(23, 40).allSatisfy { $0.target < 190_000 }, "settled three seconds after the fall")
  #expect(call.meanTarget(25, 40) > 75_000)
  #expect(call.samples(40, 55).contains { $0.target > 1_400_000 }, "within fifteen seconds of the return")
  #expect(call.meanTarget(55, 70) > 1_200_000)
}

@Test(arguments: [1_000, 2_000], seeds)
func aDeepBufferStaysEmptyAndDrainsAfterAFall(queueMilliseconds: Int64, seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
  call.path.queueMax = .milliseconds(queueMilliseconds)
  call.run(for: .seconds(20))
  call.path.capacity = 500_000
  call.run(for: .seconds(20))
  #expect(call.queueDelayMax(3, 20) < 200)
  #expect(call.queueDelayMax(23.5, 40) < 250)
  #expect(call.meanTarget(25, 40) > 230_000 && call.meanTarget(25, 40) < 520_000)
}

@Test(arguments: seeds) func randomLossOfTwoPercentIsNoCongestion(seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
  call.path.loss = 0.02
  call.run(for: .seconds(60))
  #expect(call.meanTarget(3, 60) > 1_200_000)
  #expect(call.samples(3, 60).allSatisfy { $0.target > 500_000 })
}

@Test(arguments: seeds) func jitterIsNoCongestion(seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
  call.path.jitter = .milliseconds(30)
  call.run(for: .seconds(30))
  #expect(call.meanTarget(5, 30) > 1_000_000)
  #expect(call.samples(5, 30).allSatisfy { $0.target > 300_000 })
}

@Test(arguments: [(100, 20), (200, 20), (300, 20), (300, 50)], seeds)
func aLineSharedWithAGreedyFlowIsShared(_ line: (queueMilliseconds: Int64, delayMilliseconds: Int64), seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
  call.path.queueMax = .milliseconds(line.queueMilliseconds)
  call.path.delay = .milliseconds(line.delayMilliseconds)
  call.run(for: .seconds(15))
  call.flow = GreedyFlow()
  call.run(for: .seconds(60))
  let delivered = (call.flow?.bytesDelivered ?? 0) * 8 / 60
  #expect(call.meanTarget(25, 75) > 700_000 && delivered > 700_000, "\(call.meanTarget(25, 75)) and \(delivered)")
}

@Test(arguments: seeds) func besideAGreedyFlowAndABufferOfASecondSomethingIsLeft(seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
  call.path.queueMax = .milliseconds(1_000)
  call.run(for: .seconds(15))
  call.flow = GreedyFlow()
  call.run(for: .seconds(60))
  #expect(call.meanTarget(25, 75) > 250_000)
}

@Test(arguments: [(2_000, 300_000, 400), (4_000, 300_000, 400), (2_000, 100_000, 200)])
func aVeryDeepBufferIsNotTakenForOthersTraffic(queueMilliseconds: Int64, capacity: Int, delayMilliseconds: Double) {
  var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: 2))
  call.path.queueMax = .milliseconds(queueMilliseconds)
  call.run(for: .seconds(20))
  call.path.capacity = Double(capacity)
  call.run(for: .seconds(40))
  #expect(call.queueDelayMax(40, 60) < delayMilliseconds, "\(call.queueDelayMax(40, 60)) ms")
}

@Test(arguments: seeds) func aLineOfSixtyKilobitsKeepsItsSoundAndAPicture(seed: UInt64) {
  var call = SimulatedCall(
    .ladder(webinar), path: .init(capacity: 60_000, seed: seed), bounds: .init(minimum: 20_000, start: 100_000))
  call.path.queueMax = .milliseconds(1_000)
  call.run(for: .seconds(60))
  #expect(call.audioReceived >= call.audioSent - 12)
  #expect(call.queueDelayMax(5, 60) < 300)
  let withPicture = call.samples(5, 60).filter { $0.rung != nil }.count
  #expect(withPicture > 100, "\(withPicture) of 550 samples")
}

@Test(arguments: seeds) func aReceiverOfALadderFallsAndClimbsWithItsLine(seed: UInt64) {
  var call = SimulatedCall(
    .ladder(webinar), path: .init(capacity: 2_000_000, seed: seed), bounds: .init(minimum: 20_000, start: 300_000))
  call.run(for: .seconds(30))
  call.path.capacity = 150_000
  call.run(for: .seconds(30))
  call.path.capacity = 2_000_000
  call.run(for: .seconds(30))
  #expect(call.samples(15, 30).allSatisfy { $0.rung == 0 })
  #expect(call.samples(33, 60).allSatisfy { ($0.rung ?? 3) >= 2 })
  #expect(call.queueDelayMax(32, 34) < 150)
  #expect(call.samples(60, 75).contains { $0.rung == 0 }, "the best rung within fifteen seconds")
}

@Test(arguments: seeds) func lossReportsAloneKeepALineUsable(seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 1_000_000, seed: seed), bounds: .init(start: 2_000_000))
  call.givesTransportFeedback = false
  call.run(for: .seconds(60))
  #expect(call.meanTarget(20, 60) > 500_000 && call.meanTarget(20, 60) < 1_300_000)
}
