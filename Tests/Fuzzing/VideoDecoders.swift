import Bytes
import Codecs
import EncodedMedia
import Glibc
import RawMedia
import Timing

/// The targets that feed a decoder.
let videoTargets: [String: Codec] = ["vp8": .vp8, "vp9": .vp9, "h264": .h264, "av1": .av1]

/// Frames of a decoder's life, each behind two bytes of length; the high bit says that transport took it for a keyframe.
func fuzzDecoder(_ codec: Codec, _ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  withBytes(data, count) { bytes in
    let limits = PictureLimits(pixels: 1_000_000, side: 2_000)
    guard let decoder = try? VideoDecoder(codec: codec, limits: limits) else { return }
    var pool = PicturePool(capacity: 2)
    var reader = ByteReader(bytes.span)
    while let length = reader.readUInt16() {
      guard let span = reader.readBytes(min(Int(length & 0x7FFF), reader.remaining)) else { return }
      var media: [UInt8] = []
      media.append(contentsOf: span)
      _ = PictureSize(ofKeyframe: media.span, codec: codec)
      let frame = EncodedFrame(
        codec: codec, payload: FrameBuffer(media), timestamp: RTPTimestamp(0), isKeyframe: length & 0x8000 != 0, time: .zero)
      guard let picture = try? decoder.decode(frame, pool: &pool) else { continue }
      precondition(limits.allow(width: picture.width, height: picture.height), "a decoder keeps to its limits")
    }
  }
}

/// Streams as they should be, for libFuzzer to vary: it would not find one by itself.
func writeVideoSeeds(_ codec: Codec, to folder: String) {
  for (index, size) in [(64, 48), (162, 98), (16, 16)].enumerated() {
    guard let frames = codec == .av1 ? recordedAV1() : encoded(codec, width: size.0, height: size.1) else { return }
    var bytes: [UInt8] = []
    for (place, frame) in frames.enumerated() {
      let length = UInt16(clamping: frame.count) & 0x7FFF | (place == 0 ? 0x8000 : 0)
      bytes.append(UInt8(length >> 8))
      bytes.append(UInt8(length & 0xFF))
      bytes += frame
    }
    guard let file = fopen("\(folder)/seed-\(index)", "w") else { return }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }
}

private func encoded(_ codec: Codec, width: Int, height: Int) -> [[UInt8]]? {
  let settings = VideoEncoder.Settings(bitsPerSecond: 100_000, temporalLayers: 3)
  guard let encoder = try? VideoEncoder(codec: codec, width: width, height: height, settings: settings) else { return nil }
  let picture = Picture(width: width, height: height)
  picture.fill(.init(y: 90, u: 120, v: 130))
  return (0..<6).map { index in
    for y in 0..<height {
      for x in 0..<width {
        picture.luma[y * picture.lumaStride + x] = UInt8(truncatingIfNeeded: 40 + (x * y + 9 * index) % 150)
      }
    }
    var bytes: [UInt8] = []
    _ = try? encoder.encode(picture, at: .zero + .milliseconds(33) * Int64(index), asKeyframe: false, into: &bytes)
    return bytes
  }
}

/// Nothing here encodes AV1: a stream of the tests, cut where its temporal delimiters are.
private func recordedAV1() -> [[UInt8]]? {
  guard let file = fopen("Tests/CodecsTests/Fixtures/av1-main.obu", "r") else { return nil }
  defer { fclose(file) }
  var bytes = [UInt8](repeating: 0, count: 65_536)
  bytes.removeLast(bytes.count - fread(&bytes, 1, bytes.count, file))
  var frames: [[UInt8]] = []
  while let unit = AV1Unit(bytes.span) {
    if unit.type == AV1Unit.temporalDelimiter {
      frames.append([])
    } else if !frames.isEmpty {
      frames[frames.count - 1] += bytes.prefix(unit.size)
    }
    bytes.removeFirst(unit.size)
  }
  return frames
}
