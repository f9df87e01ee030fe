import Bytes
import EncodedMedia
import RTP
import RTPStreams
import TestSupport
import Testing
import Timing

/// VP9 and AV1 through the assembler.
@Suite struct VideoFormatTests {
  /// A keyframe of profile 0, 64x48, and an inter frame, as far as headers go.
  private let key: [UInt8] = [0x82, 0x49, 0x83, 0x42, 0x00, 0x03, 0xF0, 0x02, 0xF0] + (0..<500).map { UInt8($0 & 0x7F) }
  private let inter: [UInt8] = [0x86, 0x00, 0x40, 0x92, 0x80] + (0..<300).map { UInt8($0 & 0x7F) }

  private func assemble(_ payloads: [([UInt8], Bool, UInt32)], _ codec: Codec, losing lost: Int? = nil) -> [EncodedFrame] {
    var assembler = VideoFrameAssembler(patience: .milliseconds(50))
    var pool = FrameBufferPool(capacity: 8, bytesReserved: 1024)
    var frames: [EncodedFrame] = []
    for (index, packet) in payloads.enumerated() where index != lost {
      assembler.receive(
        sequence: Int64(index), timestamp: RTPTimestamp(packet.2), marker: packet.1, codec: codec, rotation: nil,
        payload: packet.0.span, at: .zero + .milliseconds(Int64(index)), pool: &pool, frames: &frames)
    }
    assembler.handleTimeout(at: .zero + .seconds(5), pool: &pool, frames: &frames)
    return frames
  }

  private func packets(_ media: [([UInt8], Bool)]) -> [([UInt8], Bool, UInt32)] {
    var packetizer = VP9Packetizer(payloadSizeMax: 120)
    var result: [([UInt8], Bool, UInt32)] = []
    for (index, (bytes, isKeyframe)) in media.enumerated() {
      let cut = packetizer.packetize(
        EncodedFrame(
          codec: .vp9, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: isKeyframe, time: .zero))
      for (place, range) in cut.ranges.enumerated() {
        result.append((Array(cut.bytes[range]), place == cut.ranges.count - 1, UInt32(index * 3000)))
      }
    }
    return result
  }

  @Test func vp9FramesComeBackAsTheyWere() {
    let frames = assemble(packets([(key, true), (inter, false), (inter, false)]), .vp9)
    #expect(frames.map { $0.payload.bytes } == [key, inter, inter])
    #expect(frames.map(\.isKeyframe) == [true, false, false])
    let bytes = key
    let size = PictureSize(ofKeyframe: bytes.span, codec: .vp9)
    #expect(size == PictureSize(width: 64, height: 48))
  }

  @Test func vp9IsNeverHandedOutAcrossAGap() {
    let all = packets([(key, true), (inter, false), (inter, false), (key, true), (inter, false)])
    let lost = packets([(key, true)]).count
    let frames = assemble(all, .vp9, losing: lost)
    #expect(frames.map(\.isKeyframe) == [true, true, false])
    #expect(frames.map(\.followsGap) == [false, true, false])
  }

  @Test func temporalLayersAreTold() {
    var layered: [([UInt8], Bool, UInt32)] = []
    var packetizer = VP8Packetizer(payloadSizeMax: 120)
    let positions = (0..<4).map {
      TemporalPosition(layer: [0, 2, 1, 2][$0], isLayerSync: $0 == 1 || $0 == 2, baseIndex: 9)
    }
    for (index, position) in positions.enumerated() {
      let start: [UInt8] = index == 0 ? [0x10, 0, 0, 0x9D, 0x01, 0x2A, 64, 0, 48, 0] : [0x11, 0, 0]
      var frame = EncodedFrame(
        codec: .vp8, payload: FrameBuffer(start + [UInt8](repeating: 5, count: 200)), timestamp: RTPTimestamp(0),
        isKeyframe: index == 0, time: .zero)
      frame.temporal = position
      let cut = packetizer.packetize(frame)
      for (place, range) in cut.ranges.enumerated() {
        layered.append((Array(cut.bytes[range]), place == cut.ranges.count - 1, UInt32(index * 3000)))
      }
    }
    #expect(assemble(layered, .vp8).map(\.temporal) == positions)
    #expect(assemble(packets([(key, true), (inter, false)]), .vp9).map(\.temporal) == [nil, nil])
  }

  @Test func spatialLayersBecomeOneSuperframeThatTellsOfThem() throws {
    // Non-flexible: flags, PictureID, layers, TL0PICIDX; the second layer builds on the first.
    let base: [UInt8] = [0x80 | 0x20 | 0x08 | 0x04, 0x80, 5, 0x00, 1]
    let upper: [UInt8] = [0x80 | 0x20 | 0x08 | 0x04, 0x80, 5, 0x03, 1]
    let frames = assemble([(base + key, false, 0), (upper + inter, true, 0)], .vp9)
    #expect(frames.count == 1 && frames[0].isKeyframe)
    let bytes = frames.first?.payload.bytes ?? []
    var parts: [Int] = []
    VP9Superframe.forEachFrame(bytes.span) { parts.append($0.count) }
    #expect(parts == [key.count, inter.count])
    let layers = try #require(frames.first?.spatial)
    #expect(layers.count == 2)
    #expect(layers[0] == .init(layer: 0, buildsOnEarlier: false, buildsOnLower: false, isNotForUpper: false))
    #expect(layers[1] == .init(layer: 1, buildsOnEarlier: false, buildsOnLower: true, isNotForUpper: false))
  }

  /// A reduced sequence header of 64x48.
  private let sequenceHeader: [UInt8] = [0x08, 0x18, 0x15, 0x7F, 0x5E, 0x00]

  @Test func av1UnitsAreJoinedAndGetTheirSizes() {
    let frame: [UInt8] = [0x30] + (0..<200).map { UInt8($0) }
    let first: [UInt8] = [0x40 | 0x20 | 0x08, UInt8(sequenceHeader.count)] + sequenceHeader + frame.prefix(100)
    let second: [UInt8] = [0x80 | 0x10] + frame.dropFirst(100)
    let frames = assemble([(first, false, 0), (second, true, 0)], .av1)
    #expect(frames.count == 1 && frames[0].isKeyframe)
    let expected: [UInt8] = [0x0A, 5] + sequenceHeader.dropFirst() + [0x32, 0xC8, 0x01] + frame.dropFirst()
    #expect(frames.first?.payload.bytes == expected)
  }

  @Test func av1WithoutItsBeginningOrEndIsNotHandedOut() {
    let frame: [UInt8] = [0x30] + (0..<200).map { UInt8($0) }
    let whole: [UInt8] = [0x28, UInt8(sequenceHeader.count)] + sequenceHeader + frame
    #expect(assemble([([0x90] + frame, true, 0)], .av1).isEmpty)
    #expect(assemble([(whole, true, 0), ([0x50] + frame, true, 1)], .av1).count == 1)
    for length in 0..<whole.count - frame.count { #expect(assemble([(Array(whole.prefix(length)), true, 0)], .av1).isEmpty) }
  }

  @Test(arguments: [Codec.vp9, .av1, .h264, .vp8]) func randomPayloadsNeverTrap(_ codec: Codec) {
    var random = SeededRandom(seed: 3)
    for _ in 0..<300 {
      let packets: [([UInt8], Bool, UInt32)] = (0..<20).map { index in
        let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        return (bytes, Bool.random(using: &random), UInt32(index / 3))
      }
      for frame in assemble(packets, codec) {
        let bytes = frame.payload.bytes
        _ = PictureSize(ofKeyframe: bytes.span, codec: codec)
      }
    }
  }
}
