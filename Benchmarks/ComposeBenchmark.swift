import Glibc
import PixelKernels
import RawMedia

/// Composing a canvas out of cameras: our kernels, the usual libraries, GStreamer, and copying the cameras once.
enum ComposeBenchmark {
  /// What one measurement should take at least: long enough for the clock, short enough to alternate.
  private static let nanosecondsPerMeasurement = 20e6

  static func run() throws {
    var times = Table(
      "video, compose: cameras into a 1280x720 grid",
      note:
        "All scale the same decoded pictures into the same tiles; CPU ms a canvas, medians of alternating repetitions. The limit is"
        + " memcpy of the\ncameras' planes. GStreamer's is what a canvas adds to a pipeline of still images, all threads together."
        + " Ratios: ours to the faster of\nlibyuv's two, to the fastest peer, to memcpy.",
      columns: ["cameras to tiles"] + Contender.allCases.map(\.rawValue) + ["/ libyuv", "/ fastest", "/ memcpy"])
    var qualities = Table(
      "video, compose: luma PSNR in dB",
      note: "Of the same canvases: against exact areas in floating point / against Lanczos of three lobes in floating point.",
      columns: ["cameras to tiles"] + Contender.allCases.filter(\.isScaler).map(\.rawValue))
    var rows: [Row] = []
    for (width, height) in [(640, 360), (1280, 720)] {
      let cameras = try DecodedCameras(width: width, height: height, count: 49)
      for side in [2, 3, 4, 5, 7] {
        let row = try measure(Grid(side: side, cameras))
        times.add(row.timeCells)
        qualities.add(row.qualityCells)
        rows.append(row)
      }
    }
    times.print()
    qualities.print()
    printVerdicts(rows)
  }

  enum Contender: String, CaseIterable {
    case ours
    case libyuvBilinear = "libyuv bilinear"
    case libyuvBox = "libyuv box"
    case swscaleBilinear = "swscale bilinear"
    case swscaleArea = "swscale area"
    case gstreamer = "GStreamer"
    case memcpy

    var isScaler: Bool { self != .memcpy }
    var isPeer: Bool { isScaler && self != .ours }
  }

  /// How near a canvas is to each reference; infinite where it is the same.
  struct Quality {
    var area: Double
    var lanczos: Double
  }

  struct Row {
    var grid: Grid
    var times: [Contender: Double]
    var qualities: [Contender: Quality]

    func time(_ contender: Contender) -> Double { times[contender] ?? .infinity }
    var libyuv: Double { min(time(.libyuvBilinear), time(.libyuvBox)) }
    var fastest: Double { Contender.allCases.filter(\.isPeer).map(time).min() ?? .infinity }

    var timeCells: [String] {
      [grid.name] + Contender.allCases.map { figure(times[$0], 3) }
        + [libyuv, fastest, time(.memcpy)].map { figure(time(.ours) / $0) }
    }

    var qualityCells: [String] {
      func cell(_ value: Double?) -> String { value == .infinity ? "same" : figure(value, 1) }
      return [grid.name]
        + Contender.allCases.filter(\.isScaler).map { "\(cell(qualities[$0]?.area)) / \(cell(qualities[$0]?.lanczos))" }
    }

    /// No peer is nearer to exact areas, but for what rounding to whole samples leaves to chance.
    var isNearest: Bool {
      let ours = qualities[.ours]?.area ?? 0
      return Contender.allCases.filter(\.isPeer).allSatisfy { ours >= min(qualities[$0]?.area ?? 0, 58) - 0.05 }
    }
  }

  private static func measure(_ grid: Grid) throws -> Row {
    let canvas = Picture(width: Grid.width, height: Grid.height)
    let gstreamer = try GStreamerCompositor(grid)
    var times: [Contender: Double] = [:]
    var qualities: [Contender: Quality] = [:]
    let bodies = try bodies(grid, canvas)
    for (contender, body) in bodies where contender.isScaler {
      canvas.fill(.black)
      body()
      qualities[contender] = grid.quality(of: canvas)
    }
    qualities[.gstreamer] = grid.quality(of: try gstreamer.compose())
    let measured = bodies.map { repeated($0.body) } + [{ try gstreamer.nanosecondsPerCanvas() / 1e6 }]
    for (contender, time) in zip(bodies.map(\.contender) + [.gstreamer], try alternate(measured, repetitions: 15)) {
      times[contender] = time
    }
    return Row(grid: grid, times: times, qualities: qualities)
  }

