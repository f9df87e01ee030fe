import Codecs
import EncodedMedia
import RawMedia

/// The same calls on arrays, since a span of a temporary may not be handed on from within an expectation.
extension VP8Decoder {
  func decode(bytes: [UInt8], pool: inout PicturePool) throws -> Picture? { try decode(bytes.span, pool: &pool) }
}

extension H264Decoder {
  func decode(bytes: [UInt8], isKeyframe: Bool, pool: inout PicturePool) throws -> Picture? {
    try decode(bytes.span, isKeyframe: isKeyframe, pool: &pool)
  }
}

extension OpusRedundancy {
  static func hasFEC(bytes: [UInt8]) -> Bool { hasFEC(bytes.span) }
}

extension OpusPacket {
  static func channelCount(ofBytes bytes: [UInt8]) -> Int? { OpusPacket(bytes.span)?.channelCount }
  static func sampleCount(ofBytes bytes: [UInt8]) -> Int? { OpusPacket(bytes.span)?.sampleCount }
}

extension VP8FrameHeader {
  init?(bytes: [UInt8]) { self.init(bytes.span) }
}

extension OpusEncoder {
  func encode(samples: [Int16], into bytes: inout [UInt8]) throws -> Outcome { try encode(samples.span, into: &bytes) }
}
