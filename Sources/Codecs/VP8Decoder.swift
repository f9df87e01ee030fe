import CAVCodec
import EncodedMedia
import RawMedia

/// Decodes VP8 frames (RFC 6386) to pictures.
///
/// Damage is an error, never a picture: after any, frames are refused until the next keyframe. Not to be used by two threads at
/// once.
///
/// libavcodec writes each frame where it is to stay: into a picture of the pool, which later frames are predicted from while others
/// look at it. libvpx has memory of its own that had to be copied from, and takes a third more time where streams take turns.
package final class VP8Decoder: @unchecked Sendable {
  // Unchecked because of the C handles within, which may move between threads but not be shared by them.

  package let limits: PictureLimits
  private let target = PictureTarget()
  private let library: AVDecoder
  private var awaitsKeyframe = true
  /// Of the last keyframe.
  private var (width, height) = (0, 0)

  package init(limits: PictureLimits = PictureLimits()) throws(CodecError) {
    self.limits = limits
    library = try AVDecoder(AV_CODEC_ID_VP8, limits: limits, target: target)
  }

  /// Decodes one whole frame into a picture of the pool, which is not written again while frames are predicted from it.
  ///
  /// - Returns: nil for a frame that is not to be shown.
  package func decode(_ frame: Span<UInt8>, pool: inout PicturePool) throws(CodecError) -> Picture? {
    let wasAwaiting = awaitsKeyframe
    awaitsKeyframe = true
    guard let header = VP8FrameHeader(frame) else { throw .malformed }
    if header.isKeyframe, !limits.allow(width: header.width, height: header.height) { throw .tooLarge }
    guard header.isKeyframe || !wasAwaiting else { throw .needsKeyframe }
    if header.isKeyframe { (width, height) = (header.width, header.height) }
    let picture = pool.take(width: width, height: height)
    let mark = EndMark(in: picture)
    mark.set()
    target.picture = picture
    defer { target.picture = nil }
    guard library.send(frame) else { throw .malformed }
    let isShown = try library.receive { (_) throws(CodecError) in true } ?? false
    guard mark.isGone else { throw .malformed }
    awaitsKeyframe = false
    return isShown ? picture : nil
  }
}

/// Bytes where the last macroblock of a picture will be. libavcodec gives a frame up whose data end too soon, and passes off what
/// it has; macroblocks come in order, so that these are still there then.
private struct EndMark {
  private let place: UnsafeMutableRawPointer
  /// Nothing a transform of four samples and a filter would make.
  private static let words: (UInt64, UInt64) = (0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9)

  init(in picture: Picture) {
    let column = (picture.width + 15) / 16 * 16 - 16
    place = UnsafeMutableRawPointer(picture.luma + (picture.lumaRows - 1) * picture.lumaStride + column)
  }

  func set() {
    place.storeBytes(of: Self.words.0, as: UInt64.self)
    place.storeBytes(of: Self.words.1, toByteOffset: 8, as: UInt64.self)
  }

  var isGone: Bool {
    place.load(as: UInt64.self) != Self.words.0 || place.load(fromByteOffset: 8, as: UInt64.self) != Self.words.1
  }
}
