/// What the first bytes of an Opus packet say (RFC 6716 section 3.1).
public struct OpusPacket: Hashable, Sendable {
  /// Frames in the packet: 1 to 48.
  public var frameCount: Int
  /// The packet's length in samples at 48 kHz: 120 to 5760, which is 120 ms.
  public var sampleCount: Int
  /// 1 or 2.
  public var channelCount: Int
  /// Whether the encoder had nothing to say: a packet of at most two bytes carries no coded sound.
  public var isDiscontinuous: Bool

  /// The longest packet in samples at 48 kHz.
  public static let sampleCountMax = 5760

  /// - Returns: nil for no bytes, for code 3 without its count, for a count of 0 and for more than 120 ms (RFC 6716 section 3.4, R5).
  public init?(_ payload: Span<UInt8>) {
    guard payload.count >= 1 else { return nil }
    let first = payload[0]
    switch first & 0x03 {
    case 0: frameCount = 1
    case 1, 2: frameCount = 2
    default:
      guard payload.count >= 2, case let frames = Int(payload[1] & 0x3F), frames > 0 else { return nil }
      frameCount = frames
    }
    sampleCount = frameCount &* Self.samplesPerFrame(configuration: first >> 3)
    guard sampleCount <= Self.sampleCountMax else { return nil }
    channelCount = first & 0x04 == 0 ? 1 : 2
    isDiscontinuous = payload.count <= 2
  }

  /// RFC 6716 table 2.
  private static func samplesPerFrame(configuration: UInt8) -> Int {
    switch configuration {
    case 0...11: configuration & 3 == 3 ? 2880 : 480 << Int(configuration & 3)
    case 12...15: 480 << Int(configuration & 1)
    default: 120 << Int(configuration & 3)
    }
  }
}
