import EncodedMedia
import RawMedia

/// A decoder for one incoming video stream, whichever codec it has.
package enum VideoDecoder: Sendable {
  case vp8(VP8Decoder)
  case vp9(VP9Decoder)
  case h264(H264Decoder)
  case av1(AV1Decoder)

  /// - Throws: `unsupportedFormat` for an audio codec.
  package init(codec: Codec, limits: PictureLimits = PictureLimits()) throws(CodecError) {
    switch codec {
    case .vp8: self = .vp8(try VP8Decoder(limits: limits))
    case .h264: self = .h264(try H264Decoder(limits: limits))
    case .vp9: self = .vp9(try VP9Decoder(limits: limits))
    case .av1: self = .av1(try AV1Decoder(limits: limits))
    case .opus, .pcmu, .pcma: throw .unsupportedFormat
    }
  }

  package var codec: Codec {
    switch self {
    case .vp8: .vp8
    case .vp9: .vp9
    case .h264: .h264
    case .av1: .av1
    }
  }

  /// Decodes a whole frame into a picture of the pool.
  ///
  /// - Throws: `unsupportedFormat` for a frame of another codec; anything else means that the picture shown stays what it was and
  ///   that a keyframe is to be asked for, unless it was `needsKeyframe` and one is on its way.
  /// - Returns: nil where no picture is due yet.
  package func decode(_ frame: EncodedFrame, pool: inout PicturePool) throws(CodecError) -> Picture? {
    guard frame.codec == codec else { throw .unsupportedFormat }
    let bytes = frame.payload.bytes
    switch self {
    case .vp8(let decoder): return try decoder.decode(bytes.span, pool: &pool)
    case .vp9(let decoder): return try decoder.decode(bytes.span, layers: frame.spatial, pool: &pool)
    case .av1(let decoder):
      return try decoder.decode(bytes.span, isKeyframe: frame.isKeyframe, layers: frame.spatial, pool: &pool)
    case .h264(let decoder): return try decoder.decode(bytes.span, isKeyframe: frame.isKeyframe, pool: &pool)
    }
  }
}
