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

/// From a near network to a far one, as from Wi-Fi to a mobile network: its delay is no queue.
@Test(arguments: seeds) func aLongerWayOverAnotherNetworkIsNoCongestion(seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 4_000_000, seed: seed))
  call.run(for: .seconds(20))
  call.changePath { $0.delay = .milliseconds(150) }
  call.run(for: .seconds(20))
  #expect(call.samples(20, 40).allSatisfy { $0.target > 2_000_000 }, "\(call.samples(20, 40).map(\.target).min() ?? 0)")
  #expect(call.estimator.statistics.queueDelay.milliseconds < call.queueDelayMax(39, 40) + 20)
}

/// Seconds go by before a browser gives up a network that is gone.
@Test(arguments: seeds) func whatFellBecauseANetworkWasGoneIsBackSoonOverAnother(seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
  call.run(for: .seconds(20))
  call.path.loss = 1
  call.run(for: .seconds(5))
  let least = call.estimator.statistics.estimate
  call.changePath { path in
    path.delay = .milliseconds(60)
    path.loss = 0
  }
  call.run(for: .seconds(5))
  #expect(least < 150_000)
  #expect(call.samples(26, 30).allSatisfy { $0.target > 1_000_000 }, "\(call.samples(26, 30).map(\.target).min() ?? 0)")
  #expect(call.queueDelayMax(26, 30) < 250)
}

@Test(arguments: seeds) func aThinnerNetworkIsSettledOnLikeAFall(seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
  call.run(for: .seconds(20))
  call.changePath { path in
    path.delay = .milliseconds(80)
    path.capacity = 300_000
  }
  call.run(for: .seconds(20))
  call.changePath { path in
    path.delay = .milliseconds(10)
    path.capacity = 2_000_000
  }
  call.run(for: .seconds(20))
  #expect(call.queueDelayMax(22.5, 40) < 150, "\(call.queueDelayMax(22.5, 40))")
  #expect(call.samples(23, 40).allSatisfy { $0.target < 390_000 })
  #expect(call.meanTarget(25, 40) > 150_000)
  #expect(call.samples(40, 45).contains { $0.target > 1_200_000 })
}

@Test(arguments: seeds) func randomLossOfTwoPercentIsNoCongestion(seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
  call.path.loss = 0.02
  call.run(for: .seconds(60))
  #expect(call.meanTarget(3, 60) > 1_200_000)
  #expect(call.samples(3, 60).allSatisfy { $0.target > 500_000 })
}

/// Less was sent, and as much lost: so it is the line's own.
@Test(arguments: seeds) func aTenthLostAtRandomIsFoundToBeTheLines(seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 1_000_000, seed: seed))
  call.path.loss = 0.1
  call.run(for: .seconds(90))
  #expect(call.meanTarget(30, 90) > 500_000, "\(call.meanTarget(30, 90))")
  #expect(call.queueDelayMax(30, 90) < 300)
}

/// With less sent less is lost: that is the path's, however short its queue.
@Test(arguments: [10, 30], seeds) func whatAShortQueueDropsIsCongestion(queueMilliseconds: Int64, seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 1_000_000, seed: seed))
  call.path.queueMax = .milliseconds(queueMilliseconds)
  call.run(for: .seconds(60))
  #expect(call.meanTarget(20, 60) < 1_250_000, "\(call.meanTarget(20, 60))")
}

@Test(arguments: seeds) func jitterIsNoCongestion(seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
  call.path.jitter = .milliseconds(30)
  call.run(for: .seconds(30))
  #expect(call.meanTarget(5, 30) > 1_000_000)
  #expect(call.samples(5, 30).allSatisfy { $0.target > 300_000 })
}

/// A viewer of one output asks his path once for more than that takes on average.
@Test(arguments: [0, 0.01], seeds)
func aKeyframeLeavesAtOnceASecondAfterTheStartThoughTheLineLosesSome(loss: Double, seed: UInt64) {
  var call = SimulatedCall(
    .elastic(550_000), path: .init(capacity: 5_000_000, seed: seed), bounds: .init(minimum: 20_000, start: 750_000))
  call.path.loss = loss
  call.run(for: .seconds(1))
  var (pacer, estimator) = (call.pacer, call.estimator)
  pacer.setTarget(
    estimator.targetBitsPerSecond - 52_000, headroom: estimator.headroom(at: call.now), at: call.now)
  for _ in 0..<18 { _ = pacer.enqueue(3, .video, size: 1_160, at: call.now) }
  #expect(pacer.queueTime < .milliseconds(120), "\(pacer.queueTime.milliseconds) ms for a third of a second's pictures")
}

