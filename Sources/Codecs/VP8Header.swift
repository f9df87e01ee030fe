/// What the first bytes of a VP8 frame tell (RFC 6386 section 9.1).
package struct VP8Header: Hashable, Sendable {
  package var isKeyframe: Bool
  /// Pixels; nil in frames that are not keyframes, which keep the size.
  package var size: (width: Int, height: Int)? {
    isKeyframe ? (width, height) : nil
  }
  private var width = 0
  private var height = 0

  /// - Returns: nil for bytes that cannot be a frame.
  package init?(_ frame: Span<UInt8>) {
    guard frame.count >= 3 else { return nil }
    isKeyframe = frame[0] & 1 == 0
    guard isKeyframe else { return }
    let startCode: (UInt8, UInt8, UInt8) = (0x9D, 0x01, 0x2A)
    guard frame.count >= 10, (frame[3], frame[4], frame[5]) == startCode else { return nil }
    // The upper two bits of each are a scaling hint to the display.
    width = Int(frame[6]) | Int(frame[7] & 0x3F) << 8
    height = Int(frame[8]) | Int(frame[9] & 0x3F) << 8
    guard width > 0, height > 0 else { return nil }
  }
}
