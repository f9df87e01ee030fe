import CVPX
import EncodedMedia
import RawMedia
import Timing

/// Encodes pictures of one size to VP8 (RFC 6386) or VP9 (profile 0) in real time, at a constant bit rate.
///
/// Keyframes come first and when asked for, never by themselves. A new size takes a new encoder: libvpx had several faults in
/// growing one. Not to be used by two threads at once.
final class VPXEncoder {
  private let isVP9: Bool
  private let width: Int
  private let height: Int
  private var settings: VideoEncoder.Settings
  private let context: UnsafeMutablePointer<vpx_codec_ctx_t>
  private let configuration: UnsafeMutablePointer<vpx_codec_enc_cfg_t>
  private let image: UnsafeMutablePointer<vpx_image_t>
  private var hasActiveMap = false
  /// What the library was told last of when a block counts as still.
  private var staticThreshold: Int
  /// The blocks told to be coded more finely; none where there are no such.
  private var finerBlocks: [UInt8] = []
  /// By what their quantizer differs, of libvpx's 64.
  private var finerDifference = 0
  /// Of the last frame of the base layer, one of libvpx's 64.
  private var baseQuantizer: Int32 = 0
  private var pattern: TemporalPattern
  private var keyframeQuantizer: KeyframeQuantizer
  /// VP8's, where the settings leave it to us.
  private var effort = SearchEffort()
  /// What the library was told last.
  private var speed: Int

  private static let clockRate: Int64 = 90_000
  /// For VP9's upper layers. 1100 and more cost what moves a few hundredths of a decibel, and what the base refines 1.5 dB.
  private static let upperStaticThreshold = 1000

  /// - Parameters: width, height: pixels, 1 to `Picture.sideMax`.
  init(isVP9: Bool, width: Int, height: Int, settings: VideoEncoder.Settings) throws(CodecError) {
    self.isVP9 = isVP9
    self.width = width
    self.height = height
    self.settings = settings
    staticThreshold = settings.staticThreshold
    // Below zero VP8 holds to the deadline whatever the machine does; VP9's real-time speeds are 5 to 9.
    speed = isVP9 ? min(max(settings.speed ?? 9, 5), 9) : min(max(settings.speed ?? SearchEffort.thorough, -16), 16)
    pattern = TemporalPattern(isVP9: isVP9, layerCount: settings.temporalLayers)
    pattern.isScreen = settings.isScreen
    keyframeQuantizer = KeyframeQuantizer(isVP9: isVP9)
    context = .allocate(capacity: 1)
    configuration = .allocate(capacity: 1)
    image = .allocate(capacity: 1)
    context.initialize(to: vpx_codec_ctx_t())
    configuration.initialize(to: vpx_codec_enc_cfg_t())
    image.initialize(to: vpx_image_t())
    guard tutti_vpx_encoder_defaults(isVP9 ? 1 : 0, configuration) == VPX_CODEC_OK else { throw failure }
    configure()
    guard tutti_vpx_encoder_init(isVP9 ? 1 : 0, context, configuration) == VPX_CODEC_OK else { throw failure }
    guard control() else { throw failure }
  }

  private var failure: CodecError { .unavailable(isVP9 ? .vp9Encoder : .vp8Encoder) }

  private func control() -> Bool {
    let isShared =
      tutti_vpx_set_speed(context, Int32(speed)) == VPX_CODEC_OK
      && tutti_vpx_set_static_threshold(context, UInt32(clamping: settings.staticThreshold)) == VPX_CODEC_OK
      && tutti_vpx_set_max_intra_bitrate(context, UInt32(clamping: settings.keyframeSizeMaxPercent)) == VPX_CODEC_OK
    guard isShared else { return false }
    guard isVP9 else { return tutti_vp8_set_screen(context, settings.isScreen ? 1 : 0) == VPX_CODEC_OK }
    if pattern.layerCount > 1 {
      guard tutti_vp9_set_temporal_layers(context, configuration) == VPX_CODEC_OK else { return false }
    }
    let tiles = settings.threadCount >= 4 ? 2 : settings.threadCount >= 2 ? 1 : 0
    return tutti_vp9_set_realtime(context, Int32(tiles)) == VPX_CODEC_OK
  }

  deinit {
    _ = vpx_codec_destroy(context)
    context.deallocate()
    configuration.deallocate()
    image.deallocate()
  }

  /// Changes the target from the next frame on.
  func setBitsPerSecond(_ bitsPerSecond: Int) throws(CodecError) {
    guard bitsPerSecond != settings.bitsPerSecond else { return }
    settings.bitsPerSecond = bitsPerSecond
    setRates()
    guard vpx_codec_enc_config_set(context, configuration) == VPX_CODEC_OK else { throw failure }
  }

