import Codecs
import EncodedMedia
import RawMedia
import TestSupport
import Testing
import Timing

@Suite struct VP8Tests {
  private func encode(
    _ count: Int, width: Int = 160, height: Int = 96, bitsPerSecond: Int = 600_000, keyframes: Set<Int> = []
  ) throws -> [(bytes: [UInt8], isKeyframe: Bool)] {
    let encoder = try VideoEncoder(codec: .vp8, width: width, height: height, settings: .init(bitsPerSecond: bitsPerSecond))
    return try (0..<count).map { index in
      var bytes: [UInt8] = []
      let picture = TestPicture.make(width: width, height: height, time: index)
      let time = Instant.zero + .milliseconds(33) * Int64(index)
      let outcome = try encoder.encode(picture, at: time, asKeyframe: keyframes.contains(index), into: &bytes)
      #expect(outcome.byteCount == bytes.count && outcome.byteCount > 0)
      return (bytes, outcome.isKeyframe)
    }
  }

  @Test func aMovingGradientSurvivesTheRoundTrip() throws {
    let decoder = try VP8Decoder()
    var pool = PicturePool(capacity: 2)
    for (index, frame) in try encode(30).enumerated() {
      let decoded = try decoder.decode(bytes: frame.bytes, pool: &pool)
      let picture = try #require(decoded)
      #expect(TestPicture.psnr(TestPicture.make(width: 160, height: 96, time: index), picture) > 35)
      let (blue, red) = TestPicture.chroma(picture, atX: 30, y: 80)
      #expect(abs(blue - 90) < 4 && abs(red - 150) < 4)
    }
  }

  @Test(arguments: [(1, 1), (17, 33), (161, 97), (64, 2)]) func oddSizesWork(_ size: (Int, Int)) throws {
    let decoder = try VP8Decoder()
    var pool = PicturePool(capacity: 2)
    for frame in try encode(3, width: size.0, height: size.1) {
      let picture = try decoder.decode(bytes: frame.bytes, pool: &pool)
      #expect(picture?.width == size.0 && picture?.height == size.1)
    }
  }

