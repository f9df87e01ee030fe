/// What the uncompressed start of a VP8 frame says (RFC 6386 section 9.1).
public struct VP8FrameHeader: Hashable, Sendable {
  public var isKeyframe: Bool
  /// In pixels, 0 to 16383; 0 for other than keyframes.
  public var width = 0
  public var height = 0

  /// - Returns: nil for a frame too short to tell and for a keyframe without its start code.
  public init?(_ frame: Span<UInt8>) {
    guard frame.count >= 3 else { return nil }
    isKeyframe = frame[0] & 0x01 == 0
    guard isKeyframe else { return }
    guard frame.count >= 10, frame[3] == 0x9D, frame[4] == 0x01, frame[5] == 0x2A else { return nil }
    width = (Int(frame[6]) | Int(frame[7]) << 8) & 0x3FFF
    height = (Int(frame[8]) | Int(frame[9]) << 8) & 0x3FFF
  }
}
