/// A user name fragment and a password: what one side of a session signs and checks connectivity checks with (RFC 8445 section 5.3).
///
/// The description shows the fragment only; the password never reaches a log by accident.
public struct ICECredentials: Hashable, Sendable, CustomStringConvertible {
  public let ufrag: String
  public let password: String

  /// Nil unless `ufrag` is 4 to 256 and `password` 22 to 256 of A-Z a-z 0-9 + / (RFC 8839 section 5.4).
  public init?(ufrag: String, password: String) {
    guard Self.isValid(ufrag, atLeast: 4), Self.isValid(password, atLeast: 22) else { return nil }
    self.ufrag = ufrag
    self.password = password
  }

  /// New credentials: a fragment of 8 characters (48 bits) and a password of 24 (144 bits).
  ///
  /// - Parameter random: a cryptographically secure generator, but for simulations.
  public init(using random: inout some RandomNumberGenerator) {
    self.ufrag = Self.characters(8, using: &random)
    self.password = Self.characters(24, using: &random)
  }

  public var description: String { "ICECredentials(\(ufrag))" }

  /// The fragment as `peekUsername` answers it; nil where it is longer than 32 bytes, which our own never are.
  public var key: UfragKey? {
    let bytes = Array(ufrag.utf8)
    return UfragKey(bytes.span)
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  private static func characters(_ count: Int, using random: inout some RandomNumberGenerator) -> String {
    String(decoding: (0..<count).map { _ in alphabet[Int(random.next() & 63)] }, as: UTF8.self)
  }

  private static func isValid(_ text: String, atLeast minimum: Int) -> Bool {
    (minimum...256).contains(text.utf8.count) && text.utf8.allSatisfy(isICECharacter)
  }

  /// ice-char of RFC 8839 section 5.1.
  static func isICECharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "+"), UInt8(ascii: "/"):
      true
    default: false
    }
  }
}
