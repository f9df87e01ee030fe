import EncodedMedia
import RTP
import TestSupport
import Testing
import Timing

/// Reads everything there is to read of a datagram, and says what it found.
func describe(_ datagram: [UInt8]) -> [String] {
  var found: [String] = []
  var reader = RTCPReader(datagram.span)
  while let packet = reader.next() {
    switch packet {
    case .senderReport(let report, let blocks):
      found.append(
        "SR \(report.sender) \(report.ntp.rawValue) \(report.timestamp.rawValue) \(report.packetCount) \(report.octetCount)")
      for index in 0..<blocks.count { found.append(describe(blocks[index])) }
    case .receiverReport(let sender, let blocks):
      found.append("RR \(sender)")
      for index in 0..<blocks.count { found.append(describe(blocks[index])) }
    case .sourceDescription(var chunks):
      while let name = chunks.next() {
        var text = ""
        for index in 0..<name.bytes.count { text.unicodeScalars.append(Unicode.Scalar(name.bytes[index])) }
        found.append("CNAME \(name.source) \(text)")
      }
    case .goodbye(let sources):
      var text = "BYE"
      for index in 0..<sources.count { text += " \(sources[index] ?? SSRC(0))" }
      found.append(text)
    case .nack(let media, var lost):
      var numbers = ""
      while let number = lost.next() { numbers += " \(number.rawValue)" }
      found.append("NACK \(media):\(numbers)")
    case .pictureLossIndication(let media): found.append("PLI \(media)")
    case .fullIntraRequest(let requests):
      for index in 0..<requests.count {
        if let request = requests[index] { found.append("FIR \(request.media) \(request.number)") }
      }
    case .receiverEstimatedMaximumBitrate(let bits, let sources):
      var text = "REMB \(bits)"
      for index in 0..<sources.count { text += " \(sources[index] ?? SSRC(0))" }
      found.append(text)
    case .transportFeedback(let feedback):
      var text = "TWCC \(feedback.sender) \(feedback.media) #\(feedback.feedbackCount):"
      var packets = feedback.packets()
      while let status = packets.next() {
        text += " \(status.sequenceNumber.rawValue)@\(status.arrival.map { String($0.nanoseconds / 250_000) } ?? "-")"
      }
      found.append(text)
    }
  }
  return found
}

private func describe(_ block: ReportBlock?) -> String {
  guard let block else { return "none" }
  return "block \(block.source) \(block.fractionLost) \(block.cumulativeLost) \(block.extendedHighestSequence) \(block.jitter) "
    + "\(block.lastSenderReport) \(block.delaySinceLastSenderReport)"
}

private let blocks = [
  ReportBlock(
    source: SSRC(7), fractionLost: 64, cumulativeLost: -2, extendedHighestSequence: 65_540, jitter: 30, lastSenderReport: 99,
    delaySinceLastSenderReport: 65_536),
  ReportBlock(
    source: SSRC(8), fractionLost: 0, cumulativeLost: 0x7F_FFFF, extendedHighestSequence: 1, jitter: 2, lastSenderReport: 0,
    delaySinceLastSenderReport: 0),
]
private let report = SenderReport(
  sender: SSRC(1), ntp: NTPTime(rawValue: 0x0102_0304_0506_0708), timestamp: RTPTimestamp(5), packetCount: 6, octetCount: 7)

/// One datagram with each kind of packet.
private func everything() -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: 1000)
  let lost = [1, 3, 17, 18, 65_535].map { SequenceNumber($0) }
  let sources = [SSRC(4), SSRC(5)]
  let arrivals: [Instant] = [1000, 1001, -1, 1300, 1200].map {
    $0 < 0 ? .distantFuture : Instant(nanoseconds: $0 * 250_000)
  }
  var writer = RTCPWriter(bytes.mutableSpan)
  writer.senderReport(report, blocks: blocks.span)
  writer.receiverReport(sender: SSRC(2), blocks: blocks.span)
  writer.canonicalName(Array("tutti@x".utf8).span, source: SSRC(1))
  writer.goodbye(SSRC(3))
  writer.nack(sender: SSRC(1), media: SSRC(9), lost: lost.span)
  writer.pictureLossIndication(sender: SSRC(1), media: SSRC(9))
  writer.fullIntraRequest(sender: SSRC(1), media: SSRC(9), number: 42)
  writer.receiverEstimatedMaximumBitrate(sender: SSRC(1), bitsPerSecond: 2_500_000, sources: sources.span)
  _ = writer.transportFeedback(
    sender: SSRC(1), media: SSRC(9), base: SequenceNumber(65_534), feedbackCount: 3, arrivals: arrivals.span)
  let count = writer.count
  return Array(bytes[0..<count])
}

