import Bytes

/// The fields of an RTP packet that protection depends on (RFC 3550 section 5.1).
struct RTPFields {
  let ssrc: UInt32
  let sequenceNumber: UInt16
  /// Bytes before the payload: fixed header, CSRCs, header extension.
  let payloadOffset: Int

  /// Nil where the packet is shorter than it says, or no RTP.
  init?(_ packet: Span<UInt8>) {
    guard packet.count >= 12, packet[0] >> 6 == 2, let sequenceNumber = packet.bigEndianUInt16(at: 2),
      let ssrc = packet.bigEndianUInt32(at: 8)
    else { return nil }
    var offset = 12 &+ 4 &* Int(packet[0] & 0x0F)
    if packet[0] & 0x10 != 0 {
      guard let words = packet.bigEndianUInt16(at: offset &+ 2) else { return nil }
      offset &+= 4 &+ 4 &* Int(words)
    }
    guard offset <= packet.count else { return nil }
    self.ssrc = ssrc
    self.sequenceNumber = sequenceNumber
    self.payloadOffset = offset
  }
}

/// The fields of an RTCP packet that protection depends on (RFC 3550 section 6.1).
struct RTCPFields {
  /// What stays in the clear.
  static let headerByteCount = 8
  let ssrc: UInt32

  /// Nil where the packet is shorter than a header, or no RTCP.
  init?(_ packet: Span<UInt8>) {
    guard packet.count >= Self.headerByteCount, packet[0] >> 6 == 2, let ssrc = packet.bigEndianUInt32(at: 4) else {
      return nil
    }
    self.ssrc = ssrc
  }
}
