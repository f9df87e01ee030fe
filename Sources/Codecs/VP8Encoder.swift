import CVPX
import RawMedia
import Timing

/// Encodes pictures of one size to VP8 (RFC 6386) in real time, at a constant bit rate.
///
/// Keyframes come first and when asked for, never by themselves. A new size takes a new encoder: libvpx had several faults in
/// growing one. Not to be used by two threads at once.
package final class VP8Encoder: @unchecked Sendable {
  // Unchecked because of the C handles, which may move between threads but not be shared by them.

  package struct Settings: Hashable, Sendable {
    /// Target in bits per second, 1000 or more; may change while encoding.
    package var bitsPerSecond: Int
    /// What the rate control reckons with, 1 to 120 pictures a second.
    package var framesPerSecond: Int
    /// libvpx's `cpu-used`: -16 (fastest) to -1; one below zero holds to the deadline whatever the machine does.
    package var speed: Int
    /// 1 to 16.
    package var threadCount: Int
    /// Lets frames be lost on the way without the later ones' entropy tables going astray, for a few per cent of bit rate.
    package var isErrorResilient: Bool
    /// Below what change a block counts as still, 0 (never) upwards; some hundreds halve the cost of still pictures.
    package var staticThreshold: Int
    /// 0 (best) to 63, the least and the most each frame is quantized with.
    package var quantizerMin: Int
    package var quantizerMax: Int
    /// The largest keyframe, in per cent of what a frame may take on average; 0 for no limit.
    package var keyframeSizeMaxPercent: Int

    package init(
      bitsPerSecond: Int, framesPerSecond: Int = 30, speed: Int = -6, threadCount: Int = 1, isErrorResilient: Bool = false,
      staticThreshold: Int = 0, quantizerMin: Int = 4, quantizerMax: Int = 56, keyframeSizeMaxPercent: Int = 900
    ) {
      self.bitsPerSecond = bitsPerSecond
      self.framesPerSecond = framesPerSecond
      self.speed = speed
      self.threadCount = threadCount
      self.isErrorResilient = isErrorResilient
      self.staticThreshold = staticThreshold
      self.quantizerMin = quantizerMin
      self.quantizerMax = quantizerMax
      self.keyframeSizeMaxPercent = keyframeSizeMaxPercent
    }
  }

  package let width: Int
  package let height: Int
  package private(set) var settings: Settings
  private let context: UnsafeMutablePointer<vpx_codec_ctx_t>
  private let configuration: UnsafeMutablePointer<vpx_codec_enc_cfg_t>
  private let image: UnsafeMutablePointer<vpx_image_t>
  /// The time of the frame before, in the encoder's clock of 90 kHz; it must grow from frame to frame.
  private var lastTicks: Int64 = -1
  private var firstTime: Instant?

  private static let clockRate: Int64 = 90_000

  /// - Parameters: width, height: pixels, 1 to `Picture.sideMax`.
  package init(width: Int, height: Int, settings: Settings) throws(CodecError) {
    guard (1...Picture.sideMax).contains(width), (1...Picture.sideMax).contains(height) else { throw .wrongSize }
    self.width = width
    self.height = height
    self.settings = settings
    context = .allocate(capacity: 1)
    configuration = .allocate(capacity: 1)
    image = .allocate(capacity: 1)
    context.initialize(to: vpx_codec_ctx_t())
    configuration.initialize(to: vpx_codec_enc_cfg_t())
    image.initialize(to: vpx_image_t())
    guard tutti_vp8_encoder_defaults(configuration) == VPX_CODEC_OK else { throw .unavailable(.vp8Encoder) }
    configure()
    guard tutti_vp8_encoder_init(context, configuration) == VPX_CODEC_OK else { throw .unavailable(.vp8Encoder) }
    let isControlled =
      tutti_vp8_set_speed(context, Int32(min(max(settings.speed, -16), 16))) == VPX_CODEC_OK
      && tutti_vp8_set_static_threshold(context, UInt32(clamping: settings.staticThreshold)) == VPX_CODEC_OK
      && tutti_vp8_set_max_intra_bitrate(context, UInt32(clamping: settings.keyframeSizeMaxPercent)) == VPX_CODEC_OK
    guard isControlled else { throw .unavailable(.vp8Encoder) }
  }

  deinit {
    _ = vpx_codec_destroy(context)
    context.deallocate()
    configuration.deallocate()
    image.deallocate()
  }

  /// Changes the target from the next frame on.
  package func setBitsPerSecond(_ bitsPerSecond: Int) throws(CodecError) {
    guard bitsPerSecond != settings.bitsPerSecond else { return }
    settings.bitsPerSecond = bitsPerSecond
    configuration.pointee.rc_target_bitrate = Self.kilobits(bitsPerSecond)
    guard vpx_codec_enc_config_set(context, configuration) == VPX_CODEC_OK else { throw .unavailable(.vp8Encoder) }
  }

  /// Changes what counts as still from the next frame on.
  package func setStaticThreshold(_ threshold: Int) throws(CodecError) {
    guard threshold != settings.staticThreshold else { return }
    settings.staticThreshold = threshold
    guard tutti_vp8_set_static_threshold(context, UInt32(clamping: threshold)) == VPX_CODEC_OK
    else { throw .unavailable(.vp8Encoder) }
  }

  /// Encodes one picture and appends its frame; reads the picture in place.
  ///
  /// - Parameters:
  ///   - time: the sampling instant; later than that of the picture before, else taken as one tick after it.
  ///   - asKeyframe: whether the frame is to be decodable by itself.
  package func encode(
    _ picture: Picture, at time: Instant, asKeyframe: Bool, into bytes: inout [UInt8]
  ) throws(CodecError) -> VideoEncoder.Outcome {
    guard picture.width == width, picture.height == height else { throw .wrongSize }
    wrap(picture)
    let start = firstTime ?? time
    firstTime = start
    let ticks = max((time - start).ticks(at: Self.clockRate), lastTicks &+ 1)
    lastTicks = ticks
    let duration = UInt(Self.clockRate) / UInt(min(max(settings.framesPerSecond, 1), 120))
    let flags = asKeyframe ? tutti_vp8_force_keyframe : 0
    let status = withExtendedLifetime(picture) {
      vpx_codec_encode(context, image, ticks, duration, flags, UInt(VPX_DL_REALTIME))
    }
    guard status == VPX_CODEC_OK else { throw .unavailable(.vp8Encoder) }
    return collect(into: &bytes)
  }

  private func collect(into bytes: inout [UInt8]) -> VideoEncoder.Outcome {
    var outcome = VideoEncoder.Outcome(byteCount: 0, isKeyframe: false)
    var iterator: vpx_codec_iter_t?
    while let packet = vpx_codec_get_cx_data(context, &iterator) {
      guard packet.pointee.kind == VPX_CODEC_CX_FRAME_PKT else { continue }
      let frame = packet.pointee.data.frame
      bytes.append(contentsOf: UnsafeRawBufferPointer(start: frame.buf, count: frame.sz))
      outcome.byteCount += frame.sz
      if frame.flags & tutti_vpx_frame_is_key != 0 { outcome.isKeyframe = true }
    }
    return outcome
  }

  /// Points libvpx's image at the picture's planes.
  private func wrap(_ picture: Picture) {
    image.pointee.fmt = VPX_IMG_FMT_I420
    image.pointee.cs = VPX_CS_BT_601
    image.pointee.range = VPX_CR_STUDIO_RANGE
    image.pointee.bit_depth = 8
    image.pointee.bps = 12
    image.pointee.x_chroma_shift = 1
    image.pointee.y_chroma_shift = 1
    (image.pointee.w, image.pointee.h) = (UInt32(width), UInt32(height))
    (image.pointee.d_w, image.pointee.d_h) = (UInt32(width), UInt32(height))
    image.pointee.planes.0 = picture.luma
    image.pointee.planes.1 = picture.chromaBlue
    image.pointee.planes.2 = picture.chromaRed
    image.pointee.stride.0 = Int32(picture.lumaStride)
    image.pointee.stride.1 = Int32(picture.chromaStride)
    image.pointee.stride.2 = Int32(picture.chromaStride)
  }

  private func configure() {
    configuration.pointee.g_w = UInt32(width)
    configuration.pointee.g_h = UInt32(height)
    configuration.pointee.g_timebase = vpx_rational(num: 1, den: Int32(Self.clockRate))
    configuration.pointee.g_threads = UInt32(min(max(settings.threadCount, 1), 16))
    configuration.pointee.g_error_resilient = settings.isErrorResilient ? UInt32(VPX_ERROR_RESILIENT_DEFAULT) : 0
    configuration.pointee.g_lag_in_frames = 0
    configuration.pointee.g_pass = VPX_RC_ONE_PASS
    configuration.pointee.rc_end_usage = VPX_CBR
    configuration.pointee.rc_target_bitrate = Self.kilobits(settings.bitsPerSecond)
    configuration.pointee.rc_min_quantizer = UInt32(min(max(settings.quantizerMin, 0), 63))
    configuration.pointee.rc_max_quantizer = UInt32(min(max(settings.quantizerMax, settings.quantizerMin), 63))
    configuration.pointee.rc_dropframe_thresh = 0
    configuration.pointee.rc_resize_allowed = 0
    configuration.pointee.rc_undershoot_pct = 100
    configuration.pointee.rc_overshoot_pct = 15
    // Milliseconds of the target rate: what a receiver's jitter buffer is reckoned to take up.
    configuration.pointee.rc_buf_initial_sz = 500
    configuration.pointee.rc_buf_optimal_sz = 600
    configuration.pointee.rc_buf_sz = 1_000
    configuration.pointee.kf_mode = VPX_KF_DISABLED
  }

  private static func kilobits(_ bitsPerSecond: Int) -> UInt32 { UInt32(clamping: max(bitsPerSecond / 1000, 1)) }
}
