import Codecs
import EncodedMedia
import RawMedia
import TestSupport
import Testing
import Timing

@Suite struct TemporalLayerTests {
  /// - Parameter rests: whether the left half stands still, and is said to.
  private func encode(
    _ codec: Codec, layers: Int, _ count: Int = 40, keyframes: Set<Int> = [0, 22], rests: Bool = false
  ) throws -> [EncodedFrame] {
    let encoder = try VideoEncoder(
      codec: codec, width: 160, height: 96, settings: .init(bitsPerSecond: 600_000, temporalLayers: layers))
    return try (0..<count).map { index in
      var bytes: [UInt8] = []
      let time = Instant.zero + .microseconds(33_333) * Int64(index)
      let outcome = try encoder.encode(
        picture(index, rests: rests), at: time, asKeyframe: keyframes.contains(index),
        damage: rests ? [DamageRectangle(x: 80, y: 0, width: 80, height: 96)] : nil, into: &bytes)
      return EncodedFrame(
        codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: outcome.isKeyframe, time: time,
        temporal: outcome.temporal)
    }
  }

  private func picture(_ index: Int, rests: Bool) -> Picture {
    let picture = TestPicture.make(width: 160, height: 96, time: index)
    guard rests else { return picture }
    for y in 0..<96 { for x in 0..<80 { picture.luma[y * picture.lumaStride + x] = TestPicture.luma(x, y, 0) } }
    return picture
  }

  private func same(_ a: Picture, _ b: Picture) -> Bool {
    (0..<a.height).allSatisfy { y in
      (0..<a.width).allSatisfy { a.luma[y * a.lumaStride + $0] == b.luma[y * b.lumaStride + $0] }
    }
  }

  @Test(arguments: VideoEncoderTests.codecs) func oneLayerIsAllOfTheBase(_ codec: Codec) throws {
    for (index, frame) in try encode(codec, layers: 1, 5).enumerated() {
      #expect(frame.temporal == TemporalPosition(layer: 0, isLayerSync: false, baseIndex: UInt8(index + 1)))
    }
  }

  /// nal_ref_idc 0 (ITU-T H.264 section 7.4.1): nothing refers to the unit.
  @Test func theUpperLayerOfH264IsOfFramesThatNothingRefersTo() throws {
    let frames = try encode(.h264, layers: 3)
    var base: UInt8 = 0
    for (index, frame) in frames.enumerated() {
      let temporal = try #require(frame.temporal)
      let place = index < 22 ? index : index - 22
      #expect(temporal.layer == UInt8(place % 2) && temporal.isLayerSync == (temporal.layer > 0), "frame \(index)")
      if temporal.layer == 0 { base &+= 1 }
      #expect(temporal.baseIndex == base)
      let bytes = frame.payload.bytes
      #expect((bytes[4] & 0x60 == 0) == (temporal.layer > 0))
    }
    #expect(frames.indices.filter { frames[$0].isKeyframe } == [0, 22])
    #expect(VideoEncoder.shares(of: .h264, temporalLayers: 3) == [0.6, 1])
  }

  @Test(arguments: [2, 3]) func layersTakeTheirSharesOfTheBitRate(_ layers: Int) throws {
    let shares = VideoEncoder.shares(of: .vp8, temporalLayers: layers)
    #expect(shares == (layers == 2 ? [0.6, 1] : [0.5, 0.7, 1]))
    let encoder = try VideoEncoder(
      codec: .vp8, width: 160, height: 96, settings: .init(bitsPerSecond: 300_000, temporalLayers: layers))
    var counts = [Int](repeating: 0, count: layers)
    var random = SeededRandom(seed: 3)
    for index in 0..<300 {
      let picture = TestPicture.make(width: 160, height: 96, time: index)
      for offset in 0..<picture.lumaStride * 96 { picture.luma[offset] ^= UInt8.random(in: 0...31, using: &random) }
      var bytes: [UInt8] = []
      let outcome = try encoder.encode(
        picture, at: .zero + .ticks(Int64(index), at: 30), asKeyframe: index == 0, into: &bytes)
      if index >= 60 { counts[Int(outcome.temporal.layer)] += bytes.count }
    }
    let whole = Double(counts.reduce(0, +))
    for layer in 0..<layers {
      let share = Double(counts[...layer].reduce(0, +)) / whole
      #expect(abs(share - shares[layer]) < 0.06, "layer \(layer): \(share)")
    }
  }

