import Codecs
import EncodedMedia
import Glibc
import LoadGenerator
import RawMedia
import Timing

/// What a room's picture of nine cameras is worth after encoding, as rooms encode it: 1280x720@30 at 1.5 Mb/s, in temporal layers.
enum GridQuality {
  private static let (width, height, side) = (1280, 720, 3)
  /// The first second is left out: it depends on the keyframe.
  private static let frames = 120
  private static let settling = 30

  /// Mean PSNR of the luma.
  ///
  /// - Parameter speed: libvpx's `cpu-used`; nil for what rooms take.
  static func decibels(_ codec: Codec, speed: Int?) throws -> Double {
    let encoder = try VideoEncoder(
      codec: codec, width: width, height: height, settings: .init(bitsPerSecond: 1_500_000, temporalLayers: 3, speed: speed))
    let decoder = try VideoDecoder(codec: codec)
    var pool = PicturePool(capacity: 3)
    var cameras = (0..<side * side).map { CameraScene(width: width / side & ~1, height: height / side, seed: UInt64($0)) }
    let camera = Picture(width: width / side & ~1, height: height / side)
    let grid = Picture(width: width, height: height)
    grid.fill(.black)
    var sum = 0.0
    for index in 0..<frames {
      for place in cameras.indices {
        cameras[place].draw(index, on: camera)
        copy(camera, to: place, on: grid)
      }
      var bytes: [UInt8] = []
      let time = Instant.zero + .ticks(Int64(index), at: 30)
      let outcome = try encoder.encode(grid, at: time, asKeyframe: index == 0, into: &bytes)
      let frame = EncodedFrame(
        codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: outcome.isKeyframe, time: time)
      guard let decoded = try decoder.decode(frame, pool: &pool) else { throw BenchmarkError("\(codec) decodes nothing") }
      if index >= settling { sum += decibels(grid, decoded) }
    }
    return sum / Double(frames - settling)
  }

  private static func copy(_ camera: Picture, to place: Int, on grid: Picture) {
    let (left, top) = (place % side * camera.width, place / side * camera.height)
    for y in 0..<camera.height {
      memcpy(grid.luma + (top + y) * grid.lumaStride + left, camera.luma + y * camera.lumaStride, camera.width)
    }
    for y in 0..<camera.chromaHeight {
      let (from, to) = (y * camera.chromaStride, (top / 2 + y) * grid.chromaStride + left / 2)
      memcpy(grid.chromaBlue + to, camera.chromaBlue + from, camera.chromaWidth)
      memcpy(grid.chromaRed + to, camera.chromaRed + from, camera.chromaWidth)
    }
  }

  private static func decibels(_ own: Picture, _ other: Picture) -> Double {
    var error = 0
    for y in 0..<height {
      let (a, b) = (own.luma + y * own.lumaStride, other.luma + y * other.lumaStride)
      for x in 0..<width {
        let difference = Int(a[x]) - Int(b[x])
        error += difference * difference
      }
    }
    return error == 0 ? 99 : 10 * log10(255 * 255 * Double(width * height) / Double(error))
  }
}
