/// Writes compact JSON; commas come by themselves.
///
///     var writer = JSONWriter()
///     writer.beginObject()
///     writer.member("name", "a room")
///     writer.endObject()
package struct JSONWriter {
  package private(set) var bytes: [UInt8] = []
  /// Whether the next value or key needs a comma before it.
  private var needsComma = false

  package init() {}

  package var text: String { String(decoding: bytes, as: UTF8.self) }

  package mutating func beginObject() { open(UInt8(ascii: "{")) }
  package mutating func endObject() { close(UInt8(ascii: "}")) }
  package mutating func beginArray() { open(UInt8(ascii: "[")) }
  package mutating func endArray() { close(UInt8(ascii: "]")) }

  package mutating func key(_ key: String) {
    value(key)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  package mutating func null() { literal("null") }
  package mutating func value(_ value: Bool) { literal(value ? "true" : "false") }
  package mutating func value(_ value: Int) { literal(String(value)) }
  /// Without exponent; null where the number is not finite, since JSON has no word for it.
  package mutating func value(_ value: Double) { literal(value.isFinite ? numberText(value) : "null") }

  package mutating func value(_ value: String) {
    comma()
    appendQuoted(value)
  }

  package mutating func member(_ key: String, _ value: String?) {
    self.key(key)
    if let value { self.value(value) } else { null() }
  }
  package mutating func member(_ key: String, _ value: Int) {
    self.key(key)
    self.value(value)
  }
  package mutating func member(_ key: String, _ value: Double) {
    self.key(key)
    self.value(value)
  }
  package mutating func member(_ key: String, _ value: Bool) {
    self.key(key)
    self.value(value)
  }

  /// A whole tree. Trees of the parser are at most 256 deep.
  package mutating func value(_ value: JSONValue) {
    switch value.kind {
    case .null: null()
    case .bool(let bool): self.value(bool)
    case .number(let number):
      if let integer = number.integer { self.value(integer) } else { self.value(number.double) }
    case .string(let string): self.value(string)
    case .array(let elements):
      beginArray()
      for element in elements { self.value(element) }
      endArray()
    case .object(let members):
      beginObject()
      for member in members {
        key(member.key)
        self.value(member.value)
      }
      endObject()
    }
  }

  private mutating func comma() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  private mutating func literal(_ text: String) {
    comma()
    bytes.append(contentsOf: text.utf8)
  }

  private mutating func open(_ bracket: UInt8) {
    comma()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  /// Escapes what JSON must and, beyond it, DEL and the line ends of JavaScript, so that a text stays one line everywhere.
  private mutating func appendQuoted(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    var text = text
    text.withUTF8 { utf8 in
      var i = 0
      while i < utf8.count {
        let byte = utf8[i]
        if byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
          bytes.append(byte)
          i += 1
        } else {
          i += appendSpecial(utf8[i...])
        }
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Writes the first character, which is not plain ASCII; the result is its length in bytes.
  private mutating func appendSpecial(_ utf8: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
    let first = utf8[utf8.startIndex]
    let second = utf8.count > 1 ? utf8[utf8.startIndex + 1] : 0
    let third = utf8.count > 2 ? utf8[utf8.startIndex + 2] : 0
    switch (first, second, third) {
    case (UInt8(ascii: "\""), _, _), (UInt8(ascii: "\\"), _, _): bytes += [UInt8(ascii: "\\"), first]
    case (0x0A, _, _): bytes.append(contentsOf: "\\n".utf8)
    case (0x0D, _, _): bytes.append(contentsOf: "\\r".utf8)
    case (0x09, _, _): bytes.append(contentsOf: "\\t".utf8)
    case (..<0x80, _, _): appendEscape(UInt16(first))
    case (0xC2, 0x80...0x9F, _):
      appendEscape(UInt16(second))
      return 2
    case (0xE2, 0x80, 0xA8...0xA9):
      appendEscape(0x2028 + UInt16(third - 0xA8))
      return 3
    default: bytes.append(first)
    }
    return 1
  }

  private mutating func appendEscape(_ unit: UInt16) {
    let digits = String(unit, radix: 16)
    bytes.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
  }
}

/// The shortest decimal that reads back as the same number, without exponent; `number` is finite.
func numberText(_ number: Double) -> String {
  if let integer = Int(exactly: number) { return String(integer) }
  let text = number.description
  guard let e = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: e)...]) else { return text }
  let sign = number < 0 ? "-" : ""
  let mantissa = text[..<e].drop { $0 == "-" }
  let digits = mantissa.filter { $0 != "." }
  let point =
    (mantissa.firstIndex(of: ".").map { mantissa.distance(from: mantissa.startIndex, to: $0) } ?? mantissa.count) + exponent
  if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
  if point >= digits.count { return sign + digits + String(repeating: "0", count: point - digits.count) }
  return sign + digits.prefix(point) + "." + digits.dropFirst(point)
}
