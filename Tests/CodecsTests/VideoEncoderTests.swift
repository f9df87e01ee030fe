import Codecs
import EncodedMedia
import RawMedia
import TestSupport
import Testing
import Timing

@Suite struct VideoEncoderTests {
  static let codecs: [Codec] = [.vp8, .vp9, .h264]

  static func encode(_ codec: Codec, _ count: Int, width: Int = 160, height: Int = 96, keyframes: Set<Int> = []) throws
    -> [EncodedFrame]
  {
    let encoder = try VideoEncoder(codec: codec, width: width, height: height, settings: .init(bitsPerSecond: 800_000))
    return try (0..<count).map { index in
      var bytes: [UInt8] = []
      let time = Instant.zero + .microseconds(33_333) * Int64(index)
      let outcome = try encoder.encode(
        TestPicture.make(width: width, height: height, time: index), at: time, asKeyframe: keyframes.contains(index),
        into: &bytes)
      #expect(outcome.byteCount == bytes.count && bytes.count > 0)
      return EncodedFrame(
        codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: outcome.isKeyframe, time: time)
    }
  }

  @Test(arguments: codecs) func whatIsEncodedIsWhatIsDecoded(_ codec: Codec) throws {
    let decoder = try VideoDecoder(codec: codec)
    var pool = PicturePool(capacity: 3)
    for (index, frame) in try Self.encode(codec, 20, keyframes: [11]).enumerated() {
      #expect(frame.isKeyframe == (index == 0 || index == 11))
      let picture = try #require(try decoder.decode(frame, pool: &pool))
      #expect(TestPicture.psnr(TestPicture.make(width: 160, height: 96, time: index), picture) > 33)
    }
  }

  @Test(arguments: codecs, [(160, 96), (1280, 720), (500, 500), (162, 98)])
  func aKeyframeTellsItsSize(_ codec: Codec, _ size: (Int, Int)) throws {
    for frame in try Self.encode(codec, 2, width: size.0, height: size.1) {
      let bytes = frame.payload.bytes
      let told = PictureSize(ofKeyframe: bytes.span, codec: codec)
      if frame.isKeyframe {
        #expect(told == PictureSize(width: size.0, height: size.1))
      } else {
        #expect(told == nil)
      }
    }
  }

  /// H.264 crops by pairs of samples: the last column or row of an odd picture is not sent.
  @Test(arguments: codecs, [(161, 97), (17, 33), (427, 240)]) func oddSizesAreNotRefused(_ codec: Codec, _ size: (Int, Int))
    throws
  {
    let decoder = try VideoDecoder(codec: codec)
    var pool = PicturePool(capacity: 3)
    let isEven = codec == .h264
    for frame in try Self.encode(codec, 3, width: size.0, height: size.1) {
      let picture = try #require(try decoder.decode(frame, pool: &pool))
      #expect(picture.width == (isEven ? size.0 & ~1 : size.0) && picture.height == (isEven ? size.1 & ~1 : size.1))
    }
  }

  @Test(arguments: codecs) func aSharedScreenMayComeAndGo(_ codec: Codec) throws {
    let encoder = try VideoEncoder(codec: codec, width: 160, height: 96, settings: .init(bitsPerSecond: 800_000))
    let decoder = try VideoDecoder(codec: codec)
    var pool = PicturePool(capacity: 3)
    for index in 0..<30 {
      try encoder.setScreen((10..<20).contains(index))
      var bytes: [UInt8] = []
      let time = Instant.zero + .microseconds(33_333) * Int64(index)
      let source = TestPicture.make(width: 160, height: 96, time: index)
      let outcome = try encoder.encode(source, at: time, asKeyframe: false, into: &bytes)
      let frame = EncodedFrame(
        codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: outcome.isKeyframe, time: time)
      let picture = try #require(try decoder.decode(frame, pool: &pool))
      #expect(TestPicture.psnr(source, picture) > 33, "frame \(index)")
    }
  }

  @Test(arguments: codecs) func theSizeMayChangeAtAKeyframe(_ codec: Codec) throws {
    let decoder = try VideoDecoder(codec: codec)
    var pool = PicturePool(capacity: 3)
    for (width, height) in [(160, 96), (320, 180), (16, 16), (1920, 1080), (64, 128)] {
      for frame in try Self.encode(codec, 2, width: width, height: height) {
        let picture = try #require(try decoder.decode(frame, pool: &pool))
        #expect(picture.width == width && picture.height == height)
      }
    }
  }

  @Test(arguments: codecs) func aLimitIsHeldBeforeAnythingIsDecoded(_ codec: Codec) throws {
    let decoder = try VideoDecoder(codec: codec, limits: PictureLimits(pixels: 160 * 95))
    var pool = PicturePool(capacity: 1)
    let frames = try Self.encode(codec, 2)
    #expect(throws: CodecError.self) { try decoder.decode(frames[0], pool: &pool) }
    #expect(throws: CodecError.needsKeyframe) { try decoder.decode(frames[1], pool: &pool) }
  }

