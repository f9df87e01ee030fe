import EncodedMedia
import RTP
import RTPStreams
import TestSupport
import Testing
import Timing

/// Copies of earlier audio frames (RFC 2198), sent by what the receiver loses and used where something was lost.
@Suite struct RedundancyTests {
  private static let types: PayloadTypeMap = {
    var map = PayloadTypeMap()
    map[96] = .media(.opus)
    map[63] = .redundancy(of: 96)
    return map
  }()

  private func sender(_ types: PayloadTypeMap = RedundancyTests.types) -> SendStream {
    var random = SeededRandom(seed: 1)
    return SendStream(.init(source: mediaSource, kind: .audio, payloadTypes: types, using: &random))
  }

  /// - Parameter packets: all that were sent up to then.
  private func report(_ loss: Double, after packets: Int = 100) -> ReportBlock {
    let first = sender().configuration.firstSequence & 0x7FFF
    return ReportBlock(
      source: mediaSource, fractionLost: UInt8(loss * 256), cumulativeLost: 0,
      extendedHighestSequence: UInt32(Int(first) + packets), jitter: 0,
      lastSenderReport: 0, delaySinceLastSenderReport: 0)
  }

  private func send(_ frame: EncodedFrame, by stream: inout SendStream) throws -> [UInt8] {
    let outgoing = try unwrap(stream.begin(AudioPacketizer.packetize(frame), at: frame.time))
    var bytes = [UInt8](repeating: 0, count: SendStream.headerSizeMax + outgoing.payloadSize(0) + SendStream.tagSize)
    var span = bytes.mutableSpan
    let length = stream.write(0, of: outgoing, into: &span)
    return Array(bytes[0..<(try #require(length))])
  }

  private func payloadType(_ packet: [UInt8]) -> UInt8 { packet[1] & 0x7F }

  @Test func lossBringsCopiesAndCalmTakesThemAwayOneByOne() throws {
    var stream = sender()
    var counts: [Int] = []
    let losses = [0, 0.01, 0.05, 0.2, 0.2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    for (index, loss) in losses.enumerated() {
      stream.receive(report(loss, after: 100 * (index + 1)), wallClock: NTPTime(unixNanoseconds: 0))
      counts.append(stream.redundantCopies)
    }
    #expect(counts.prefix(5) == [0, 0, 1, 2, 2])
    #expect(counts.last == 0 && counts[5] == 2)
    for (a, b) in zip(counts.dropFirst(5), counts.dropFirst(6)) { #expect(a - b == 0 || a - b == 1) }
    // Where it was not negotiated there is none, whatever is lost.
    var plain = sender(payloadTypes(.opus))
    plain.receive(report(0.5), wallClock: NTPTime(unixNanoseconds: 0))
    let copies = plain.redundantCopies
    #expect(copies == 0)
  }

  @Test func lossInAQueueOfOurOwnBringsNoCopies() throws {
    var stream = sender()
    stream.pathIsFull = true
    stream.receive(report(0.5), wallClock: NTPTime(unixNanoseconds: 0))
    stream.pathIsFull = false
    var copies = stream.redundantCopies
    #expect(copies == 0)
    stream.receive(report(0.05, after: 200), wallClock: NTPTime(unixNanoseconds: 0))
    _ = try send(audioFrame(0), by: &stream)
    stream.pathIsFull = true
    copies = stream.redundantCopies
    let packet = try send(audioFrame(1), by: &stream)
    #expect(copies == 0 && payloadType(packet) == 96)
    stream.pathIsFull = false
    copies = stream.redundantCopies
    #expect(copies == 1, "as soon as it has drained")
  }

  /// One of eight, now and then, says no more than six of a hundred do.
  @Test func onePacketLostOfFewAsksForNoSecondCopy() {
    var stream = sender()
    var counts: [Int] = []
    for number in 1...40 {
      stream.receive(report(number % 2 == 0 ? 0.125 : 0, after: 8 * number), wallClock: NTPTime(unixNanoseconds: 0))
      counts.append(stream.redundantCopies)
    }
    #expect(counts.max() == 1 && counts.suffix(20).allSatisfy { $0 == 1 }, "\(counts)")
  }

  @Test func longPacketsCarryOneCopyAtMost() throws {
    for (milliseconds, copies) in [(20, 2), (40, 2), (60, 1), (120, 1)] as [(Int, Int)] {
      var stream = sender()
      stream.receive(report(0.3), wallClock: NTPTime(unixNanoseconds: 0))
      var carried = 0
      for index in 0..<4 {
        var frame = audioFrame(0, [0x78, UInt8(index), 7])
        frame.timestamp = RTPTimestamp(UInt32(48 * milliseconds * index))
        let outgoing = try unwrap(stream.begin(AudioPacketizer.packetize(frame), at: frame.time))
        carried = outgoing.copies.count
      }
      #expect(carried == copies, "\(milliseconds) ms")
    }
  }

  @Test func noMoreCopiesAreCarriedThanThereIsRoomFor() {
    var stream = sender()
    stream.receive(report(0.3), wallClock: NTPTime(unixNanoseconds: 0))
    for room in 0...2 {
      stream.copiesMax = room
      let (copies, wanted) = (stream.redundantCopies, stream.redundantCopiesWanted)
      #expect(copies == room && wanted == 2)
    }
  }

  @Test func plainAndRedundantPacketsFollowOneAnotherInOneStream() throws {
    var stream = sender()
    var packets = try (0..<3).map { try send(audioFrame($0), by: &stream) }
    stream.receive(report(0.05), wallClock: NTPTime(unixNanoseconds: 0))
    packets += try (3..<6).map { try send(audioFrame($0, [0x78, UInt8($0), 7]), by: &stream) }
    #expect(packets.map(payloadType) == [96, 96, 96, 63, 63, 63])
    // One copy of the frame before, then the frame's own.
    let expected: [UInt8] = [0x80 | 96, 15, 0, 3, 96, 0x78, 4, 7, 0x78, 5, 7]
    #expect(Array(packets[5].suffix(11)) == expected)
  }

  @Test func aCopyThatDoesNotFitIsLeftOut() throws {
    var stream = sender()
    stream.receive(report(0.3), wallClock: NTPTime(unixNanoseconds: 0))
    for number in 0..<6 {
      let packet = try send(audioFrame(number, [UInt8](repeating: 0x78, count: 700)), by: &stream)
      #expect(packet.count < 800 && payloadType(packet) == 96)
    }
    // After a pause of a second there is nothing to be copied.
    var other = sender()
    other.receive(report(0.3), wallClock: NTPTime(unixNanoseconds: 0))
    _ = try send(audioFrame(0), by: &other)
    #expect(payloadType(try send(audioFrame(60), by: &other)) == 96)
    #expect(payloadType(try send(audioFrame(61), by: &other)) == 63)
  }

  @Test(arguments: [(0.05, 0.91), (0.2, 0.99)])
  func lostFramesComeFromTheCopies(_ reported: Double, _ least: Double) throws {
    var stream = sender()
    stream.receive(report(reported), wallClock: NTPTime(unixNanoseconds: 0))
    var receiver = Receiver(.opus, types: Self.types)
    var random = SeededRandom(seed: 7)
    var sent: [Int: [UInt8]] = [:]
    for number in 0..<3_000 {
      let bytes: [UInt8] = [0x78, UInt8(number & 0xFF), UInt8(number >> 8)]
      sent[number] = bytes
      let packet = try send(audioFrame(number, bytes), by: &stream)
      if number == 0 || Double.random(in: 0..<1, using: &random) >= 0.2 {
        receiver.receive(packet, at: milliseconds(number * 20))
      }
    }
    let frames = receiver.frames
    let base = try #require(frames.first)
    for frame in frames {
      // Sequence number, time and contents of one frame belong together, whichever packet brought it.
      let number = Int(frame.sequence - base.sequence)
      #expect(frame.payload.bytes == sent[number])
      #expect(Int(frame.timestamp.distance(from: base.timestamp)) == number * 960)
    }
    #expect(Set(frames.map(\.sequence)).count == frames.count)
    #expect(Double(frames.count) / 3_000 >= least, "\(frames.count)")
  }

  @Test func aPacketThatComesAfterItsCopyIsADuplicate() throws {
    var stream = sender()
    stream.receive(report(0.3), wallClock: NTPTime(unixNanoseconds: 0))
    var receiver = Receiver(.opus, types: Self.types)
    let packets = try (0..<5).map { try send(audioFrame($0, [0x78, UInt8($0), 7]), by: &stream) }
    for index in [0, 1, 4, 2, 3] { receiver.receive(packets[index], at: milliseconds(100)) }
    let numbers = receiver.frames.map { $0.payload.bytes[1] }
    #expect(numbers == [0, 1, 2, 3, 4])
    let duplicates = receiver.stream.counters.duplicates
    #expect(duplicates == 2)
  }

  @Test func blocksOfAnotherPayloadTypeAndMalformedPacketsDoNoHarm() throws {
    var receiver = Receiver(.opus, types: Self.types)
    receiver.receive(packet(sequence: 10, payloadType: 96, [0x78, 1]), at: .zero)
    receiver.receive(packet(sequence: 12, payloadType: 63, [0x80 | 7, 15, 0, 1, 96, 9, 0x78, 2]), at: .zero)
    receiver.receive(packet(sequence: 13, payloadType: 63, [0x80 | 96, 15, 0, 200, 96, 0x78]), at: .zero)
    receiver.receive(packet(sequence: 14, payloadType: 63, []), at: .zero)
    let frames = receiver.frames
    #expect(frames.map(\.sequence) == [10, 12] && frames[1].payload.bytes == [0x78, 2])
  }

  @Test func nothingIsAllocatedForAPacketWithCopies() throws {
    var stream = sender()
    stream.receive(report(0.3), wallClock: NTPTime(unixNanoseconds: 0))
    let frames = (0..<400).map { AudioPacketizer.packetize(audioFrame($0)) }
    var bytes = [UInt8](repeating: 0, count: 600)
    var written = 0
    func send(_ range: Range<Int>) {
      for number in range {
        guard let outgoing = stream.begin(frames[number], at: milliseconds(number * 20)) else { continue }
        var span = bytes.mutableSpan
        if stream.write(0, of: outgoing, into: &span) != nil { written += 1 }
      }
    }
    send(0..<200)
    let count = allocations { send(200..<400) }
    #expect(count == 0 && written == 400)
  }
}
