import Codecs
import Conference
import EncodedMedia
import Foundation
import RawMedia
import Testing
import Timing

/// Streams with three spatial layers (48x24, 96x48, 192x96), of VP9 also with three temporal ones; keyframes at 0 and 13.
private enum LayeredStream: String, CaseIterable {
  case fullVP9 = "vp9-svc-l3t3.frames"
  case keyVP9 = "vp9-svc-l3t3-key.frames"
  case fullAV1 = "av1-svc-l3t1.frames"
  case keyAV1 = "av1-svc-l3t1-key.frames"

  var codec: Codec { self == .fullVP9 || self == .keyVP9 ? .vp9 : .av1 }
  /// Whether each layer builds on the one below in every picture, not in keyframes only.
  var isFull: Bool { self == .fullVP9 || self == .fullAV1 }

  static let keyframes: Set<Int> = [0, 13]

  /// The pictures as the assembler hands them out, with what their descriptors say.
  func frames() throws -> [EncodedFrame] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    var rest = [UInt8](try Data(contentsOf: folder.appendingPathComponent("CodecsTests/Fixtures/\(rawValue)")))[...]
    var frames: [EncodedFrame] = []
    while let high = rest.popFirst(), let low = rest.popFirst() {
      let bytes = Array(rest.prefix(Int(high) << 8 | Int(low)))
      rest = rest.dropFirst(bytes.count)
      let index = frames.count
      let isKey = Self.keyframes.contains(index)
      let place = index < 13 ? index : index - 13
      var frame = EncodedFrame(
        codec: codec, payload: FrameBuffer(codec == .av1 ? Array(bytes.dropFirst(2)) : bytes), timestamp: RTPTimestamp(0),
        isKeyframe: isKey,
        time: .zero + .milliseconds(33) * Int64(index),
        temporal: codec == .av1
          ? nil
          : TemporalPosition(layer: [0, 2, 1, 2][place % 4], isLayerSync: false, isSwitchingPoint: true, baseIndex: nil))
      var layers = SpatialLayers()
      for layer in UInt8(0)..<3 {
        let buildsOnLower = layer > 0 && (isKey || isFull)
        layers.append(
          .init(
            layer: layer, buildsOnEarlier: !isKey, buildsOnLower: buildsOnLower,
            isNotForUpper: layer == 2 || !isKey && !isFull),
          // VP9's frames tell their sizes themselves.
          size: codec == .av1 ? PictureSize(width: 48 << Int(layer), height: 24 << Int(layer)) : nil)
      }
      frame.spatial = layers
      frames.append(frame)
    }
    return frames
  }
}

private func same(_ a: Picture, _ b: Picture) -> Bool {
  a.width == b.width && a.height == b.height
    && (0..<a.height).allSatisfy { y in
      (0..<a.width).allSatisfy { a.luma[y * a.lumaStride + $0] == b.luma[y * b.lumaStride + $0] }
    }
}

@Suite struct SpatialChoiceTests {
  /// What a decoder shows that gets all layers up to one from the start on.
  private func reference(_ frames: [EncodedFrame], upTo layer: UInt8) throws -> [Picture] {
    let decoder = try VideoDecoder(codec: frames[0].codec)
    var pool = PicturePool(capacity: 40)
    return try frames.map { frame in
      var frame = frame
      frame.spatial?.kept = (2 << layer) - 1
      return try #require(try decoder.decode(frame, pool: &pool))
    }
  }

  private struct Run {
    var pictures: [Picture?] = []
    var verdicts: [LayerChoice.Verdict] = []
    var kept: [UInt8] = []
  }

  /// Decodes what the choice leaves of a stream in tiles whose size may change.
  private func run(_ frames: [EncodedFrame], wanted: (Int) -> Int) throws -> Run {
    let decoder = try VideoDecoder(codec: frames[0].codec)
    var pool = PicturePool(capacity: 40)
    var choice = LayerChoice()
    var run = Run()
    for (index, frame) in frames.enumerated() {
      choice.wantedPixels = wanted(index)
      var frame = frame
      let verdict = choice.judge(&frame, of: 0)
      run.verdicts.append(verdict)
      let isTaken = verdict == .take || verdict == .takeAndRequest
      run.kept.append(isTaken ? (frame.spatial?.kept ?? 0) & 7 : 0)
      run.pictures.append(isTaken ? try decoder.decode(frame, pool: &pool) : nil)
    }
    return run
  }

  @Test(arguments: LayeredStream.allCases)
  private func theDecoderGetsTheSmallestLayerThatFillsTheTile(_ stream: LayeredStream) throws {
    let frames = try stream.frames()
    #expect(frames.count == 24)
    // Small tiles leave out temporal layers as well: those of 40 000 pixels and more do not.
    for (layer, pixels) in [(UInt8(1), 96 * 48), (2, 192 * 96)] {
      var untimed = frames
      for index in untimed.indices { untimed[index].temporal = nil }
      let expected = try reference(frames, upTo: layer)
      let seen = try run(untimed) { _ in pixels }
      for index in frames.indices {
        let isKey = LayeredStream.keyframes.contains(index)
        #expect(seen.verdicts[index] == .take)
        let all = (UInt8(2) << layer) - 1
        #expect(seen.kept[index] == (isKey || stream.isFull ? all : 1 << layer))
        #expect(same(try #require(seen.pictures[index]), expected[index]), "picture \(index)")
      }
    }
  }

