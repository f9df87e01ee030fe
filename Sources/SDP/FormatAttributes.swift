/// What is said about one payload type of a media line: `a=rtpmap`, `a=fmtp` and `a=rtcp-fb` together.
public struct PayloadDescription: Hashable, Sendable {
  /// 0…127.
  public var payloadType: UInt8
  /// The codec; nil for payload types that have only their number.
  public var mapping: RTPMap?
  /// `a=fmtp`; several lines are joined.
  public var parameters: FormatParameters
  /// `a=rtcp-fb`, in order.
  public var feedback: [FeedbackAttribute]

  public init(
    payloadType: UInt8, mapping: RTPMap? = nil, parameters: FormatParameters = FormatParameters(),
    feedback: [FeedbackAttribute] = []
  ) {
    self.payloadType = payloadType
    self.mapping = mapping
    self.parameters = parameters
    self.feedback = feedback
  }

  /// The codec: as mapped, else the static assignment of RFC 3551 section 6.
  public var encoding: RTPMap? { mapping ?? RTPMap.staticAssignment(of: payloadType) }
}

/// `a=rtpmap` without its payload type (RFC 8866 section 6.6).
public struct RTPMap: Hashable, Sendable, CustomStringConvertible {
  /// As written; codec names compare without regard to case.
  public var name: String
  /// Ticks of the RTP clock per second.
  public var clockRate: UInt32
  /// Number of channels; nil when not written, which means 1.
  public var channels: UInt8?

  public init(name: String, clockRate: UInt32, channels: UInt8? = nil) {
    self.name = name
    self.clockRate = clockRate
    self.channels = channels
  }

  init?(_ text: Substring) {
    let parts = text.trimmed.fields(separatedBy: .slash)
    guard (2...3).contains(parts.count), parts[0].isToken(upTo: 64), let rate = parts[1].decimal(as: UInt32.self), rate > 0
    else { return nil }
    if parts.count == 3 {
      guard let channels = parts[2].decimal(as: UInt8.self), channels > 0 else { return nil }
      self.init(name: String(parts[0]), clockRate: rate, channels: channels)
    } else {
      self.init(name: String(parts[0]), clockRate: rate)
    }
  }

  public var description: String { "\(name)/\(clockRate)" + (channels.map { "/\($0)" } ?? "") }

  static func staticAssignment(of payloadType: UInt8) -> RTPMap? {
    switch payloadType {
    case 0: RTPMap(name: "PCMU", clockRate: 8_000)
    case 8: RTPMap(name: "PCMA", clockRate: 8_000)
    case 9: RTPMap(name: "G722", clockRate: 8_000)
    default: nil
    }
  }
}

/// The parameters of an `a=fmtp` line, in order; names compare without regard to case.
public struct FormatParameters: Hashable, Sendable, ExpressibleByDictionaryLiteral, CustomStringConvertible {
  /// One `name=value`, or one word such as the `0-16` of telephone events.
  public struct Entry: Hashable, Sendable {
    /// As written.
    public var name: String
    /// nil for a word alone.
    public var value: String?

    public init(name: String, value: String?) {
      self.name = name
      self.value = value
    }
  }

  /// In order.
  public var entries: [Entry]

  public init(entries: [Entry] = []) { self.entries = entries }

  public init(dictionaryLiteral elements: (String, String)...) {
    entries = elements.map { Entry(name: $0.0, value: $0.1) }
  }

  /// Reads `name=value;name=value`; spaces around the parts and empty parts are left out.
  public init(parsing text: Substring) {
    entries = text.fields(separatedBy: .semicolon).compactMap { part in
      let part = part.trimmed
      guard let (name, value) = part.cut(at: .equals) else {
        return part.isEmpty ? nil : Entry(name: String(part), value: nil)
      }
      return Entry(name: String(name.trimmed), value: String(value.trimmed))
    }
  }

  /// The value of the first parameter of this name; setting nil removes every one.
  public subscript(name: String) -> String? {
    get { entries.first { $0.name.isEqualIgnoringCase(name) }?.value }
    set {
      guard let newValue else { return entries.removeAll { $0.name.isEqualIgnoringCase(name) } }
      if let index = entries.firstIndex(where: { $0.name.isEqualIgnoringCase(name) }) {
        entries[index].value = newValue
      } else {
        entries.append(Entry(name: name, value: newValue))
      }
    }
  }

  /// The value as a number; nil when absent or not digits.
  public func number(_ name: String) -> Int? { self[name]?[...].decimal() }

  /// Whether the value is 1.
  public func flag(_ name: String) -> Bool { self[name] == "1" }

  /// Whether there is none.
  public var isEmpty: Bool { entries.isEmpty }

  public var description: String {
    entries.map { entry in entry.value.map { "\(entry.name)=\($0)" } ?? entry.name }.joined(separator: ";")
  }
}

/// One kind of RTCP feedback, as `a=rtcp-fb` names it (RFC 4585 section 4.2): "nack", "nack pli", "ccm fir" …
public struct FeedbackAttribute: Hashable, Sendable, CustomStringConvertible {
  /// The words after the payload type, one space between them.
  public var text: String

  public init(_ text: String) { self.text = text[...].fields().joined(separator: " ") }

  /// Lost packets are asked for one by one.
  public static let nack = FeedbackAttribute("nack")
  /// A picture was lost.
  public static let pli = FeedbackAttribute("nack pli")
  /// A whole picture is asked for.
  public static let fir = FeedbackAttribute("ccm fir")
  /// The receiver estimates the bit rate.
  public static let remb = FeedbackAttribute("goog-remb")
  /// The sender estimates it from arrival times of every packet.
  public static let transportCC = FeedbackAttribute("transport-cc")

  public var description: String { text }
}

/// `a=extmap`: the number an RTP header extension goes by (RFC 8285 section 5).
public struct ExtmapAttribute: Hashable, Sendable {
  /// 1…14 fit the one-byte form, up to 255 the two-byte form.
  public var id: UInt16
  /// Who may send it, where that differs from the media line; nil when not written.
  public var direction: MediaDirection?
  /// Names the extension; compared byte by byte.
  public var uri: String
  /// What follows the URI, "" when nothing does.
  public var attributes: String

  public init(id: UInt16, direction: MediaDirection? = nil, uri: String, attributes: String = "") {
    self.id = id
    self.direction = direction
    self.uri = uri
    self.attributes = attributes
  }

  init?(_ text: Substring) {
    let fields = text.fields(count: 3)
    guard fields.count >= 2, fields[1].isVisible(upTo: 512) else { return nil }
    let mapping = fields[0].cut(at: .slash)
    guard let id = (mapping?.before ?? fields[0]).decimal(as: UInt16.self), id > 0 else { return nil }
    var direction: MediaDirection?
    if let mapping {
      direction = MediaDirection(rawValue: String(mapping.after))
      if direction == nil { return nil }
    }
    self.init(
      id: id, direction: direction, uri: String(fields[1]), attributes: fields.count > 2 ? String(fields[2].trimmed) : "")
  }

  var text: String {
    "\(id)" + (direction.map { "/\($0.rawValue)" } ?? "") + " \(uri)" + (attributes.isEmpty ? "" : " \(attributes)")
  }
}
