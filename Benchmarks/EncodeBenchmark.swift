import Codecs
import EncodedMedia
import LoadGenerator
import RawMedia
import Timing

/// What encoding costs, and what it costs less where the encoder is told which tiles stand still: 16 tiles at 1280x720 of which
/// three move. Beside it the quality of those that stand, through a keyframe that somebody asks for and a newcomer in one tile.
enum EncodeBenchmark {
  /// 20 seconds.
  private static let frames = 600
  private static let keyframeAt = 240
  fileprivate static let joinAt = 420

  private struct Result {
    var milliseconds = 0.0
    var kilobits = 0.0
    /// PSNR of what stands at each frame.
    var quality: [Double] = []
    /// That of the tile in which somebody else appears.
    var joined: [Double] = []
    var sizes: [Int] = []

    /// Before the second keyframe.
    var plateau: Double { quality[keyframeAt - 1] }
    /// The deepest fall behind what was reached since the last keyframe, or since the first second of the stream.
    var decay: Double {
      var (best, worst) = (0.0, 0.0)
      for (index, now) in quality.enumerated() {
        best = index == keyframeAt || index < 30 ? now : max(best, now)
        worst = max(worst, best - now)
      }
      return worst
    }
    /// The worst after the second keyframe.
    var dip: Double { quality[keyframeAt...].min() ?? 0 }
    /// Frames after the second keyframe, and after the newcomer, that were more than 0.5 dB below a plateau.
    func framesBelow(_ plateau: Double) -> (keyframe: Int, join: Int) {
      (quality[keyframeAt...].count { $0 < plateau - 0.5 }, joined[joinAt...].count { $0 < plateau - 0.5 })
    }
    /// The most kilobytes in a third of a second after the second keyframe.
    var burst: Double {
      Double((keyframeAt..<frames - 10).map { sizes[$0..<$0 + 10].reduce(0, +) }.max() ?? 0) / 1000
    }
  }

  static func run() throws {
    var table = Table(
      "encode: 1280x720@30 at 1.2 Mb/s, 16 tiles of which 3 move, with and without hints",
      note:
        "CPU ms a frame over 20 s with two keyframes and a newcomer in one tile, each second encoded both ways in turn, medians of three"
        + " runs; as many temporal\nlayers as the codec's name is followed by. PSNR of the luma of the 12 tiles that stand, in dB: before the"
        + " second keyframe (plateau); the deepest fall behind the\nbest since the last keyframe (decay); the worst after the second"
        + " keyframe (dip), the frames after it more than 0.5 dB below the plateau without hints (key),\nand those of the newcomer's tile"
        + " (join). The most kB in a third of a second from that keyframe on (burst).",
      columns: ["codec", "no hints"] + columns + ["hints"] + columns + ["hints / none"])
    var verdicts: [(String, Bool)] = []
    for (codec, layers) in [(Codec.vp8, 1), (.vp8, 3), (.vp9, 3), (.h264, 1)] {
      let runs = try (0..<3).map { _ in try encodeBothWays(codec, layers) }
      let share = percentile(runs.map { $0.hints.milliseconds / $0.none.milliseconds }, 0.5)
      let (none, hints) = (runs[0].none, runs[0].hints)
      let name = "\(codec.rawValue) \(layers)"
      table.add(
        [name] + cells(none, percentile(runs.map(\.none.milliseconds), 0.5), none.plateau)
          + cells(hints, percentile(runs.map(\.hints.milliseconds), 0.5), none.plateau) + [figure(share)])
      // OpenH264 cannot be told what stands still.
      if codec != .h264 { verdicts.append(("\(name) takes at most 0.7 with hints: \(figure(share))", share <= 0.7)) }
      verdicts.append(
        ("in \(name) what stands stays within 0.5 dB of the best it had: \(figure(hints.decay))", hints.decay <= 0.5))
      verdicts.append(
        (
          "and is as good as without hints, within 0.5 dB: \(figure(hints.plateau)), \(figure(none.plateau))",
          hints.plateau >= none.plateau - 0.5
        ))
      let (with, without) = (hints.framesBelow(none.plateau), none.framesBelow(none.plateau))
      verdicts.append(
        (
          "and is back there after a keyframe no later: \(with.keyframe) frames, \(without.keyframe)",
          with.keyframe <= max(without.keyframe, 30)
        ))
    }
    table.print()
    for (sentence, holds) in verdicts { verdict(sentence, holds) }
  }

  private static let columns = ["plateau", "decay", "dip", "key", "join", "burst", "kb/s"]

