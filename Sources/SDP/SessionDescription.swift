/// A session description (RFC 8866) as WebRTC uses it (RFC 8829): the session part and its media parts, in order.
///
/// Attributes of either part that have a field here are read into it; the rest are kept in `otherAttributes`.
/// `SessionDescription(parsing:)` reads the text, ``text`` prints it, and reading what was printed gives an equal value.
public struct SessionDescription: Hashable, Sendable {
  /// `o=`.
  public var origin: Origin
  /// `s=`; "-" for none.
  public var sessionName: String
  /// `t=`; both 0 mean: not bounded.
  public var startTime: UInt64
  /// The second number of `t=`.
  public var stopTime: UInt64
  /// `c=` of the session part.
  public var connection: ConnectionData?
  /// `b=` of the session part, in order.
  public var bandwidths: [Bandwidth]
  /// `a=group`, in order.
  public var groups: [MediaGroup]
  /// `a=ice-lite`: the writer only answers checks (RFC 8445 section 2.5).
  public var isICELite: Bool
  /// "trickle", "ice2", "renomination" …
  public var iceOptions: [String]
  /// `a=ice-ufrag`, for lines without their own.
  public var usernameFragment: String?
  /// `a=ice-pwd`, for lines without their own.
  public var password: String?
  /// `a=fingerprint`, for lines without their own.
  public var fingerprints: [FingerprintAttribute]
  /// `a=setup`, for lines without their own.
  public var setup: SetupRole?
  /// The text of each `a=msid-semantic`.
  public var msidSemantics: [String]
  /// `a=extmap-allow-mixed` (RFC 8285 section 6).
  public var allowsMixedExtensionForms: Bool
  /// The direction of lines without their own; nil means sendrecv.
  public var direction: MediaDirection?
  /// `a=extmap` that holds for every line.
  public var extensions: [ExtmapAttribute]
  /// What has no field here, in order.
  public var otherAttributes: [Attribute]
  /// The media parts; their order is their identity in later offers.
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
  /// "-" for none.
  public var username: String
  /// A number in the words of the writer; with the other fields it names the session for good.
  public var sessionID: String
  /// Higher in every later description of the same session.
  public var version: UInt64
  /// Where the session was made; says nothing about where media goes.
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
  /// As written: IPv4, IPv6 or a host name.
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
  /// In the unit of the type.
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
