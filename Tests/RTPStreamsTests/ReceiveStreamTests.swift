import EncodedMedia
import RTP
import RTPStreams
import TestSupport
import Testing
import Timing

struct AudioReceptionTests {
  @Test func everyPacketIsAFrameAtOnce() {
    var receiver = Receiver(.opus)
    var extensions = HeaderExtensions()
    extensions.audioLevel = 42
    receiver.receive(packet(sequence: 65_535, timestamp: 960, extensions: extensions, [1, 2]), at: .zero)
    receiver.receive(packet(sequence: 1, timestamp: 2880, [3]), at: .zero)
    receiver.receive(packet(sequence: 0, timestamp: 1920, [4]), at: .zero)
    let frames = receiver.frames
    #expect(frames.map(\.sequence) == [65_535, 65_537, 65_536])
    #expect(frames.map(\.payload.bytes) == [[1, 2], [3], [4]])
    #expect(frames.map(\.audioLevel) == [42, nil, nil])
  }

  @Test func aDuplicateIsDroppedAndCounted() {
    var receiver = Receiver(.opus)
    for _ in 0..<2 { receiver.receive(packet(sequence: 5, [1]), at: .zero) }
    let (frames, duplicates) = (receiver.frames.count, receiver.stream.counters.duplicates)
    #expect(frames == 1)
    #expect(duplicates == 1)
  }

  @Test func paddingOnlyAndUnknownPayloadTypesAreNoFrames() {
    var receiver = Receiver(.opus)
    receiver.receive(packet(sequence: 5, []), at: .zero)
    receiver.receive(packet(sequence: 6, payloadType: 110, [1]), at: .zero)
    receiver.receive(packet(sequence: 7, source: SSRC(3), [1]), at: .zero)
    let (frames, unknown, packets) = (
      receiver.frames.count, receiver.stream.counters.notUnderstood, receiver.stream.statistics.packetCount
    )
    #expect(frames == 0)
    #expect(unknown == 1)
    #expect(packets == 2)
  }

  @Test func aSourceThatStartsAnewIsFollowedFromItsSecondPacket() throws {
    var receiver = Receiver(.opus)
    for sequence in 100..<110 { receiver.receive(packet(sequence: UInt16(sequence), [1]), at: .zero) }
    for sequence in 40_000..<40_005 { receiver.receive(packet(sequence: UInt16(sequence), [2]), at: .zero) }
    let frames = receiver.frames
    #expect(frames.count == 14)
    #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.sequence < $1.sequence })
    let restarts = receiver.stream.counters.restarts
    #expect(restarts == 1)
    let block = try unwrap(receiver.stream.reportBlock(at: .zero))
    #expect(block.cumulativeLost == 0)
  }

  @Test func oneStrangePacketChangesNothing() {
    var receiver = Receiver(.opus)
    for sequence in [100, 101, 40_000, 102, 103, 50_000, 104] as [UInt16] {
      receiver.receive(packet(sequence: sequence, [1]), at: .zero)
    }
    let sequences = receiver.frames.map(\.sequence)
    #expect(sequences == [100, 101, 102, 103, 104])
  }

  @Test func steadyReceptionAllocatesNothing() {
    var receiver = Receiver(.opus)
    receiver.frames.reserveCapacity(4)
    let packets = (0..<400).map { packet(sequence: UInt16($0), timestamp: UInt32($0 * 960), [UInt8](repeating: 7, count: 80)) }
    for (index, packet) in packets[0..<200].enumerated() {
      receiver.receive(packet, at: milliseconds(index * 20))
      receiver.frames.removeAll(keepingCapacity: true)
    }
    let count = allocations {
      for index in 200..<400 {
        receiver.receive(packets[index], at: milliseconds(index * 20))
        receiver.frames.removeAll(keepingCapacity: true)
      }
    }
    #expect(count == 0)
  }
}

