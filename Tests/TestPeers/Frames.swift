import EncodedMedia
import Timing

/// Frames that carry numbered bytes, for whoever looks only at how they travel.
public enum TestFrames {
  /// A SILK packet of 20 ms by its first byte; the rest names it.
  public static func audio(_ index: Int, at time: Instant, byteCount: Int = 80) -> EncodedFrame {
    EncodedFrame(
      codec: .opus, payload: FrameBuffer([9 << 3] + pattern(index, byteCount - 1)),
      timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: index &* 960)), time: time)
  }

  /// A VP8 frame by its header (RFC 6386 section 9.1); the rest names it.
  public static func video(_ index: Int, at time: Instant, isKeyframe: Bool, byteCount: Int = 3000) -> EncodedFrame {
    let header: [UInt8] =
      isKeyframe ? [0x10, 0, 0, 0x9D, 0x01, 0x2A, 160, 0, 90, 0] : [0x11, 0, 0]
    return EncodedFrame(
      codec: .vp8, payload: FrameBuffer(header + pattern(index, byteCount - header.count)),
      timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: index &* 3000)), isKeyframe: isKeyframe, time: time)
  }

  private static func pattern(_ index: Int, _ count: Int) -> [UInt8] {
    (0..<max(count, 0)).map { UInt8(truncatingIfNeeded: index &* 131 &+ $0 &* 7 &+ $0 >> 8) }
  }
}
