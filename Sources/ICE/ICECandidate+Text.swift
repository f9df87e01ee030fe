/// Why a candidate line was refused.
public enum ICECandidateError: Error, Hashable, Sendable {
  /// Longer than 1024 bytes.
  case tooLong
  /// Not of the form RFC 8839 section 5.1 gives; the text names the part.
  case malformed(String)
}

extension ICECandidate: CustomStringConvertible {
  /// Parses the value of the SDP attribute, with or without `a=` before `candidate:`.
  ///
  /// - Returns: nil for a well-formed line that is of no use: a host name, `.local` ones of mDNS included, which are never
  ///   resolved; a transport other than UDP and TCP; a kind nobody defined.
  public static func parse(_ line: String) throws(ICECandidateError) -> ICECandidate? {
    guard line.utf8.count <= 1024 else { throw .tooLong }
    var text = line.drop(while: \.isWhitespace)
    if text.hasPrefix("a=") { text = text.dropFirst(2) }
    guard text.hasPrefix("candidate:") else { throw .malformed("candidate:") }
    let words = text.dropFirst(10).split(whereSeparator: \.isWhitespace)
    guard words.count >= 8, words[6] == "typ" else { throw .malformed("fields") }
    guard (1...32).contains(words[0].utf8.count), words[0].utf8.allSatisfy(ICECredentials.isICECharacter) else {
      throw .malformed("foundation")
    }
    guard let component = UInt16(words[1]), (1...256).contains(component) else { throw .malformed("component") }
    guard let priority = UInt32(words[3]), priority > 0 else { throw .malformed("priority") }
    guard let port = TransportAddress.parsePort(words[5]) else { throw .malformed("port") }
    let extensions = try Extensions(words[8...])
    guard let transport = transport(words[2]), let address = TransportAddress(host: words[4], port: port),
      let kind = Kind(rawValue: words[7].lowercased())
    else { return nil }
    guard (transport == .tcp) == (extensions.tcpType != nil) else { throw .malformed("tcptype") }
    return ICECandidate(
      foundation: String(words[0]), component: component, transport: transport, priority: priority, address: address,
      kind: kind,
      tcpType: extensions.tcpType, related: extensions.related, ufrag: extensions.ufrag)
  }

  private static func transport(_ word: Substring) -> TransportProtocol? {
    switch word.lowercased() {
    case "udp": .udp
    case "tcp": .tcp
    default: nil
    }
  }

  /// What follows `typ`: pairs of a name and a value, those nobody knows ignored.
  private struct Extensions {
    var tcpType: TCPType?
    var related: TransportAddress?
    var ufrag: String?

    init(_ words: ArraySlice<Substring>) throws(ICECandidateError) {
      var relatedHost: Substring?
      var rest = words
      while let name = rest.popFirst() {
        guard let value = rest.popFirst() else { throw .malformed(name == "tcptype" ? "tcptype" : "extension") }
        switch name {
        case "tcptype":
          guard let type = TCPType(rawValue: value.lowercased()) else { throw .malformed("tcptype") }
          tcpType = type
        case "raddr": relatedHost = value
        case "rport":
          guard let port = TransportAddress.parsePort(value) else { throw .malformed("rport") }
          related = relatedHost.flatMap { TransportAddress(host: $0, port: port) }
        case "ufrag": ufrag = String(value)
        default: break
        }
      }
    }
  }

  /// The value of the SDP attribute: `candidate:…`, without `a=`.
  public var description: String {
    var text =
      "candidate:\(foundation) \(component) \(transport) \(priority) \(address.host) \(address.port) typ \(kind.rawValue)"
    if let related { text += " raddr \(related.host) rport \(related.port)" }
    if let tcpType { text += " tcptype \(tcpType.rawValue)" }
    if let ufrag { text += " ufrag \(ufrag)" }
    return text
  }
}
