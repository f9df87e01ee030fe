import Bytes
import CongestionControl
import EncodedMedia
import RTP
import TestSupport
import Testing
import Timing

@Test func feedbackIsMatchedAcrossTheWrapAndOnlyOnce() {
  var history = SentPacketHistory(capacity: 64)
  for number in 0..<20 {
    history.record(UInt16(truncatingIfNeeded: 65_530 + number), size: 100, at: .zero + .milliseconds(Int64(number)))
  }
  #expect(history.outstandingBytes == 2_000)
  var results: [PacketResult] = []
  for _ in 0..<2 {
    var bytes = [UInt8](repeating: 0, count: 400)
    var writer = RTCPWriter(bytes.mutableSpan)
    let arrivals = (0..<10).map { $0 == 3 ? Instant.distantFuture : .zero + .milliseconds(500 + $0) }
    _ = writer.transportFeedback(
      sender: SSRC(1), media: SSRC(2), base: SequenceNumber(65_532), feedbackCount: 0, arrivals: arrivals.span)
    let count = writer.count
    var reader = RTCPReader(bytes.span.extracting(0..<count))
    while let packet = reader.next() {
      guard case .transportFeedback(let feedback) = packet else { continue }
      let shift = history.unwrap(feedback.referenceTime)
      var statuses = feedback.packets()
      while let status = statuses.next() {
        if let result = history.match(status, shift: shift) { results.append(result) }
      }
    }
  }
  #expect(results.count == 10)
  #expect(results.filter { $0.arrival == nil }.count == 1)
  #expect(results.map(\.sequence) == (65_532..<65_542).map(Int64.init))
  #expect(results.first?.sentAt == .zero + .milliseconds(2))
  #expect(history.outstandingBytes == 800)
}

/// Feedback of 36 bytes that tells of 65528 packets from `base` on, all of them lost.
private func allLost(from base: UInt16) -> [UInt8] {
  [0x8F, 205, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2, UInt8(base >> 8), UInt8(base & 255), 0xFF, 0xF8, 0, 0, 0, 0]
    + Array(repeating: [0x1F, 0xFF], count: 8).flatMap { $0 }
}

/// - Returns: how many statuses were looked at.
private func receive(_ datagram: [UInt8], statusesMax: Int = .max, at now: Instant, _ estimator: inout BandwidthEstimator)
  -> Int
{
  var count = 0
  var reader = RTCPReader(datagram.span)
  while let packet = reader.next() {
    guard case .transportFeedback(let feedback) = packet else { continue }
    count += estimator.receive(feedback, statusesMax: statusesMax - count, at: now)
  }
  return count
}

@Test func feedbackOnThousandsOfPacketsIsLookedAtOnlyForThoseThatWereSent() {
  var estimator = BandwidthEstimator()
  #expect(receive(allLost(from: 0), at: .zero, &estimator) == 0)
  for number in 0..<200 { estimator.packetSent(UInt16(1_000 + number), size: 1_000, at: .zero + .milliseconds(Int64(number))) }
  #expect(receive(allLost(from: 1_200), at: .zero + .milliseconds(250), &estimator) == 200 - 8)
  #expect(receive(allLost(from: 65_000), at: .zero + .milliseconds(600), &estimator) == 200)
  // They count as lost, however many others are said to be.
  #expect(estimator.statistics.fractionLost > 0.5 && estimator.statistics.isInformed)
}

@Test func feedbackIsLookedAtNoFurtherThanIsAllowed() {
  var estimator = BandwidthEstimator()
  for number in 0..<200 { estimator.packetSent(UInt16(number), size: 1_000, at: .zero + .milliseconds(Int64(number))) }
  let datagram = Array(repeating: allLost(from: 65_000), count: 55).flatMap { $0 }
  #expect(receive(datagram, statusesMax: 500, at: .zero + .milliseconds(300), &estimator) == 500)
}

