/// Blanks, comments and unquoted keys.
extension JSONParser {
  /// Passes white space and, in JSON5, comments.
  mutating func skipBlank() throws(JSONFault) {
    while let byte = next {
      switch byte {
      case 0x20, 0x09, 0x0A, 0x0D: offset += 1
      case UInt8(ascii: "/"): guard try skipComment() else { return }
      case 0x0B, 0x0C:
        if strict { return }
        offset += 1
      case 0x80...:
        guard !strict, let scalar = scalar(), scalar.properties.isWhitespace || scalar == "\u{FEFF}" else { return }
        offset += UTF8.width(scalar)
      default: return
      }
    }
  }

  /// False where the slash at `offset` begins no comment.
  private mutating func skipComment() throws(JSONFault) -> Bool {
    let start = offset
    guard let kind = peek(1), kind == UInt8(ascii: "/") || kind == UInt8(ascii: "*") else { return false }
    if strict { throw fault(at: start, "comments are not part of JSON") }
    offset += 2
    if kind == UInt8(ascii: "/") {
      while let byte = next, byte != 0x0A, byte != 0x0D, !isUnicodeLineEnd() { offset += 1 }
      return true
    }
    while let byte = next {
      if byte == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
        offset += 2
        return true
      }
      offset += 1
    }
    throw fault(at: start, "the comment has no end, '*/' is missing")
  }

  /// U+2028 or U+2029, which end a line in JSON5.
  private func isUnicodeLineEnd() -> Bool {
    next == 0xE2 && peek(1) == 0x80 && (peek(2) == 0xA8 || peek(2) == 0xA9)
  }

  /// A key of an object, quoted or, in JSON5, an identifier.
  mutating func key() throws(JSONFault) -> String {
    if next == UInt8(ascii: "\"") { return try string() }
    if strict { throw fault(at: offset, "a key in double quotes was expected, found \(found())") }
    if next == UInt8(ascii: "'") { return try string() }
    let start = offset
    while let scalar = scalar(), isIdentifier(scalar, first: offset == start) { offset += UTF8.width(scalar) }
    guard offset > start else {
      throw fault(at: offset, "a key was expected, found \(found()); keys that are not plain words stand in quotes")
    }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  private func isIdentifier(_ scalar: Unicode.Scalar, first: Bool) -> Bool {
    if scalar == "$" || scalar == "_" { return true }
    return first ? scalar.properties.isIDStart : scalar.properties.isIDContinue
  }

  func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
      true
    default: false
    }
  }

  /// The scalar at `offset`. The text is known to be valid UTF-8.
  func scalar() -> Unicode.Scalar? {
    guard offset < bytes.count else { return nil }
    var iterator = bytes[offset..<min(offset + 4, bytes.count)].makeIterator()
    var decoder = UTF8()
    if case .scalarValue(let scalar) = decoder.decode(&iterator) { return scalar }
    return nil
  }
}