  @Test func keyframesComeFirstAndOnRequestOnly() throws {
    let frames = try encode(120, keyframes: [50, 77])
    #expect(frames.indices.filter { frames[$0].isKeyframe } == [0, 50, 77])
    for frame in frames { #expect(VP8FrameHeader(bytes: frame.bytes)?.isKeyframe == frame.isKeyframe) }
  }

  @Test func aPictureOfAnotherSizeIsRefused() throws {
    let encoder = try VideoEncoder(codec: .vp8, width: 160, height: 96, settings: .init(bitsPerSecond: 100_000))
    var bytes: [UInt8] = []
    #expect(throws: CodecError.wrongSize) {
      try encoder.encode(Picture(width: 96, height: 160), at: .zero, asKeyframe: false, into: &bytes)
    }
    #expect(throws: CodecError.wrongSize) {
      try VideoEncoder(codec: .vp8, width: 0, height: 9, settings: .init(bitsPerSecond: 1))
    }
  }

  @Test func aSizeBeyondTheLimitsIsRefusedBeforeItIsDecoded() throws {
    let frames = try encode(2)
    var pool = PicturePool(capacity: 1)
    let strict = try VP8Decoder(limits: PictureLimits(pixels: 160 * 95))
    #expect(throws: CodecError.tooLarge) { try strict.decode(bytes: frames[0].bytes, pool: &pool) }
    #expect(throws: CodecError.needsKeyframe) { try strict.decode(bytes: frames[1].bytes, pool: &pool) }
    var huge = frames[0].bytes
    huge.replaceSubrange(6..<10, with: [0xFF, 0x3F, 0xFF, 0x3F])
    let decoder = try VP8Decoder()
    #expect(throws: CodecError.tooLarge) { try decoder.decode(bytes: huge, pool: &pool) }
    let decoded = try decoder.decode(bytes: frames[0].bytes, pool: &pool)
    #expect(decoded != nil)
  }

  @Test func nothingIsShownBeforeAKeyframe() throws {
    let frames = try encode(3)
    let decoder = try VP8Decoder()
    var pool = PicturePool(capacity: 1)
    #expect(throws: CodecError.needsKeyframe) { try decoder.decode(bytes: frames[1].bytes, pool: &pool) }
    #expect(throws: CodecError.malformed) { try decoder.decode(bytes: [], pool: &pool) }
  }

  @Test func truncatedFramesAreNeverShownBroken() throws {
    let frames = try encode(2)
    var pool = PicturePool(capacity: 2)
    let truth = TestPicture.make(width: 160, height: 96, time: 1)
    var shown = 0
    for length in stride(from: 0, to: frames[0].bytes.count, by: 3) {
      let decoder = try VP8Decoder()
      let cut = Array(frames[0].bytes.prefix(length))
      guard let picture = try? decoder.decode(cut.span, pool: &pool) else { continue }
      shown += 1
      #expect(TestPicture.psnr(truth, picture) > 30, "what passes lacks next to nothing")
    }
    for length in 0..<frames[1].bytes.count {
      let decoder = try VP8Decoder()
      _ = try decoder.decode(bytes: frames[0].bytes, pool: &pool)
      let cut = Array(frames[1].bytes.prefix(length))
      guard let picture = try? decoder.decode(cut.span, pool: &pool) else { continue }
      shown += 1
      #expect(TestPicture.psnr(truth, picture) > 30)
    }
    // Of the data of the last macroblock some may be missing, and none of those before.
    #expect(shown < 24)
  }

  @Test func corruptFramesNeverTrapAndAKeyframeRepairs() throws {
    var random = SeededRandom(seed: 11)
    let frames = try encode(6, keyframes: [5])
    let decoder = try VP8Decoder(limits: PictureLimits(pixels: 1_000_000, side: 2_000))
    var pool = PicturePool(capacity: 2)
    for _ in 0..<400 {
      for frame in frames.dropLast() {
        var bytes = frame.bytes
        for _ in 0..<Int.random(in: 1...8, using: &random) {
          bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        _ = try? decoder.decode(bytes: bytes, pool: &pool)
      }
    }
    let repaired = try decoder.decode(bytes: frames[5].bytes, pool: &pool)
    let picture = try #require(repaired)
    #expect(TestPicture.psnr(TestPicture.make(width: 160, height: 96, time: 5), picture) > 35)
  }

  @Test func picturesStayAsTheyAreForAsLongAsFramesArePredictedFromThem() throws {
    let (holding, lettingGo) = (try VP8Decoder(), try VP8Decoder())
    var pool = PicturePool(capacity: 2)
    var otherPool = PicturePool(capacity: 2)
    var held: [Picture] = []
    for frame in try encode(60, width: 161, height: 97, keyframes: [40]) {
      let decoded = try holding.decode(bytes: frame.bytes, pool: &pool)
      let kept = try #require(decoded)
      held.append(kept)
      let other = try lettingGo.decode(bytes: frame.bytes, pool: &otherPool)
      #expect(TestPicture.psnr(kept, try #require(other)) == 99)
    }
    // Those held were not written again.
    for (index, picture) in held.enumerated() {
      #expect(TestPicture.psnr(TestPicture.make(width: 161, height: 97, time: index), picture) > 35)
    }
  }

  @Test func aFrameThatIsNotToBeShownIsDecodedAllTheSame() throws {
    let frames = try encode(8)
    let decoder = try VP8Decoder()
    var pool = PicturePool(capacity: 2)
    for (index, frame) in frames.enumerated() {
      var bytes = frame.bytes
      if index % 3 == 1 { bytes[0] &= ~0x10 }
      let picture = try decoder.decode(bytes: bytes, pool: &pool)
      #expect((picture == nil) == (index % 3 == 1))
      guard let picture else { continue }
      #expect(TestPicture.psnr(TestPicture.make(width: 160, height: 96, time: index), picture) > 35)
    }
  }

  @Test func theSizeMayChangeWithAKeyframe() throws {
    let decoder = try VP8Decoder()
    var pool = PicturePool(capacity: 2)
    for size in [(160, 96), (64, 2), (161, 97), (320, 180)] {
      for (index, frame) in try encode(3, width: size.0, height: size.1).enumerated() {
        let decoded = try decoder.decode(bytes: frame.bytes, pool: &pool)
        let truth = TestPicture.make(width: size.0, height: size.1, time: index)
        #expect(TestPicture.psnr(truth, try #require(decoded)) > 30)
      }
    }
  }

  @Test func encodingAllocatesNothingOnceUnderWay() throws {
    let encoder = try VideoEncoder(codec: .vp8, width: 320, height: 180, settings: .init(bitsPerSecond: 300_000))
    let pictures = (0..<10).map { TestPicture.make(width: 320, height: 180, time: $0) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(200_000)
    var time = Instant.zero
    func code(_ picture: Picture) throws {
      time += .milliseconds(33)
      bytes.removeAll(keepingCapacity: true)
      _ = try encoder.encode(picture, at: time, asKeyframe: false, into: &bytes)
    }
    for picture in pictures { try code(picture) }
    let count = try allocations { for picture in pictures { try code(picture) } }
    #expect(count == 0)
  }

  @Test func aDecoderIsChosenByCodec() throws {
    let frames = try encode(1)
    var pool = PicturePool(capacity: 2)
    let decoder = try VideoDecoder(codec: .vp8)
    var frame = EncodedFrame(
      codec: .vp8, payload: FrameBuffer(frames[0].bytes), timestamp: RTPTimestamp(0), isKeyframe: true, time: .zero)
    let picture = try decoder.decode(frame, pool: &pool)
    #expect(picture?.width == 160)
    frame.codec = .h264
    #expect(throws: CodecError.unsupportedFormat) { try decoder.decode(frame, pool: &pool) }
    #expect(throws: CodecError.unsupportedFormat) { try VideoDecoder(codec: .opus) }
  }
}
