/// `a=candidate`: an address the writer may be reached at (RFC 8839 section 5.1). Nothing here is resolved or checked.
public struct CandidateAttribute: Hashable, Sendable {
  /// 1…32 bytes; equal for candidates of one base and type.
  public var foundation: String
  /// 1 for RTP, and for everything with rtcp-mux; 2 for RTCP.
  public var component: UInt16
  /// "udp" or "tcp", lower case; others may come and are to be passed over.
  public var transport: String
  /// Higher is preferred (RFC 8445 section 5.1.2).
  public var priority: UInt32
  /// An IPv4 or IPv6 address, or a host name (mDNS) as it was written.
  public var address: String
  /// 9 for TCP candidates that only connect out.
  public var port: UInt16
  /// "host", "srflx", "prflx", "relay"; others may come and are to be passed over.
  public var type: String
  /// The base of a candidate that is not a host's own address (`raddr`).
  public var relatedAddress: String?
  /// `rport`.
  public var relatedPort: UInt16?
  /// "active", "passive" or "so" of a TCP candidate (RFC 6544 section 4.5).
  public var tcpType: String?
  /// `generation`, `ufrag`, `network-cost` and others, in order.
  public var extensions: [Attribute]

  public init(
    foundation: String, component: UInt16 = 1, transport: String, priority: UInt32, address: String, port: UInt16,
    type: String, relatedAddress: String? = nil, relatedPort: UInt16? = nil, tcpType: String? = nil,
    extensions: [Attribute] = []
  ) {
    self.foundation = foundation
    self.component = component
    self.transport = transport
    self.priority = priority
    self.address = address
    self.port = port
    self.type = type
    self.relatedAddress = relatedAddress
    self.relatedPort = relatedPort
    self.tcpType = tcpType
    self.extensions = extensions
  }

  /// Reads what follows `candidate:`; nil when it is not a candidate. An unpaired word at the end is left out.
  public init?(parsing text: Substring) {
    let fields = text.fields()
    guard fields.count >= 8, fields[0].isVisible(upTo: 32), let component = fields[1].decimal(as: UInt16.self),
      (1...256).contains(component), fields[2].isToken(upTo: 16), let priority = fields[3].decimal(as: UInt32.self),
      fields[4].isVisible(upTo: 255), let port = fields[5].decimal(as: UInt16.self), fields[6] == "typ",
      fields[7].isToken(upTo: 16)
    else { return nil }
    self.init(
      foundation: String(fields[0]), component: component, transport: fields[2].lowercased(), priority: priority,
      address: String(fields[4]), port: port, type: String(fields[7]))
    for index in stride(from: 8, to: fields.count - 1, by: 2) {
      guard readExtension(fields[index], fields[index + 1]) else { return nil }
    }
  }

  private mutating func readExtension(_ name: Substring, _ value: Substring) -> Bool {
    switch name {
    case "raddr" where relatedAddress == nil:
      guard value.isVisible(upTo: 255) else { return false }
      relatedAddress = String(value)
    case "rport" where relatedPort == nil:
      guard let port = value.decimal(as: UInt16.self) else { return false }
      relatedPort = port
    case "tcptype" where tcpType == nil:
      guard value.isToken(upTo: 16) else { return false }
      tcpType = String(value)
    default:
      extensions.append(Attribute(name: String(name), value: String(value)))
    }
    return true
  }

  /// What follows `candidate:`.
  public var text: String {
    var words = [foundation, "\(component)", transport, "\(priority)", address, "\(port)", "typ", type]
    if let relatedAddress { words += ["raddr", relatedAddress] }
    if let relatedPort { words += ["rport", "\(relatedPort)"] }
    if let tcpType { words += ["tcptype", tcpType] }
    for entry in extensions { words += [entry.name, entry.value ?? ""] }
    return words.joined(separator: " ")
  }
}
