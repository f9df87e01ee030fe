/// An address where one side may be reached (RFC 8445 section 5.1).
public struct ICECandidate: Hashable, Sendable {
  /// How the address was found.
  public enum Kind: String, Hashable, Sendable {
    case host = "host"
    case serverReflexive = "srflx"
    case peerReflexive = "prflx"
    case relayed = "relay"

    /// RFC 8445 section 5.1.2.2.
    var typePreference: UInt32 {
      switch self {
      case .host: 126
      case .peerReflexive: 110
      case .serverReflexive: 100
      case .relayed: 0
      }
    }
  }

  /// Who opens the connection of a TCP candidate (RFC 6544 section 4.5).
  public enum TCPType: String, Hashable, Sendable {
    case active = "active"
    case passive = "passive"
    case simultaneousOpen = "so"
  }

  /// 1 to 32 ice-chars, the same for candidates that probably share their fate.
  public var foundation: String
  /// 1 to 256; 1 with RTCP multiplexed.
  public var component: UInt16
  public var transport: TransportProtocol
  public var priority: UInt32
  public var address: TransportAddress
  public var kind: Kind
  /// There for TCP candidates, nil for UDP.
  public var tcpType: TCPType?
  /// The address the candidate is based on, told for diagnosis only.
  public var related: TransportAddress?
  /// The fragment of the credentials the candidate belongs to, where the line told (RFC 8838, as browsers print it).
  public var ufrag: String?

  /// A host candidate for UDP.
  ///
  /// - Parameter localPreference: which of several is preferred, 0 to 65535.
  public static func host(_ address: TransportAddress, localPreference: UInt16 = 65535) -> ICECandidate {
    ICECandidate(
      foundation: foundation(.host, .udp, address), component: 1, transport: .udp,
      priority: ICEPriority.candidate(kind: .host, localPreference: localPreference), address: address, kind: .host)
  }

  /// A host candidate that waits for TCP connections.
  ///
  /// - Parameter preference: which of several is preferred, 0 to 8191.
  public static func passiveTCPHost(_ address: TransportAddress, preference: UInt16 = 8191) -> ICECandidate {
    let local = ICEPriority.tcpLocalPreference(kind: .host, tcpType: .passive, other: preference)
    return ICECandidate(
      foundation: foundation(.host, .tcp, address), component: 1, transport: .tcp,
      priority: ICEPriority.candidate(kind: .host, localPreference: local), address: address, kind: .host, tcpType: .passive)
  }

  public init(
    foundation: String, component: UInt16 = 1, transport: TransportProtocol, priority: UInt32, address: TransportAddress,
    kind: Kind, tcpType: TCPType? = nil, related: TransportAddress? = nil, ufrag: String? = nil
  ) {
    self.foundation = foundation
    self.component = component
    self.transport = transport
    self.priority = priority
    self.address = address
    self.kind = kind
    self.tcpType = tcpType
    self.related = related
    self.ufrag = ufrag
  }

  /// The same for the same kind, protocol and IP address, as RFC 8445 section 5.1.1.3 wants.
  private static func foundation(_ kind: Kind, _ transport: TransportProtocol, _ address: TransportAddress) -> String {
    let bytes = Array("\(kind.rawValue) \(transport) \(address.host)".utf8)
    return String(CRC32.checksum(bytes.span))
  }
}