  @Test(arguments: codecs) func brokenFramesNeverTrapAndAKeyframeRepairs(_ codec: Codec) throws {
    var random = SeededRandom(seed: 17)
    let frames = try Self.encode(codec, 6, keyframes: [5])
    let decoder = try VideoDecoder(codec: codec, limits: PictureLimits(pixels: 1_000_000, side: 2_000))
    var pool = PicturePool(capacity: 2)
    for round in 0..<150 {
      for frame in frames.dropLast() {
        var broken = frame
        broken.payload = FrameBuffer(damaged(frame.payload.bytes, cut: round % 3 == 0, using: &random))
        _ = try? decoder.decode(broken, pool: &pool)
      }
    }
    let picture = try #require(try decoder.decode(frames[5], pool: &pool))
    #expect(TestPicture.psnr(TestPicture.make(width: 160, height: 96, time: 5), picture) > 33)
  }

  @Test func sizesThatACodecDoesNotTakeAreRefused() {
    #expect(throws: CodecError.wrongSize) {
      try VideoEncoder(codec: .h264, width: 15, height: 96, settings: .init(bitsPerSecond: 100_000))
    }
    #expect(throws: CodecError.wrongSize) {
      try VideoEncoder(codec: .vp9, width: 0, height: 96, settings: .init(bitsPerSecond: 100_000))
    }
    #expect(throws: CodecError.unsupportedFormat) {
      try VideoEncoder(codec: .av1, width: 160, height: 96, settings: .init(bitsPerSecond: 100_000))
    }
  }

  @Test(arguments: codecs) func stillPartsStayGoodThroughDamageAndKeyframes(_ codec: Codec) throws {
    let (width, height) = (320, 192)
    let encoder = try VideoEncoder(codec: codec, width: width, height: height, settings: .init(bitsPerSecond: 250_000))
    let decoder = try VideoDecoder(codec: codec)
    var pool = PicturePool(capacity: 3)
    // The left half stands still, the right one moves.
    let still = TestPicture.make(width: width, height: height, time: 0)
    let picture = TestPicture.make(width: width, height: height, time: 0)
    var plateau = 0.0
    for index in 0..<400 {
      for y in 0..<height {
        for x in (width / 2)..<width { picture.luma[y * picture.lumaStride + x] = TestPicture.luma(x, y, index) }
      }
      var bytes: [UInt8] = []
      let time = Instant.zero + .microseconds(33_333) * Int64(index)
      let damage = [DamageRectangle(x: width / 2, y: 0, width: width / 2, height: height)]
      let outcome = try encoder.encode(picture, at: time, asKeyframe: index == 250, damage: damage, into: &bytes)
      let frame = EncodedFrame(
        codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: outcome.isKeyframe, time: time)
      let decoded = try #require(try decoder.decode(frame, pool: &pool))
      let quality = TestPicture.leftHalfPSNR(still, decoded)
      if index == 60 || index == 345 { plateau = quality }
      if (61..<250).contains(index) || index > 345 { #expect(quality > plateau - 0.5, "frame \(index)") }
    }
    #expect(plateau > 33)
  }

  /// Letters of strokes two pixels wide, black on white; each page has others.
  private func page(_ number: Int) -> Picture {
    let picture = TestPicture.make(width: 320, height: 192, time: 0)
    for y in 0..<192 {
      for x in 0..<320 {
        var random = SeededRandom(seed: UInt64(number * 10_000 + y / 2 % 8 * 200 + x / 2 + y / 16 * 7))
        picture.luma[y * picture.lumaStride + x] = y % 16 < 12 && random.next() % 5 < 2 ? 25 : 235
      }
    }
    return picture
  }

  @Test(arguments: codecs) func aPageOfTextIsSharpSoonAfterItWasTurned(_ codec: Codec) throws {
    let encoder = try VideoEncoder(
      codec: codec, width: 320, height: 192, settings: .init(bitsPerSecond: 2_000_000, isScreen: true))
    let decoder = try VideoDecoder(codec: codec)
    var pool = PicturePool(capacity: 2)
    let pages = [page(0), page(1)]
    for index in 0..<60 {
      var bytes: [UInt8] = []
      let time = Instant.zero + .microseconds(33_333) * Int64(index)
      let outcome = try encoder.encode(pages[index / 30], at: time, asKeyframe: index == 0, into: &bytes)
      let frame = EncodedFrame(
        codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: outcome.isKeyframe, time: time)
      let decoded = try #require(try decoder.decode(frame, pool: &pool))
      let quality = TestPicture.psnr(pages[index / 30], decoded)
      if index == 33 { #expect(quality > 44, "a tenth of a second after it was turned") }
      if index == 59 { #expect(quality > 44) }
    }
  }
}
