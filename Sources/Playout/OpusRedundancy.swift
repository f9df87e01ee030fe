/// What an Opus packet carries besides its own frame.
enum OpusRedundancy {
  /// Whether the packet holds a coarse copy of the frame before it (LBRR, RFC 6716 section 4.2.3).
  ///
  /// The SILK layer begins with a voice activity bit for each of its frames and then the bit asked for; stereo repeats both for the
  /// side channel.
  ///
  /// - Parameter sampleCount: how long the packet lasts, in samples at 48 kHz.
  static func isPresent(in packet: Span<UInt8>, sampleCount: Int) -> Bool {
    guard packet.count > 2, packet[0] & 0x80 == 0, let (start, frameCount) = firstFrame(of: packet), start < packet.count else {
      return false
    }
    // 10 ms and 20 ms are one SILK frame, 40 ms two, 60 ms three.
    let silkFrames = min(max(sampleCount / frameCount / 960, 1), 3)
    let first = packet[start]
    if first & (0x80 >> UInt8(silkFrames)) != 0 { return true }
    return packet[0] & 0x04 != 0 && first & (0x80 >> UInt8(2 * silkFrames + 1)) != 0
  }

  /// Where the first frame begins, and how many there are (RFC 6716 section 3.2); nil where the packet says so wrongly.
  private static func firstFrame(of packet: Span<UInt8>) -> (start: Int, frameCount: Int)? {
    switch packet[0] & 3 {
    case 0: return (1, 1)
    case 1: return (1, 2)
    case 2: return packet[1] > 0 ? (lengthSize(packet[1]) + 1, 2) : nil
    default: break
    }
    let frameCount = Int(packet[1] & 0x3F)
    guard frameCount > 0 else { return nil }
    var offset = 2
    if packet[1] & 0x40 != 0 {
      // Each 255 says that another byte of padding's length follows.
      while offset < packet.count, packet[offset] == 255 { offset += 1 }
      offset += 1
    }
    guard packet[1] & 0x80 != 0 else { return (offset, frameCount) }
    for index in 0..<(frameCount - 1) {
      guard offset < packet.count, index > 0 || packet[offset] > 0 else { return nil }
      offset += lengthSize(packet[offset])
    }
    return (offset, frameCount)
  }

  private static func lengthSize(_ first: UInt8) -> Int { first < 252 ? 1 : 2 }
}