struct RTCPTests {
  @Test func whatIsWrittenIsReadAgain() {
    #expect(
      describe(everything()) == [
        "SR 1 72623859790382856 5 6 7", "block 7 64 -2 65540 30 99 65536", "block 8 0 8388607 1 2 0 0", "RR 2",
        "block 7 64 -2 65540 30 99 65536", "block 8 0 8388607 1 2 0 0", "CNAME 1 tutti@x", "BYE 3",
        "NACK 9: 1 3 17 18 65535", "PLI 9", "FIR 9 42", "REMB 2500000 4 5",
        "TWCC 1 9 #3: 65534@1000 65535@1001 0@- 1@1300 2@1200",
      ])
  }

  @Test func aPictureLossIndicationIsTwelveBytes() {
    var bytes = [UInt8](repeating: 0xFF, count: 12)
    var writer = RTCPWriter(bytes.mutableSpan)
    writer.pictureLossIndication(sender: SSRC(0x1122_3344), media: SSRC(0x5566_7788))
    #expect(bytes == [0x81, 206, 0, 2, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88])
  }

  @Test func aNackPutsSixteenFollowersInOneEntry() {
    var bytes = [UInt8](repeating: 0, count: 40)
    let lost = [65_530, 65_531, 10, 11].map { SequenceNumber($0) }
    var writer = RTCPWriter(bytes.mutableSpan)
    writer.nack(sender: SSRC(1), media: SSRC(2), lost: lost.span)
    let count = writer.count
    #expect(Array(bytes[12..<count]) == [0xFF, 0xFA, 0x80, 0x01, 0x00, 0x0B, 0x00, 0x00])
    #expect(describe(bytes) == ["NACK 2: 65530 65531 10 11"])
  }

  @Test func aBitrateAboveSixtyFourBitsIsTheMost() {
    var bytes: [UInt8] = [0x8F, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, 0x52, 0x45, 0x4D, 0x42, 1, 0xFF, 0xFF, 0xFF, 0, 0, 0, 9]
    #expect(describe(bytes) == ["REMB \(UInt64.max) 9"])
    // More sources than there are bytes for.
    bytes[16] = 200
    #expect(describe(bytes) == [])
  }

  @Test func unknownTypesArePassedOver() {
    let unknown: [UInt8] = [0x80, 204, 0, 1, 1, 2, 3, 4, 0x81, 207, 0, 0, 0x82, 205, 0, 1, 0, 0, 0, 0]
    let pli: [UInt8] = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]
    #expect(describe(unknown + pli) == ["PLI 2"])
  }

  @Test func aLengthBeyondTheDatagramEndsIt() {
    let pli: [UInt8] = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]
    #expect(describe(pli + [0x81, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2]) == ["PLI 2"])
  }

  @Test func paddingIsTakenOff() {
    let padded: [UInt8] = [0xA1, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4]
    #expect(describe(padded) == ["PLI 2"])
    let wrong: [UInt8] = [0xA1, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 200]
    #expect(describe(wrong) == [])
  }

  @Test func whatDoesNotFitIsLeftOutWhole() {
    for room in 0...64 {
      var bytes = [UInt8](repeating: 0xEE, count: room)
      var writer = RTCPWriter(bytes.mutableSpan)
      writer.pictureLossIndication(sender: SSRC(1), media: SSRC(2))
      writer.senderReport(report, blocks: blocks.span.extracting(0..<1))
      let (count, overflowed) = (writer.count, writer.overflowed)
      #expect(count == (room >= 64 ? 64 : room >= 12 ? 12 : 0))
      #expect(overflowed == (room < 64))
    }
  }

  @Test func everyTruncationIsHarmless() {
    let datagram = everything()
    for length in 0..<datagram.count { _ = describe(Array(datagram[0..<length])) }
    // Each packet alone, cut short with a length that says so.
    var start = 0
    while start + 4 <= datagram.count {
      let words = Int(datagram[start + 2]) << 8 | Int(datagram[start + 3])
      for shorter in 0...words {
        var packet = Array(datagram[start..<(start + 4 + shorter * 4)])
        packet[2] = UInt8(shorter >> 8)
        packet[3] = UInt8(shorter & 255)
        _ = describe(packet)
      }
      start += 4 + words * 4
    }
    #expect(start == datagram.count)
  }

  @Test func randomBytesAreHarmless() {
    var random = SeededRandom(seed: 2)
    var found = 0
    for _ in 0..<120_000 {
      var bytes = randomBytes(Int(random.next() % 64), &random)
      if bytes.count >= 4 {
        bytes[0] = 0x80 | bytes[0] & (random.next() % 4 == 0 ? 0x3F : 0x01)
        bytes[1] = 200 + bytes[1] % 8
        bytes[2] = 0
        bytes[3] = UInt8(bytes.count / 4 - 1)
      }
      found += describe(bytes).count
    }
    #expect(found > 10_000)
  }

  @Test func changedBytesAreHarmless() {
    var random = SeededRandom(seed: 3)
    let datagram = everything()
    for _ in 0..<10_000 {
      var bytes = datagram
      for _ in 0..<4 { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next()) }
      _ = describe(bytes)
    }
  }
}