struct ReceptionReportTests {
  @Test func lossIsCountedAsRFC3550Says() throws {
    var receiver = Receiver(.opus)
    // Eight of ten, over the wrap.
    for step in 0..<10 where step != 3 && step != 7 {
      receiver.receive(
        packet(sequence: 65_531 &+ UInt16(step), timestamp: UInt32(step * 960), [1]), at: milliseconds(step * 20))
    }
    let block = try unwrap(receiver.stream.reportBlock(at: .zero))
    #expect(block.cumulativeLost == 2)
    #expect(block.fractionLost == UInt8(256 * 2 / 10))
    #expect(block.extendedHighestSequence == 65_536 + 4)
    #expect(block.jitter == 0)
    // Nothing lost in the next interval.
    receiver.receive(packet(sequence: 5, timestamp: 9600, [1]), at: milliseconds(200))
    let next = try unwrap(receiver.stream.reportBlock(at: .zero))
    #expect(next.fractionLost == 0)
    #expect(next.cumulativeLost == 2)
  }

  @Test func jitterGrowsTowardsTheMeanDeviation() throws {
    var receiver = Receiver(.opus)
    for step in 0..<500 {
      let late = step % 2 == 0 ? 0 : 10
      receiver.receive(packet(sequence: UInt16(step), timestamp: UInt32(step * 960), [1]), at: milliseconds(step * 20 + late))
    }
    // Every step differs by 10 ms from the one before: 480 ticks.
    let block = try unwrap(receiver.stream.reportBlock(at: .zero))
    #expect((470...480).contains(block.jitter))
  }

  /// Telephones and gateways: Opus is agreed on too, and the next packet may be of it.
  @Test func timestampsCountByTheClockOfTheCodecThatComes() throws {
    var types = payloadTypes(.opus)
    types[0] = .media(.pcmu)
    var receiver = Receiver(.opus, types: types)
    let ntp = NTPTime(rawValue: 0x1234_5678_9ABC_DEF0)
    let report = { (timestamp: UInt32) in
      SenderReport(sender: mediaSource, ntp: ntp, timestamp: RTPTimestamp(timestamp), packetCount: 1, octetCount: 1)
    }
    receiver.stream.receive(report(8_000), at: .zero)
    for step in 0..<500 {
      let late = step % 2 == 0 ? 0 : 10
      receiver.receive(
        packet(sequence: UInt16(step), timestamp: UInt32(step * 160), payloadType: 0, [1]), at: milliseconds(step * 20 + late))
    }
    let second = try unwrap(receiver.stream.captureTime(of: RTPTimestamp(16_000)))
    #expect(second - ntp == .seconds(1))
    let jitter = receiver.stream.statistics.jitterTime
    #expect((9.5...10).contains(jitter.milliseconds))
    receiver.receive(packet(sequence: 500, timestamp: 480_000, [1]), at: milliseconds(10_000))
    let unknown = receiver.stream.captureTime(of: RTPTimestamp(480_000))
    #expect(unknown == nil, "its report is of the other clock")
    receiver.stream.receive(report(480_000), at: milliseconds(10_000))
    let known = try unwrap(receiver.stream.captureTime(of: RTPTimestamp(528_000)))
    #expect(known - ntp == .seconds(1))
  }

  @Test func theLastSenderReportIsToldWithItsDelay() throws {
    var receiver = Receiver(.opus)
    receiver.receive(packet(sequence: 1, [1]), at: .zero)
    let ntp = NTPTime(rawValue: 0x1234_5678_9ABC_DEF0)
    let report = SenderReport(
      sender: mediaSource, ntp: ntp, timestamp: RTPTimestamp(48_000), packetCount: 1, octetCount: 1)
    receiver.stream.receive(report, at: milliseconds(1000))
    let block = try unwrap(receiver.stream.reportBlock(at: milliseconds(1500)))
    #expect(block.lastSenderReport == 0x5678_9ABC)
    #expect(block.delaySinceLastSenderReport == 32_768)
    let wallClock = try unwrap(receiver.stream.statistics.wallClock(of: RTPTimestamp(24_000)))
    #expect(ntp - wallClock == .milliseconds(500))
  }

