/// Candidates sent after the description: `application/trickle-ice-sdpfrag` (RFC 8840 section 9), as WHIP sends them by PATCH.
///
/// New credentials in it ask for an ICE restart (RFC 9725 section 4.3.3).
public struct TrickleFragment: Hashable, Sendable {
  /// What stands below one pseudo `m=` line.
  public struct Section: Hashable, Sendable {
    /// The `m=` line without its type, as it came; nil for candidates before any such line.
    public var mediaLine: String?
    /// `a=mid`.
    public var mid: String?
    /// `a=ice-ufrag` below the line.
    public var usernameFragment: String?
    /// `a=ice-pwd` below the line.
    public var password: String?
    /// In order.
    public var candidates: [CandidateAttribute]
    /// `a=end-of-candidates` below the line.
    public var hasEndOfCandidates: Bool

    public init(
      mediaLine: String? = "audio 9 UDP/TLS/RTP/SAVPF 0", mid: String? = nil, candidates: [CandidateAttribute] = [],
      hasEndOfCandidates: Bool = false
    ) {
      self.mediaLine = mediaLine
      self.mid = mid
      self.candidates = candidates
      self.hasEndOfCandidates = hasEndOfCandidates
    }
  }

  /// `a=ice-ufrag` before the first line.
  public var usernameFragment: String?
  /// `a=ice-pwd` before the first line.
  public var password: String?
  /// `a=ice-options`.
  public var iceOptions: [String]
  /// `a=ice-lite`.
  public var isICELite: Bool
  /// `a=group`, in order.
  public var groups: [MediaGroup]
  /// In order.
  public var sections: [Section]

  public init(credentials: CredentialAttributes? = nil, sections: [Section] = []) {
    usernameFragment = credentials?.usernameFragment
    password = credentials?.password
    iceOptions = []
    isICELite = false
    groups = []
    self.sections = sections
  }

  /// The credentials the candidates belong to: of the fragment, else of its first section that has both.
  public var credentials: CredentialAttributes? {
    if let usernameFragment, let password {
      return CredentialAttributes(usernameFragment: usernameFragment, password: password)
    }
    for section in sections {
      if let usernameFragment = section.usernameFragment ?? usernameFragment, let password = section.password ?? password {
        return CredentialAttributes(usernameFragment: usernameFragment, password: password)
      }
    }
    return nil
  }

  /// All candidates, in order: with BUNDLE they are for the one transport.
  public var candidates: [CandidateAttribute] { sections.flatMap { $0.candidates } }

  /// Whether the writer says that no more candidates follow.
  public var hasEndOfCandidates: Bool { sections.contains { $0.hasEndOfCandidates } }

  /// Reads a fragment from its bytes; total, like the reading of descriptions.
  public init(parsing bytes: [UInt8], limits: SDPLimits = SDPLimits()) throws(SDPError) {
    self.init()
    var attributeCount = 0
    for line in try LineReader.lines(of: bytes, limits: limits) {
      switch line.type {
      case UInt8(ascii: "m"):
        try readMedia(line, limits)
        attributeCount = 0
      case UInt8(ascii: "a"):
        attributeCount += 1
        guard attributeCount <= limits.attributeCountPerSection else {
          throw SDPError(.tooLarge, line: line.number, "there are more than \(limits.attributeCountPerSection) attributes.")
        }
        try readAttribute(line)
      default:
        // Some clients send a whole description: what is not about candidates is passed over.
        break
      }
    }
  }

  /// Reads a fragment from text.
  public init(parsing text: String, limits: SDPLimits = SDPLimits()) throws(SDPError) {
    try self.init(parsing: Array(text.utf8), limits: limits)
  }

  private mutating func readMedia(_ line: SDPLine, _ limits: SDPLimits) throws(SDPError) {
    guard sections.count < limits.mediaCount else {
      throw SDPError(.tooLarge, line: line.number, "there are more than \(limits.mediaCount) m= lines.")
    }
    guard line.value.fields().count >= 4 else {
      throw line.error("write m=KIND PORT PROTOCOL FORMAT, such as m=audio 9 UDP/TLS/RTP/SAVPF 0.")
    }
    sections.append(Section(mediaLine: String(line.value)))
  }

  private mutating func readAttribute(_ line: SDPLine) throws(SDPError) {
    let (name, value) = try line.attribute()
    switch name {
    case "ice-ufrag": try readCredential(line.iceText(value, form: "a=ice-ufrag:TEXT"), \.usernameFragment, \.usernameFragment)
    case "ice-pwd": try readCredential(line.iceText(value, form: "a=ice-pwd:TEXT"), \.password, \.password)
    case "ice-options": iceOptions = try line.options(value)
    case "ice-lite": isICELite = true
    case "group": groups.append(try line.value(value, form: "a=group:BUNDLE MID …") { MediaGroup($0) })
    case "mid":
      let mid = try line.value(value, form: "a=mid:TOKEN") { $0.isToken(upTo: 64) ? String($0) : nil }
      withLastSection { $0.mid = mid }
    case "candidate":
      let candidate = try line.candidate(value)
      withLastSection { $0.candidates.append(candidate) }
    case "end-of-candidates": withLastSection { $0.hasEndOfCandidates = true }
    default: break
    }
  }

  private mutating func readCredential(
    _ text: String, _ session: WritableKeyPath<TrickleFragment, String?>, _ section: WritableKeyPath<Section, String?>
  ) {
    if sections.isEmpty {
      self[keyPath: session] = text
    } else {
      withLastSection { $0[keyPath: section] = text }
    }
  }

  private mutating func withLastSection(_ change: (inout Section) -> Void) {
    if sections.isEmpty { sections.append(Section(mediaLine: nil)) }
    change(&sections[sections.count - 1])
  }

  /// The fragment as text, with CRLF after every line.
  public var text: String {
    var printer = LinePrinter()
    for group in groups { printer.attribute("group", group.text) }
    printer.flag("ice-lite", isICELite)
    if !iceOptions.isEmpty { printer.attribute("ice-options", iceOptions.joined(separator: " ")) }
    printer.optional("ice-ufrag", usernameFragment)
    printer.optional("ice-pwd", password)
    for section in sections {
      if let mediaLine = section.mediaLine { printer.line("m", mediaLine) }
      printer.optional("mid", section.mid)
      printer.optional("ice-ufrag", section.usernameFragment)
      printer.optional("ice-pwd", section.password)
      for candidate in section.candidates { printer.attribute("candidate", candidate.text) }
      printer.flag("end-of-candidates", section.hasEndOfCandidates)
    }
    return printer.text
  }
}
