import EncodedMedia
import RTP
import TestSupport
import Testing
import Timing

/// The map that most tests use: each kind's id is one more than its place.
let commonMap: HeaderExtensionMap = {
  var map = HeaderExtensionMap()
  for (index, kind) in HeaderExtensionKind.allCases.enumerated() { map[kind] = UInt8(index + 1) }
  return map
}()

func allExtensions() -> HeaderExtensions {
  var extensions = HeaderExtensions()
  extensions.mid = ShortToken("video0")
  extensions.rid = ShortToken("h")
  extensions.repairedRID = ShortToken("lo")
  extensions.audioLevel = 37
  extensions.voiceActivity = true
  extensions.absoluteSendTime = 0x123456
  extensions.transportSequenceNumber = 0xBEEF
  extensions.rotation = .clockwise270
  extensions.playoutDelay = PlayoutDelay(minimum: .milliseconds(100), maximum: .milliseconds(40_950))
  return extensions
}

func contributors(_ count: Int) -> ContributorList {
  var list = ContributorList()
  for index in 0..<count { list.append(Contributor(source: SSRC(UInt32(1000 + index)), level: UInt8(index * 3))) }
  return list
}

/// A packet with everything in its header, and a payload.
func wholePacket(
  map: HeaderExtensionMap = commonMap, contributors list: ContributorList = contributors(3), payload: [UInt8] = [1, 2, 3]
) throws -> [UInt8] {
  var bytes = [UInt8](repeating: 0xEE, count: 400)
  var span = bytes.mutableSpan
  let length = RTPHeader.write(
    marker: true, payloadType: 96, sequenceNumber: SequenceNumber(65_535), timestamp: RTPTimestamp(0xDEAD_BEEF),
    ssrc: SSRC(0x0102_0304), contributors: list, extensions: allExtensions(), map: map, into: &span)
  return Array(bytes[0..<(try #require(length))]) + payload
}

struct RTPHeaderTests {
  @Test func theFixedHeaderIsRead() throws {
    let packet: [UInt8] = [0x80, 0xE0, 0x12, 0x34, 0, 0, 0, 9, 0xCA, 0xFE, 0xBA, 0xBE, 7, 8]
    let header = try #require(parseHeader(packet))
    #expect(header.marker)
    #expect(header.payloadType == 96)
    #expect(header.sequenceNumber == SequenceNumber(0x1234))
    #expect(header.timestamp == RTPTimestamp(9))
    #expect(header.ssrc == SSRC(0xCAFE_BABE))
    #expect(header.payloadRange == 12..<14)
  }

  @Test func paddingIsTakenOffThePayload() throws {
    let packet: [UInt8] = [0xA0, 0x60, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1, 7, 8, 0, 2]
    let header = try #require(parseHeader(packet))
    #expect(header.payloadRange == 12..<14)
  }

  @Test(arguments: [0, 5, 255] as [UInt8]) func paddingLongerThanThePayloadOrZeroIsRefused(_ padding: UInt8) {
    let packet: [UInt8] = [0xA0, 0x60, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1, 7, 8, 0, padding]
    #expect(parseHeader(packet) == nil)
  }

  @Test func aPacketOfPaddingOnlyHasAnEmptyPayload() throws {
    let packet: [UInt8] = [0xA0, 0x60, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 4]
    #expect(try #require(parseHeader(packet)).payloadRange == 12..<12)
  }

  @Test func anotherVersionIsRefused() {
    let packet: [UInt8] = [0x40, 0x60, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1]
    #expect(parseHeader(packet) == nil)
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    let packet = try wholePacket()
    let header = try #require(parseHeader(packet))
    #expect(header.extensionProfile == 0xBEDE)
    try check(header, packet, map: commonMap)
  }

  @Test func idsAbove14AreWrittenAsTwoByteElements() throws {
    var map = commonMap
    map[.mid] = 200
    let packet = try wholePacket(map: map)
    let header = try #require(parseHeader(packet))
    #expect(header.extensionProfile == 0x1000)
    try check(header, packet, map: map)
  }

  private func check(_ header: RTPHeader, _ packet: [UInt8], map: HeaderExtensionMap) throws {
    #expect(header.marker && header.payloadType == 96 && header.sequenceNumber == SequenceNumber(65_535))
    #expect(header.timestamp == RTPTimestamp(0xDEAD_BEEF) && header.ssrc == SSRC(0x0102_0304))
    #expect(header.contributorCount == 3)
    let sources = (0..<4).map { header.contributor($0, in: packet.span) }
    #expect(sources == [SSRC(1000), SSRC(1001), SSRC(1002), nil])
    #expect(Array(packet[header.payloadRange]) == [1, 2, 3])
    let read = HeaderExtensions(header, in: packet.span, map: map)
    let written = allExtensions()
    #expect(read.mid == written.mid && read.rid == written.rid && read.repairedRID == written.repairedRID)
    #expect(try #require(read.mid) == "video0")
    #expect(read.audioLevel == 37 && read.voiceActivity)
    #expect(read.absoluteSendTime == 0x123456)
    #expect(read.transportSequenceNumber == 0xBEEF)
    #expect(read.rotation == .clockwise270)
    #expect(read.playoutDelay == written.playoutDelay)
    #expect(read.contributorLevelCount == 3)
    #expect(read.contributorLevels[2] == 6)
  }

  @Test func oneByteElementsAreLaidOutAsRFC8285Says() throws {
    var map = HeaderExtensionMap()
    map[.audioLevel] = 1
    map[.mid] = 3
    var extensions = HeaderExtensions()
    extensions.audioLevel = 5
    extensions.mid = ShortToken("ab")
    var bytes = [UInt8](repeating: 0, count: 64)
    var span = bytes.mutableSpan
    let length = RTPHeader.write(
      marker: false, payloadType: 0, sequenceNumber: SequenceNumber(0), timestamp: RTPTimestamp(0), ssrc: SSRC(0),
      extensions: extensions, map: map, into: &span)
    #expect(length == 24)
    #expect(Array(bytes[12..<24]) == [0xBE, 0xDE, 0, 2, 0x31, 0x61, 0x62, 0x10, 0x05, 0, 0, 0])
    #expect(bytes[0] == 0x90)
  }

  @Test func paddingBetweenElementsIsPassedOverAndId15EndsThem() throws {
    var map = HeaderExtensionMap()
    map[.audioLevel] = 1
    map[.videoOrientation] = 2
    let packet: [UInt8] =
      [0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xBE, 0xDE, 0, 2] + [0, 0, 0x10, 0x85, 0xF0, 0x20, 0x03, 0]
    let header = try #require(parseHeader(packet))
    let extensions = HeaderExtensions(header, in: packet.span, map: map)
    #expect(extensions.audioLevel == 5)
    #expect(extensions.voiceActivity)
    #expect(extensions.rotation == nil)
  }

  @Test func aHeaderIsWrittenOnlyWhereItFits() throws {
    let whole = try wholePacket(payload: []).count
    for room in 0...whole {
      var bytes = [UInt8](repeating: 0, count: room)
      var span = bytes.mutableSpan
      let length = RTPHeader.write(
        marker: true, payloadType: 96, sequenceNumber: SequenceNumber(1), timestamp: RTPTimestamp(1), ssrc: SSRC(1),
        contributors: contributors(3), extensions: allExtensions(), map: commonMap, into: &span)
      #expect(length == (room == whole ? whole : nil))
    }
  }

  @Test func everyTruncationIsHarmless() throws {
    let packet = try wholePacket()
    for length in 0..<packet.count {
      let short = Array(packet[0..<length])
      guard let header = RTPHeader(parsing: short.span) else { continue }
      #expect(header.payloadRange.upperBound <= length)
      _ = HeaderExtensions(header, in: short.span, map: commonMap)
    }
    // A header read from a longer packet than it is used with.
    let header = try #require(parseHeader(packet))
    for length in 0..<packet.count { _ = HeaderExtensions(header, in: packet.span.extracting(0..<length), map: commonMap) }
  }

  @Test func randomBytesAreHarmless() {
    var random = SeededRandom(seed: 1)
    var parsed = 0
    for round in 0..<150_000 {
      var packet = randomBytes(Int(random.next() % 80), &random)
      if packet.count >= 14, round % 2 == 0 {
        packet[0] = 0x90 | packet[0] & (round % 8 == 0 ? 0x23 : 0x01)
        packet[12] = round % 4 == 0 ? 0xBE : 0x10
        packet[13] = round % 4 == 0 ? 0xDE : 0x00
        if packet.count > 16 {
          packet[14] = 0
          packet[15] &= 0x07
        }
      }
      guard let header = RTPHeader(parsing: packet.span) else { continue }
      parsed += 1
      #expect(header.payloadRange.upperBound <= packet.count)
      _ = HeaderExtensions(header, in: packet.span, map: commonMap)
    }
    #expect(parsed > 10_000)
  }

  @Test func readingAndWritingAllocatesNothing() throws {
    let packet = try wholePacket()
    var bytes = [UInt8](repeating: 0, count: 400)
    var levels = 0
    let count = allocations {
      for _ in 0..<100 {
        guard let header = RTPHeader(parsing: packet.span) else { continue }
        let extensions = HeaderExtensions(header, in: packet.span, map: commonMap)
        if let mid = extensions.mid, mid == "video0" { levels += Int(extensions.audioLevel ?? 0) }
        var span = bytes.mutableSpan
        _ = RTPHeader.write(
          marker: true, payloadType: 96, sequenceNumber: SequenceNumber(1), timestamp: RTPTimestamp(1), ssrc: SSRC(1),
          extensions: extensions, map: commonMap, into: &span)
      }
    }
    #expect(levels == 3700)
    #expect(count == 0)
  }
}

struct ShortTokenTests {
  @Test func tokensOfOneToSixteenBytesAreTaken() throws {
    #expect(ShortToken("") == nil)
    #expect(ShortToken("12345678901234567") == nil)
    let longest = try #require(ShortToken("1234567890123456"))
    #expect(longest == "1234567890123456")
    #expect(longest.description == "1234567890123456")
    #expect(!(longest == "123456789012345"))
    #expect(ShortToken("a") != ShortToken("b"))
    let bytes: [UInt8] = [0x61, 0x62]
    let token = ShortToken(bytes.span)
    #expect(token == ShortToken("ab"))
  }
}

struct HeaderExtensionMapTests {
  @Test func anIdStandsForOneKind() {
    var map = HeaderExtensionMap()
    map[.mid] = 4
    map[.rid] = 4
    #expect(map[.mid] == nil)
    #expect(map.kind(of: 4) == .rid)
    map[.rid] = 77
    #expect(map.kind(of: 4) == nil)
    #expect(map.kind(of: 77) == .rid)
    map[.rid] = 15
    #expect(map[.rid] == nil)
    #expect((0...255).allSatisfy { map.kind(of: UInt8($0)) == nil })
  }

  @Test func everyKindIsFoundByItsURI() {
    for kind in HeaderExtensionKind.allCases { #expect(HeaderExtensionKind(uri: kind.uri) == kind) }
    #expect(HeaderExtensionKind(uri: "urn:example") == nil)
  }
}
