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
  private let context: UnsafeMutablePointer<AVCodecContext>
  private let packet: UnsafeMutablePointer<AVPacket>
  private let frame: UnsafeMutablePointer<AVFrame>
  private var awaitsKeyframe = true

  package init(limits: PictureLimits = PictureLimits()) throws(CodecError) {
    _ = Self.isQuiet
    guard let codec = avcodec_find_decoder(AV_CODEC_ID_H264), let context = avcodec_alloc_context3(codec)
    else { throw .unavailable(.h264Decoder) }
    context.pointee.thread_count = 1
    context.pointee.flags |= tutti_av_flag_low_delay
    context.pointee.max_pixels = Int64(limits.pixels)
    var optionalContext: UnsafeMutablePointer<AVCodecContext>? = context
    guard avcodec_open2(context, codec, nil) >= 0, let packet = av_packet_alloc() else {
      avcodec_free_context(&optionalContext)
      throw .unavailable(.h264Decoder)
    }
    var optionalPacket: UnsafeMutablePointer<AVPacket>? = packet
    guard let frame = av_frame_alloc() else {
      av_packet_free(&optionalPacket)
      avcodec_free_context(&optionalContext)
      throw .unavailable(.h264Decoder)
    }
    self.limits = limits
    self.context = context
    self.packet = packet
    self.frame = frame
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
    try send(accessUnit)
    awaitsKeyframe = false
    var newest: Picture?
    // At most as many as the decoder holds back, since one goes in at a time.
    for _ in 0..<17 {
      let status = avcodec_receive_frame(context, frame)
      if status == tutti_averror_again { return newest }
      guard status >= 0 else { throw damage() }
      defer { av_frame_unref(frame) }
      let isDamaged = frame.pointee.flags & tutti_av_frame_flag_corrupt != 0 || frame.pointee.decode_error_flags != 0
      if isDamaged { throw damage() }
      newest = try copy(frame.pointee, pool: &pool)
    }
    return newest
  }

  /// Copies the access unit into a packet with the padding the library reads past its end.
  private func send(_ accessUnit: Span<UInt8>) throws(CodecError) {
    guard let size = Int32(exactly: accessUnit.count), av_new_packet(packet, size) >= 0 else { throw damage() }
    accessUnit.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return }
      packet.pointee.data.update(from: base, count: bytes.count)
    }
    let status = avcodec_send_packet(context, packet)
    av_packet_unref(packet)
    guard status >= 0 else { throw damage() }
  }

  private func damage() -> CodecError {
    awaitsKeyframe = true
    avcodec_flush_buffers(context)
    // Damaged numbering makes the library hold frames back for reordering, and it would go on doing so for ever.
    context.pointee.has_b_frames = 0
    return .malformed
  }

  private func copy(_ frame: AVFrame, pool: inout PicturePool) throws(CodecError) -> Picture {
    let format = AVPixelFormat(rawValue: frame.format)
    guard format == AV_PIX_FMT_YUV420P || format == AV_PIX_FMT_YUVJ420P else { throw .unsupportedFormat }
    let (width, height) = (Int(frame.width), Int(frame.height))
    guard limits.allow(width: width, height: height) else { throw .tooLarge }
    guard let luma = frame.data.0, let blue = frame.data.1, let red = frame.data.2 else { throw damage() }
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
