import Codecs
import EncodedMedia
import LoadGenerator
import RawMedia
import Timing

/// What a room's picture of nine cameras is worth after encoding, as rooms encode it: 1280x720@30 at 1.5 Mb/s, in temporal layers.
enum GridQuality {
  private static let (width, height, side) = (1280, 720, 3)
  /// The first second is left out: it depends on the keyframe.
  private static let frames = 120
  private static let settling = 30
  private static let whole = DamageRectangle(x: 0, y: 0, width: width, height: height)

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
        grid.paste(camera, left: place % side * camera.width, top: place / side * camera.height)
      }
      var bytes: [UInt8] = []
      let time = Instant.zero + .ticks(Int64(index), at: 30)
      let outcome = try encoder.encode(grid, at: time, asKeyframe: index == 0, into: &bytes)
      let frame = EncodedFrame(
        codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: outcome.isKeyframe, time: time)
      guard let decoded = try decoder.decode(frame, pool: &pool) else { throw BenchmarkError("\(codec) decodes nothing") }
      if index >= settling { sum += grid.quality(of: decoded, in: [whole]) }
    }
    return sum / Double(frames - settling)
  }
}
