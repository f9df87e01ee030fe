import Codecs
import Glibc
import LoadGenerator
import RawMedia
import Timing

/// Pictures as a decoder leaves them, each in memory of its own; only the first few differ.
struct DecodedCameras {
  let pictures: [Picture]
  static let distinctCount = 9

  init(width: Int, height: Int, count: Int) throws {
    let distinct = try (0..<Self.distinctCount).map { try Self.decoded(width, height, seed: UInt64($0)) }
    pictures = (0..<count).map { index in
      guard index >= distinct.count else { return distinct[index] }
      let (copy, from) = (Picture(width: width, height: height), distinct[index % distinct.count])
      memcpy(copy.luma, from.luma, from.lumaStride * height)
      memcpy(copy.chromaBlue, from.chromaBlue, 2 * from.chromaStride * from.chromaRows)
      return copy
    }
  }

  /// The fifth picture of a VP8 stream.
  private static func decoded(_ width: Int, _ height: Int, seed: UInt64) throws -> Picture {
    var scene = CameraScene(width: width, height: height, seed: seed)
    let picture = Picture(width: width, height: height)
    let encoder = try VideoEncoder(
      codec: .vp8, width: width, height: height, settings: .init(bitsPerSecond: width == 640 ? 500_000 : 1_500_000))
    let decoder = try VP8Decoder()
    var pool = PicturePool(capacity: 1)
    var last: Picture?
    for index in 0..<5 {
      scene.draw(index, on: picture)
      var bytes: [UInt8] = []
      _ = try encoder.encode(picture, at: .zero + .ticks(Int64(index), at: 30), asKeyframe: index == 0, into: &bytes)
      if bytes.isEmpty { continue }
      last = nil
      last = try decoder.decode(bytes.span, pool: &pool)
    }
    guard let last else { throw BenchmarkError("libvpx decodes nothing") }
    return last
  }
}

/// Cameras and the tiles they are shown in, all of one size.
struct Grid {
  static let width = 1280
  static let height = 720
  let cameras: [Picture]
  let tiles: [TileArea]

  init(side: Int, _ cameras: DecodedCameras) {
    let (width, height) = (Self.width / side & ~1, Self.height / side & ~1)
    self.cameras = Array(cameras.pictures.prefix(side * side))
    tiles = (0..<side * side).map {
      TileArea(x: $0 % side * width, y: $0 / side * height, width: width, height: height)
    }
  }

  var name: String {
    "\(cameras.count) of \(cameras[0].width)x\(cameras[0].height) to \(tiles[0].width)x\(tiles[0].height)"
  }

  func forEach(_ body: (Picture, TileArea) -> Void) {
    for (camera, tile) in zip(cameras, tiles) { body(camera, tile) }
  }

  /// PSNR of the luma of those tiles whose pictures differ.
  func quality(of canvas: Picture) -> ComposeBenchmark.Quality {
    var (area, lanczos, count) = (0.0, 0.0, 0)
    for (camera, tile) in zip(cameras, tiles).prefix(DecodedCameras.distinctCount) {
      area += squares(canvas, tile, FloatScaling(camera, tile.width, tile.height, FloatScaling.area))
      lanczos += squares(canvas, tile, FloatScaling(camera, tile.width, tile.height, FloatScaling.lanczos))
      count += tile.width * tile.height
    }
    func decibels(_ squares: Double) -> Double { squares < 1e-6 ? .infinity : 10 * log10(255 * 255 * Double(count) / squares) }
    return .init(area: decibels(area), lanczos: decibels(lanczos))
  }

  private func squares(_ canvas: Picture, _ tile: TileArea, _ exact: FloatScaling) -> Double {
    var sum = 0.0
    for y in 0..<tile.height {
      for x in 0..<tile.width {
        let found = Double(canvas.luma[(tile.y + y) * canvas.lumaStride + tile.x + x])
        let difference = found - min(max(exact.samples[y * tile.width + x], 0), 255)
        sum += difference * difference
      }
    }
    return sum
  }
}

/// The luma of a picture scaled in floating point.
struct FloatScaling {
  let samples: [Double]

  /// The source samples of each output and their weights, which add up to 1.
  typealias Axis = [[(index: Int, weight: Double)]]

  init(_ picture: Picture, _ width: Int, _ height: Int, _ axis: (_ size: Int, _ count: Int) -> Axis) {
    let (across, down) = (axis(picture.width, width), axis(picture.height, height))
    var rows = [Double](repeating: 0, count: picture.height * width)
    for y in 0..<picture.height {
      let row = picture.luma + y * picture.lumaStride
      for x in 0..<width { rows[y * width + x] = across[x].reduce(0) { $0 + Double(row[$1.index]) * $1.weight } }
    }
    var samples = [Double](repeating: 0, count: width * height)
    for y in 0..<height {
      for x in 0..<width { samples[y * width + x] = down[y].reduce(0) { $0 + rows[$1.index * width + x] * $1.weight } }
    }
    self.samples = samples
  }

  /// The mean over the stretch of source that an output covers.
  static func area(_ size: Int, _ count: Int) -> Axis {
    let step = Double(size) / Double(count)
    return (0..<count).map { place in
      let (start, end) = (Double(place) * step, Double(place + 1) * step)
      return (Int(start)..<min(Int(end.rounded(.up)), size)).map { index in
        (index, (min(end, Double(index + 1)) - max(start, Double(index))) / step)
      }
    }
  }

  /// Lanczos's kernel of three lobes, as wide as outputs lie apart; edges repeated.
  static func lanczos(_ size: Int, _ count: Int) -> Axis {
    guard size != count else { return (0..<count).map { [($0, 1)] } }
    let step = Double(size) / Double(count), width = max(step, 1)
    return (0..<count).map { place in
      let centre = (Double(place) + 0.5) * step - 0.5
      let reach = Int((centre - 3 * width).rounded(.up))...Int((centre + 3 * width).rounded(.down))
      let shares = reach.map { (index: min(max($0, 0), size - 1), weight: lobe((Double($0) - centre) / width)) }
      let sum = shares.reduce(0) { $0 + $1.weight }
      return shares.map { ($0.index, $0.weight / sum) }
    }
  }

  private static func lobe(_ x: Double) -> Double {
    guard abs(x) > 1e-9 else { return 1 }
    guard abs(x) < 3 else { return 0 }
    return 3 * sin(.pi * x) * sin(.pi * x / 3) / (.pi * .pi * x * x)
  }
}
