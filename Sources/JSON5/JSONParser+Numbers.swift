/// Numbers (RFC 8259 section 6, JSON5 section 6).
extension JSONParser {
  /// The longest literal that is read; no useful number is longer.
  private static let lengthMax = 512

  mutating func number() throws(JSONFault) -> JSONNumber {
    let start = offset
    let isNegative = next == UInt8(ascii: "-")
    if next == UInt8(ascii: "+"), strict { throw fault(at: start, "numbers have no plus sign in JSON") }
    if isNegative || next == UInt8(ascii: "+") { offset += 1 }
    if next == UInt8(ascii: "0"), peek(1) == UInt8(ascii: "x") || peek(1) == UInt8(ascii: "X") {
      return try hexadecimalNumber(from: start, isNegative: isNegative)
    }
    let whole = digits()
    if whole > 1, bytes[offset - whole] == UInt8(ascii: "0") { throw fault(at: start, "numbers have no leading zeros") }
    var fraction = 0
    var isWhole = true
    if next == UInt8(ascii: ".") {
      offset += 1
      isWhole = false
      fraction = digits()
      if strict, whole == 0 || fraction == 0 { throw fault(at: start, "digits belong on both sides of the decimal point") }
    }
    guard whole + fraction > 0 else { throw malformed(from: start) }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      offset += 1
      isWhole = false
      if next == UInt8(ascii: "-") || next == UInt8(ascii: "+") { offset += 1 }
      guard digits() > 0 else { throw fault(at: start, "digits are missing behind the exponent") }
    }
    return try decimal(from: start, isWhole: isWhole)
  }

  /// The value of the literal that ends at `offset`.
  private mutating func decimal(from start: Int, isWhole: Bool) throws(JSONFault) -> JSONNumber {
    if let byte = next, isWordByte(byte) || byte == UInt8(ascii: ".") { throw malformed(from: start) }
    guard offset - start <= Self.lengthMax else { throw fault(at: start, "the number is too long") }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    if isWhole, let integer = Int(text) { return JSONNumber(double: Double(integer), integer: integer) }
    guard let double = Double(text), double.isFinite else { throw fault(at: start, "the number is too large") }
    return JSONNumber(double: double, integer: Int(exactly: double))
  }

  private mutating func hexadecimalNumber(from start: Int, isNegative: Bool) throws(JSONFault) -> JSONNumber {
    if strict { throw fault(at: start, "hexadecimal numbers are not part of JSON") }
    offset += 2
    var value: UInt64 = 0
    var count = 0
    while let byte = next, let digit = hexadecimalDigit(byte) {
      guard value >> 59 == 0 else { throw fault(at: start, "the number is too large") }
      value = value << 4 | UInt64(digit)
      count += 1
      offset += 1
    }
    if count == 0 { throw fault(at: start, "hexadecimal digits are missing behind 0x") }
    if let byte = next, isWordByte(byte) || byte == UInt8(ascii: ".") { throw malformed(from: start) }
    let integer = isNegative ? 0 &- Int(value) : Int(value)
    return JSONNumber(double: Double(integer), integer: integer)
  }

  /// Passes digits and counts them.
  private mutating func digits() -> Int {
    let start = offset
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { offset += 1 }
    return offset - start
  }

  private mutating func malformed(from start: Int) -> JSONFault {
    while let byte = next, isWordByte(byte) || byte == UInt8(ascii: ".") { offset += 1 }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    if text.hasSuffix("Infinity") || text.hasSuffix("NaN") {
      return fault(at: start, "\(text) is not taken, write a finite number")
    }
    return fault(at: start, "\(quoted(text)) is not a number")
  }
}
