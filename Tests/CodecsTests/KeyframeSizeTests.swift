import Codecs
import EncodedMedia
import RawMedia
import TestSupport
import Testing
import Timing

@Suite struct KeyframeSizeTests {
  private static let codecs = VideoEncoderTests.codecs
  private static let (width, height, bitsPerSecond) = (640, 360, 600_000)

  /// Texture that drifts, of cells of many sizes and a sensor's grain; `contrast` 0 leaves a gradient alone.
  private func picture(_ time: Int, contrast: Int, using random: inout SeededRandom) -> Picture {
    let picture = TestPicture.make(width: Self.width, height: Self.height, time: time)
    guard contrast > 0 else { return picture }
    func cell(_ x: Int, _ y: Int, _ size: Int, _ reach: Int) -> Int {
      let hash = (UInt64(x / size) &* 0x9E37_79B9 ^ UInt64(y / size) &* 0x85EB_CA6B) &* 0xC2B2_AE35_27D4_EB4F
      return Int(hash >> 40) % (2 * reach + 1) - reach
    }
    for y in 0..<Self.height {
      for x in 0..<Self.width {
        let texture = cell(x + time, y, 32, 24) + cell(x + time, y, 8, 12) + cell(x + time, y, 4, 6)
        let sample = 120 + texture * contrast / 4 + Int.random(in: -2...2, using: &random)
        picture.luma[y * picture.lumaStride + x] = UInt8(clamping: sample)
      }
    }
    return picture
  }

  /// Bytes of each frame, of which every thirtieth is a keyframe.
  private func sizes(_ codec: Codec, percent: Int, layers: Int, contrast: (Int) -> Int) throws -> [Int] {
    var random = SeededRandom(seed: 3)
    let encoder = try VideoEncoder(
      codec: codec, width: Self.width, height: Self.height,
      settings: .init(bitsPerSecond: Self.bitsPerSecond, temporalLayers: layers, keyframeSizeMaxPercent: percent))
    return try (0..<150).map { index in
      var bytes: [UInt8] = []
      let time = Instant.zero + .microseconds(33_333) * Int64(index)
      let outcome = try encoder.encode(
        picture(index, contrast: contrast(index), using: &random), at: time, asKeyframe: index % 30 == 0, into: &bytes)
      #expect(outcome.isKeyframe == (index % 30 == 0) && outcome.byteCount == bytes.count)
      return bytes.count
    }
  }

  @Test(arguments: codecs, [1, 3]) func keyframesTakeWhatTheyMayAndNoMore(_ codec: Codec, _ layers: Int) throws {
    let sizes = try sizes(codec, percent: 900, layers: layers) { _ in 4 }
    let limit = Self.bitsPerSecond / 8 / 30 * 9
    for index in stride(from: 30, to: 150, by: 30) {
      #expect((limit / 2...limit * 4 / 3).contains(sizes[index]), "\(sizes[index]) of \(limit)")
      // Nor is the frame behind it a burst of its own.
      #expect(sizes[index + 1] < limit * 2 / 3, "\(sizes[index + 1])")
    }
  }

  @Test(arguments: codecs) func aPictureOfMuchMoreDetailDoesNotBurst(_ codec: Codec) throws {
    // Faint, then of sharp contrast, then faint again.
    let sizes = try sizes(codec, percent: 900, layers: 1) { (60..<120).contains($0) ? 8 : 1 }
    let limit = Self.bitsPerSecond / 8 / 30 * 9
    for size in sizes { #expect(size < limit * 7 / 4, "\(size) of \(limit)") }
  }

  @Test(arguments: codecs) func withoutALimitTheLibraryChooses(_ codec: Codec) throws {
    #expect(try sizes(codec, percent: 0, layers: 1) { _ in 4 }.count == 150)
  }
}