  @Test(arguments: [Codec.vp8, .vp9]) func thePatternBeginsAnewWithAKeyframe(_ codec: Codec) throws {
    let frames = try encode(codec, layers: 3)
    let layers = try frames.map { try #require($0.temporal).layer }
    #expect(layers == (0..<22).map { [0, 2, 1, 2][$0 % 4] } + (0..<18).map { [0, 2, 1, 2][$0 % 4] })
    #expect(frames.indices.filter { frames[$0].isKeyframe } == [0, 22])
    var base: UInt8 = 0
    for frame in frames {
      let temporal = try #require(frame.temporal)
      if temporal.layer == 0 { base &+= 1 }
      #expect(temporal.baseIndex == base)
      #expect(!temporal.isLayerSync || temporal.layer > 0)
    }
    #expect(try encode(codec, layers: 2, 6).map { $0.temporal?.layer } == [0, 1, 0, 1, 0, 1])
  }

  @Test(arguments: VideoEncoderTests.codecs, [2, 3]) func withoutUpperLayersTheRestIsTheSameBitForBit(
    _ codec: Codec, _ layers: Int
  )
    throws
  {
    try withoutUpperLayers(try encode(codec, layers: layers), codec, layers) { picture($0, rests: false) }
  }

  @Test(arguments: [Codec.vp8, .vp9], [2, 3]) func evenWherePartOfThePictureRests(_ codec: Codec, _ layers: Int) throws {
    try withoutUpperLayers(try encode(codec, layers: layers, 160, rests: true), codec, layers) { picture($0, rests: true) }
  }

  private func withoutUpperLayers(
    _ frames: [EncodedFrame], _ codec: Codec, _ layers: Int, source: (Int) -> Picture
  ) throws {
    for highest in 0..<layers {
      let (whole, part) = (try VideoDecoder(codec: codec), try VideoDecoder(codec: codec))
      var poolA = PicturePool(capacity: 3)
      var poolB = PicturePool(capacity: 3)
      for (index, frame) in frames.enumerated() {
        let expected = try #require(try whole.decode(frame, pool: &poolA))
        guard Int(frame.temporal?.layer ?? 0) <= highest else { continue }
        let picture = try #require(try part.decode(frame, pool: &poolB))
        #expect(same(expected, picture), "layers up to \(highest), frame \(index)")
        #expect(TestPicture.psnr(source(index), picture) > 30)
      }
    }
  }

  @Test(arguments: [Codec.vp8, .vp9]) func aSyncFrameBuildsOnTheBaseAlone(_ codec: Codec) throws {
    let frames = try encode(codec, layers: 3)
    let (whole, part) = (try VideoDecoder(codec: codec), try VideoDecoder(codec: codec))
    var poolA = PicturePool(capacity: 3)
    var poolB = PicturePool(capacity: 3)
    var synced = 0
    for frame in frames {
      let expected = try #require(try whole.decode(frame, pool: &poolA))
      let temporal = try #require(frame.temporal)
      // Of the upper layers only the sync frames of the highest, and never what lies between.
      guard temporal.layer == 0 || temporal.layer == 2 && temporal.isLayerSync else { continue }
      let picture = try #require(try part.decode(frame, pool: &poolB))
      #expect(same(expected, picture))
      if temporal.isLayerSync { synced += 1 }
    }
    #expect(synced >= 9)
  }

  @Test(arguments: [Codec.vp8, .vp9]) func aPictureInWhichNothingChangedIsOfTheBase(_ codec: Codec) throws {
    let encoder = try VideoEncoder(
      codec: codec, width: 160, height: 96, settings: .init(bitsPerSecond: 400_000, temporalLayers: 3))
    let decoder = try VideoDecoder(codec: codec)
    var pool = PicturePool(capacity: 3)
    var layers: [UInt8] = []
    for index in 0..<30 {
      var bytes: [UInt8] = []
      let time = Instant.zero + .microseconds(33_333) * Int64(index)
      let changes = index < 6 || index > 20
      let source = TestPicture.make(width: 160, height: 96, time: index < 6 ? index : max(index - 15, 5))
      let outcome = try encoder.encode(source, at: time, asKeyframe: false, damage: changes ? nil : [], into: &bytes)
      layers.append(outcome.temporal.layer)
      let frame = EncodedFrame(
        codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: outcome.isKeyframe, time: time)
      let picture = try #require(try decoder.decode(frame, pool: &pool))
      #expect(TestPicture.psnr(source, picture) > 33)
    }
    #expect(layers == [0, 2, 1, 2, 0, 2] + Array(repeating: 0, count: 15) + [2, 1, 2, 0, 2, 1, 2, 0, 2])
  }

  @Test(arguments: [Codec.vp8, .vp9]) func whatStandsStaysGoodInEveryLayer(_ codec: Codec) throws {
    let (width, height) = (320, 192)
    let encoder = try VideoEncoder(
      codec: codec, width: width, height: height, settings: .init(bitsPerSecond: 250_000, temporalLayers: 3))
    let decoder = try VideoDecoder(codec: codec)
    var pool = PicturePool(capacity: 3)
    let still = TestPicture.make(width: width, height: height, time: 0)
    let picture = TestPicture.make(width: width, height: height, time: 0)
    var best = 0.0
    for index in 0..<480 {
      for y in 0..<height {
        for x in (width / 2)..<width { picture.luma[y * picture.lumaStride + x] = TestPicture.luma(x, y, index) }
      }
      var bytes: [UInt8] = []
      let time = Instant.zero + .microseconds(33_333) * Int64(index)
      let damage = [DamageRectangle(x: width / 2, y: 0, width: width / 2, height: height)]
      let outcome = try encoder.encode(picture, at: time, asKeyframe: false, damage: damage, into: &bytes)
      let frame = EncodedFrame(
        codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: outcome.isKeyframe, time: time)
      let decoded = try #require(try decoder.decode(frame, pool: &pool))
      guard index >= 240 else { continue }
      let quality = TestPicture.leftHalfPSNR(still, decoded)
      best = max(best, quality)
      #expect(quality > best - 0.5, "frame \(index)")
    }
    #expect(best > 33)
  }

  /// A picture whose left half stands and whose right half moves, both of a texture that is dear to encode.
  private static func draw(_ time: Int, on picture: Picture) {
    for y in 0..<picture.height {
      for x in 0..<picture.width {
        let moved = x < picture.width / 2 ? 0 : time
        let grain =
          (UInt32(truncatingIfNeeded: ((x + 3 * moved) &* 73_856_093) ^ (y &* 19_349_663)) &* 0x2C1B_3C6D) >> 28
        picture.luma[y * picture.lumaStride + x] = TestPicture.luma(x, y, moved) / 2 + 40 + UInt8(grain)
      }
    }
  }

  /// PSNR of what stands, frame by frame, with a second keyframe.
  private func qualityOfWhatStands(layers: Int, keyframe: Int, frames: Int, hints: Bool) throws -> [Double] {
    let (width, height) = (320, 192)
    let encoder = try VideoEncoder(
      codec: .vp8, width: width, height: height, settings: .init(bitsPerSecond: 100_000, temporalLayers: layers))
    let decoder = try VideoDecoder(codec: .vp8)
    var pool = PicturePool(capacity: 3)
    let picture = TestPicture.make(width: width, height: height, time: 0)
    return try (0..<frames).map { index in
      Self.draw(index, on: picture)
      var bytes: [UInt8] = []
      let time = Instant.zero + .microseconds(33_333) * Int64(index)
      let damage = [DamageRectangle(x: width / 2, y: 0, width: width / 2, height: height)]
      let outcome = try encoder.encode(
        picture, at: time, asKeyframe: index == keyframe, damage: hints && index > 0 ? damage : nil, into: &bytes)
      let frame = EncodedFrame(
        codec: .vp8, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: outcome.isKeyframe, time: time)
      return TestPicture.leftHalfPSNR(picture, try #require(try decoder.decode(frame, pool: &pool)))
    }
  }

  @Test(arguments: [1, 3]) func whatStandsIsBackAtItsBestNoLaterThanWithoutHints(_ layers: Int) throws {
    let keyframe = 180
    let without = try qualityOfWhatStands(layers: layers, keyframe: keyframe, frames: 420, hints: false)
    let with = try qualityOfWhatStands(layers: layers, keyframe: keyframe, frames: 420, hints: true)
    let plateau = without[keyframe - 1]
    func framesBelow(_ quality: [Double]) -> Int { quality[keyframe...].count { $0 < plateau - 0.5 } }
    #expect(framesBelow(with) <= framesBelow(without))
    #expect(with[419] > plateau - 0.5)
  }

  /// The layers of frames of a screen, of which all changes in some and a corner in the others.
  private func layersOfScreen(_ codec: Codec, isScreen: Bool, turned: Set<Int>) throws -> [UInt8] {
    let encoder = try VideoEncoder(
      codec: codec, width: 160, height: 96, settings: .init(bitsPerSecond: 600_000, isScreen: isScreen, temporalLayers: 3))
    return try (0..<14).map { index in
      var bytes: [UInt8] = []
      let corner = DamageRectangle(x: 128, y: 0, width: 32, height: 96)
      let all = DamageRectangle(x: 0, y: 0, width: 160, height: 96)
      return try encoder.encode(
        picture(index, rests: false), at: .zero + .microseconds(33_333) * Int64(index), asKeyframe: index == 0,
        damage: index == 0 ? nil : [turned.contains(index) ? all : corner], into: &bytes
      ).temporal.layer
    }
  }

  @Test(arguments: [Codec.vp8, .vp9]) func aPageThatIsTurnedIsOfTheBaseAtOnce(_ codec: Codec) throws {
    let turned = try layersOfScreen(codec, isScreen: true, turned: [6, 11])
    #expect(turned == [0, 2, 1, 2, 0, 2, 0, 2, 1, 2, 0, 0, 2, 1])
    let scrolled = try layersOfScreen(codec, isScreen: true, turned: Set(6...11))
    #expect(scrolled == [0, 2, 1, 2, 0, 2, 0, 2, 0, 2, 0, 2, 1, 2])
    let camera = try layersOfScreen(codec, isScreen: false, turned: [6])
    #expect(camera == [0, 2, 1, 2, 0, 2, 1, 2, 0, 2, 1, 2, 0, 2])
  }

  /// Black letters of made-up strokes on white, but for a strip that moves.
  private static func drawPage(_ page: Int, _ time: Int, on picture: Picture) {
    for y in 0..<picture.height {
      for x in 0..<picture.width {
        let stroke = UInt32(truncatingIfNeeded: (x / 2 &* 73_856_093) ^ (y / 3 &* 19_349_663) ^ (page &* 83_492_791))
        let isInk = ((stroke ^ stroke >> 13) &* 0x2C1B_3C6D) >> 29 == 0 && y % 16 > 4
        let isMoving = x >= picture.width * 3 / 4
        picture.luma[y * picture.lumaStride + x] = isMoving ? TestPicture.luma(x, y, time) : isInk ? 25 : 235
      }
    }
  }

  /// PSNR of a page three frames after it was turned, for a turn at each place of the pattern.
  private func qualityOfTurnedPages(_ codec: Codec, layers: Int) throws -> Double {
    let (width, height) = (320, 192)
    let encoder = try VideoEncoder(
      codec: codec, width: width, height: height,
      settings: .init(bitsPerSecond: 200_000, isScreen: true, temporalLayers: layers))
    let decoder = try VideoDecoder(codec: codec)
    var pool = PicturePool(capacity: 3)
    let picture = TestPicture.make(width: width, height: height, time: 0)
    var qualities: [Double] = []
    for index in 0..<250 {
      let (page, since) = (index / 61, index % 61)
      Self.drawPage(page, index, on: picture)
      let strip = DamageRectangle(x: width * 3 / 4, y: 0, width: width / 4, height: height)
      let all = DamageRectangle(x: 0, y: 0, width: width, height: height)
      var bytes: [UInt8] = []
      let time = Instant.zero + .microseconds(33_333) * Int64(index)
      let outcome = try encoder.encode(
        picture, at: time, asKeyframe: index == 0, damage: index == 0 ? nil : [since == 0 ? all : strip], into: &bytes)
      let frame = EncodedFrame(
        codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: outcome.isKeyframe, time: time)
      let decoded = try #require(try decoder.decode(frame, pool: &pool))
      if page > 0, since == 3 { qualities.append(TestPicture.leftHalfPSNR(picture, decoded)) }
    }
    return qualities.reduce(0, +) / Double(qualities.count)
  }

  @Test(arguments: [Codec.vp8, .vp9]) func aTurnedPageIsAboutAsSharpInThreeLayersAsInOne(_ codec: Codec) throws {
    let one = try qualityOfTurnedPages(codec, layers: 1)
    let three = try qualityOfTurnedPages(codec, layers: 3)
    #expect(three > one - 2, "\(codec): \(three) and \(one) dB")
  }
}