  @Test(arguments: LayeredStream.allCases)
  private func smallTilesLeaveOutTemporalLayersToo(_ stream: LayeredStream) throws {
    let frames = try stream.frames()
    let expected = try reference(frames, upTo: 0)
    let seen = try run(frames) { _ in 40 * 20 }
    for index in frames.indices {
      let isBase = frames[index].temporal?.layer ?? 0 == 0
      if index > 4 { #expect((seen.verdicts[index] == .take) == isBase, "\(index)") }
      if let picture = seen.pictures[index] { #expect(same(picture, expected[index])) }
    }
  }

  @Test(arguments: LayeredStream.allCases)
  private func aTileThatGrowsGetsTheUpperLayerFromTheNextKeyframe(_ stream: LayeredStream) throws {
    let frames = try stream.frames()
    let (small, large) = (try reference(frames, upTo: 1), try reference(frames, upTo: 2))
    let seen = try run(frames) { $0 < 8 ? 96 * 48 : 192 * 96 }
    for index in frames.indices {
      guard let picture = seen.pictures[index] else { continue }
      #expect(same(picture, index < 13 ? small[index] : large[index]), "picture \(index)")
      if index >= 8 { #expect(seen.verdicts[index] == (index < 13 ? .takeAndRequest : .take)) }
    }
  }

  @Test(arguments: LayeredStream.allCases)
  private func aTileThatShrinksGivesUpTheUpperLayerAsSoonAsTheLowerCanBeDecoded(_ stream: LayeredStream) throws {
    let frames = try stream.frames()
    let (small, large) = (try reference(frames, upTo: 1), try reference(frames, upTo: 2))
    let seen = try run(frames) { $0 < 8 ? 192 * 96 : 96 * 48 }
    let change = stream.isFull ? 8 : 13
    for index in frames.indices {
      guard let picture = seen.pictures[index] else { continue }
      #expect(same(picture, index < change ? large[index] : small[index]), "picture \(index)")
      if (8..<13).contains(index) { #expect(seen.verdicts[index] == (stream.isFull ? .take : .takeAndRequest)) }
    }
  }

  @Test func aLayerIsTakenUpWhereItsFrameBuildsOnNothingEarlier() throws {
    let frames = try LayeredStream.fullVP9.frames()
    var choice = LayerChoice()
    for (index, frame) in frames.prefix(13).enumerated() {
      choice.wantedPixels = index < 3 ? 48 * 24 : 96 * 48
      var frame = frame
      var layers = SpatialLayers()
      for layer in UInt8(0)..<3 {
        layers.append(
          .init(
            layer: layer, buildsOnEarlier: index > 0 && !(layer == 1 && [5, 8].contains(index)), buildsOnLower: layer > 0,
            isNotForUpper: false))
      }
      frame.spatial = layers
      frame.temporal = index == 5 ? TemporalPosition(layer: 2, isLayerSync: true, isSwitchingPoint: true, baseIndex: 0) : nil
      let verdict = choice.judge(&frame, of: 0)
      let kept = (frame.spatial?.kept ?? 0) & 7
      switch index {
      case 0..<3: #expect(verdict == .take && kept == 1)
      // In an upper temporal layer it is no beginning, though it can be shown.
      case 5: #expect(kept & 1 == 1)
      case 3..<8: #expect(verdict == .takeAndRequest && kept == 1, "\(index)")
      default: #expect(verdict == .take && kept == 3, "\(index)")
      }
    }
  }

  @Test func aSenderThatPausesItsUpperLayersIsFollowedAndTakenUpAgain() throws {
    for stream in LayeredStream.allCases {
      let frames = try stream.frames()
      var choice = LayerChoice()
      choice.wantedPixels = 192 * 96
      for (index, frame) in frames.enumerated() {
        var frame = frame
        frame.temporal = nil
        if (4..<13).contains(index), let all = frame.spatial {
          var fewer = SpatialLayers()
          fewer.append(all[0])
          fewer.append(all[1])
          frame.spatial = fewer
        }
        let verdict = choice.judge(&frame, of: 0)
        let kept = (frame.spatial?.kept ?? 0) & 7
        switch index {
        case 4..<13 where stream.isFull: #expect(verdict == .take && kept & 3 == 3)
        // What the lower layers build on was never decoded.
        case 4..<13: #expect(verdict == .dropAndRequest)
        default: #expect(verdict == .take && kept & 4 == 4, "\(index)")
        }
      }
    }
  }

  @Test func layersInAnyOrderAndCountNeverTrap() throws {
    let frames = try LayeredStream.fullVP9.frames()
    var state: UInt64 = 7
    func random() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
    let decoder = try VideoDecoder(codec: .vp9)
    var pool = PicturePool(capacity: 4)
    var choice = LayerChoice()
    for round in 0..<3000 {
      var frame = frames[Int(random() % 24)]
      frame.isKeyframe = random() % 8 == 0
      frame.time = .zero + .milliseconds(Int64(round) * 50)
      var layers = SpatialLayers()
      for _ in 0..<random() % 10 {
        let bits = random()
        layers.append(
          .init(
            layer: UInt8(bits & 7), buildsOnEarlier: bits & 8 != 0, buildsOnLower: bits & 16 != 0,
            isNotForUpper: bits & 32 != 0))
      }
      frame.spatial = layers
      if random() % 16 == 0 { choice.wantedPixels = Int(random() % 30_000) }
      let verdict = choice.judge(&frame, of: 0)
      guard verdict == .take || verdict == .takeAndRequest else { continue }
      _ = try? decoder.decode(frame, pool: &pool)
    }
  }
}
