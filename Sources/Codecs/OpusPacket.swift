import COpus

/// What the head of an Opus packet tells without decoding it (RFC 6716 section 3).
package enum OpusPacket {
  /// Samples a channel at 48 kHz: 120 to 5760; nil where the packet is malformed.
  package static func sampleCount(of packet: Span<UInt8>) -> Int? {
    let count = packet.withUnsafeBufferPointer { bytes -> Int32 in
      guard let base = bytes.baseAddress else { return 0 }
      return opus_packet_get_nb_samples(base, Int32(clamping: bytes.count), 48_000)
    }
    return count > 0 ? Int(count) : nil
  }

  /// 1 or 2; nil for an empty packet.
  package static func channelCount(of packet: Span<UInt8>) -> Int? {
    packet.isEmpty ? nil : packet[0] & 0x04 == 0 ? 1 : 2
  }

  /// Whether the packet carries a coarse copy of the frame before it (LBRR, RFC 6716 section 4.2.3).
  ///
  /// The SILK layer begins with a voice activity bit for each of its frames and then the bit asked for; stereo repeats both for
  /// the side channel.
  package static func hasFEC(_ packet: Span<UInt8>) -> Bool {
    guard let samples = sampleCount(of: packet), packet[0] & 0x80 == 0 else { return false }
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
