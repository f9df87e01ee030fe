/// Why a codec did not do what was asked.
package enum CodecError: Error, Hashable, Sendable {
  /// The library could not make or configure the codec: our settings, its build, or no memory.
  case unavailable(Codecs)
  /// The bytes are not what the codec's format allows, or parts of them are missing.
  case malformed
  /// Nothing can be shown until a keyframe comes.
  case needsKeyframe
  /// The picture is larger than the limits allow; nothing of it was decoded.
  case tooLarge
  /// A format of samples or pixels that is not mixed here, for instance 4:4:4 or 10 bits.
  case unsupportedFormat
  /// The raw audio or picture handed in, or the room for it, has not the size the codec was made for.
  case wrongSize

  /// Which library refused.
  package enum Codecs: Hashable, Sendable {
    case opusEncoder, opusDecoder, vp8Encoder, vp9Encoder, h264Encoder, vp8Decoder, vp9Decoder, h264Decoder, av1Decoder
  }
}
