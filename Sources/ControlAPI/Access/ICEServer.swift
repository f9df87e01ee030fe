/// A STUN or TURN server that clients are told of in `Link` headers (RFC 9725 section 4.6).
package struct ICEServer: Sendable {
  /// `stun:host:port` or `turn:host:port?transport=udp`
  package var url: String
  package var username: String?
  package var credential: String?
  /// What the TURN server and this one share: user names and credentials are made of it anew for each client, and end by themselves
  /// (draft-uberti-behave-turn-rest-00).
  package var secret: [UInt8]?
  /// How long those are good.
  package var ttlSeconds: Int

  package init(
    url: String, username: String? = nil, credential: String? = nil, secret: [UInt8]? = nil, ttlSeconds: Int = 86_400
  ) {
    self.url = url
    self.username = username
    self.credential = credential
    self.secret = secret
    self.ttlSeconds = ttlSeconds
  }

  /// Whether only those are told of it who may come in: its capacity is not for everybody.
  var isConfidential: Bool { secret != nil || credential != nil }

  /// Value of a Link header.
  ///
  /// - Parameters:
  ///   - subject: who it is for, as far as that is known; the TURN server logs it.
  ///   - now: seconds since 1970.
  func link(for subject: String?, now: Int) -> String {
    var (username, credential) = (username, credential)
    if let secret {
      let name = "\(now &+ ttlSeconds):\(subject.map { $0.isEmpty ? "guest" : $0 } ?? "guest")"
      username = name
      credential = Base64.encode(Cryptography.hmacSHA1(key: secret, Array(name.utf8)))
    }
    var text = "<\(url.filter { $0 != "<" && $0 != ">" })>; rel=\"ice-server\""
    if let username { text += "; username=\(Self.quoted(username))" }
    if let credential { text += "; credential=\(Self.quoted(credential)); credential-type=\"password\"" }
    return text
  }

  /// A quoted string (RFC 9110 section 5.6.4), of what may stand in one.
  private static func quoted(_ text: String) -> String {
    let kept = text.unicodeScalars.filter { $0.value >= 0x20 && $0.value < 0x7F }
    return "\"" + kept.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
  }
}
