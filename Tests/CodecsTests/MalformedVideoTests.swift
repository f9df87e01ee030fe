import Codecs
import EncodedMedia
import RawMedia
import TestSupport
import Testing
import Timing

/// What may come under the name of a codec and is none, or asks for more than there is.
@Suite struct MalformedVideoTests {
  static let codecs: [Codec] = [.vp8, .vp9, .h264, .av1]

  private func frame(_ codec: Codec, _ bytes: [UInt8], isKeyframe: Bool = true) -> EncodedFrame {
    EncodedFrame(codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: isKeyframe, time: .zero)
  }

  private func bytes(_ bits: String) -> [UInt8] {
    let digits = bits.filter { $0 != " " }
    let padded = digits + String(repeating: "0", count: (8 - digits.count % 8) % 8)
    return stride(from: 0, to: padded.count, by: 8).map { UInt8(padded.dropFirst($0).prefix(8), radix: 2) ?? 0 }
  }

  /// An Exp-Golomb number as bits.
  private func golomb(_ value: Int) -> String {
    let digits = String(value + 1, radix: 2)
    return String(repeating: "0", count: digits.count - 1) + digits
  }

  /// The headers of a keyframe of 16 thousand pixels a side and more.
  private func huge(_ codec: Codec) -> [UInt8] {
    let rest = [UInt8](repeating: 0x5A, count: 200)
    switch codec {
    case .vp8: return [0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A, 0xFF, 0x3F, 0xFF, 0x3F] + rest
    case .vp9: return [0x82, 0x49, 0x83, 0x42, 0x0F, 0xFF, 0xFF, 0xFF, 0xF0] + rest
    case .h264:
      // Constrained baseline, level 5.2, order of kind 2, one reference, 1023 by 1023 macroblocks, no cropping.
      let set = golomb(0) + golomb(0) + golomb(2) + golomb(1) + "0" + golomb(1022) + golomb(1022) + "1 1 0 0 1"
      let picture = bytes(golomb(0) + golomb(0) + "0 0" + golomb(0) + golomb(0) + golomb(0) + "0 00" + golomb(0) + "1 1 1 0 1")
      return [0, 0, 0, 1, 0x67, 66, 0xC0, 52] + bytes(set) + [0, 0, 0, 1, 0x68] + picture + [0, 0, 0, 1, 0x65, 0xB8] + rest
    case .av1:
      let header = bytes("000 1 1 00000 1111 1111" + String(repeating: "1", count: 32) + "0000 0000 1")
      return [0x0A, UInt8(header.count)] + header + [0x32, 100] + rest.prefix(100)
    case .opus, .pcmu, .pcma: return []
    }
  }

  @Test(arguments: codecs) func hugePicturesAreRefusedByTheirHeaders(_ codec: Codec) throws {
    let decoder = try VideoDecoder(codec: codec)
    var pool = PicturePool(capacity: 1)
    let bytes = huge(codec)
    let told = PictureSize(ofKeyframe: bytes.span, codec: codec)
    let size = try #require(told)
    #expect(size.width >= 16_368 && size.height >= 16_368)
    #expect(throws: CodecError.tooLarge) { try decoder.decode(frame(codec, bytes), pool: &pool) }
  }

  @Test func theLargestLayerOfASuperframeCounts() throws {
    // A small keyframe, and behind it a frame that is not shown and large.
    let small: [UInt8] = [0x82, 0x49, 0x83, 0x42, 0x00, 0x03, 0xF0, 0x02, 0xF0] + [UInt8](repeating: 9, count: 20)
    var all = small + huge(.vp9)
    var sizes: [8 of Int] = .init(repeating: 0)
    (sizes[0], sizes[1]) = (small.count, all.count - small.count)
    VP9Superframe.appendIndex(sizes, count: 2, to: &all)
    var pool = PicturePool(capacity: 1)
    let decoder = try VideoDecoder(codec: .vp9)
    #expect(throws: CodecError.tooLarge) { try decoder.decode(frame(.vp9, all), pool: &pool) }
  }

  @Test(arguments: codecs) func framesOfAnotherCodecAreRefusedAndRepaired(_ codec: Codec) throws {
    let decoder = try VideoDecoder(codec: codec, limits: PictureLimits(pixels: 1_000_000, side: 2_000))
    var pool = PicturePool(capacity: 3)
    for other in VideoEncoderTests.codecs where other != codec {
      for source in try VideoEncoderTests.encode(other, 4, keyframes: [0, 2]) {
        #expect(throws: CodecError.unsupportedFormat) { try decoder.decode(source, pool: &pool) }
        for isKeyframe in [true, false] {
          #expect(throws: CodecError.self) {
            try decoder.decode(frame(codec, source.payload.bytes, isKeyframe: isKeyframe), pool: &pool)
          }
        }
      }
    }
    guard VideoEncoderTests.codecs.contains(codec) else { return }
    for source in try VideoEncoderTests.encode(codec, 3) { #expect(try decoder.decode(source, pool: &pool) != nil) }
  }

  @Test(arguments: codecs) func noiseIsNeverAPicture(_ codec: Codec) throws {
    var random = SeededRandom(seed: 77)
    let decoder = try VideoDecoder(codec: codec, limits: PictureLimits(pixels: 1_000_000, side: 2_000))
    var pool = PicturePool(capacity: 1)
    for length in 0..<400 {
      let noise = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
      let picture = try? decoder.decode(frame(codec, noise, isKeyframe: length % 2 == 0), pool: &pool)
      #expect(picture == nil)
      _ = PictureSize(ofKeyframe: noise.span, codec: codec)
    }
  }

  @Test(arguments: codecs) func headersCutShortAreNoSizes(_ codec: Codec) {
    let whole = huge(codec)
    for length in 0..<9 {
      let part = Array(whole.prefix(length))
      let told = PictureSize(ofKeyframe: part.span, codec: codec)
      #expect(told == nil)
    }
  }
}