@Test(arguments: 0..<20 as Range<UInt64>)
func hostileFeedbackLeavesTheTargetWithinItsBounds(seed: UInt64) {
  var random = SeededRandom(seed: seed)
  var estimator = BandwidthEstimator(.init(minimum: 30_000, start: 300_000, maximum: 5_000_000))
  estimator.wantedBitsPerSecond = .max
  var now = Instant.zero
  for round in 0..<1_500 {
    now += .milliseconds(Int64(random.next() % 40))
    for _ in 0..<Int(random.next() % 8) {
      let number = random.next() % 10 == 0 ? UInt16(truncatingIfNeeded: random.next()) : UInt16(truncatingIfNeeded: round)
      estimator.packetSent(
        number, size: Int(truncatingIfNeeded: random.next() % 2_000), cluster: UInt8(random.next() % 4), at: now)
    }
    var bytes = (0..<Int(random.next() % 90) + 24).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    // A transport-wide feedback packet with random contents, near the numbers sent.
    let words = bytes.count / 4 - 1
    (bytes[0], bytes[1], bytes[2], bytes[3]) = (0x8F, 205, 0, UInt8(words))
    let base = UInt16(truncatingIfNeeded: round - Int(random.next() % 30))
    (bytes[12], bytes[13], bytes[14]) = (UInt8(base >> 8), UInt8(base & 255), random.next() % 4 == 0 ? 0xFF : 0)
    if random.next() % 2 == 0 { (bytes[20], bytes[21]) = (0x20, 0x08) }
    var reader = RTCPReader(bytes.span)
    while let packet = reader.next() {
      if case .transportFeedback(let feedback) = packet { estimator.receive(feedback, at: now) }
    }
    if round % 7 == 0 { estimator.receiveMaximumBitrate(random.next(), at: now) }
    if round % 11 == 0 {
      estimator.receiveReport(
        fractionLost: [-.infinity, .nan, 0, 1, .infinity][Int(random.next() % 5)],
        roundTripTime: .nanoseconds(Int64(bitPattern: random.next())), at: now)
    }
    if let probe = estimator.takeProbe(at: now) { #expect(probe.bitsPerSecond <= 5_500_000 * 6 && probe.bytes <= 100_000) }
    estimator.handleTimeout(at: now)
    #expect(estimator.statistics.target >= 30_000 && estimator.statistics.target <= 5_000_000)
  }
}

@Test func silenceAfterFeedbackHalvesTheTarget() {
  var call = SimulatedCall(.elastic(1_000_000), path: .init(capacity: 2_000_000, seed: 1))
  call.run(for: .seconds(5))
  let before = call.estimator.statistics.target
  call.path.loss = 1
  call.run(for: .seconds(3))
  #expect(call.estimator.statistics.target < before / 2)
}

@Test func aReceiverEstimateCapsWhatIsSent() {
  var estimator = BandwidthEstimator(.init(minimum: 20_000, start: 1_000_000, maximum: 5_000_000))
  estimator.receiveMaximumBitrate(400_000, at: .zero)
  #expect(estimator.statistics.target == 400_000)
  estimator.receiveMaximumBitrate(0, at: .zero)
  #expect(estimator.statistics.target == 20_000)
}

@Test func lossReportsAloneLowerAndRaiseTheRate() {
  var estimator = BandwidthEstimator(.init(minimum: 20_000, start: 1_000_000, maximum: 5_000_000))
  estimator.receiveMaximumBitrate(1_500_000, at: .zero)
  var now = Instant.zero
  for _ in 0..<5 {
    now += .seconds(1)
    estimator.receiveReport(fractionLost: 0.3, roundTripTime: .milliseconds(50), at: now)
  }
  let low = estimator.targetBitsPerSecond
  #expect(low < 600_000)
  for _ in 0..<5 {
    now += .seconds(1)
    estimator.receiveReport(fractionLost: 0.05, roundTripTime: .milliseconds(50), at: now)
  }
  #expect(estimator.statistics.target == low, "between a fiftieth and a tenth nothing changes")
  for _ in 0..<30 {
    now += .seconds(1)
    estimator.receiveReport(fractionLost: 0, roundTripTime: .milliseconds(50), at: now)
  }
  #expect(estimator.statistics.target == 1_500_000)
}

@Test func estimatingAllocatesNothingPerPacketSent() {
  var estimator = BandwidthEstimator()
  var number: UInt16 = 0
  func send() {
    number &+= 1
    estimator.packetSent(number, size: 1_200, at: .zero + .milliseconds(Int64(number)))
  }
  // Nothing is told of them: as many are remembered as ever are.
  for _ in 0..<2_000 { send() }
  #expect(allocations { for _ in 0..<2_000 { send() } } == 0)
}

@Test func aPacketIsRememberedUntilFeedbackTellsOfIt() {
  var history = SentPacketHistory(capacity: 1024)
  func send(_ numbers: Range<Int>) {
    for number in numbers { history.record(UInt16(number), size: 100, at: .zero + .milliseconds(Int64(number) * 10)) }
  }
  func tell(_ number: Int, _ arrival: Interval? = .zero) -> PacketResult? {
    history.match(TransportPacketStatus(sequenceNumber: SequenceNumber(UInt16(number)), arrival: arrival), shift: .zero)
  }
  send(0..<1_000)
  #expect(tell(0)?.sentAt == .zero)
  #expect(tell(998, nil) != nil)
  // What was sent within a second of now may still turn out to have come.
  send(1_000..<1_050)
  #expect(tell(998)?.wasReportedLost == true)
  #expect(tell(1_049)?.sentAt == .zero + .milliseconds(10_490))
  send(1_050..<2_100)
  #expect(tell(998) == nil)
  #expect(tell(1_080)?.sentAt == .zero + .milliseconds(10_800), "no more than the capacity is forgotten")
}
