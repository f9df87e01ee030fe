import EncodedMedia

/// How long an encoded audio frame lasts, in samples at 48 kHz.
enum FrameDuration {
  /// 120 ms: the longest Opus packet (RFC 6716 section 3.2.5, R5) and the longest taken of any codec.
  static let samplesMax = OpusPacket.sampleCountMax
  /// 2.5 ms: the shortest Opus frame; every length counts in steps of it.
  static let step = 120

  /// - Returns: a multiple of `step`; nil for frames that are malformed or no audio.
  static func samples(of frame: EncodedFrame) -> Int? {
    let bytes = frame.payload.bytes
    switch frame.codec {
    case .opus: return OpusPacket(bytes.span)?.sampleCount
    case .pcmu, .pcma:
      // One byte a sample at 8 kHz.
      let samples = bytes.count &* 6
      return bytes.count <= samplesMax / 6 && samples >= step ? samples / step * step : nil
    case .vp8, .vp9, .h264, .av1: return nil
    }
  }
}
