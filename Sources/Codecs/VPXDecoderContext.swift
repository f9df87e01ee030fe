import CVPX
import RawMedia

/// One decoder of libvpx for VP9: bytes in, a picture or nothing out. What frames it may see is for VP9Decoder to say.
final class VPXDecoderContext {
  private let context: UnsafeMutablePointer<vpx_codec_ctx_t>

  init() throws(CodecError) {
    context = .allocate(capacity: 1)
    context.initialize(to: vpx_codec_ctx_t())
    guard tutti_vp9_decoder_init(context, 1) == VPX_CODEC_OK else { throw .unavailable(.vp9Decoder) }
  }

  deinit {
    _ = vpx_codec_destroy(context)
    context.deallocate()
  }

  /// Decodes one whole frame and copies what it shows into a picture of the pool.
  ///
  /// - Returns: nil for a frame that is not to be shown.
  /// - Throws: `malformed` where anything in it is damaged; what came of it is not to be shown and the next frames are not to be trusted.
  func decode(_ frame: UnsafeBufferPointer<UInt8>, within limits: PictureLimits, pool: inout PicturePool) throws(CodecError)
    -> Picture?
  {
    let status = vpx_codec_decode(context, frame.baseAddress, UInt32(clamping: frame.count), nil, 0)
    var iterator: vpx_codec_iter_t?
    let image = vpx_codec_get_frame(context, &iterator)
    guard status == VPX_CODEC_OK else { throw .malformed }
    // Of a frame that is not shown libvpx does not tell.
    guard let image else { return nil }
    var isCorrupted: Int32 = 0
    guard tutti_vpx_get_corrupted(context, &isCorrupted) == VPX_CODEC_OK, isCorrupted == 0 else { throw .malformed }
    return try image.pointee.copy(within: limits, pool: &pool)
  }
}
