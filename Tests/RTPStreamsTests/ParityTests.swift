import Bytes
import EncodedMedia
import RTP
import RTPStreams
import TestSupport
import Testing
import Timing

/// Parity over pictures (RFC 5109) in blocks of one (RFC 2198).
@Suite struct ParityTests {
  private static let types: PayloadTypeMap = {
    var map = payloadTypes(.vp8)
    map[120] = .block
    map[121] = .parity
    return map
  }()
  private static let wall = NTPTime(unixNanoseconds: 1_780_000_000_000_000_000)

  private func stream(_ types: PayloadTypeMap = ParityTests.types, retransmission: Bool = true) -> SendStream {
    var random = SeededRandom(seed: 4)
    return SendStream(
      .init(
        source: mediaSource, kind: .video, payloadTypes: types, retransmissionSource: retransmission ? repairSource : nil,
        extensionMap: extensionMap, using: &random))
  }

  private func report(_ stream: inout SendStream, loss: Double, roundTripTime: Interval) {
    let block = ReportBlock(
      source: mediaSource, fractionLost: UInt8(loss * 256), cumulativeLost: 0, extendedHighestSequence: 0, jitter: 0,
      lastSenderReport: (Self.wall + (.zero - roundTripTime)).compact, delaySinceLastSenderReport: 0)
    stream.receive(block, wallClock: Self.wall)
  }

  /// A sender whose receiver is far away and loses packets.
  private func farSender(loss: Double = 0.03) -> Sender {
    var sender = Sender(.vp8)
    sender.stream = stream()
    for _ in 0..<3 { report(&sender.stream, loss: loss, roundTripTime: .milliseconds(500)) }
    return sender
  }

  /// All packets of some frames, and the parity between them.
  private func packets(_ sender: inout Sender, _ frames: Range<Int>, size: Int = 1_000) throws -> [[UInt8]] {
    var packets: [[UInt8]] = []
    for number in frames {
      packets += try sender.send(videoFrame(.vp8, number, isKeyframe: number == 0, size: size))
      while sender.stream.hasParity {
        var bytes = [UInt8](repeating: 0, count: 600)
        var span = bytes.mutableSpan
        let length = try unwrap(sender.stream.writeParity(transportSequenceNumber: 7, sendTime: 9, into: &span))
        packets.append(Array(bytes[0..<length]))
      }
    }
    return packets
  }

  private func header(_ packet: [UInt8]) throws -> RTPHeader { try unwrap(RTPHeader(parsing: packet.span)) }
  private func block(of packet: [UInt8]) throws -> UInt8 { packet[try header(packet).payloadRange.lowerBound] }

