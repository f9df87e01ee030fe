extension SessionDescription: CustomStringConvertible {
  /// The description as RFC 8866 orders it, with CRLF after every line.
  public var text: String {
    var printer = LinePrinter()
    printer.print(self)
    return printer.text
  }

  public var description: String { text }
}

/// Appends lines. Carriage returns, line feeds and NULs inside a value are left out, so that no name can add a line.
struct LinePrinter {
  private var bytes: [UInt8] = []

  var text: String { String(decoding: bytes, as: UTF8.self) }

  mutating func line(_ type: Character, _ value: String) {
    bytes.append(contentsOf: String(type).utf8)
    bytes.append(.equals)
    bytes.append(contentsOf: value.utf8.lazy.filter { $0 != 0x0D && $0 != 0x0A && $0 != 0 })
    bytes.append(0x0D)
    bytes.append(0x0A)
  }

  mutating func attribute(_ name: String, _ value: String? = nil) {
    line("a", value.map { "\(name):\($0)" } ?? name)
  }

  mutating func flag(_ name: String, _ isSet: Bool) {
    if isSet { attribute(name) }
  }

  mutating func optional(_ name: String, _ value: String?) {
    if let value { attribute(name, value) }
  }

  mutating func print(_ session: SessionDescription) {
    line("v", "0")
    line("o", session.origin.text)
    line("s", session.sessionName)
    if let connection = session.connection { line("c", connection.text) }
    for bandwidth in session.bandwidths { line("b", bandwidth.text) }
    line("t", "\(session.startTime) \(session.stopTime)")
    for group in session.groups { attribute("group", group.text) }
    flag("extmap-allow-mixed", session.allowsMixedExtensionForms)
    for semantic in session.msidSemantics { attribute("msid-semantic", semantic) }
    flag("ice-lite", session.isICELite)
    optional("ice-ufrag", session.usernameFragment)
    optional("ice-pwd", session.password)
    if !session.iceOptions.isEmpty { attribute("ice-options", session.iceOptions.joined(separator: " ")) }
    for fingerprint in session.fingerprints { attribute("fingerprint", fingerprint.text) }
    optional("setup", session.setup?.rawValue)
    for entry in session.extensions { attribute("extmap", entry.text) }
    if let direction = session.direction { attribute(direction.rawValue) }
    for other in session.otherAttributes { line("a", other.text) }
    for media in session.media { print(media) }
  }

  private mutating func print(_ media: MediaDescription) {
    line("m", "\(media.kind) \(media.port) \(media.transportProtocol) \(media.formats.joined(separator: " "))")
    if let connection = media.connection { line("c", connection.text) }
    for bandwidth in media.bandwidths { line("b", bandwidth.text) }
    printTransport(media)
    optional("mid", media.mid)
    for entry in media.extensions { attribute("extmap", entry.text) }
    flag("extmap-allow-mixed", media.allowsMixedExtensionForms)
    if let direction = media.direction { attribute(direction.rawValue) }
    for msid in media.msids { attribute("msid", msid.text) }
    flag("rtcp-mux", media.usesRTCPMux)
    flag("rtcp-mux-only", media.requiresRTCPMux)
    flag("rtcp-rsize", media.usesReducedSizeRTCP)
    flag("bundle-only", media.isBundleOnly)
    printFormats(media)
    printStreams(media)
    for other in media.otherAttributes { line("a", other.text) }
  }

  private mutating func printTransport(_ media: MediaDescription) {
    for candidate in media.candidates { attribute("candidate", candidate.text) }
    flag("end-of-candidates", media.hasEndOfCandidates)
    optional("ice-ufrag", media.usernameFragment)
    optional("ice-pwd", media.password)
    if !media.iceOptions.isEmpty { attribute("ice-options", media.iceOptions.joined(separator: " ")) }
    for fingerprint in media.fingerprints { attribute("fingerprint", fingerprint.text) }
    optional("setup", media.setup?.rawValue)
  }

  private mutating func printFormats(_ media: MediaDescription) {
    for feedback in media.feedbackForAll { attribute("rtcp-fb", "* \(feedback)") }
    for payload in media.payloads {
      optional("rtpmap", payload.mapping.map { "\(payload.payloadType) \($0)" })
      for feedback in payload.feedback { attribute("rtcp-fb", "\(payload.payloadType) \(feedback)") }
      if !payload.parameters.isEmpty { attribute("fmtp", "\(payload.payloadType) \(payload.parameters)") }
    }
    optional("ptime", media.packetTimeMicroseconds.map(Self.milliseconds))
    optional("maxptime", media.maxPacketTimeMicroseconds.map(Self.milliseconds))
  }

  /// Microseconds as milliseconds, with three decimals where they are not whole.
  private static func milliseconds(_ microseconds: Int) -> String {
    let magnitude = microseconds.magnitude
    let sign = microseconds < 0 ? "-" : ""
    let rest = magnitude % 1_000
    let decimals = rest == 0 ? "" : "." + String("00\(rest)".suffix(3))
    return "\(sign)\(magnitude / 1_000)\(decimals)"
  }

  private mutating func printStreams(_ media: MediaDescription) {
    for rid in media.rids { attribute("rid", rid.text) }
    optional("simulcast", media.simulcast?.text)
    for group in media.sourceGroups { attribute("ssrc-group", group.text) }
    for source in media.sources {
      for entry in source.attributes { attribute("ssrc", "\(source.ssrc) \(entry.text)") }
    }
  }
}
