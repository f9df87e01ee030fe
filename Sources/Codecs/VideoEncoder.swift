import EncodedMedia
import RawMedia
import Timing

/// Encodes pictures of one size in real time, at a constant bit rate: VP8, VP9 (profile 0) or H.264 (constrained baseline).
///
/// Keyframes come first and when asked for, never by themselves, and no frame is skipped. A new size takes a new encoder.
/// Told what may have changed, it spends nothing on what rests. Not to be used by two threads at once.
package final class VideoEncoder: @unchecked Sendable {
  // Unchecked because of the C handles, which may move between threads but not be shared by them.

  private enum Backend {
    case vpx(VPXEncoder)
    case h264(H264Encoder)
  }

  /// What became of a picture.
  package struct Outcome: Hashable, Sendable {
    /// Bytes appended; 0 only where the library dropped the picture.
    package var byteCount: Int
    package var isKeyframe: Bool
    /// Of the base layer where the settings have but one.
    package var temporal: TemporalPosition
  }

  package let codec: Codec
  package let width: Int
  package let height: Int
  package private(set) var settings: Settings
  private var backend: Backend
  private var stillMap: StillMap
  private var pageTurns = PageTurns()
  private var pace: RatePace
  private var pictureCount: Int64 = 0

  /// - Parameters: width, height: pixels, 1 to `Picture.sideMax`; for H.264 16 or more, up to level 5.2. Its pictures have even sides:
  ///     the last column or row of an odd one is left out.
  /// - Throws: `wrongSize`; `unsupportedFormat` for a codec that nothing here encodes.
  package init(codec: Codec, width: Int, height: Int, settings: Settings) throws(CodecError) {
    guard (1...Picture.sideMax).contains(width), (1...Picture.sideMax).contains(height) else { throw .wrongSize }
    switch codec {
    case .vp8, .vp9:
      backend = .vpx(try VPXEncoder(isVP9: codec == .vp9, width: width, height: height, settings: settings))
    case .h264:
      backend = .h264(try H264Encoder(width: width, height: height, settings: settings))
    case .av1, .opus, .pcmu, .pcma: throw .unsupportedFormat
    }
    self.codec = codec
    self.width = width
    self.height = height
    self.settings = settings
    let pattern = TemporalPattern(isVP9: codec == .vp9, layerCount: codec == .h264 ? 1 : settings.temporalLayers)
    stillMap = StillMap(
      width: width, height: height, refinementFrames: 4, rowsPerTurn: pattern.rateDivisor(of: 0),
      reach: codec == .vp8 ? QuantizerScale.reach : 0)
    pace = RatePace(framesPerSecond: settings.framesPerSecond)
  }

  /// Of the bit rate, what temporal layers take together with those below, from the base up.
  package static func shares(of codec: Codec, temporalLayers: Int) -> [Double] {
    let pattern = TemporalPattern(
      isVP9: codec == .vp9, layerCount: codec == .h264 ? H264Encoder.layerCount(temporalLayers) : temporalLayers)
    return (0..<pattern.layerCount).map { pattern.share(upTo: $0) }
  }

  /// Changes the target from the next frame on.
  package func setBitsPerSecond(_ bitsPerSecond: Int) throws(CodecError) {
    guard bitsPerSecond != settings.bitsPerSecond else { return }
    settings.bitsPerSecond = bitsPerSecond
    try tellTarget()
  }

  /// What the target comes to at the encoder's pace.
  private func tellTarget() throws(CodecError) {
    let target = Int(Double(settings.bitsPerSecond) * pace.factor)
    switch backend {
    case .vpx(let encoder): try encoder.setBitsPerSecond(target)
    case .h264(let encoder): encoder.setBitsPerSecond(target)
    }
  }

  /// Reckons with a shared screen, or no longer, from the next frame on; with H.264 that is a keyframe then.
  package func setScreen(_ isScreen: Bool) throws(CodecError) {
    guard isScreen != settings.isScreen else { return }
    settings.isScreen = isScreen
    switch backend {
    case .vpx(let encoder): try encoder.setScreen(isScreen)
    // OpenH264 takes this at its start only.
    case .h264: backend = .h264(try H264Encoder(width: width, height: height, settings: settings))
    }
  }

  /// Encodes one picture and appends its frame; reads the picture in place.
  ///
  /// - Parameters:
  ///   - time: the sampling instant; what the rate is reckoned by.
  ///   - asKeyframe: whether the frame is to be decodable by itself.
  ///   - damage: what may have changed since the picture before; nil where anything may have. What is left out is not looked at
  ///     once it rests, so too much is merely slow and too little is wrong.
  package func encode(
    _ picture: Picture, at time: Instant, asKeyframe: Bool, damage: [DamageRectangle]? = nil, into bytes: inout [UInt8]
  ) throws(CodecError) -> Outcome {
    guard picture.width == width, picture.height == height else { throw .wrongSize }
    if pace.advance(to: time) { try tellTarget() }
    let number = pictureCount
    pictureCount &+= 1
    switch backend {
    case .vpx(let encoder):
      // Where nothing changed, it is to refine what stands.
      if damage?.isEmpty == true { encoder.beginWithBase() }
      let isLarge = settings.isScreen && PageTurns.isLarge(damage, width: width, height: height)
      if pageTurns.wantsBase(isLarge: isLarge) { encoder.beginWithBase() }
      pageTurns.note(isLarge: isLarge, isBase: encoder.isBaseNext || asKeyframe)
      stillMap.advance(damage: damage, asKeyframe: asKeyframe, isBase: encoder.isBaseNext, quantizer: encoder.baseStep)
      try encoder.setActiveMap(stillMap)
      try encoder.setFinerBlocks(stillMap)
      let outcome = try encoder.encode(picture, number: number, asKeyframe: asKeyframe, into: &bytes)
      stillMap.note(quantizer: encoder.baseStep, finer: encoder.finerStep, isBase: outcome.temporal.layer == 0)
      return outcome
    case .h264(let encoder):
      return try encoder.encode(picture, number: number, asKeyframe: asKeyframe, into: &bytes)
    }
  }
}
