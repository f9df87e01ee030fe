import Codecs
import EncodedMedia
import RawMedia
import TestSupport
import Testing
import Timing

@Suite struct H264EncoderTests {
  private func encode(
    _ count: Int, width: Int = 320, height: Int = 192, bitsPerSecond: Int = 600_000, keyframes: Set<Int> = []
  ) throws -> [(bytes: [UInt8], isKeyframe: Bool)] {
    let encoder = try VideoEncoder(
      codec: .h264, width: width, height: height, settings: .init(bitsPerSecond: bitsPerSecond))
    return try (0..<count).map { index in
      var bytes: [UInt8] = []
      let picture = TestPicture.make(width: width, height: height, time: index)
      let time = Instant.zero + .milliseconds(33) * Int64(index)
      let outcome = try encoder.encode(picture, at: time, asKeyframe: keyframes.contains(index), into: &bytes)
      #expect(outcome.byteCount == bytes.count && outcome.byteCount > 0)
      return (bytes, outcome.isKeyframe)
    }
  }

  @Test(arguments: [(320, 192), (640, 360), (426, 240), (1280, 720), (500, 500)])
  func aMovingGradientSurvivesTheRoundTrip(_ size: (Int, Int)) throws {
    let decoder = try H264Decoder()
    var pool = PicturePool(capacity: 4)
    for (index, frame) in try encode(12, width: size.0, height: size.1, bitsPerSecond: 2_000_000).enumerated() {
      let decoded = try decoder.decode(frame.bytes.span, isKeyframe: frame.isKeyframe, pool: &pool)
      let picture = try #require(decoded)
      #expect(picture.width == size.0 && picture.height == size.1)
      #expect(TestPicture.psnr(TestPicture.make(width: size.0, height: size.1, time: index), picture) > 33)
    }
  }

  @Test func keyframesComeFirstAndOnRequestOnlyAndHoldTheParameterSets() throws {
    let frames = try encode(120, keyframes: [50, 77])
    #expect(frames.indices.filter { frames[$0].isKeyframe } == [0, 50, 77])
    for frame in frames where frame.isKeyframe {
      // A sequence parameter set of constrained baseline: profile_idc 66 with constraint_set1_flag.
      #expect(Array(frame.bytes.prefix(6)) == [0, 0, 0, 1, 0x67, 66] && frame.bytes[6] & 0x40 != 0)
    }
  }

  @Test func anotherSizeIsRefused() throws {
    let encoder = try VideoEncoder(codec: .h264, width: 320, height: 192, settings: .init(bitsPerSecond: 400_000))
    var bytes: [UInt8] = []
    #expect(throws: CodecError.wrongSize) {
      try encoder.encode(Picture(width: 322, height: 192), at: .zero, asKeyframe: false, into: &bytes)
    }
    #expect(bytes.isEmpty)
    for (width, height) in [(15, 16), (16, 15), (17, 15), (3840, 3840)] {
      #expect(throws: CodecError.wrongSize) {
        try VideoEncoder(codec: .h264, width: width, height: height, settings: .init(bitsPerSecond: 400_000))
      }
    }
  }
}
