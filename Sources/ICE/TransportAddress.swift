/// An IP address with a port: what a datagram comes from and goes to.
///
/// A fixed-size value without references, cheap to hash and compare. An IPv6 address that maps an IPv4 one (`::ffff:0:0/96`) becomes
/// that IPv4 address at creation, so that no check of addresses can be passed by in the mapped form. Nothing here resolves names.
@frozen public struct TransportAddress: Hashable, Sendable {
  @frozen public enum Family: UInt8, Hashable, Sendable {
    case ipv4
    case ipv6
  }

  public let family: Family
  /// The first eight bytes of an IPv6 address in network order, the first byte highest; 0 for IPv4.
  public let high: UInt64
  /// The last eight bytes of an IPv6 address; an IPv4 address in the low 32 bits.
  public let low: UInt64
  public var port: UInt16

  /// - Parameter ipv4: the address, its first byte highest: 127.0.0.1 is 0x7F000001.
  @inlinable public init(ipv4: UInt32, port: UInt16) {
    self.family = .ipv4
    self.high = 0
    self.low = UInt64(ipv4)
    self.port = port
  }

  /// An IPv6 address, or the IPv4 address it maps.
  @inlinable public init(ipv6High high: UInt64, low: UInt64, port: UInt16) {
    let mapsIPv4 = high == 0 && low >> 32 == 0xFFFF
    self.family = mapsIPv4 ? .ipv4 : .ipv6
    self.high = high
    self.low = mapsIPv4 ? low & 0xFFFF_FFFF : low
    self.port = port
  }

  /// The address as 32 bits, its first byte highest; nil for IPv6.
  @inlinable public var ipv4: UInt32? { family == .ipv4 ? UInt32(truncatingIfNeeded: low) : nil }

  /// The same host's address with another port.
  @inlinable public func withPort(_ port: UInt16) -> TransportAddress {
    var copy = self
    copy.port = port
    return copy
  }

  /// 127.0.0.0/8 or ::1.
  public var isLoopback: Bool {
    switch family {
    case .ipv4: low >> 24 == 127
    case .ipv6: high == 0 && low == 1
    }
  }

  /// 0.0.0.0 or ::, which stand for every address of the machine and are nobody's.
  public var isUnspecified: Bool { high == 0 && low == 0 }

  /// 224.0.0.0/4 or ff00::/8.
  public var isMulticast: Bool {
    switch family {
    case .ipv4: low >> 28 == 0xE
    case .ipv6: high >> 56 == 0xFF
    }
  }

  /// Whether one host can be reached there: not unspecified, not multicast, not broadcast, and port not 0.
  public var isUsableAsDestination: Bool {
    port != 0 && !isUnspecified && !isMulticast && !(family == .ipv4 && low == 0xFFFF_FFFF)
  }
}

/// What carries datagrams: UDP itself, or TCP with the framing of RFC 4571.
@frozen public enum TransportProtocol: UInt8, Hashable, Sendable, CustomStringConvertible {
  case udp
  case tcp

  /// As candidate lines print it.
  public var description: String {
    switch self {
    case .udp: "udp"
    case .tcp: "tcp"
    }
  }
}

/// The way between one of our sockets and an address of the peer's: ICE's candidate pair as the machine sees it.
@frozen public struct TransportPath: Hashable, Sendable {
  public var transport: TransportProtocol
  /// Which of our UDP sockets or TCP connections; numbered by whoever owns them.
  public var socket: UInt32
  public var remote: TransportAddress

  @inlinable public init(transport: TransportProtocol = .udp, socket: UInt32 = 0, remote: TransportAddress) {
    self.transport = transport
    self.socket = socket
    self.remote = remote
  }

  /// Whether it leads to the same host by the same protocol: what another port of a NAT, or another connection, changes nothing of.
  public func isLike(_ other: TransportPath) -> Bool {
    transport == other.transport && remote.withPort(0) == other.remote.withPort(0)
  }
}
