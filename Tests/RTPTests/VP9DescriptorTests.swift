import Bytes
import EncodedMedia
import RTP
import TestSupport
import Testing
import Timing

@Suite struct VP9DescriptorTests {
  private func rest(_ bytes: [UInt8]) -> (VP9Descriptor, Int)? {
    var reader = ByteReader(bytes.span)
    return VP9Descriptor(&reader).map { ($0, reader.remaining) }
  }

  @Test func flexibleModeTellsItsReferences() throws {
    let (descriptor, left) = try #require(rest([0xFC, 0x85, 0x39, 0x52, 0x03, 0x0A, 0xAA]))
    #expect(descriptor.pictureID == 0x539 && descriptor.hasLongPictureID && descriptor.isFlexible)
    #expect(descriptor.temporalLayer == 2 && descriptor.spatialLayer == 1 && descriptor.isSwitchingPoint)
    #expect(descriptor.referenceCount == 2 && descriptor.references[0] == 1 && descriptor.references[1] == 5)
    #expect(left == 1)
  }

  @Test func aScalabilityStructureIsPassedOver() throws {
    // Two layers with sizes, two pictures of a group with one and two references.
    let bytes: [UInt8] = [
      0xAA, 0x05, 0x00, 0x07, 0x38, 1, 64, 0, 180, 2, 128, 1, 104, 2, 0x04, 1, 0x28, 1, 2, 0xEE,
    ]
    let (descriptor, left) = try #require(rest(bytes))
    #expect(descriptor.temporalBaseIndex == 7 && descriptor.pictureID == 5 && descriptor.spatialLayerCount == 2)
    #expect(descriptor.startsFrame && !descriptor.endsFrame && left == 1)
    for length in 0..<(bytes.count - 1) { #expect(rest(Array(bytes.prefix(length))) == nil) }
  }

  @Test func moreThanThreeReferencesAreRefused() {
    #expect(rest([0x50, 0x03, 0x03, 0x03, 0x02]) == nil)
    #expect(rest([0x50, 0x03, 0x03, 0x02]) != nil)
  }
}

@Suite struct VP9PacketizerTests {
  private func frame(layer: UInt8?, sync: Bool = false, key: Bool = false, size: Int = 1) -> EncodedFrame {
    EncodedFrame(
      codec: .vp9, payload: FrameBuffer([UInt8](repeating: 7, count: size)), timestamp: RTPTimestamp(1), isKeyframe: key,
      time: .zero, temporal: layer.map { TemporalPosition(layer: $0, isLayerSync: sync, baseIndex: 0) })
  }

  /// The descriptors of a frame's packets and whatever each holds behind its own.
  private func cut(_ frame: EncodedFrame, _ packetizer: inout VP9Packetizer) throws -> [(VP9Descriptor, [UInt8])] {
    let packets = packetizer.packetize(frame)
    return try packets.ranges.map { try #require(split(Array(packets.bytes[$0]))) }
  }

  private func split(_ payload: [UInt8]) -> (VP9Descriptor, [UInt8])? {
    var reader = ByteReader(payload.span)
    guard let descriptor = VP9Descriptor(&reader) else { return nil }
    return (descriptor, Array(payload[reader.offset...]))
  }

  @Test(arguments: [1, 1190, 1193, 1194, 3000, 20_000]) func aFrameIsCutIntoPiecesThatFit(_ size: Int) throws {
    var packetizer = VP9Packetizer(payloadSizeMax: 1200)
    for (key, layer) in [(true, nil), (false, nil), (true, UInt8(0)), (false, UInt8(2))] as [(Bool, UInt8?)] {
      let pieces = try cut(frame(layer: layer, key: key, size: size), &packetizer)
      #expect(pieces.reduce(0) { $0 + $1.1.count } == size && pieces.allSatisfy { $0.1.count <= 1197 })
      #expect(pieces.map(\.0.startsFrame) == pieces.indices.map { $0 == 0 })
      #expect(pieces.map(\.0.endsFrame) == pieces.indices.map { $0 == pieces.count - 1 })
      #expect(pieces.allSatisfy { $0.0.isInterPredicted != key && $0.0.isFlexible && $0.0.temporalLayer == layer })
    }
  }

  @Test func aFrameRefersToThoseItsLayerBuildsOn() throws {
    var packetizer = VP9Packetizer(payloadSizeMax: 1200)
    let pattern: [(UInt8, Bool, [UInt8])] = [(2, true, [1]), (1, true, [2]), (2, false, [3, 1]), (0, false, [4])]
    #expect(try cut(frame(layer: 0, key: true), &packetizer)[0].0.referenceCount == 0)
    for _ in 0..<3 {
      for (layer, sync, expected) in pattern {
        let descriptor = try cut(frame(layer: layer, sync: sync), &packetizer)[0].0
        #expect(descriptor.temporalLayer == layer && descriptor.isSwitchingPoint)
        #expect((0..<descriptor.referenceCount).map { descriptor.references[$0] } == expected)
      }
    }
  }

  @Test func withoutLayersAFrameRefersToTheOneBeforeIt() throws {
    var packetizer = VP9Packetizer(payloadSizeMax: 1200)
    for index in 0..<5 {
      let descriptor = try cut(frame(layer: nil, key: index == 0), &packetizer)[0].0
      #expect(descriptor.pictureID == UInt16(index) && descriptor.hasLongPictureID)
      #expect(descriptor.referenceCount == (index == 0 ? 0 : 1) && (index == 0 || descriptor.references[0] == 1))
    }
  }
}