  @Test func thereIsNoBlockBeforeTheFirstPacket() {
    var receiver = Receiver(.opus)
    let block = receiver.stream.reportBlock(at: .zero)
    #expect(block == nil)
  }
}

struct NegativeAcknowledgementTests {
  @Test func aMissingPacketIsAskedForAfterTheReorderToleranceAndThenEachRoundTrip() throws {
    var receiver = Receiver(.vp8)
    receiver.stream.roundTripTime = .milliseconds(90)
    for sequence in [1, 2, 5] as [UInt16] { receiver.receive(packet(sequence: sequence, [0x10, 0x11, 0, 0]), at: .zero) }
    _ = receiver.feedback(at: .zero)
    var asked: [Int] = []
    for now in 0..<400 {
      let lost = receiver.feedback(at: milliseconds(now)).lost
      if lost == [SequenceNumber(3), SequenceNumber(4)] { asked.append(now) } else { #expect(lost.isEmpty) }
    }
    #expect(asked == [10, 110, 210, 310])
  }

  /// Who only watches sends no reports that would tell him.
  @Test func howLongAnAnswerTakesIsLearntFromTheAnswers() {
    var receiver = Receiver(.vp8)
    var asked: [Int] = []
    let ask = { (receiver: inout Receiver, range: Range<Int>) in
      for now in range where !receiver.feedback(at: milliseconds(now)).lost.isEmpty { asked.append(now) }
    }
    for sequence in [1, 3] as [UInt16] { receiver.receive(packet(sequence: sequence, [0x10, 0x11, 0, 0]), at: .zero) }
    ask(&receiver, 0..<50)
    receiver.receive(
      packet(sequence: 700, payloadType: 97, source: repairSource, [0, 2, 0x10, 0x11, 0, 0]), at: milliseconds(50))
    receiver.receive(packet(sequence: 5, [0x10, 0x11, 0, 0]), at: milliseconds(100))
    ask(&receiver, 50..<230)
    #expect(asked == [10, 110, 160, 210], "40 ms for the answer and 10 for what is overtaken")
  }

  /// Which request it answers is not known: only from the first on is it certain that no answer came sooner.
  @Test func anAnswerToTheSecondRequestCountsFromTheFirst() {
    var receiver = Receiver(.vp8)
    var asked: [Int] = []
    for (number, answer) in [(2, 40), (4, 180), (6, 310)] as [(UInt16, Int)] {
      for sequence in [number - 1, number + 1] {
        receiver.receive(packet(sequence: sequence, [0x10, 0x11, 0, 0]), at: milliseconds(Int(number) / 2 * 100 - 100))
      }
      for now in (Int(number) / 2 * 100 - 100)..<answer where !receiver.feedback(at: milliseconds(now)).lost.isEmpty {
        asked.append(now)
      }
      receiver.receive(
        packet(
          sequence: 700 + number, payloadType: 97, source: repairSource, [0, UInt8(number), 0x10, 0x11, 0, 0]),
        at: milliseconds(answer))
    }
    #expect(asked == [10, 110, 150, 210, 255, 300], "30 ms at first, then (7 * 30 + 70) / 8")
  }

  @Test func onlyWhatIsStillMissingIsAskedFor() {
    var receiver = Receiver(.vp8)
    for sequence in [1, 4, 2] as [UInt16] { receiver.receive(packet(sequence: sequence, [0x10, 0x11, 0, 0]), at: .zero) }
    let lost = receiver.feedback(at: milliseconds(10)).lost
    #expect(lost == [SequenceNumber(3)])
  }

  @Test func askingEndsWithTheAge() {
    var receiver = Receiver(.opus)
    for sequence in [1, 3] as [UInt16] { receiver.receive(packet(sequence: sequence, [1]), at: .zero) }
    var last = 0
    for now in 0..<2000 where !receiver.feedback(at: milliseconds(now)).lost.isEmpty { last = now }
    #expect((100...260).contains(last))
    let deadline = receiver.stream.nextDeadline
    #expect(deadline == nil)
  }

  @Test func requestsOfWhoIsNearLastAsLongAsThePacketIsOfUse() {
    var receiver = Receiver(.vp8)
    receiver.stream.roundTripTime = .milliseconds(1)
    for sequence in [1, 3] as [UInt16] { receiver.receive(packet(sequence: sequence, [0x10, 0x11, 0, 0]), at: .zero) }
    var asked: [Int] = []
    for now in 0..<2000 where !receiver.feedback(at: milliseconds(now)).lost.isEmpty { asked.append(now) }
    #expect(asked == [10, 40, 70, 130, 190, 250, 310, 370, 430, 490])
  }

  @Test func aHugeGapAsksForABoundedNumber() {
    var receiver = Receiver(.vp8)
    for sequence in [1, 3000] as [UInt16] { receiver.receive(packet(sequence: sequence, [0x10, 0x11, 0, 0]), at: .zero) }
    let lost = receiver.feedback(at: milliseconds(10)).lost
    #expect(lost.count == 256)
    #expect(lost.last == SequenceNumber(2999))
  }

  @Test func aRetransmissionFillsTheGap() throws {
    var receiver = Receiver(.opus)
    for sequence in [1, 3] as [UInt16] { receiver.receive(packet(sequence: sequence, timestamp: 7, [9]), at: .zero) }
    receiver.receive(packet(sequence: 700, timestamp: 5, payloadType: 97, source: repairSource, [0, 2, 0xAA]), at: .zero)
    let frames = receiver.frames
    #expect(frames.map(\.sequence) == [1, 3, 2])
    #expect(frames.last?.payload.bytes == [0xAA])
    #expect(frames.last?.timestamp == RTPTimestamp(5))
    let lost = receiver.feedback(at: milliseconds(50)).lost
    #expect(lost.isEmpty)
    // The report still counts it as lost: retransmissions are of another source.
    let block = try unwrap(receiver.stream.reportBlock(at: .zero))
    #expect(block.cumulativeLost == 1)
  }

  @Test(arguments: [[], [1]] as [[UInt8]]) func aRetransmissionWithoutAPacketIsHarmless(_ payload: [UInt8]) {
    var receiver = Receiver(.vp8)
    receiver.receive(packet(sequence: 1, [0x10, 0x11, 0, 0]), at: .zero)
    receiver.receive(packet(sequence: 700, payloadType: 97, source: repairSource, payload), at: .zero)
    let padding = receiver.stream.counters.retransmissionPadding
    #expect(padding == 1)
  }
}

struct KeyframeRequesterTests {
  @Test func requestsGrowRareUntilAKeyframeComes() {
    var requester = KeyframeRequester()
    holds(requester.nextDeadline == nil)
    requester.request()
    var asked: [Int] = []
    for now in stride(from: 0, to: 8000, by: 10) where requester.takeDue(at: milliseconds(now)) { asked.append(now) }
    #expect(asked == [0, 500, 1500, 3500, 5500, 7500])
    requester.keyframeArrived()
    holds(!requester.takeDue(at: milliseconds(9000)))
  }

  @Test func aNewWishSoonAfterARequestWaits() {
    var requester = KeyframeRequester()
    requester.request()
    let first = requester.takeDue(at: milliseconds(0))
    requester.keyframeArrived()
    requester.request()
    let soon = requester.takeDue(at: milliseconds(100))
    let later = requester.takeDue(at: milliseconds(500))
    #expect(first && !soon && later)
  }
}