  /// Over three of them it would come seconds later, over one alone take as much as the picture.
  @Test func picturesFarApartCarryNoParity() throws {
    var sender = farSender()
    _ = try packets(&sender, 0..<1)
    for number in 1..<8 {
      var frame = videoFrame(.vp8, number, isKeyframe: false)
      frame.time = .zero + .seconds(Int64(number))
      let sent = try sender.send(frame)
      let hasParity = sender.stream.hasParity
      #expect(!hasParity)
      for packet in sent { #expect(packet[1] & 0x7F == 96) }
    }
    let counters = sender.stream.counters
    #expect(counters.parityPackets == 0)
  }

  @Test func aDistantReceiverWhoLosesPacketsHasParityAndNobodyElse() {
    var stream = stream()
    report(&stream, loss: 0.05, roundTripTime: .milliseconds(100))
    var isProtected = stream.isProtected
    #expect(!isProtected, "what is asked for again comes in time")
    for _ in 0..<2 { report(&stream, loss: 0.05, roundTripTime: .milliseconds(300)) }
    isProtected = stream.isProtected
    #expect(!isProtected, "a queue would look so for a moment")
    report(&stream, loss: 0.05, roundTripTime: .milliseconds(300))
    isProtected = stream.isProtected
    #expect(isProtected)
    for _ in 0..<30 { report(&stream, loss: 0, roundTripTime: .milliseconds(300)) }
    isProtected = stream.isProtected
    #expect(!isProtected)
    for other in [self.stream(payloadTypes(.vp8)), self.stream(retransmission: false)] {
      var other = other
      for _ in 0..<5 { report(&other, loss: 0.1, roundTripTime: .milliseconds(600)) }
      isProtected = other.isProtected
      #expect(!isProtected, "not agreed on, or what is sent again has to be the same packet")
    }
  }

  @Test func packetsAreInBlocksAndParityIsNumberedAmongThem() throws {
    var sender = farSender()
    let packets = try packets(&sender, 0..<4)
    let numbers = try packets.map { try header($0) }
    for (a, b) in zip(numbers, numbers.dropFirst()) { #expect(b.sequenceNumber == a.sequenceNumber + 1) }
    #expect(numbers.allSatisfy { $0.payloadType == 120 && $0.ssrc == mediaSource })
    let blocks = try packets.map { try block(of: $0) }
    #expect(Set(blocks) == [96, 121])
    #expect(blocks.count { $0 == 121 } * 3 < blocks.count, "a third at most for these")
    let last = try #require(numbers.first { $0.marker })
    let again = try unwrap(sender.resend(last.sequenceNumber, at: milliseconds(200)))
    let repair = try header(again)
    #expect(repair.payloadType == 97 && repair.ssrc == repairSource, "sent again without a block")
  }

  /// The fields of RFC 5109 section 7.3 and 7.4, worked out from the packets.
  @Test func aPacketOfParityIsTheExclusiveOrOfWhatItCovers() throws {
    var sender = farSender(loss: 0.012)
    let all = try packets(&sender, 0..<3)
    let index = try #require(try all.firstIndex { try block(of: $0) == 121 })
    let parity = all[index]
    let start = try header(parity).payloadRange.lowerBound + 1
    let media = all[0..<index].map { packet -> [UInt8] in
      let block = RTPHeader(parsing: packet.span)?.payloadRange.lowerBound ?? 0
      var plain = Array(packet[0..<block] + packet[(block + 1)...])
      plain[1] = plain[1] & 0x80 | 96
      return plain
    }
    let longest = media.map(\.count).max() ?? 0
    func xor(_ offset: Int) -> UInt8 { media.reduce(0) { $0 ^ (offset < $1.count ? $1[offset] : 0) } }
    #expect(parity[start] & 0x80 == 0 && parity[start] & 0x3F == xor(0) & 0x3F)
    #expect(parity[start + 1] == xor(1))
    #expect(Array(parity[(start + 2)..<(start + 4)]) == Array(media[0][2..<4]), "the base is the first covered")
    #expect(Array(parity[(start + 4)..<(start + 8)]) == (4..<8).map(xor))
    let lengths = media.reduce(0) { $0 ^ ($1.count - 12) }
    #expect(Int(parity[start + 8]) << 8 | Int(parity[start + 9]) == lengths)
    #expect(Int(parity[start + 10]) << 8 | Int(parity[start + 11]) == longest - 12)
    let isLong = parity[start] & 0x40 != 0
    let mask = (0..<(isLong ? 6 : 2)).reduce(UInt64(0)) { $0 << 8 | UInt64(parity[start + 12 + $1]) }
    #expect(mask.nonzeroBitCount == media.count && mask.leadingZeroBitCount == (isLong ? 16 : 48))
    #expect(Array(parity[(start + (isLong ? 18 : 14))...]) == (12..<longest).map(xor))
  }

  @Test func anyOnePacketOfARunIsMadeAgain() throws {
    var sender = farSender()
    let all = try packets(&sender, 0..<6)
    var whole = Receiver(.vp8, types: Self.types)
    for packet in all { whole.receive(packet, at: .zero) }
    let expected = whole.frames.map(\.payload.bytes)
    #expect(expected.count == 6)
    for lost in all.indices {
      var receiver = Receiver(.vp8, types: Self.types)
      for (index, packet) in all.enumerated() where index != lost { receiver.receive(packet, at: .zero) }
      let frames = receiver.frames.map(\.payload.bytes), recovered = receiver.stream.counters.recovered
      let isMedia = try block(of: all[lost]) == 96
      // The last run is not over yet.
      let isCovered = try all[lost...].contains { try block(of: $0) == 121 }
      #expect(
        frames == expected || !isCovered,
        "without packet \(lost) of \(all.count): \(frames.count) frames, recovered \(recovered)")
      #expect(recovered == (isMedia && isCovered ? 1 : 0))
    }
  }

  @Test func aBurstNoLongerThanTheParityIsRepaired() throws {
    var sender = farSender(loss: 0.10)
    let all = try packets(&sender, 0..<2, size: 4_000)
    let media = try all.indices.filter { try block(of: all[$0]) == 96 }
    for start in 0..<(media.count - 2) {
      let lost = media[start..<(start + 3)]
      var receiver = Receiver(.vp8, types: Self.types)
      for (index, packet) in all.enumerated() where !lost.contains(index) { receiver.receive(packet, at: .zero) }
      let (count, recovered) = (receiver.frames.count, receiver.stream.counters.recovered)
      #expect(count == 2 && recovered == 3, "without packets \(lost)")
    }
  }

  @Test func whatCameByAnotherWayIsNotMadeTwice() throws {
    var sender = farSender()
    let all = try packets(&sender, 0..<4)
    var receiver = Receiver(.vp8, types: Self.types)
    for (index, packet) in all.enumerated() where index != 2 { receiver.receive(packet, at: .zero) }
    let count = receiver.frames.count
    let number = try header(all[2]).sequenceNumber
    receiver.receive(try unwrap(sender.resend(number, at: milliseconds(500))), at: .zero)
    receiver.receive(all[2], at: .zero)
    let after = receiver.frames.count, duplicates = receiver.stream.counters.duplicates
    #expect(after == count && duplicates == 2)
  }

  @Test func truncatedAndRandomBlocksAndParityAreSurvived() throws {
    var sender = farSender()
    let all = try packets(&sender, 0..<8)
    for packet in all {
      for count in 12..<packet.count where count < 60 || count % 37 == 0 {
        var receiver = Receiver(.vp8, types: Self.types)
        for other in all where other != packet { receiver.receive(other, at: .zero) }
        receiver.receive(Array(packet[0..<count]), at: .zero)
      }
    }
    var random = SeededRandom(seed: 99)
    var receiver = Receiver(.vp8, types: Self.types)
    for round in 0..<20_000 {
      var packet = all[Int(random.next() % UInt64(all.count))]
      for _ in 0..<4 where random.next() % 2 == 0 {
        packet[12 + Int(random.next() % UInt64(packet.count - 12))] = UInt8(truncatingIfNeeded: random.next())
      }
      packet[2] = UInt8(truncatingIfNeeded: round >> 8)
      packet[3] = UInt8(truncatingIfNeeded: round)
      receiver.receive(packet, at: milliseconds(round))
      receiver.handleTimeout(at: milliseconds(round))
      receiver.frames.removeAll()
    }
    for bytes in [[UInt8](repeating: 1, count: 13), [UInt8](repeating: 0, count: 40)] {
      let isParity = ParityHeader(parsing: bytes.span) != nil
      #expect(!isParity, "too short, or over nothing")
    }
  }
}
