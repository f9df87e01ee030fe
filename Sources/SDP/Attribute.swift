/// An `a=` line that has no value of its own here: kept as it came and printed again.
public struct Attribute: Hashable, Sendable {
  /// What stands before the colon.
  public var name: String
  /// What follows the colon; nil for a flag such as `a=rtcp-mux`.
  public var value: String?

  public init(name: String, value: String? = nil) {
    self.name = name
    self.value = value
  }

  var text: String { value.map { "\(name):\($0)" } ?? name }
}

/// Who sends, seen from the side that wrote the description (RFC 8866 section 6.7).
public enum MediaDirection: String, Hashable, Sendable, CaseIterable {
  case sendrecv, sendonly, recvonly, inactive

  public init(sends: Bool, receives: Bool) {
    self = sends ? (receives ? .sendrecv : .sendonly) : (receives ? .recvonly : .inactive)
  }

  /// Whether the writer sends.
  public var sends: Bool { self == .sendrecv || self == .sendonly }
  /// Whether the writer receives.
  public var receives: Bool { self == .sendrecv || self == .recvonly }

  /// The same direction seen from the other side.
  public var reversed: MediaDirection { MediaDirection(sends: receives, receives: sends) }
}

/// Who opens the DTLS connection: `a=setup` (RFC 4145, RFC 8842).
public enum SetupRole: String, Hashable, Sendable, CaseIterable {
  /// Sends the ClientHello.
  case active
  /// Waits for it.
  case passive
  /// Leaves the choice to the answerer.
  case actpass
  case holdconn
}

/// `a=ice-ufrag` and `a=ice-pwd` of one side (RFC 8839 section 5.4).
public struct CredentialAttributes: Hashable, Sendable {
  /// Names the session in STUN; visible ASCII without ":".
  public var usernameFragment: String
  /// Key of the STUN message integrity.
  public var password: String

  public init(usernameFragment: String, password: String) {
    self.usernameFragment = usernameFragment
    self.password = password
  }
}

/// `a=fingerprint`: the hash of the certificate the writer will show in DTLS (RFC 8122 section 5).
public struct FingerprintAttribute: Hashable, Sendable {
  /// Name of the hash, lower case: "sha-256".
  public var algorithm: String
  /// Pairs of upper-case hexadecimal digits between colons.
  public var value: String

  public init(algorithm: String, value: String) {
    self.algorithm = algorithm.lowercased()
    self.value = value.uppercased()
  }

  /// From the hash itself.
  public init(algorithm: String, bytes: some Sequence<UInt8>) {
    let digits = Array("0123456789ABCDEF".utf8)
    var text: [UInt8] = []
    for byte in bytes {
      if !text.isEmpty { text.append(.colon) }
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    self.init(algorithm: algorithm, value: String(decoding: text, as: UTF8.self))
  }

  /// The hash as bytes; nil unless the value is whole pairs of hexadecimal digits.
  public var bytes: [UInt8]? {
    var bytes: [UInt8] = []
    for pair in value.utf8.split(separator: .colon, omittingEmptySubsequences: false) {
      guard pair.count == 2, let high = pair.first?.hexadecimalValue, let low = pair.last?.hexadecimalValue else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  /// Bytes of a hash of this name; nil for hashes that must not be relied on or are not known.
  static func byteCount(of algorithm: String) -> Int? {
    switch algorithm {
    case "sha-256": 32
    case "sha-384": 48
    case "sha-512": 64
    default: nil
    }
  }

  /// Whether the hash is strong enough to hold a peer to it (SHA-256 or longer, and of the right length).
  public var isUsable: Bool {
    guard let expected = Self.byteCount(of: algorithm) else { return false }
    return bytes?.count == expected
  }

  init?(_ text: Substring) {
    let fields = text.fields()
    guard fields.count == 2, fields[0].isToken(upTo: 32) else { return nil }
    self.init(algorithm: String(fields[0]), value: String(fields[1]))
    guard value.utf8.count <= 512, let bytes, Self.byteCount(of: algorithm).map({ $0 == bytes.count }) ?? true else {
      return nil
    }
  }

  var text: String { "\(algorithm) \(value)" }
}

/// `a=group`: media lines that belong together (RFC 5888), of which BUNDLE means: over one transport (RFC 8843).
public struct MediaGroup: Hashable, Sendable {
  /// "BUNDLE", "LS" …
  public var semantics: String
  /// `a=mid` of each member, in order.
  public var mids: [String]

  public init(semantics: String, mids: [String]) {
    self.semantics = semantics
    self.mids = mids
  }

  init?(_ text: Substring) {
    let fields = text.fields()
    guard let semantics = fields.first, semantics.isToken(upTo: 32) else { return nil }
    self.init(semantics: String(semantics), mids: fields.dropFirst().map { String($0) })
  }

  var text: String { ([semantics] + mids).joined(separator: " ") }
}
