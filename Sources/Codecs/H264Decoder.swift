import CAVCodec
import EncodedMedia
import RawMedia

/// Decodes H.264 access units, constrained baseline to high profile, to pictures in the order they are shown.
///
/// Damage is an error, never a picture: after any, access units are refused until the next keyframe. One thread, and no delay but
/// what a stream with reordered (B) frames asks for. Not to be used by two threads at once.
package final class H264Decoder: @unchecked Sendable {
  // Unchecked because of the C handles, which may move between threads but not be shared by them.

  package let limits: PictureLimits
  private let library: AVDecoder
  private var awaitsKeyframe = true

  package init(limits: PictureLimits = PictureLimits()) throws(CodecError) {
    self.limits = limits
    library = try AVDecoder(AV_CODEC_ID_H264, limits: limits)
  }

  /// Decodes one access unit into a picture of the pool.
  ///
  /// - Parameters:
  ///   - accessUnit: NAL units behind start codes (Annex B).
  ///   - isKeyframe: whether it holds an IDR picture or another that decoding can start at.
  /// - Returns: the picture due now; nil while one is held back by reordering.
  package func decode(
    _ accessUnit: Span<UInt8>, isKeyframe: Bool, pool: inout PicturePool
  ) throws(CodecError) -> Picture? {
    guard isKeyframe || !awaitsKeyframe else { throw .needsKeyframe }
    guard !accessUnit.isEmpty else { throw damage() }
    if isKeyframe, let size = PictureSize(ofKeyframe: accessUnit, codec: .h264),
      !limits.allow(width: size.width, height: size.height)
    {
      awaitsKeyframe = true
      throw .tooLarge
    }
    guard library.send(accessUnit) else { throw damage() }
    awaitsKeyframe = false
    var newest: Picture?
    // At most as many as the decoder holds back, since one goes in at a time.
    for _ in 0..<17 {
      do {
        guard let picture = try library.receive({ frame throws(CodecError) in try copy(frame, pool: &pool) }) else {
          return newest
        }
        newest = picture
      } catch .malformed {
        throw damage()
      }
    }
    return newest
  }

  private func damage() -> CodecError {
    awaitsKeyframe = true
    library.flush()
    return .malformed
  }

  private func copy(_ frame: AVFrame, pool: inout PicturePool) throws(CodecError) -> Picture {
    let format = AVPixelFormat(rawValue: frame.format)
    guard format == AV_PIX_FMT_YUV420P || format == AV_PIX_FMT_YUVJ420P else { throw .unsupportedFormat }
    let (width, height) = (Int(frame.width), Int(frame.height))
    guard limits.allow(width: width, height: height) else { throw .tooLarge }
    guard let luma = frame.data.0, let blue = frame.data.1, let red = frame.data.2 else { throw .malformed }
    let picture = pool.take(width: width, height: height)
    let isFullRange = format == AV_PIX_FMT_YUVJ420P || frame.color_range == AVCOL_RANGE_JPEG
    let planes = (
      PlaneCopy(luma, stride: Int(frame.linesize.0)), PlaneCopy(blue, stride: Int(frame.linesize.1)),
      PlaneCopy(red, stride: Int(frame.linesize.2))
    )
    picture.take(planes, isFullRange: isFullRange)
    return picture
  }
}

/// Full-range samples (0 to 255) to limited range, which is what is mixed: luma 16 to 235, chroma 16 to 240.
enum FullRange {
  static let luma: [UInt8] = (0..<256).map { UInt8(16 + ($0 * 219 + 127) / 255) }
  static let chroma: [UInt8] = (0..<256).map { UInt8(128 + Int(((Double($0) - 128) * 224 / 255).rounded())) }
}