struct TransportFeedbackTests {
  private func roundTrip(_ ticks: [Int64?], base: UInt16 = 10, room: Int = 1200) -> (told: Int, texts: [String]) {
    var bytes = [UInt8](repeating: 0, count: room)
    let arrivals = ticks.map { $0.map { Instant(nanoseconds: $0 * 250_000) } ?? .distantFuture }
    var writer = RTCPWriter(bytes.mutableSpan)
    let told = writer.transportFeedback(
      sender: SSRC(1), media: SSRC(2), base: SequenceNumber(base), feedbackCount: 0, arrivals: arrivals.span)
    let count = writer.count
    return (told, describe(Array(bytes[0..<count])))
  }

  private func expected(_ ticks: [Int64?], base: UInt16 = 10) -> [String] {
    let statuses = ticks.enumerated().map { " \(base &+ UInt16($0.offset))@\($0.element.map(String.init) ?? "-")" }
    return ["TWCC 1 2 #0:" + statuses.joined()]
  }

  @Test func randomArrivalsSurvive() {
    var random = SeededRandom(seed: 4)
    for _ in 0..<3_000 {
      var time = Int64(random.next() % 1_000_000)
      let lossOutOf8 = random.next() % 8
      let ticks: [Int64?] = (0..<Int(1 + random.next() % 120)).map { _ in
        guard random.next() % 8 >= lossOutOf8 else { return nil }
        time += random.next() % 10 == 0 ? Int64(random.next() % 3000) - 1000 : Int64(random.next() % 100)
        time = max(time, 0)
        return time
      }
      guard ticks.contains(where: { $0 != nil }) else { continue }
      let result = roundTrip(ticks)
      #expect(result.told == ticks.count)
      #expect(result.texts == expected(ticks))
    }
  }

  @Test func aLongRunTakesOneChunk() {
    let ticks: [Int64?] = Array(repeating: 100, count: 1) + Array(repeating: nil, count: 3000) + [200]
    let result = roundTrip(ticks, room: 40)
    #expect(result.told < 3002)
    #expect(roundTrip(ticks).texts == expected(ticks))
  }

  @Test func aStepTooLongForADeltaStaysForTheNextPacket() {
    #expect(roundTrip([1, 2, 40_000]).told == 2)
  }

  @Test func nothingReceivedIsNothingToTell() {
    #expect(roundTrip([nil, nil]).told == 0)
  }

  @Test func aPacketWithTheReservedSymbolIsReadNoFurther() {
    let body: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 2, 0, 10, 0, 3, 0, 0, 1, 0]
    let datagram: [UInt8] = [0x8F, 205, 0, 5] + body + [0xDC, 0, 4, 0]
    #expect(describe(datagram) == ["TWCC 1 2 #0:"])
  }

  @Test func theRoomIsNeverExceeded() {
    let ticks: [Int64?] = (0..<400).map { $0 % 3 == 0 ? nil : $0 * 300 }
    for room in 0..<300 {
      let result = roundTrip(ticks, room: room)
      if result.told > 0 { #expect(result.texts == expected(Array(ticks[0..<result.told]))) }
    }
  }
}
