import EncodedMedia
import RawMedia

/// Decodes VP8 frames (RFC 6386) to pictures.
///
/// Damage is an error, never a picture: after any, frames are refused until the next keyframe. Not to be used by two threads at
/// once.
package final class VP8Decoder: @unchecked Sendable {
  // Unchecked because of the C handle within, which may move between threads but not be shared by them.

  package let limits: PictureLimits
  private let context: VPXDecoderContext
  private var awaitsKeyframe = true

  package init(limits: PictureLimits = PictureLimits()) throws(CodecError) {
    self.limits = limits
    context = try VPXDecoderContext(isVP9: false)
  }

  /// Decodes one whole frame into a picture of the pool.
  ///
  /// - Returns: nil for a frame that is not to be shown.
  package func decode(_ frame: Span<UInt8>, pool: inout PicturePool) throws(CodecError) -> Picture? {
    let wasAwaiting = awaitsKeyframe
    awaitsKeyframe = true
    guard let header = VP8FrameHeader(frame) else { throw .malformed }
    if header.isKeyframe, !limits.allow(width: header.width, height: header.height) { throw .tooLarge }
    guard header.isKeyframe || !wasAwaiting else { throw .needsKeyframe }
    let picture = try frame.withUnsafeBufferPointer { (bytes) throws(CodecError) in
      try context.decode(bytes, within: limits, pool: &pool)
    }
    awaitsKeyframe = false
    return picture
  }
}