  /// CPU milliseconds of one call, repeated for as long as a measurement takes.
  ///
  /// Each begins with calls that are not counted, which bring the pictures back into the caches and the processor to its pace: whoever
  /// comes after a pipeline in other threads would pay for both.
  private static func repeated(_ body: @escaping () -> Void) -> () throws -> Double {
    body()
    let count = max(Int(nanosecondsPerMeasurement / max(threadTime(body), 1)), 2)
    return {
      for _ in 0..<max(count / 4, 1) { body() }
      return threadTime { for _ in 0..<count { body() } } / Double(count) / 1e6
    }
  }

  private static func bodies(_ grid: Grid, _ canvas: Picture) throws -> [(contender: Contender, body: () -> Void)] {
    let (tile, camera) = (grid.tiles[0], grid.cameras[0])
    let plan = PictureScalePlan(
      pictureWidth: camera.width, pictureHeight: camera.height,
      crop: .init(x: 0, y: 0, width: Double(camera.width), height: Double(camera.height)), width: tile.width,
      height: tile.height)
    let scaler = SharedScaler()
    let libyuv = try LibYUV()
    let bilinear = try SwScale(from: camera.width, camera.height, to: tile.width, tile.height, .bilinear)
    let area = try SwScale(from: camera.width, camera.height, to: tile.width, tile.height, .area)
    let copy = Picture(width: camera.width, height: camera.height)
    return [
      (.ours, { grid.forEach { camera, tile in scaler.kernels.scale(camera, into: canvas, x: tile.x, y: tile.y, plan) } }),
      (.libyuvBilinear, { grid.forEach { camera, tile in libyuv.scale(camera, into: canvas, tile, .bilinear) } }),
      (.libyuvBox, { grid.forEach { camera, tile in libyuv.scale(camera, into: canvas, tile, .box) } }),
      (.swscaleBilinear, { grid.forEach { camera, tile in bilinear.scale(camera, into: canvas, tile) } }),
      (.swscaleArea, { grid.forEach { camera, tile in area.scale(camera, into: canvas, tile) } }),
      (.memcpy, { grid.forEach { camera, _ in copyPlanes(of: camera, to: copy) } }),
    ]
  }

  private static func copyPlanes(of camera: Picture, to copy: Picture) {
    Glibc.memcpy(copy.luma, camera.luma, camera.lumaStride * camera.height)
    Glibc.memcpy(copy.chromaBlue, camera.chromaBlue, 2 * camera.chromaStride * camera.chromaRows)
  }

  private static func printVerdicts(_ rows: [Row]) {
    print("")
    for row in rows {
      switch (row.grid.cameras[0].width, row.grid.cameras.count) {
      case (640, 9):
        let share = row.time(.ours) / row.libyuv
        let (ours, theirs) = (row.qualities[.ours]?.lanczos ?? 0, row.qualities[.swscaleArea]?.lanczos ?? 0)
        verdict("\(row.grid.name) takes at most 0.4 of libyuv's time: \(figure(share))", share <= 0.4)
        verdict(
          "... and is no further from Lanczos than swscale's area: \(figure(ours, 1)) and \(figure(theirs, 1)) dB",
          ours >= theirs - 0.05)
      case (640, 16):
        let share = row.time(.ours) / row.time(.memcpy)
        verdict("\(row.grid.name) takes at most 1.1 of memcpy's time: \(figure(share))", share <= 1.1)
      default: break
      }
    }
    for row in rows {
      let share = row.time(.ours) / row.fastest
      // Where nothing is scaled, all of them call memcpy.
      let isCopy = row.grid.tiles[0].width == row.grid.cameras[0].width
      verdict(
        "\(row.grid.name) \(isCopy ? "is a copy, as fast as" : "is faster than") every peer and nowhere further from exact areas:"
          + " \(figure(share)) of the fastest's time", share < (isCopy ? 1.1 : 1) && row.isNearest)
    }
  }
}

/// Holds the scaler for closures, which cannot hold what cannot be copied.
private final class SharedScaler {
  var kernels = PlaneScaler()
}
