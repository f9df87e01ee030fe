import Glibc
import RawMedia

/// GStreamer's `compositor`, fed still images, which cost it nothing more after the first.
final class GStreamerCompositor {
  private let grid: Grid
  private let folder: String

  init(_ grid: Grid) throws {
    self.grid = grid
    var template = Array("/tmp/tutti-compose-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw BenchmarkError("cannot make a folder in /tmp") }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    for (index, camera) in grid.cameras.prefix(DecodedCameras.distinctCount).enumerated() {
      try write(camera, to: path(index))
    }
  }

  deinit {
    for index in 0..<DecodedCameras.distinctCount { unlink(path(index)) }
    unlink(canvasPath)
    rmdir(folder)
  }

  private func path(_ index: Int) -> String { "\(folder)/\(index % DecodedCameras.distinctCount).yuv" }
  private var canvasPath: String { "\(folder)/canvas.yuv" }

  /// CPU nanoseconds that one more canvas takes, in all threads.
  func nanosecondsPerCanvas() throws -> Double {
    let (few, more) = (5, grid.cameras.count > 16 ? 45 : 105)
    let base = try run(canvases: few, sink: ["fakesink", "sync=false"])
    return max(try run(canvases: more, sink: ["fakesink", "sync=false"]) - base, 0) / Double(more - few)
  }

  /// The canvas it makes.
  func compose() throws -> Picture {
    _ = try run(canvases: 1, sink: ["filesink", "location=\(canvasPath)"])
    let canvas = Picture(width: Grid.width, height: Grid.height)
    guard let file = fopen(canvasPath, "r") else { throw BenchmarkError("GStreamer has written no canvas") }
    defer { fclose(file) }
    for y in 0..<Grid.height {
      guard fread(canvas.luma + y * canvas.lumaStride, 1, Grid.width, file) == Grid.width else {
        throw BenchmarkError("GStreamer's canvas is too short")
      }
    }
    return canvas
  }

  private func run(canvases: Int, sink: [String]) throws -> Double {
    let start = Self.childrensTime()
    let process = try ChildProcess(["gst-launch-1.0", "-q"] + pipeline(canvases) + ["!"] + sink)
    guard process.waitUntilEnded() == 0 else { throw BenchmarkError("gst-launch-1.0 does not compose") }
    return Self.childrensTime() - start
  }

  private func pipeline(_ canvases: Int) -> [String] {
    let (width, height) = (grid.cameras[0].width, grid.cameras[0].height)
    var words = ["compositor", "name=canvas", "background=black"]
    for (index, tile) in grid.tiles.enumerated() {
      words += [
        "sink_\(index)::xpos=\(tile.x)", "sink_\(index)::ypos=\(tile.y)", "sink_\(index)::width=\(tile.width)",
        "sink_\(index)::height=\(tile.height)",
      ]
    }
    var sources: [String] = []
    for index in grid.tiles.indices {
      sources += [
        "filesrc", "location=\(path(index))", "blocksize=\(width * height * 3 / 2)", "!", "rawvideoparse", "width=\(width)",
        "height=\(height)", "format=i420", "framerate=30/1", "!", "imagefreeze", "num-buffers=\(canvases)", "!",
        "canvas.sink_\(index)",
      ]
    }
    return sources + words + ["!", "video/x-raw,format=I420,width=\(Grid.width),height=\(Grid.height),framerate=30/1"]
  }

  private func write(_ camera: Picture, to path: String) throws {
    guard let file = fopen(path, "w") else { throw BenchmarkError("cannot write \(path)") }
    defer { fclose(file) }
    for y in 0..<camera.height { fwrite(camera.luma + y * camera.lumaStride, 1, camera.width, file) }
    for plane in [camera.chromaBlue, camera.chromaRed] {
      for y in 0..<camera.chromaHeight { fwrite(plane + y * camera.chromaStride, 1, camera.chromaWidth, file) }
    }
  }

  /// CPU nanoseconds of all ended children.
  private static func childrensTime() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e9
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e3
  }
}
