/// What a datagram on a port shared by all protocols is, by its first bytes (RFC 7983, RFC 5761 section 4).
///
/// Total: every datagram, the empty one included, is of one kind. The kind promises nothing about the bytes that follow.
@frozen public enum DatagramKind: Hashable, Sendable {
  case stun
  case dtls
  case rtp
  case rtcp
  /// ChannelData of TURN.
  case turnChannel
  /// ZRTP, QUIC, empty datagrams and noise.
  case other

  @inlinable public init(of datagram: Span<UInt8>) {
    guard datagram.count > 0 else {
      self = .other
      return
    }
    switch datagram[0] {
    case 0...3: self = .stun
    case 20...63: self = .dtls
    case 64...79: self = .turnChannel
    case 128...191:
      // Payload types 64 to 95 are never given to RTP on a port where RTCP is multiplexed.
      guard datagram.count > 1 else {
        self = .other
        return
      }
      self = (64...95).contains(datagram[1] & 0x7F) ? .rtcp : .rtp
    default: self = .other
    }
  }
}