  /// VP9 is not told: with its tuning for screens a page that is turned stays unreadable for half a second, at 1.5 Mb/s 12 to 16 dB
  /// below what it is without, for 2 dB more in the end.
  func setScreen(_ isScreen: Bool) throws(CodecError) {
    pattern.isScreen = isScreen
    setRates()
    guard vpx_codec_enc_config_set(context, configuration) == VPX_CODEC_OK else { throw failure }
    guard isVP9 || tutti_vp8_set_screen(context, isScreen ? 1 : 0) == VPX_CODEC_OK else { throw failure }
  }

  /// Whether the next frame is of the base layer, unless it is a keyframe, which always is.
  var isBaseNext: Bool { pattern.isBaseNext }

  /// The next frame is of the base layer, whatever the pattern has in its place.
  func beginWithBase() { pattern.restart() }

  /// Lets only those macroblocks change that the map names; with none at rest all may change, whatever was said before.
  func setActiveMap(_ map: StillMap) throws(CodecError) {
    let (rows, columns) = (UInt32(map.rows), UInt32(map.columns))
    guard map.restingCount > 0 else {
      guard hasActiveMap else { return }
      hasActiveMap = false
      guard tutti_vpx_set_active_map(context, nil, rows, columns) == VPX_CODEC_OK else { throw failure }
      return
    }
    hasActiveMap = true
    // libvpx copies the map, and takes it by a pointer to what it could write.
    let status = map.activity.withUnsafeBufferPointer {
      tutti_vpx_set_active_map(context, UnsafeMutablePointer(mutating: $0.baseAddress), rows, columns)
    }
    guard status == VPX_CODEC_OK else { throw failure }
  }

  /// Has the blocks that the map names coded more finely than the frame; VP9 sees to that itself, by turns of its own.
  func setFinerBlocks(_ map: StillMap) throws(CodecError) {
    guard !isVP9 else { return }
    let blocks = map.finerCount > 0 ? map.finerBlocks : []
    let difference = blocks.isEmpty ? 0 : QuantizerScale.difference(from: Int(baseQuantizer), to: map.finerQuantizer)
    guard blocks != finerBlocks || difference != finerDifference else { return }
    (finerBlocks, finerDifference) = (blocks, difference)
    let (rows, columns) = (UInt32(map.rows), UInt32(map.columns))
    // libvpx copies this map too.
    let status = blocks.withUnsafeBufferPointer {
      let start = blocks.isEmpty ? nil : UnsafeMutablePointer(mutating: $0.baseAddress)
      return tutti_vp8_set_finer_blocks(context, start, rows, columns, Int32(difference))
    }
    guard status == VPX_CODEC_OK else { throw failure }
  }

  /// What the last frame of the base layer was coded with, in steps of VP8's own scale.
  var baseStep: Int { isVP9 ? Int(baseQuantizer) : QuantizerScale.step(Int(baseQuantizer)) }
  /// And those of its blocks that were to be coded more finely.
  var finerStep: Int { isVP9 ? baseStep : max(baseStep - QuantizerScale.step(-finerDifference), 0) }

  /// Encodes one picture of the right size and appends its frame; reads the picture in place.
  ///
  /// - Parameter number: how many pictures there were before.
  func encode(
    _ picture: Picture, number: Int64, asKeyframe: Bool, into bytes: inout [UInt8]
  ) throws(CodecError) -> VideoEncoder.Outcome {
    wrap(picture)
    let step = pattern.next(asKeyframe: asKeyframe)
    if pattern.layerCount > 1 {
      let layer = Int32(step.position.layer)
      guard tutti_vpx_set_temporal_layer(context, isVP9 ? 1 : 0, layer) == VPX_CODEC_OK else { throw failure }
      try passOverStill(inLayer: step.position.layer)
      try adaptSpeed(toLayer: step.position.layer)
    }
    var outcome =
      asKeyframe || number == 0
      ? try encodeKeyframe(picture, number: number, into: &bytes)
      : try encodeFrame(picture, number: number, flags: step.flags, into: &bytes)
    var quantizer: Int32 = 0
    guard tutti_vpx_get_quantizer(context, &quantizer) == VPX_CODEC_OK else { throw failure }
    if step.position.layer == 0 { baseQuantizer = quantizer } else { effort.note(quantizer: Int(quantizer)) }
    outcome.temporal = step.position
    return outcome
  }

  /// Where blocks rest, VP9's upper layers pass over what hardly differs from the base frame before, sensors' noise above all: the next
  /// base frame has it, and nothing builds on what was left out. Base frames refine, and never pass over anything.
  private func passOverStill(inLayer layer: UInt8) throws(CodecError) {
    let passesOver = isVP9 && layer > 0 && hasActiveMap && !pattern.isScreen
    let threshold = passesOver ? max(Self.upperStaticThreshold, settings.staticThreshold) : settings.staticThreshold
    guard threshold != staticThreshold else { return }
    staticThreshold = threshold
    guard tutti_vpx_set_static_threshold(context, UInt32(clamping: threshold)) == VPX_CODEC_OK else { throw failure }
  }

