import Bytes
import CongestionControl
import EncodedMedia
import RTP
import TestSupport
import Testing
import Timing

// Lines that become others: thinner with little buffer, faded, silent, far, shared.

private let media = SimulatedCall.Content.elastic(3_000_000)
private let seeds = 1..<6 as Range<UInt64>

/// What a thin line drops at once is lost because too much is sent, though hardly less of it at first where less is.
@Test(arguments: [30, 50, 100]) func aLineThatBecomesThinnerIsNotTakenForOneThatLoses(queueMilliseconds: Int64) {
  let targets = (1..<13 as Range<UInt64>).map { seed in
    var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
    call.path.queueMax = .milliseconds(queueMilliseconds)
    call.run(for: .seconds(20))
    call.path.capacity = 500_000
    call.run(for: .seconds(30))
    return call.meanTarget(30, 50)
  }
  #expect(targets.allSatisfy { 400_000 < $0 && $0 < 650_000 } && targets.reduce(0, +) < 12 * 465_000, "\(targets)")
}

@Test(arguments: seeds) func aLineThatLostMuchForAMomentIsBackSoon(seed: UInt64) {
  var call = SimulatedCall(media, path: .init(capacity: 2_000_000, seed: seed))
  call.run(for: .seconds(20))
  call.path.loss = 0.6
  call.run(for: .seconds(8))
  call.path.loss = 0
  call.run(for: .seconds(15))
  #expect(call.samples(28, 36).contains { $0.target > 1_400_000 }, "\(call.samples(28, 43).map(\.target).max() ?? 0)")
}

@Test(arguments: [300, 500], seeds) func besideAGreedyFlowAReceiverOfALadderHasAPicture(queueMilliseconds: Int64, seed: UInt64)
{
  let rungs = [1_200_000, 400_000, 120_000].map { Rung(layers: [.init(bitsPerSecond: $0, framesPerSecond: 30)]) }
  var call = SimulatedCall(
    .ladder(rungs), path: .init(capacity: 4_000_000, seed: seed), bounds: .init(minimum: 20_000, start: 300_000))
  call.path.queueMax = .milliseconds(queueMilliseconds)
  call.run(for: .seconds(15))
  call.flow = GreedyFlow()
  call.run(for: .seconds(75))
  let settled = call.samples(30, 90)
  let good = settled.filter { ($0.rung ?? 3) <= 1 }.count
  #expect(good > settled.count * 7 / 10, "\(good) of \(settled.count) samples with one of the two better pictures")
  #expect(Double(call.flow?.bytesDelivered ?? 0) * 8 / 75 > 1_300_000)
}

/// A longer way at the same address: another cell, a tunnel.
@Test(arguments: [150, 400], seeds) func aWayThatBecomesLongerCostsNoPicture(milliseconds: Int64, seed: UInt64) {
  var call = SimulatedCall(
    .ladder(webinarRungs), path: .init(capacity: 4_000_000, seed: seed), bounds: .init(minimum: 20_000, start: 300_000))
  call.run(for: .seconds(20))
  call.path.delay = call.path.delay + .milliseconds(milliseconds)
  call.run(for: .seconds(40))
  #expect(call.samples(35, 60).allSatisfy { $0.rung == 0 })
}

@Test(arguments: [600, 1_000], seeds) func aFarReceiverClimbsTooAfterAFall(delayMilliseconds: Int64, seed: UInt64) {
  var call = SimulatedCall(
    .ladder(webinarRungs), path: .init(capacity: 4_000_000, seed: seed), bounds: .init(minimum: 20_000, start: 300_000))
  call.path.delay = .milliseconds(delayMilliseconds)
  call.run(for: .seconds(60))
  call.path.capacity = 200_000
  call.run(for: .seconds(30))
  call.path.capacity = 4_000_000
  call.run(for: .seconds(30))
  #expect(call.samples(0, 15).contains { $0.rung == 0 }, "soon after the start")
  #expect(call.samples(90, 110).contains { $0.rung == 0 }, "and after the fall")
}

/// With no sound to number, nothing tells of the path while no picture is sent.
@Test(arguments: seeds) func whoTakesNoSoundHasAPictureAgainWhenHisLineIsBack(seed: UInt64) {
  var call = SimulatedCall(
    .ladder(Array(webinarRungs.prefix(2))), path: .init(capacity: 2_000_000, seed: seed),
    bounds: .init(minimum: 20_000, start: 300_000))
  call.hasSound = false
  call.path.queueMax = .milliseconds(600)
  call.run(for: .seconds(20))
  call.path.capacity = 60_000
  call.run(for: .seconds(15))
  call.path.capacity = 2_000_000
  call.run(for: .seconds(30))
  #expect(call.samples(34, 35).allSatisfy { $0.rung == nil })
  #expect(call.samples(35, 60).contains { $0.rung == 0 })
}

@Test(arguments: seeds) func whoTakesNoSoundHasAPictureAgainAfterALongGap(seed: UInt64) {
  var call = SimulatedCall(
    .ladder(webinarRungs), path: .init(capacity: 2_000_000, seed: seed), bounds: .init(minimum: 20_000, start: 300_000))
  call.hasSound = false
  call.run(for: .seconds(20))
  call.path.loss = 1
  call.run(for: .seconds(15))
  call.path.loss = 0
  call.run(for: .seconds(30))
  #expect(call.samples(35, 60).contains { $0.rung == 0 })
}

/// Half of a probe was lost: what came of it, far slower than it was sent, tells what the path carries.
@Test func aProbeThatOverflowedTellsByWhatCame() throws {
  var estimator = BandwidthEstimator()
  estimator.wantedBitsPerSecond = 2_000_000
  estimator.open(at: .zero)
  let taken = estimator.takeProbe(at: .zero)
  let probe = try #require(taken)
  var arrivals: [Instant] = []
  for number in 0..<probe.packetsMin {
    let sent = Instant.zero + .milliseconds(2) * Int64(number)
    estimator.packetSent(UInt16(number), size: 500, cluster: probe.cluster, at: sent)
    arrivals.append(number % 2 == 0 ? .zero + .milliseconds(50 + 10 * Int64(number)) : .distantFuture)
  }
  var bytes = [UInt8](repeating: 0, count: 400)
  var writer = RTCPWriter(bytes.mutableSpan)
  _ = writer.transportFeedback(
    sender: SSRC(1), media: SSRC(2), base: SequenceNumber(0), feedbackCount: 0, arrivals: arrivals.span)
  let count = writer.count
  var reader = RTCPReader(bytes.span.extracting(0..<count))
  while let packet = reader.next() {
    if case .transportFeedback(let feedback) = packet { estimator.receive(feedback, at: .zero + .milliseconds(150)) }
  }
  #expect(estimator.probesMeasured == 1)
}
