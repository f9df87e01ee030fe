import CVPX
import EncodedMedia
import RawMedia

/// Decodes VP8 frames (RFC 6386) to pictures.
///
/// Damage is an error, never a picture: after any, frames are refused until the next keyframe. Not to be used by two threads at
/// once.
package final class VP8Decoder: @unchecked Sendable {
  // Unchecked because of the C handle, which may move between threads but not be shared by them.

  package let limits: PictureLimits
  private let context: UnsafeMutablePointer<vpx_codec_ctx_t>
  private var awaitsKeyframe = true

  package init(limits: PictureLimits = PictureLimits()) throws(CodecError) {
    self.limits = limits
    context = .allocate(capacity: 1)
    context.initialize(to: vpx_codec_ctx_t())
    guard tutti_vp8_decoder_init(context, 1) == VPX_CODEC_OK else { throw .unavailable(.vp8Decoder) }
  }

  deinit {
    _ = vpx_codec_destroy(context)
    context.deallocate()
  }

  /// Decodes one whole frame into a picture of the pool.
  ///
  /// - Returns: nil for a frame that is not to be shown.
  package func decode(_ frame: Span<UInt8>, pool: inout PicturePool) throws(CodecError) -> Picture? {
    guard let header = VP8FrameHeader(frame) else { throw damage() }
    if header.isKeyframe, !limits.allow(width: header.width, height: header.height) {
      awaitsKeyframe = true
      throw .tooLarge
    }
    guard header.isKeyframe || !awaitsKeyframe else { throw .needsKeyframe }
    let status = frame.withUnsafeBufferPointer {
      vpx_codec_decode(context, $0.baseAddress, UInt32(clamping: $0.count), nil, 0)
    }
    var iterator: vpx_codec_iter_t?
    let image = vpx_codec_get_frame(context, &iterator)
    var isCorrupted: Int32 = 0
    guard status == VPX_CODEC_OK, tutti_vpx_get_corrupted(context, &isCorrupted) == VPX_CODEC_OK, isCorrupted == 0
    else { throw damage() }
    awaitsKeyframe = false
    guard let image else { return nil }
    return try image.pointee.copy(within: limits, pool: &pool)
  }

  private func damage() -> CodecError {
    awaitsKeyframe = true
    return .malformed
  }
}