  private func adaptSpeed(toLayer layer: UInt8) throws(CodecError) {
    guard !isVP9, settings.speed == nil else { return }
    let wanted = pattern.isScreen ? SearchEffort.thorough : effort.speed(inLayer: layer)
    guard wanted != speed else { return }
    speed = wanted
    guard tutti_vpx_set_speed(context, Int32(wanted)) == VPX_CODEC_OK else { throw failure }
  }

  private func encodeFrame(
    _ picture: Picture, number: Int64, flags: vpx_enc_frame_flags_t, into bytes: inout [UInt8]
  ) throws(CodecError) -> VideoEncoder.Outcome {
    let duration = Self.clockRate / Int64(min(max(settings.framesPerSecond, 1), 120))
    let status = withExtendedLifetime(picture) {
      vpx_codec_encode(context, image, number &* duration, UInt(duration), flags, UInt(VPX_DL_REALTIME))
    }
    guard status == VPX_CODEC_OK else { throw failure }
    return collect(into: &bytes)
  }

  /// As fine as its size allows; once more, coarser, where it became much larger than was reckoned.
  private func encodeKeyframe(
    _ picture: Picture, number: Int64, into bytes: inout [UInt8]
  ) throws(CodecError) -> VideoEncoder.Outcome {
    guard settings.keyframeSizeMaxPercent > 0 else {
      return try encodeFrame(picture, number: number, flags: tutti_vpx_force_keyframe, into: &bytes)
    }
    let limit = settings.bitsPerSecond / 8 / max(settings.framesPerSecond, 1) * settings.keyframeSizeMaxPercent / 100
    let detail = KeyframeQuantizer.detail(of: picture)
    let bounds = quantizerBounds
    defer { _ = setQuantizers(bounds) }
    let start = bytes.count
    while true {
      let quantizer = keyframeQuantizer.quantizer(detail: detail, byteCount: limit * 9 / 10, within: bounds)
      guard setQuantizers(quantizer...quantizer) else { throw failure }
      let outcome = try encodeFrame(picture, number: number, flags: tutti_vpx_force_keyframe, into: &bytes)
      keyframeQuantizer.observe(byteCount: outcome.byteCount, quantizer: quantizer, detail: detail)
      guard outcome.byteCount > limit * 3 / 2, quantizer < bounds.upperBound else { return outcome }
      bytes.removeSubrange(start...)
    }
  }

  private var quantizerBounds: ClosedRange<Int> {
    let finest = min(max(settings.quantizerMin, 0), 63)
    return finest...min(max(settings.quantizerMax, finest), 63)
  }

  private func setQuantizers(_ bounds: ClosedRange<Int>) -> Bool {
    describeQuantizers(bounds)
    return vpx_codec_enc_config_set(context, configuration) == VPX_CODEC_OK
  }

  private func describeQuantizers(_ bounds: ClosedRange<Int>) {
    configuration.pointee.rc_min_quantizer = UInt32(bounds.lowerBound)
    configuration.pointee.rc_max_quantizer = UInt32(bounds.upperBound)
  }

  private func collect(into bytes: inout [UInt8]) -> VideoEncoder.Outcome {
    var outcome = VideoEncoder.Outcome(
      byteCount: 0, isKeyframe: false, temporal: TemporalPosition(layer: 0, isLayerSync: false, baseIndex: nil))
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
    // VP9 predicts vectors from the frame before, which may be of a layer that was left out.
    let isErrorResilient = settings.isErrorResilient || isVP9 && pattern.layerCount > 1
    configuration.pointee.g_error_resilient = isErrorResilient ? UInt32(VPX_ERROR_RESILIENT_DEFAULT) : 0
    configuration.pointee.g_lag_in_frames = 0
    configuration.pointee.g_pass = VPX_RC_ONE_PASS
    configuration.pointee.rc_end_usage = VPX_CBR
    describePattern()
    setRates()
    describeQuantizers(quantizerBounds)
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

  private func describePattern() {
    guard pattern.layerCount > 1 else { return }
    let layers = pattern.layers
    tutti_vpx_describe_pattern(configuration, UInt32(pattern.layerCount), layers, UInt32(layers.count))
  }

  /// The target, and of it what each layer and those below may take, which has to grow from layer to layer.
  private func setRates() {
    let kilobits = max(settings.bitsPerSecond / 1000, pattern.layerCount)
    configuration.pointee.rc_target_bitrate = UInt32(clamping: kilobits)
    guard pattern.layerCount > 1 else { return }
    for layer in 0..<pattern.layerCount {
      let share = Int(Double(kilobits) * pattern.share(upTo: layer))
      tutti_vpx_describe_layer(
        configuration, Int32(layer), UInt32(clamping: max(share, layer + 1)), UInt32(pattern.rateDivisor(of: layer)))
    }
  }
}