  private static func cells(_ result: Result, _ milliseconds: Double, _ plateau: Double) -> [String] {
    let below = result.framesBelow(plateau)
    return [
      figure(milliseconds), figure(result.plateau), figure(result.decay), figure(result.dip), "\(below.keyframe)",
      "\(below.join)", figure(result.burst, 0), figure(result.kilobits, 0),
    ]
  }

  /// A second of one, then the same second of the other, so that neither finds its pictures pushed out of the caches by the other's.
  private static func encodeBothWays(_ codec: Codec, _ layers: Int) throws -> (none: Result, hints: Result) {
    let lines = [try Line(codec, layers, hints: false), try Line(codec, layers, hints: true)]
    for second in stride(from: 0, to: frames, by: 30) {
      for line in lines { for index in second..<min(second + 30, frames) { try line.encode(index) } }
    }
    return (lines[0].result, lines[1].result)
  }

  /// An encoder and what becomes of its frames.
  private final class Line {
    private let codec: Codec
    private let hints: Bool
    private let wall = TileWall()
    private let encoder: VideoEncoder
    private let decoder: VideoDecoder
    private var pool = PicturePool(capacity: 3)
    private var bytes: [UInt8] = []
    private(set) var result = Result()

    init(_ codec: Codec, _ layers: Int, hints: Bool) throws {
      self.codec = codec
      self.hints = hints
      encoder = try VideoEncoder(
        codec: codec, width: TileWall.width, height: TileWall.height,
        settings: .init(bitsPerSecond: 1_200_000, temporalLayers: layers))
      decoder = try VideoDecoder(codec: codec)
    }

    func encode(_ index: Int) throws {
      wall.draw(index)
      let time = Instant.zero + .microseconds(33_333) * Int64(index)
      let damage = hints && index > 0 ? wall.damage(index) : nil
      bytes.removeAll(keepingCapacity: true)
      var isKeyframe = false
      let spent = try threadTime {
        isKeyframe = try encoder.encode(
          wall.picture, at: time, asKeyframe: index == keyframeAt, damage: damage, into: &bytes
        ).isKeyframe
      }
      result.milliseconds += spent / 1e6 / Double(frames)
      result.kilobits += Double(bytes.count) * 8 * 30 / 1000 / Double(frames)
      result.sizes.append(bytes.count)
      let frame = EncodedFrame(
        codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: isKeyframe, time: time)
      guard let decoded = try decoder.decode(frame, pool: &pool) else { throw BenchmarkError("\(codec) decodes nothing") }
      result.quality.append(wall.quality(of: decoded, TileWall.standing))
      result.joined.append(wall.quality(of: decoded, [TileWall.joined]))
    }
  }
}

/// 16 cameras of which three move and the others stand, as those of people who have muted theirs do.
private final class TileWall {
  static let (width, height, columns) = (1280, 720, 4)
  private static let moving = [1, 6, 11]
  /// Where somebody else appears.
  static let joined = 4
  static let standing = (0..<16).filter { !moving.contains($0) && $0 != joined }
  private static let (tileWidth, tileHeight) = (width / columns, height / columns)
  let picture = Picture(width: width, height: height)
  private var cameras = (0..<16).map { CameraScene(width: tileWidth, height: tileHeight, seed: UInt64($0)) }
  private let camera = Picture(width: tileWidth, height: tileHeight)

  init() {
    for tile in 0..<16 { draw(tile, time: 0) }
  }

  func damage(_ time: Int) -> [DamageRectangle] {
    (Self.moving + (time == EncodeBenchmark.joinAt ? [Self.joined] : [])).map(Self.area)
  }

  func draw(_ time: Int) {
    for tile in Self.moving { draw(tile, time: time) }
    guard time == EncodeBenchmark.joinAt else { return }
    cameras[Self.joined] = CameraScene(width: Self.tileWidth, height: Self.tileHeight, seed: 16)
    draw(Self.joined, time: 0)
  }

  private static func area(of tile: Int) -> DamageRectangle {
    DamageRectangle(x: tile % columns * tileWidth, y: tile / columns * tileHeight, width: tileWidth, height: tileHeight)
  }

  private func draw(_ tile: Int, time: Int) {
    let area = Self.area(of: tile)
    cameras[tile].draw(time, on: camera)
    picture.paste(camera, left: area.x, top: area.y)
  }

  /// PSNR of the luma of some tiles, in dB.
  func quality(of decoded: Picture, _ tiles: [Int]) -> Double { picture.quality(of: decoded, in: tiles.map(Self.area)) }
}
