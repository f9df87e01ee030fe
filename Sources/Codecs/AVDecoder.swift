import CAVCodec
import RawMedia

/// One decoder of libavcodec: bytes in, frames out. What frames it may see is for those to say who use it.
///
/// One thread, and no delay but what a stream with reordered frames asks for.
final class AVDecoder {
  private let context: UnsafeMutablePointer<AVCodecContext>
  private let packet: UnsafeMutablePointer<AVPacket>
  private let frame: UnsafeMutablePointer<AVFrame>
  /// Where frames are written; nil where the library finds memory itself.
  private let target: PictureTarget?

  init(_ id: AVCodecID, limits: PictureLimits, target: PictureTarget? = nil) throws(CodecError) {
    _ = Self.isQuiet
    let failure = CodecError.unavailable(id == AV_CODEC_ID_VP8 ? .vp8Decoder : .h264Decoder)
    guard let codec = avcodec_find_decoder(id), let context = avcodec_alloc_context3(codec) else { throw failure }
    context.pointee.thread_count = 1
    context.pointee.flags |= tutti_av_flag_low_delay
    context.pointee.max_pixels = Int64(limits.pixels)
    target?.serve(context)
    var optionalContext: UnsafeMutablePointer<AVCodecContext>? = context
    guard avcodec_open2(context, codec, nil) >= 0, let packet = av_packet_alloc() else {
      avcodec_free_context(&optionalContext)
      throw failure
    }
    var optionalPacket: UnsafeMutablePointer<AVPacket>? = packet
    guard let frame = av_frame_alloc() else {
      av_packet_free(&optionalPacket)
      avcodec_free_context(&optionalContext)
      throw failure
    }
    self.context = context
    self.packet = packet
    self.frame = frame
    self.target = target
  }

  deinit {
    var (frame, packet, context) = (Optional(frame), Optional(packet), Optional(context))
    av_frame_free(&frame)
    av_packet_free(&packet)
    avcodec_free_context(&context)
  }

  /// The library reports each fault of a stream on standard error unless told not to.
  private static let isQuiet: Bool = {
    av_log_set_level(tutti_av_log_quiet)
    return true
  }()

  /// Gives the library a copy of some bytes, with the padding it reads past their end.
  ///
  /// - Returns: whether it took them.
  func send(_ bytes: Span<UInt8>) -> Bool {
    guard let size = Int32(exactly: bytes.count), av_new_packet(packet, size) >= 0 else { return false }
    bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      packet.pointee.data.update(from: base, count: bytes.count)
    }
    defer { av_packet_unref(packet) }
    return avcodec_send_packet(context, packet) >= 0
  }

  /// Takes the next frame that is due.
  ///
  /// - Returns: what `body` makes of it; nil where none is due.
  /// - Throws: `malformed` for a frame that is damaged, and what `body` throws.
  func receive<Result>(_ body: (AVFrame) throws(CodecError) -> Result) throws(CodecError) -> Result? {
    let status = avcodec_receive_frame(context, frame)
    if status == tutti_averror_again { return nil }
    guard status >= 0 else { throw .malformed }
    defer { av_frame_unref(frame) }
    let isDamaged = frame.pointee.flags & tutti_av_frame_flag_corrupt != 0 || frame.pointee.decode_error_flags != 0
    if isDamaged { throw .malformed }
    return try body(frame.pointee)
  }

  /// Forgets the frames so far.
  func flush() {
    avcodec_flush_buffers(context)
    // Damaged numbering makes the library hold frames back for reordering, and it would go on doing so for ever.
    context.pointee.has_b_frames = 0
  }
}

/// A picture that libavcodec writes its next frame into, and reads for as long as others are predicted from it.
final class PictureTarget {
  /// Of the size that the frame will have; taken by the library.
  var picture: Picture?

  /// Has a decoder of pictures with whole macroblocks, 4:2:0 and 8 bits, ask here for memory; it has to be let go before this.
  func serve(_ context: UnsafeMutablePointer<AVCodecContext>) {
    context.pointee.opaque = Unmanaged.passUnretained(self).toOpaque()
    context.pointee.get_buffer2 = { context, frame, _ in
      guard let frame, let target = context?.pointee.opaque else { return tutti_averror_invalid }
      return Unmanaged<PictureTarget>.fromOpaque(target).takeUnretainedValue().give(frame)
    }
  }

  private func give(_ frame: UnsafeMutablePointer<AVFrame>) -> Int32 {
    guard let picture, frame.pointee.format == AV_PIX_FMT_YUV420P.rawValue, Int(frame.pointee.width) == picture.width,
      Int(frame.pointee.height) == picture.height
    else { return tutti_averror_invalid }
    self.picture = nil
    let owner = Unmanaged.passRetained(picture)
    let status = tutti_av_give_planes(
      frame, picture.luma, Int32(picture.lumaStride), picture.chromaBlue, picture.chromaRed, Int32(picture.chromaStride),
      picture.byteCount, owner.toOpaque()
    ) { owner, _ in
      guard let owner else { return }
      Unmanaged<Picture>.fromOpaque(owner).release()
    }
    if status < 0 { owner.release() }
    return status
  }
}