@Test(arguments: [(100, 20), (200, 20), (300, 20), (300, 50), (500, 20), (700, 50)])
func aLineSharedWithAGreedyFlowIsShared(_ line: (queueMilliseconds: Int64, delayMilliseconds: Int64)) {
  var (ours, theirs): ([Double], [Double]) = ([], [])
  for seed in 1..<21 as Range<UInt64> {
    var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
    call.path.queueMax = .milliseconds(line.queueMilliseconds)
    call.path.delay = .milliseconds(line.delayMilliseconds)
    call.run(for: .seconds(15))
    call.flow = GreedyFlow()
    call.run(for: .seconds(60))
    ours.append(call.meanTarget(25, 75))
    theirs.append(Double(call.flow?.bytesDelivered ?? 0) * 8 / 60)
  }
  #expect(ours.allSatisfy { $0 > 780_000 } && theirs.allSatisfy { $0 > 650_000 }, "\(ours) and \(theirs)")
  #expect(ours.reduce(0, +) > 20 * 950_000 && theirs.reduce(0, +) > 20 * 850_000, "\(ours) and \(theirs)")
}

@Test(arguments: [1_000, 1_500])
func besideAGreedyFlowAndABufferOfASecondAndMoreAShareIsLeft(queueMilliseconds: Int64) {
  let shares = (1..<21 as Range<UInt64>).map { seed in
    var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
    call.path.queueMax = .milliseconds(queueMilliseconds)
    call.run(for: .seconds(15))
    call.flow = GreedyFlow()
    call.run(for: .seconds(60))
    return call.meanTarget(25, 75)
  }
  #expect(shares.allSatisfy { $0 > 500_000 } && shares.reduce(0, +) > 20 * 750_000, "\(shares)")
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
    .ladder(webinarRungs), path: .init(capacity: 60_000, seed: seed), bounds: .init(minimum: 20_000, start: 100_000))
  call.path.queueMax = .milliseconds(1_000)
  call.run(for: .seconds(60))
  #expect(call.audioReceived >= call.audioSent - 12)
  // The largest picture takes 220 ms alone.
  #expect(call.queueDelayMax(5, 60) < 350)
  let withPicture = call.samples(5, 60).filter { $0.rung != nil }.count
  #expect(withPicture > 100, "\(withPicture) of 550 samples")
}

@Test(arguments: 1..<21 as Range<UInt64>) func aReceiverOfALadderFallsAndClimbsWithItsLine(seed: UInt64) {
  var call = SimulatedCall(
    .ladder(webinarRungs), path: .init(capacity: 2_000_000, seed: seed), bounds: .init(minimum: 20_000, start: 300_000))
  call.run(for: .seconds(30))
  call.path.capacity = 150_000
  call.run(for: .seconds(30))
  call.path.capacity = 2_000_000
  call.run(for: .seconds(30))
  #expect(call.samples(15, 30).allSatisfy { $0.rung == 0 })
  #expect(call.samples(33, 60).allSatisfy { ($0.rung ?? 3) >= 2 })
  #expect(call.queueDelayMax(32, 34) < 150)
  #expect(call.samples(60, 72).contains { $0.rung == 0 }, "the best rung within twelve seconds")
}

@Test(arguments: [(30, 0), (3, 100), (20, 100), (3, 300)], 1..<13 as Range<UInt64>)
func aLineJustAboveARungCarriesItWhateverAMachineAddsToItsDelay(
  _ added: (jitterMilliseconds: Int64, stallMilliseconds: Int64), seed: UInt64
) {
  let rungs = [(900_000, 30.0, [0.5, 0.7, 1]), (150_000, 15, [0.6, 1]), (30_000, 2, [1])].map { rate, framesPerSecond, shares in
    Rung(
      layers: shares.enumerated().map { index, share in
        TemporalRate(
          encodedBitsPerSecond: Int(Double(rate) * share),
          framesPerSecond: framesPerSecond / Double(1 << (shares.count - 1 - index)))
      })
  }
  var call = SimulatedCall(
    .ladder(rungs), path: .init(capacity: 260_000, seed: seed), bounds: .init(minimum: 20_000, start: 300_000))
  // Encoders take a little more than they were given.
  call.frameSizes = 0.6...1.7
  (call.path.queueMax, call.path.delay) = (.milliseconds(500), .milliseconds(2))
  (call.path.jitter, call.path.stallMax) = (.milliseconds(added.jitterMilliseconds), .milliseconds(added.stallMilliseconds))
  call.path.stallSpacing = .milliseconds(added.stallMilliseconds > 200 ? 1_000 : 500)
  call.run(for: .seconds(75))
  let settled = call.samples(15, 75)
  let whole = settled.filter { $0.rung == 1 && $0.layers == 2 }.count
  #expect(whole > settled.count * 97 / 100, "\(whole) of \(settled.count) samples with its upper layer")
  let late = settled.filter { $0.queueDelay > .milliseconds(200) }.count
  #expect(late < settled.count / 50, "\(late) of \(settled.count) samples with more than 200 ms in the queue")
}

@Test(arguments: seeds) func lossReportsAloneKeepALineUsable(seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 1_000_000, seed: seed), bounds: .init(start: 2_000_000))
  call.givesTransportFeedback = false
  call.run(for: .seconds(60))
  #expect(call.meanTarget(20, 60) > 500_000 && call.meanTarget(20, 60) < 1_300_000)
}
