import Glibc
import LoadGenerator
import PixelKernels
import RawMedia

/// Composing a canvas out of cameras: our kernels, the usual libraries, and reading the cameras once.
enum ScaleBenchmark {
  private static let canvasesPerMeasurement = 40

  static func run() throws {
    var table = Table(
      "scale: composing 640x360 cameras into a 1280x720 grid",
      note:
        "All scale the same pictures into the same tiles on one thread. CPU ms a canvas, luma PSNR in dB against exact areas"
        + " in floating point;\nthe limit is memcpy of the cameras' planes. Ratio: the faster of libyuv's two to ours.",
      columns: [
        "cameras to tiles", "ours", "PSNR", "libyuv bilinear", "PSNR", "libyuv box", "PSNR", "swscale bilinear", "PSNR",
        "swscale area", "PSNR", "memcpy", "libyuv / ours",
      ])
    for side in 2...4 { table.add(try row(side: side)) }
    table.print()
  }

  private static func row(side: Int) throws -> [String] {
    let grid = Grid(side: side)
    let canvas = Picture(width: 1280, height: 720)
    let (copying, reading) = (Self.memcpyLimit(grid), canvasesPerMeasurement)
    let contenders = try contenders(grid, canvas)
    func time(_ body: @escaping () -> Void) -> () -> Double {
      { threadTime { for _ in 0..<reading { body() } } / Double(reading) / 1e6 }
    }
    let times = try alternate((contenders + [copying]).map(time))
    var cells = ["\(grid.cameras.count) to \(grid.tiles[0].width)x\(grid.tiles[0].height)"]
    for (index, contender) in contenders.enumerated() {
      canvas.fill(.black)
      contender()
      let quality = grid.quality(of: canvas)
      cells += [figure(times[index]), quality.isFinite ? figure(quality, 1) : "same"]
    }
    return cells + [figure(times[contenders.count]), ratio(min(times[1], times[2]), times[0])]
  }

  private static func contenders(_ grid: Grid, _ canvas: Picture) throws -> [() -> Void] {
    let tile = grid.tiles[0]
    let plan = PictureScalePlan(
      pictureWidth: 640, pictureHeight: 360, crop: .init(x: 0, y: 0, width: 640, height: 360), width: tile.width,
      height: tile.height)
    let scaler = SharedScaler()
    let libyuv = try LibYUV()
    let bilinear = try SwScale(from: 640, 360, to: tile.width, tile.height, .bilinear)
    let area = try SwScale(from: 640, 360, to: tile.width, tile.height, .area)
    return [
      { grid.forEach { camera, tile in scaler.kernels.scale(camera, into: canvas, x: tile.x, y: tile.y, plan) } },
      { grid.forEach { camera, tile in libyuv.scale(camera, into: canvas, tile, .bilinear) } },
      { grid.forEach { camera, tile in libyuv.scale(camera, into: canvas, tile, .box) } },
      { grid.forEach { camera, tile in bilinear.scale(camera, into: canvas, tile) } },
      { grid.forEach { camera, tile in area.scale(camera, into: canvas, tile) } },
    ]
  }

  private static func memcpyLimit(_ grid: Grid) -> () -> Void {
    let copy = Picture(width: 640, height: 360)
    return {
      grid.forEach { camera, _ in
        memcpy(copy.luma, camera.luma, camera.lumaStride * camera.height)
        memcpy(copy.chromaBlue, camera.chromaBlue, 2 * camera.chromaStride * camera.chromaHeight)
      }
    }
  }
}

/// Holds the scaler for closures, which cannot hold what cannot be copied.
private final class SharedScaler {
  var kernels = PlaneScaler()
}

/// Cameras and the tiles they are shown in, all of one size.
private struct Grid {
  let cameras: [Picture]
  let tiles: [TileArea]

  init(side: Int) {
    let (width, height) = (1280 / side & ~1, 720 / side & ~1)
    var cameras: [Picture] = []
    var tiles: [TileArea] = []
    for index in 0..<side * side {
      var scene = CameraScene(width: 640, height: 360, seed: UInt64(index))
      let picture = Picture(width: 640, height: 360)
      scene.draw(index * 7, on: picture)
      cameras.append(picture)
      tiles.append(TileArea(x: index % side * width, y: index / side * height, width: width, height: height))
    }
    self.cameras = cameras
    self.tiles = tiles
  }

  func forEach(_ body: (Picture, TileArea) -> Void) {
    for (camera, tile) in zip(cameras, tiles) { body(camera, tile) }
  }

  /// PSNR of the canvas's luma against each tile's exact area average; infinite where they are the same.
  func quality(of canvas: Picture) -> Double {
    var (squares, count) = (0.0, 0)
    forEach { camera, tile in
      let exact = AreaReference(camera, tile.width, tile.height)
      for y in 0..<tile.height {
        for x in 0..<tile.width {
          let found = Double(canvas.luma[(tile.y + y) * canvas.lumaStride + tile.x + x])
          let difference = found - exact.samples[y * tile.width + x]
          squares += difference * difference
        }
      }
      count += tile.width * tile.height
    }
    return 10 * log10(255 * 255 * Double(count) / squares)
  }
}

/// The luma of a picture scaled by exact areas in floating point.
private struct AreaReference {
  let samples: [Double]

  init(_ picture: Picture, _ width: Int, _ height: Int) {
    let across = Self.weights(picture.width, width)
    let down = Self.weights(picture.height, height)
    var rows = [Double](repeating: 0, count: picture.height * width)
    for y in 0..<picture.height {
      for x in 0..<width {
        rows[y * width + x] = across[x].reduce(0) { $0 + Double(picture.luma[y * picture.lumaStride + $1.index]) * $1.weight }
      }
    }
    var samples = [Double](repeating: 0, count: width * height)
    for y in 0..<height {
      for x in 0..<width { samples[y * width + x] = down[y].reduce(0) { $0 + rows[$1.index * width + x] * $1.weight } }
    }
    self.samples = samples
  }

  private static func weights(_ size: Int, _ count: Int) -> [[(index: Int, weight: Double)]] {
    let step = Double(size) / Double(count)
    return (0..<count).map { place in
      let (start, end) = (Double(place) * step, Double(place + 1) * step)
      return (Int(start)..<min(Int(end.rounded(.up)), size)).map { index in
        (index, (min(end, Double(index + 1)) - max(start, Double(index))) / step)
      }
    }
  }
}
