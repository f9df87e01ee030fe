/// Reading text by bytes: every separator of SDP is ASCII, so cutting there never splits a character.

extension Substring {
  /// The parts between `separator` bytes, empty parts left out; the last part takes the rest once `count` parts are reached.
  func fields(separatedBy separator: UInt8 = .space, count: Int = .max) -> [Substring] {
    utf8.split(separator: separator, maxSplits: count - 1).map { Substring($0) }
  }

  /// What stands before and after the first `separator`; nil where there is none.
  func cut(at separator: UInt8) -> (before: Substring, after: Substring)? {
    guard let index = utf8.firstIndex(of: separator) else { return nil }
    return (self[..<index], self[utf8.index(after: index)...])
  }

  /// Without spaces and tabs at both ends.
  var trimmed: Substring {
    var bytes = utf8
    while let first = bytes.first, first == .space || first == .tab { bytes = bytes.dropFirst() }
    while let last = bytes.last, last == .space || last == .tab { bytes = bytes.dropLast() }
    return Substring(bytes)
  }

  /// Digits only, within the range of the type: no sign, no spaces.
  func decimal<T: FixedWidthInteger>(as type: T.Type = T.self) -> T? {
    guard !isEmpty, utf8.allSatisfy({ $0.isDigit }) else { return nil }
    return T(self, radix: 10)
  }

  /// A token of RFC 8866 section 9: visible ASCII without separators, at most `count` bytes.
  func isToken(upTo count: Int) -> Bool {
    !isEmpty && utf8.count <= count && utf8.allSatisfy { $0.isTokenByte }
  }

  /// Visible ASCII without spaces, at most `count` bytes.
  func isVisible(upTo count: Int) -> Bool {
    !isEmpty && utf8.count <= count && utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }

  func isEqualIgnoringCase(_ other: String) -> Bool {
    lowercased() == other.lowercased()
  }
}

extension String {
  func isEqualIgnoringCase(_ other: String) -> Bool { self[...].isEqualIgnoringCase(other) }

  /// At most 40 bytes of it, visible ASCII only, to be quoted in a message.
  init(quoting text: Substring) {
    let shown = text.utf8.prefix(40).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
    self = "\"" + String(decoding: shown, as: UTF8.self) + (text.utf8.count > 40 ? "…\"" : "\"")
  }
}

extension UInt8 {
  static let space = UInt8(ascii: " ")
  static let tab = UInt8(ascii: "\t")
  static let colon = UInt8(ascii: ":")
  static let semicolon = UInt8(ascii: ";")
  static let comma = UInt8(ascii: ",")
  static let equals = UInt8(ascii: "=")
  static let slash = UInt8(ascii: "/")
  static let dot = UInt8(ascii: ".")

  var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

  var isTokenByte: Bool {
    switch self {
    case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x30...0x39, 0x41...0x5A, 0x5E...0x7E: true
    default: false
    }
  }

  var hexadecimalValue: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self &- UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self &- UInt8(ascii: "a") &+ 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self &- UInt8(ascii: "A") &+ 10
    default: nil
    }
  }
}
