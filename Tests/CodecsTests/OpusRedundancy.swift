import COpus
import EncodedMedia

/// What a decoder would find in an Opus packet besides its own frame.
enum OpusRedundancy {
  /// Whether the packet carries a coarse copy of the frame before it (LBRR, RFC 6716 section 4.2.3).
  ///
  /// The SILK layer begins with a voice activity bit for each of its frames and then the bit asked for; stereo repeats both for
  /// the side channel.
  static func hasFEC(_ packet: Span<UInt8>) -> Bool {
    guard let samples = OpusPacket(packet)?.sampleCount, packet[0] & 0x80 == 0 else { return false }
    guard let (header, length, frameCount) = firstFrame(of: packet), length > 1, frameCount > 0 else { return false }
    // 10 ms and 20 ms are one SILK frame, 40 ms two, 60 ms three.
    let silkFrames = max(samples / frameCount / 960, 1)
    let channels = packet[0] & 0x04 == 0 ? 1 : 2
    return (1...channels).contains { header & (0x80 >> UInt8($0 * (silkFrames + 1) - 1)) != 0 }
  }

  private static func firstFrame(of packet: Span<UInt8>) -> (firstByte: UInt8, length: Int, frameCount: Int)? {
    packet.withUnsafeBufferPointer { bytes in
      withUnsafeTemporaryAllocation(of: UnsafePointer<UInt8>?.self, capacity: 48) { frames in
        withUnsafeTemporaryAllocation(of: Int16.self, capacity: 48) { sizes in
          guard let base = bytes.baseAddress, let lengths = sizes.baseAddress else { return nil }
          let count = opus_packet_parse(base, Int32(clamping: bytes.count), nil, frames.baseAddress, lengths, nil)
          guard count > 0, sizes[0] > 0, let first = frames[0] else { return nil }
          return (first[0], Int(sizes[0]), Int(count))
        }
      }
    }
  }
}
