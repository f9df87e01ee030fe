extension SessionDescription {
  /// Reads a description from its bytes.
  ///
  /// Total: any bytes give a value or an ``SDPError`` with the line and what to do. Lines of RFC 8866 which WebRTC has no use
  /// for (`i u e p r z k`) are passed over, unknown attributes kept.
  public init(parsing bytes: [UInt8], limits: SDPLimits = SDPLimits()) throws(SDPError) {
    self = try SessionParser.parse(LineReader.lines(of: bytes, limits: limits), limits: limits)
  }

  /// Reads a description from text.
  public init(parsing text: String, limits: SDPLimits = SDPLimits()) throws(SDPError) {
    try self.init(parsing: Array(text.utf8), limits: limits)
  }
}

/// Reads the lines in order: session part until the first `m=`, then one media part after another.
struct SessionParser {
  private var session: SessionDescription
  private var attributeCount = 0
  private var mids: Set<String> = []
  private let limits: SDPLimits

  static func parse(_ lines: [SDPLine], limits: SDPLimits) throws(SDPError) -> SessionDescription {
    guard let first = lines.first, first.type == UInt8(ascii: "v"), first.value == "0" else {
      throw SDPError(.missingLine, line: lines.first?.number ?? 0, "the description must begin with v=0.")
    }
    guard lines.count > 1, lines[1].type == UInt8(ascii: "o") else {
      throw SDPError(.missingLine, line: lines.count > 1 ? lines[1].number : first.number, "an o= line must follow v=0.")
    }
    guard let origin = Origin(lines[1].value) else {
      throw lines[1].error("write o=USERNAME SESSION-ID VERSION IN IP4|IP6 ADDRESS, with a number as version.")
    }
    var parser = SessionParser(session: SessionDescription(origin: origin), limits: limits)
    for line in lines.dropFirst(2) { try parser.read(line) }
    return parser.session
  }

  private init(session: SessionDescription, limits: SDPLimits) {
    self.session = session
    self.limits = limits
  }

  private mutating func read(_ line: SDPLine) throws(SDPError) {
    switch line.type {
    case UInt8(ascii: "s"): session.sessionName = line.value.isEmpty ? "-" : String(line.value)
    case UInt8(ascii: "t"): try readTiming(line)
    case UInt8(ascii: "c"): try readConnection(line)
    case UInt8(ascii: "b"): try readBandwidth(line)
    case UInt8(ascii: "a"): try readAttribute(line)
    case UInt8(ascii: "m"): try readMedia(line)
    case UInt8(ascii: "i"), UInt8(ascii: "u"), UInt8(ascii: "e"), UInt8(ascii: "p"), UInt8(ascii: "r"), UInt8(ascii: "z"),
      UInt8(ascii: "k"):
      break
    case UInt8(ascii: "v"), UInt8(ascii: "o"):
      throw SDPError(.malformedLine, line: line.number, "v= and o= stand once, at the beginning; send one description only.")
    default:
      throw SDPError(.malformedLine, line: line.number, "RFC 8866 knows no line of this type; remove it.")
    }
  }

  private mutating func readTiming(_ line: SDPLine) throws(SDPError) {
    let fields = line.value.fields()
    guard fields.count == 2, let start = fields[0].decimal(as: UInt64.self), let stop = fields[1].decimal(as: UInt64.self)
    else {
      throw line.error("write t=0 0.")
    }
    session.startTime = start
    session.stopTime = stop
  }

  private mutating func readConnection(_ line: SDPLine) throws(SDPError) {
    guard let connection = ConnectionData(line.value.fields()[...]) else {
      throw line.error("write c=IN IP4|IP6 ADDRESS, such as c=IN IP4 0.0.0.0.")
    }
    if session.media.isEmpty {
      session.connection = connection
    } else {
      session.media[session.media.count - 1].connection = connection
    }
  }

  private mutating func readBandwidth(_ line: SDPLine) throws(SDPError) {
    guard let bandwidth = Bandwidth(line.value) else { throw line.error("write b=TYPE:NUMBER, such as b=AS:2000.") }
    if session.media.isEmpty {
      session.bandwidths.append(bandwidth)
    } else {
      session.media[session.media.count - 1].bandwidths.append(bandwidth)
    }
  }

  private mutating func readMedia(_ line: SDPLine) throws(SDPError) {
    guard session.media.count < limits.mediaCount else {
      throw SDPError(.tooLarge, line: line.number, "there are more than \(limits.mediaCount) m= lines; offer fewer.")
    }
    let fields = line.value.fields()
    guard fields.count >= 4, fields[0].isToken(upTo: 32), let port = Self.port(fields[1]), fields[2].isVisible(upTo: 64),
      fields.dropFirst(3).allSatisfy({ $0.isVisible(upTo: 64) })
    else { throw line.error("write m=KIND PORT PROTOCOL FORMAT …, such as m=audio 9 UDP/TLS/RTP/SAVPF 111.") }
    session.media.append(
      MediaDescription(
        kind: String(fields[0]), port: port, transportProtocol: String(fields[2]),
        formats: fields.dropFirst(3).map { String($0) }))
    attributeCount = 0
  }

  /// The port of `PORT` or `PORT/COUNT`; the count is of no use where everything goes over one port.
  private static func port(_ text: Substring) -> UInt16? {
    guard let (port, count) = text.cut(at: .slash) else { return text.decimal(as: UInt16.self) }
    return count.decimal(as: UInt16.self) == nil ? nil : port.decimal(as: UInt16.self)
  }

  private mutating func readAttribute(_ line: SDPLine) throws(SDPError) {
    attributeCount += 1
    guard attributeCount <= limits.attributeCountPerSection else {
      throw SDPError(
        .tooLarge, line: line.number,
        "this part has more than \(limits.attributeCountPerSection) attributes; offer fewer codecs or candidates.")
    }
    let (name, value) = try line.attribute()
    guard !session.media.isEmpty else { return try session.read(name, value, line) }
    try session.media[session.media.count - 1].read(name, value, line)
    if name == "mid", let mid = session.media[session.media.count - 1].mid, !mids.insert(mid).inserted {
      throw line.error("a=mid \(String(quoting: mid[...])) stands twice; give each media line its own.")
    }
  }
}
