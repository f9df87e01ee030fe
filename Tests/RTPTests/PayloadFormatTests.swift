import Bytes
import EncodedMedia
import RTP
import TestSupport
import Testing
import Timing

private func frame(_ codec: Codec, _ bytes: [UInt8], isKeyframe: Bool = true) -> EncodedFrame {
  EncodedFrame(codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(1), isKeyframe: isKeyframe, time: .zero)
}

private func parse(_ bytes: [UInt8]) -> (descriptor: VP8Descriptor, size: Int)? {
  var reader = ByteReader(bytes.span)
  guard let descriptor = VP8Descriptor(&reader) else { return nil }
  return (descriptor, reader.offset)
}

struct VP8DescriptorTests {
  @Test func theShortestHasOneByte() throws {
    let parsed = try #require(parse([0x10, 0xFF]))
    #expect(parsed.size == 1)
    #expect(parsed.descriptor.startsPartition)
    #expect(parsed.descriptor.pictureID == nil)
  }

  @Test func everyFieldIsReadAndWritten() throws {
    // X, N, S, PID 5; I, L, T, K; 15 bits of PictureID; TL0PICIDX; TID 2, Y, KEYIDX 17.
    let bytes: [UInt8] = [0xB5, 0xF0, 0x92, 0x34, 0x77, 0xB1]
    let parsed = try #require(parse(bytes))
    #expect(parsed.size == 6)
    #expect(parsed.descriptor.isNonReference && parsed.descriptor.startsPartition && parsed.descriptor.partitionIndex == 5)
    #expect(parsed.descriptor.pictureID == 0x1234 && parsed.descriptor.hasLongPictureID)
    #expect(parsed.descriptor.temporalBaseIndex == 0x77 && parsed.descriptor.temporalLayer == 2)
    #expect(parsed.descriptor.isLayerSync && parsed.descriptor.keyIndex == 17)
    var written = [UInt8](repeating: 0, count: 6)
    var writer = ByteWriter(written.mutableSpan)
    parsed.descriptor.write(to: &writer)
    #expect(written == bytes)
    for length in 0..<bytes.count { #expect(parse(Array(bytes[0..<length])) == nil) }
  }

  @Test func everyCombinationSurvives() throws {
    var random = SeededRandom(seed: 5)
    for _ in 0..<100_000 {
      let bytes = randomBytes(8, &random)
      let parsed = try #require(parse(bytes))
      var written = [UInt8](repeating: 0, count: 8)
      var writer = ByteWriter(written.mutableSpan)
      parsed.descriptor.write(to: &writer)
      #expect(try #require(parse(written)).descriptor == parsed.descriptor)
    }
  }

  @Test func theSizeIsReadFromAKeyframe() throws {
    let key: [UInt8] = [0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x42, 0xE0, 0x01]
    let header = try #require(parseVP8(key))
    #expect(header.isKeyframe && header.width == 640 && header.height == 480)
    for length in 0..<key.count { #expect(parseVP8(Array(key[0..<length])) == nil) }
    #expect(parseVP8([0x11, 0, 0])?.isKeyframe == false)
    #expect(parseVP8([0x10, 0, 0, 0x9D, 0x01, 0x2B, 0, 0, 0, 0]) == nil)
  }
}

struct VP8PacketizerTests {
  @Test(arguments: [1, 10, 1195, 1196, 1197, 2392, 2393, 50_000]) func payloadsAreEquallyLongButForTheLast(_ size: Int) throws {
    var packetizer = VP8Packetizer(payloadSizeMax: 1200)
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
    let packets = packetizer.packetize(frame(.vp8, bytes))
    let lengths = packets.ranges.map(\.count)
    #expect(lengths.count == (size + 1195) / 1196)
    #expect(lengths.allSatisfy { $0 <= 1200 })
    #expect(Set(lengths.dropLast()).count <= 1)
    #expect((lengths.last ?? 0) <= (lengths.first ?? 0))
    var joined: [UInt8] = []
    for (index, range) in packets.ranges.enumerated() {
      let payload = Array(packets.bytes[range])
      let parsed = try #require(parse(payload))
      #expect(parsed.size == VP8Packetizer.descriptorSize && parsed.descriptor.hasLongPictureID)
      #expect(parsed.descriptor.startsPartition == (index == 0))
      joined += payload.dropFirst(parsed.size)
    }
    #expect(joined == bytes)
  }

  @Test func temporalLayersAreTold() throws {
    var packetizer = VP8Packetizer(payloadSizeMax: 100)
    var layered = frame(.vp8, [UInt8](repeating: 1, count: 300))
    layered.temporal = TemporalPosition(layer: 2, isLayerSync: true, baseIndex: 0xFE)
    let packets = packetizer.packetize(layered)
    #expect(packets.ranges.count == 4 && packets.temporal == layered.temporal)
    for range in packets.ranges {
      let parsed = try #require(parse(Array(packets.bytes[range])))
      #expect(parsed.size == 6 && range.count <= 100 && parsed.descriptor.temporalPosition == layered.temporal)
      #expect(parsed.descriptor.pictureID == 0 && parsed.descriptor.hasLongPictureID)
    }
  }

  @Test func thePictureIDCountsOnAndWraps() throws {
    var packetizer = VP8Packetizer(payloadSizeMax: 1200)
    for expected in 0..<0x8001 {
      let packets = packetizer.packetize(frame(.vp8, [1]))
      #expect(try #require(parse(packets.bytes)).descriptor.pictureID == UInt16(expected & 0x7FFF))
    }
  }
}

struct H264Tests {
  private let start: [UInt8] = [0, 0, 0, 1]

  private func units(_ stream: [UInt8]) -> [[UInt8]] {
    var found: [[UInt8]] = []
    var reader = AnnexBReader(stream.span)
    while let unit = reader.next() { found.append(array(unit)) }
    return found
  }

  @Test func bothStartCodesSeparateUnits() {
    #expect(units([0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2, 0, 0, 0, 0, 1, 0x65, 3]) == [[0x67, 1], [0x68, 2], [0x65, 3]])
    #expect(units([9, 9, 0, 0, 1, 5]) == [[5]])
    #expect(units([]) == [])
    #expect(units([0, 0, 1]) == [])
    #expect(units([0, 0, 1, 0, 0, 1, 7]) == [[7]])
  }

  /// Puts payloads together again as a receiver does.
  private func depacketize(_ packets: PacketizedFrame) throws -> [[UInt8]] {
    var found: [[UInt8]] = []
    for range in packets.ranges {
      let payload = Array(packets.bytes[range])
      switch H264Payload(payload.span) {
      case nil: Issue.record("a payload that cannot be read")
      case .singleUnit(let unit)?: found.append(array(unit))
      case .aggregate(var aggregate)?:
        while let unit = aggregate.next() { found.append(array(unit)) }
      case .fragment(let header, let isFirst, _, let piece)?:
        if isFirst { found.append([header]) }
        found[found.count - 1] += array(piece)
      }
    }
    return found
  }

  @Test func unitsOfEverySizeSurvive() throws {
    var random = SeededRandom(seed: 6)
    for _ in 0..<300 {
      let original: [[UInt8]] = (0..<Int(1 + random.next() % 5)).map { _ in
        // No zeros, so that no start code comes about by chance.
        [0x65] + (0..<Int(random.next() % 400)).map { _ in UInt8(1 + random.next() % 255) }
      }
      let packets = H264Packetizer(payloadSizeMax: 100).packetize(frame(.h264, original.flatMap { start + $0 }))
      #expect(packets.ranges.allSatisfy { $0.count <= 100 && !$0.isEmpty })
      #expect(try depacketize(packets) == original)
    }
  }

  @Test func parameterSetsTravelTogether() throws {
    let stream = start + [0x67, 1, 2] + start + [0x68, 3] + start + [0x65] + [UInt8](repeating: 9, count: 300)
    let packets = H264Packetizer(payloadSizeMax: 200).packetize(frame(.h264, stream))
    #expect(packets.ranges.count == 3)
    #expect(Array(packets.bytes[packets.ranges[0]]) == [0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x68, 3])
    #expect(Array(packets.bytes[packets.ranges[1]].prefix(2)) == [0x7C, 0x85])
    #expect(Array(packets.bytes[packets.ranges[2]].prefix(2)) == [0x7C, 0x45])
  }

  @Test func malformedPayloadsAreHarmless() {
    var random = SeededRandom(seed: 7)
    for _ in 0..<120_000 {
      var bytes = randomBytes(Int(random.next() % 24), &random)
      if !bytes.isEmpty { bytes[0] = [24, 28, 5, bytes[0]][Int(random.next() % 4)] }
      switch H264Payload(bytes.span) {
      case .aggregate(var units)?: while units.next() != nil {}
      default: break
      }
      _ = units(bytes)
    }
    #expect(!isH264Payload([]))
    #expect(!isH264Payload([28, 0x85]))
    #expect(!isH264Payload([29, 1, 2, 3]))
  }
}
