/// A session description (RFC 8866) as WebRTC uses it (RFC 8829): the session part and its media parts, in order.
///
/// Attributes of either part that have a field here are read into it; the rest are kept in `otherAttributes`.
/// `SessionDescription(parsing:)` reads the text, ``text`` prints it, and reading what was printed gives an equal value.
public struct SessionDescription: Hashable, Sendable {
  public var origin: Origin
  public var sessionName: String
  /// `t=`; both 0 mean: not bounded.
  public var startTime: UInt64
  public var stopTime: UInt64
  public var connection: ConnectionData?
  public var bandwidths: [Bandwidth]
  public var groups: [MediaGroup]
  public var isICELite: Bool
  /// "trickle", "ice2", "renomination" …
  public var iceOptions: [String]
  public var usernameFragment: String?
  public var password: String?
  public var fingerprints: [FingerprintAttribute]
  public var setup: SetupRole?
  /// The text of each `a=msid-semantic`.
  public var msidSemantics: [String]
  public var allowsMixedExtensionForms: Bool
  public var direction: MediaDirection?
  public var extensions: [ExtmapAttribute]
  public var otherAttributes: [Attribute]
  public var media: [MediaDescription]

  public init(origin: Origin, sessionName: String = "-", media: [MediaDescription] = []) {
    self.origin = origin
    self.sessionName = sessionName
    self.media = media
    startTime = 0
    stopTime = 0
    bandwidths = []
    groups = []
    isICELite = false
    iceOptions = []
    fingerprints = []
    msidSemantics = []
    allowsMixedExtensionForms = false
    extensions = []
    otherAttributes = []
  }
}

/// `o=`: who wrote the description, and how often it was changed.
public struct Origin: Hashable, Sendable {
  public var username: String
  public var sessionID: String
  /// Higher in every later description of the same session.
  public var version: UInt64
  public var address: ConnectionData

  public init(
    username: String = "-", sessionID: String, version: UInt64,
    address: ConnectionData = ConnectionData(addressType: "IP4", address: "127.0.0.1")
  ) {
    self.username = username
    self.sessionID = sessionID
    self.version = version
    self.address = address
  }

  init?(_ text: Substring) {
    let fields = text.fields()
    guard fields.count == 6, fields[0].utf8.count <= 256, fields[1].isVisible(upTo: 64),
      let version = fields[2].decimal(as: UInt64.self),
      let address = ConnectionData(fields[3...5])
    else { return nil }
    self.init(username: String(fields[0]), sessionID: String(fields[1]), version: version, address: address)
  }

  var text: String { "\(username) \(sessionID) \(version) \(address.text)" }
}

/// `c=`: an address of the Internet ("IN"), as text; with ICE it says nothing (RFC 8839 section 4.2.1.3).
public struct ConnectionData: Hashable, Sendable {
  /// "IP4" or "IP6".
  public var addressType: String
  public var address: String

  public init(addressType: String, address: String) {
    self.addressType = addressType
    self.address = address
  }

  /// What stands where ICE decides: any address.
  public static let unspecified = ConnectionData(addressType: "IP4", address: "0.0.0.0")

  init?(_ fields: ArraySlice<Substring>) {
    guard fields.count == 3, fields[fields.startIndex] == "IN", fields[fields.startIndex + 1].isToken(upTo: 8),
      fields[fields.startIndex + 2].isVisible(upTo: 255)
    else { return nil }
    self.init(addressType: String(fields[fields.startIndex + 1]), address: String(fields[fields.startIndex + 2]))
  }

  var text: String { "IN \(addressType) \(address)" }
}

/// `b=`: how much may be sent to the writer.
public struct Bandwidth: Hashable, Sendable {
  /// "AS" (kilobits per second) or "TIAS" (bits per second, RFC 3890); others are kept.
  public var type: String
  public var value: UInt64

  public init(type: String, value: UInt64) {
    self.type = type
    self.value = value
  }

  init?(_ text: Substring) {
    guard let (type, value) = text.cut(at: .colon), type.isToken(upTo: 32), let value = value.trimmed.decimal(as: UInt64.self)
    else {
      return nil
    }
    self.init(type: String(type), value: value)
  }

  /// In bits per second; nil for types that limit something else.
  public var bitsPerSecond: UInt64? {
    switch type {
    case "TIAS": value
    case "AS": value.multipliedReportingOverflow(by: 1_000).overflow ? .max : value &* 1_000
    default: nil
    }
  }

  var text: String { "\(type):\(value)" }
}
