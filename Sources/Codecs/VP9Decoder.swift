import CVPX
import EncodedMedia
import RawMedia

/// Decodes VP9 frames (profile 0) to pictures; of spatial layers the highest that is there.
///
/// Damage is an error, never a picture: after any, frames are refused until the next keyframe. The size may change with any
/// frame. Not to be used by two threads at once.
package final class VP9Decoder: @unchecked Sendable {
  // Unchecked because of the C handle, which may move between threads but not be shared by them.

  package let limits: PictureLimits
  private let context: UnsafeMutablePointer<vpx_codec_ctx_t>
  private var awaitsKeyframe = true
  /// The frame with an index behind it, without which libvpx would go on to decode whatever follows the first frame, unchecked.
  private var indexed: [UInt8] = []

  package init(limits: PictureLimits = PictureLimits()) throws(CodecError) {
    self.limits = limits
    context = .allocate(capacity: 1)
    context.initialize(to: vpx_codec_ctx_t())
    guard tutti_vp9_decoder_init(context, 1) == VPX_CODEC_OK else { throw .unavailable(.vp9Decoder) }
  }

  deinit {
    _ = vpx_codec_destroy(context)
    context.deallocate()
  }

  /// Decodes one whole frame, or superframe, into a picture of the pool.
  ///
  /// - Returns: nil for a frame that is not to be shown.
  package func decode(_ frame: Span<UInt8>, pool: inout PicturePool) throws(CodecError) -> Picture? {
    let isKeyframe = try check(frame)
    guard isKeyframe || !awaitsKeyframe else { throw .needsKeyframe }
    let status = run(frame)
    var iterator: vpx_codec_iter_t?
    let image = vpx_codec_get_frame(context, &iterator)
    var isCorrupted: Int32 = 0
    guard status == VPX_CODEC_OK else { throw damage() }
    guard let image else {
      awaitsKeyframe = false
      return nil
    }
    guard tutti_vpx_get_corrupted(context, &isCorrupted) == VPX_CODEC_OK, isCorrupted == 0 else { throw damage() }
    awaitsKeyframe = false
    return try image.pointee.copy(within: limits, pool: &pool)
  }

  /// Looks at each frame's header before the library sees any of them.
  ///
  /// - Returns: whether decoding can start here.
  private func check(_ bytes: Span<UInt8>) throws(CodecError) -> Bool {
    guard let first = VP9FrameHeader(bytes) else { throw damage() }
    var fault: CodecError?
    VP9Superframe.forEachFrame(bytes) { frame in
      guard let header = VP9FrameHeader(frame) else { return fault = .malformed }
      if header.profile != 0 { fault = .unsupportedFormat }
      if let size = header.size, !limits.allow(width: size.width, height: size.height) { fault = .tooLarge }
    }
    if let fault {
      awaitsKeyframe = true
      throw fault
    }
    return first.isKeyframe
  }

  private func run(_ frame: Span<UInt8>) -> vpx_codec_err_t {
    if VP9Superframe.hasIndex(frame) { return frame.withUnsafeBufferPointer { run($0) } }
    indexed.removeAll(keepingCapacity: true)
    indexed.append(contentsOf: frame)
    var sizes: [8 of Int] = .init(repeating: 0)
    sizes[0] = frame.count
    VP9Superframe.appendIndex(sizes, count: 1, to: &indexed)
    return indexed.withUnsafeBufferPointer { run($0) }
  }

  private func run(_ bytes: UnsafeBufferPointer<UInt8>) -> vpx_codec_err_t {
    vpx_codec_decode(context, bytes.baseAddress, UInt32(clamping: bytes.count), nil, 0)
  }

  private func damage() -> CodecError {
    awaitsKeyframe = true
    return .malformed
  }
}
