import COpenH264
import EncodedMedia
import RawMedia
import Timing

/// Encodes pictures of one size to H.264 constrained baseline (ITU-T H.264, Annex B byte stream) in real time, over OpenH264.
///
/// Keyframes (IDR, with parameter sets) come first and when asked for, never by themselves. Takes 0.6 to 0.8 of the time of VP8 at
/// equal quality. Not to be used by two threads at once.
final class H264Encoder {
  private let width: Int
  private let height: Int
  private let handle: OpaquePointer
  private let framesPerSecond: Int
  private var bitsPerSecond: Int
  /// The target as the library knows it.
  private var bitsTold: Int
  /// By what the target is multiplied for a keyframe, and for the second behind it, which pays for it.
  private let keyframeFactor: Double
  private let repaymentFactor: Double
  private var repaymentFrames = 0
  private var baseIndex: UInt8 = 0

  /// A keyframe takes so many times what other frames take on average if OpenH264 is left to itself.
  private static let keyframeShare = 4.0

  /// The most macroblocks of a picture at level 5.2 (ITU-T H.264 table A-1).
  private static let macroblocksMax = 36_864

  /// - Parameters: width, height: pixels, 16 or more. A cropping rectangle counts in pairs of 4:2:0 samples, so an odd side cannot be
  ///     told: its last column or row is not encoded.
  init(width: Int, height: Int, settings: VideoEncoder.Settings) throws(CodecError) {
    let (width, height) = (width & ~1, height & ~1)
    guard width >= 16, height >= 16, (width + 15) / 16 * ((height + 15) / 16) <= Self.macroblocksMax else { throw .wrongSize }
    framesPerSecond = min(max(settings.framesPerSecond, 1), 60)
    let handle = tutti_h264_encoder_make(
      Int32(clamping: width), Int32(clamping: height), Int32(clamping: settings.bitsPerSecond), Float(framesPerSecond),
      settings.isScreen, Int32(Self.layerCount(settings.temporalLayers)), 51)
    guard let handle else { throw .unavailable(.h264Encoder) }
    self.handle = handle
    self.width = width
    self.height = height
    bitsPerSecond = settings.bitsPerSecond
    bitsTold = settings.bitsPerSecond
    let share = Double(settings.keyframeSizeMaxPercent) / 100 * 0.9 / Self.keyframeShare
    keyframeFactor = settings.keyframeSizeMaxPercent > 0 ? min(max(share, 1), 3) : 1
    repaymentFactor = max(1 - Self.keyframeShare * (keyframeFactor - 1) / Double(framesPerSecond), 0.5)
  }

  /// Two at most: the upper one is of frames that nothing refers to, which any decoder can do without.
  static func layerCount(_ wanted: Int) -> Int { min(max(wanted, 1), 2) }

  deinit { tutti_h264_encoder_free(handle) }

  /// Changes the target from the next frame on.
  func setBitsPerSecond(_ bitsPerSecond: Int) { self.bitsPerSecond = bitsPerSecond }

  private func tellTarget(isKeyframe: Bool) throws(CodecError) {
    var factor = 1.0
    if isKeyframe {
      factor = keyframeFactor
      repaymentFrames = framesPerSecond
    } else if repaymentFrames > 0 {
      factor = repaymentFactor
      repaymentFrames -= 1
    }
    let bits = Int(Double(bitsPerSecond) * factor)
    guard bits != bitsTold else { return }
    guard tutti_h264_encoder_set_bitrate(handle, Int32(clamping: bits)) else { throw .unavailable(.h264Encoder) }
    bitsTold = bits
  }

  /// Encodes one picture of the right size and appends its frame; reads the picture in place.
  ///
  /// - Parameters:
  ///   - number: how many pictures there were before.
  ///   - asKeyframe: whether the frame is to be decodable by itself.
  func encode(
    _ picture: Picture, number: Int64, asKeyframe: Bool, into bytes: inout [UInt8]
  ) throws(CodecError) -> VideoEncoder.Outcome {
    try tellTarget(isKeyframe: asKeyframe || number == 0)
    let milliseconds = number &* 1000 / Int64(framesPerSecond)
    var frame = tutti_h264_frame()
    let isEncoded = withExtendedLifetime(picture) {
      let planes: [UnsafeMutablePointer<UInt8>?] = [picture.luma, picture.chromaBlue, picture.chromaRed]
      let strides = [Int32(picture.lumaStride), Int32(picture.chromaStride), Int32(picture.chromaStride)]
      return tutti_h264_encode(
        handle, planes, strides, Int32(clamping: width), Int32(clamping: height), milliseconds, asKeyframe, &frame)
    }
    guard isEncoded else { throw .unavailable(.h264Encoder) }
    return collect(frame, into: &bytes)
  }

  private func collect(_ frame: tutti_h264_frame, into bytes: inout [UInt8]) -> VideoEncoder.Outcome {
    var byteCount = 0
    withUnsafeBytes(of: frame.pieces) { pieces in
      withUnsafeBytes(of: frame.sizes) { sizes in
        let pieces = pieces.bindMemory(to: UnsafePointer<UInt8>?.self), sizes = sizes.bindMemory(to: Int.self)
        for index in 0..<min(Int(frame.count), pieces.count, sizes.count) {
          guard let start = pieces[index] else { continue }
          bytes.append(contentsOf: UnsafeBufferPointer(start: start, count: sizes[index]))
          byteCount += sizes[index]
        }
      }
    }
    let layer = UInt8(clamping: frame.temporal_layer)
    if layer == 0 { baseIndex &+= 1 }
    return .init(
      byteCount: byteCount, isKeyframe: frame.is_keyframe,
      temporal: TemporalPosition(layer: layer, isLayerSync: layer > 0, baseIndex: baseIndex))
  }
}
