import EncodedMedia
import RawMedia
import Timing

/// An encoder for one outgoing picture stream, whichever codec it has.
package enum VideoEncoder: Sendable {
  case vp8(VP8Encoder)
  case h264(H264Encoder)

  /// What all codecs are told.
  package struct Settings: Hashable, Sendable {
    /// Target in bits per second.
    package var bitsPerSecond: Int
    /// What the rate control reckons with, 1 to 60 pictures a second.
    package var framesPerSecond: Int
    /// Whether most of the picture is a shared screen: sharp edges, little motion.
    package var isScreen: Bool

    package init(bitsPerSecond: Int, framesPerSecond: Int = 30, isScreen: Bool = false) {
      self.bitsPerSecond = bitsPerSecond
      self.framesPerSecond = framesPerSecond
      self.isScreen = isScreen
    }
  }

  /// What became of a picture.
  package struct Outcome: Hashable, Sendable {
    /// 0 where the encoder left the picture out.
    package var byteCount: Int
    package var isKeyframe: Bool
  }

  /// - Throws: `unsupportedFormat` for a codec that is not encoded to.
  package init(codec: Codec, width: Int, height: Int, settings: Settings) throws(CodecError) {
    switch codec {
    case .vp8:
      self = .vp8(
        try VP8Encoder(
          width: width, height: height,
          settings: .init(bitsPerSecond: settings.bitsPerSecond, framesPerSecond: settings.framesPerSecond)))
    case .h264: self = .h264(try H264Encoder(width: width, height: height, settings: settings))
    case .opus, .pcmu, .pcma: throw .unsupportedFormat
    }
  }

  /// Encodes one picture and appends its frame; reads the picture in place.
  ///
  /// - Parameters:
  ///   - time: the sampling instant; later than that of the picture before.
  ///   - asKeyframe: whether the frame is to be decodable by itself.
  package func encode(
    _ picture: Picture, at time: Instant, asKeyframe: Bool, into bytes: inout [UInt8]
  ) throws(CodecError) -> Outcome {
    switch self {
    case .vp8(let encoder): try encoder.encode(picture, at: time, asKeyframe: asKeyframe, into: &bytes)
    case .h264(let encoder): try encoder.encode(picture, at: time, asKeyframe: asKeyframe, into: &bytes)
    }
  }
}
