/// Quoted strings (RFC 8259 section 7, JSON5 section 5).
extension JSONParser {
  /// Reads a string; `offset` is at its opening quote.
  mutating func string() throws(JSONFault) -> String {
    let start = offset
    let quote = bytes[offset]
    offset += 1
    var text: [UInt8] = []
    while let byte = next {
      switch byte {
      case quote:
        offset += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0x0A, 0x0D: throw fault(at: start, "the string has no end in its line, a quote is missing")
      case ..<0x20 where strict: throw fault(at: offset, "control characters in strings are written as \\u00XX")
      default:
        text.append(byte)
        offset += 1
      }
    }
    throw fault(at: start, "the string has no end, a quote is missing")
  }

  /// Reads an escape; `offset` is at its backslash.
  private mutating func escape(into text: inout [UInt8]) throws(JSONFault) {
    let start = offset
    offset += 1
    guard let kind = next else { throw fault(at: start, "the text ends within a string") }
    offset += 1
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(kind)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): append(try unicodeEscape(from: start), to: &text)
    default:
      guard !strict else {
        throw fault(at: start, "\\\(printable(kind)) is not an escape, a backslash itself is written as \\\\")
      }
      try looseEscape(kind, from: start, into: &text)
    }
  }

  /// The escapes that only JSON5 has; `offset` is behind `kind`.
  private mutating func looseEscape(_ kind: UInt8, from start: Int, into text: inout [UInt8]) throws(JSONFault) {
    switch kind {
    case UInt8(ascii: "v"): text.append(0x0B)
    case UInt8(ascii: "0"):
      if let digit = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
        throw fault(at: start, "octal escapes are not taken, write \\xHH")
      }
      text.append(0)
    case UInt8(ascii: "x"): append(Unicode.Scalar(UInt8(truncatingIfNeeded: try hexadecimal(2, from: start))), to: &text)
    case 0x0A: break
    case 0x0D: if next == 0x0A { offset += 1 }
    case UInt8(ascii: "1")...UInt8(ascii: "9"):
      throw fault(at: start, "\\\(printable(kind)) is not an escape, a backslash itself is written as \\\\")
    default: text.append(kind)
    }
  }

  /// The scalar of `\uXXXX` or of a pair of them; `offset` is behind the `u`.
  private mutating func unicodeEscape(from start: Int) throws(JSONFault) -> Unicode.Scalar {
    let unit = try hexadecimal(4, from: start)
    if let scalar = Unicode.Scalar(unit) { return scalar }
    guard unit < 0xDC00, next == UInt8(ascii: "\\"), peek(1) == UInt8(ascii: "u") else {
      throw fault(at: start, "half of a surrogate pair stands alone")
    }
    offset += 2
    let low = try hexadecimal(4, from: start)
    guard (0xDC00...0xDFFF).contains(low), let scalar = Unicode.Scalar(0x10000 &+ (unit &- 0xD800) << 10 &+ (low &- 0xDC00))
    else { throw fault(at: start, "half of a surrogate pair stands alone") }
    return scalar
  }

  private mutating func hexadecimal(_ digits: Int, from start: Int) throws(JSONFault) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard let byte = next, let digit = hexadecimalDigit(byte) else {
        throw fault(at: start, "\(digits) hexadecimal digits were expected in the escape")
      }
      value = value << 4 | UInt32(digit)
      offset += 1
    }
    return value
  }

  private func append(_ scalar: Unicode.Scalar, to text: inout [UInt8]) { text.append(contentsOf: String(scalar).utf8) }
}

func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte &- UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte &- UInt8(ascii: "a") &+ 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte &- UInt8(ascii: "A") &+ 10
  default: nil
  }
}

private func printable(_ byte: UInt8) -> Character {
  (0x21...0x7E).contains(byte) ? Character(Unicode.Scalar(byte)) : "?"
}
