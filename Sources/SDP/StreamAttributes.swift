/// Everything `a=ssrc` lines say about one synchronization source (RFC 5576 section 4.1).
public struct SourceDescription: Hashable, Sendable {
  /// Its identifier on the wire.
  public var ssrc: UInt32
  /// `cname:…`, `msid:…` and others, in order.
  public var attributes: [Attribute]

  public init(ssrc: UInt32, attributes: [Attribute]) {
    self.ssrc = ssrc
    self.attributes = attributes
  }

  /// The canonical name, by which sound and picture of one sender are known to belong together (RFC 3550 section 6.5.1).
  public var cname: String? { attributes.first { $0.name == "cname" }?.value }

  /// The stream and track written with this source, as older browsers do.
  public var msid: MSIDAttribute? { attributes.first { $0.name == "msid" }?.value.flatMap { MSIDAttribute($0[...]) } }
}

/// `a=ssrc-group`: FID pairs a source with its retransmissions, SIM lists simulcast layers (RFC 5576 section 4.2).
public struct SourceGroup: Hashable, Sendable {
  /// "FID", "SIM", "FEC-FR" …
  public var semantics: String
  /// In order; what comes first is repaired by what follows it in FID.
  public var ssrcs: [UInt32]

  public init(semantics: String, ssrcs: [UInt32]) {
    self.semantics = semantics
    self.ssrcs = ssrcs
  }

  init?(_ text: Substring) {
    let fields = text.fields()
    guard let semantics = fields.first, semantics.isToken(upTo: 32), fields.count >= 2 else { return nil }
    let ssrcs = fields.dropFirst().compactMap { $0.decimal(as: UInt32.self) }
    guard ssrcs.count == fields.count - 1 else { return nil }
    self.init(semantics: String(semantics), ssrcs: ssrcs)
  }

  var text: String { ([semantics] + ssrcs.map { String($0) }).joined(separator: " ") }
}

/// `a=msid`: which MediaStream and track a media line carries (RFC 8830). "-" as stream means none.
public struct MSIDAttribute: Hashable, Sendable {
  /// Tracks of one stream are played in step.
  public var stream: String
  /// nil when not written.
  public var track: String?

  public init(stream: String, track: String? = nil) {
    self.stream = stream
    self.track = track
  }

  init?(_ text: Substring) {
    let fields = text.fields(count: 3)
    guard let stream = fields.first, stream.isVisible(upTo: 256) else { return nil }
    if fields.count > 1 {
      guard fields[1].isVisible(upTo: 256) else { return nil }
      self.init(stream: String(stream), track: String(fields[1]))
    } else {
      self.init(stream: String(stream))
    }
  }

  var text: String { stream + (track.map { " \($0)" } ?? "") }
}

/// `a=rid`: a name for one encoding and what restricts it (RFC 8851).
public struct RIDAttribute: Hashable, Sendable {
  /// Who sends the encoding, from the side of the writer.
  public enum Direction: String, Hashable, Sendable {
    case send, recv
  }

  /// Letters, digits, "-" and "_".
  public var id: String
  /// Seen from the writer.
  public var direction: Direction
  /// `pt=…`, `max-width=…` and others.
  public var restrictions: FormatParameters

  public init(id: String, direction: Direction, restrictions: FormatParameters = FormatParameters()) {
    self.id = id
    self.direction = direction
    self.restrictions = restrictions
  }

  init?(_ text: Substring) {
    let fields = text.fields(count: 3)
    guard fields.count >= 2, Self.isValid(fields[0]), let direction = Direction(rawValue: String(fields[1])) else { return nil }
    self.init(
      id: String(fields[0]), direction: direction,
      restrictions: fields.count > 2 ? FormatParameters(parsing: fields[2]) : FormatParameters())
  }

  /// Header extensions carry at most 255 bytes; nobody uses more than a few.
  static func isValid(_ id: Substring) -> Bool {
    id.isToken(upTo: 64) && id.utf8.allSatisfy { $0.isDigit || ($0 | 0x20).isLetter || $0 == 0x2D || $0 == 0x5F }
  }

  var text: String { "\(id) \(direction.rawValue)" + (restrictions.isEmpty ? "" : " \(restrictions)") }
}

extension UInt8 {
  fileprivate var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) }
}

/// `a=simulcast`: which encodings are sent or received beside one another (RFC 8853).
public struct SimulcastAttribute: Hashable, Sendable {
  /// One encoding, perhaps offered but not started yet ("~").
  public struct Encoding: Hashable, Sendable {
    /// `a=rid` of the encoding.
    public var rid: String
    /// Whether it is not sent at first.
    public var isPaused: Bool

    public init(rid: String, isPaused: Bool = false) {
      self.rid = rid
      self.isPaused = isPaused
    }
  }

  /// Streams in order, each with its alternatives in order of preference.
  public var send: [[Encoding]]
  /// The same for what is received.
  public var receive: [[Encoding]]

  public init(send: [[Encoding]] = [], receive: [[Encoding]] = []) {
    self.send = send
    self.receive = receive
  }

  /// Reads RFC 8853, and the `send rid=a;b` of its drafts; lists of payload types (`pt=`) there are left out.
  init?(_ text: Substring) {
    self.init()
    let fields = text.fields()
    guard fields.count == 2 || fields.count == 4 else { return nil }
    for index in stride(from: 0, to: fields.count, by: 2) {
      guard let streams = Self.streams(fields[index + 1]) else { return nil }
      switch fields[index] {
      case "send" where send.isEmpty: send = streams
      case "recv" where receive.isEmpty: receive = streams
      default: return nil
      }
    }
  }

  private static func streams(_ text: Substring) -> [[Encoding]]? {
    if text.hasPrefix("pt=") { return [] }
    let list = text.hasPrefix("rid=") ? text.dropFirst(4) : text
    var streams: [[Encoding]] = []
    for stream in list.fields(separatedBy: .semicolon) {
      var alternatives: [Encoding] = []
      for alternative in stream.fields(separatedBy: .comma) {
        let isPaused = alternative.hasPrefix("~")
        let rid = isPaused ? alternative.dropFirst() : alternative
        guard RIDAttribute.isValid(rid) else { return nil }
        alternatives.append(Encoding(rid: String(rid), isPaused: isPaused))
      }
      guard !alternatives.isEmpty else { return nil }
      streams.append(alternatives)
    }
    return streams.isEmpty ? nil : streams
  }

  var isEmpty: Bool { send.isEmpty && receive.isEmpty }

  var text: String {
    func list(_ streams: [[Encoding]]) -> String {
      streams.map { $0.map { ($0.isPaused ? "~" : "") + $0.rid }.joined(separator: ",") }.joined(separator: ";")
    }
    return [send.isEmpty ? nil : "send " + list(send), receive.isEmpty ? nil : "recv " + list(receive)]
      .compactMap { $0 }.joined(separator: " ")
  }
}
