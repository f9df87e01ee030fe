import EncodedMedia

/// How long an encoded audio frame lasts, in samples at 48 kHz.
enum FrameDuration {
  /// 120 ms: the longest Opus packet (RFC 6716 section 3.2.5, R5) and the longest taken of any codec.
  static let samplesMax = 5_760
  /// 2.5 ms: the shortest Opus frame; every length counts in steps of it.
  static let step = 120

  /// - Returns: a multiple of `step`; nil for frames that are malformed or no audio.
  static func samples(of frame: EncodedFrame) -> Int? {
    let bytes = frame.payload.bytes
    switch frame.codec {
    case .opus: return opusSamples(bytes.span)
    case .pcmu, .pcma:
      // One byte a sample at 8 kHz.
      let samples = bytes.count &* 6
      return bytes.count <= samplesMax / 6 && samples >= step ? samples / step * step : nil
    case .vp8, .h264: return nil
    }
  }

  /// Reads the configuration and the frame count of the TOC byte and the one after it (RFC 6716 section 3.1).
  private static func opusSamples(_ packet: Span<UInt8>) -> Int? {
    guard !packet.isEmpty else { return nil }
    let toc = packet[0]
    let perFrame: Int =
      switch toc >> 3 {
      case 0...11: [480, 960, 1920, 2880][Int(toc >> 3 & 3)]
      case 12...15: toc >> 3 & 1 == 0 ? 480 : 960
      default: 120 << Int(toc >> 3 & 3)
      }
    let frameCount: Int
    switch toc & 3 {
    case 0: frameCount = 1
    case 1, 2: frameCount = 2
    default:
      guard packet.count > 1 else { return nil }
      frameCount = Int(packet[1] & 0x3F)
    }
    let samples = perFrame * frameCount
    return (1...samplesMax).contains(samples) ? samples : nil
  }
}
