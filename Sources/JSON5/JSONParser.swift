/// How much of a text is read before it is refused.
package struct JSONLimits: Sendable {
  /// Length of the whole text.
  package var bytes: Int
  /// Lists and objects within one another, at most 256 so that no text exhausts the stack.
  package var depth: Int
  /// Members and elements of the whole text together.
  package var members: Int

  package init(bytes: Int = 1 << 20, depth: Int = 64, members: Int = 20_000) {
    self.bytes = bytes
    self.depth = min(depth, 256)
    self.members = members
  }
}

extension JSONValue {
  /// Reads a text.
  ///
  /// - Parameters:
  ///   - bytes: UTF-8, with or without a byte order mark.
  ///   - strict: whether only plain JSON (RFC 8259) is taken; else JSON5: comments, trailing commas, single quotes, unquoted
  ///     keys, hexadecimal numbers. `Infinity` and `NaN` are refused in both, since no setting can use them.
  package init(parsing bytes: [UInt8], strict: Bool = false, limits: JSONLimits = JSONLimits()) throws(JSONFault) {
    guard bytes.count <= limits.bytes else {
      throw JSONFault(line: 1, column: 1, message: "the text is \(bytes.count) bytes long, at most \(limits.bytes) are read")
    }
    var parser = JSONParser(bytes: bytes, strict: strict, limits: limits)
    self = try parser.document()
  }

  package init(parsing text: String, strict: Bool = false, limits: JSONLimits = JSONLimits()) throws(JSONFault) {
    try self.init(parsing: Array(text.utf8), strict: strict, limits: limits)
  }
}

/// A recursive-descent parser whose recursion is bounded by `limits.depth`.
struct JSONParser {
  let bytes: [UInt8]
  let strict: Bool
  let limits: JSONLimits
  /// Index of the next byte to read.
  var offset = 0
  private var depth = 0
  private var memberCount = 0
  /// A place already counted, so that positions of a whole text cost one pass.
  private var counted = (offset: 0, position: SourcePosition(line: 1, column: 1))

  init(bytes: [UInt8], strict: Bool, limits: JSONLimits) {
    self.bytes = bytes
    self.strict = strict
    self.limits = limits
  }

  /// The next byte; nil at the end.
  var next: UInt8? { peek(0) }
  func peek(_ distance: Int) -> UInt8? { offset &+ distance < bytes.count ? bytes[offset &+ distance] : nil }

  mutating func document() throws(JSONFault) -> JSONValue {
    if let bad = firstInvalidUTF8(in: bytes) { throw fault(at: bad, "the text is not valid UTF-8") }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      offset = 3
      counted.offset = 3
    }
    try skipBlank()
    guard next != nil else { throw fault(at: offset, "the text is empty, a value was expected") }
    let value = try self.value()
    try skipBlank()
    if next != nil { throw fault(at: offset, "nothing may follow the value, found \(found())") }
    return value
  }

  mutating func value() throws(JSONFault) -> JSONValue {
    let position = position(at: offset)
    guard let byte = next else { throw fault(at: offset, "the text ends where a value was expected") }
    switch byte {
    case UInt8(ascii: "{"): return JSONValue(.object(try nested(object)), at: position)
    case UInt8(ascii: "["): return JSONValue(.array(try nested(array)), at: position)
    case UInt8(ascii: "\""): return JSONValue(.string(try string()), at: position)
    case UInt8(ascii: "'"):
      if strict { throw fault(at: offset, "strings stand in double quotes") }
      return JSONValue(.string(try string()), at: position)
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
      return JSONValue(.number(try number()), at: position)
    default: return JSONValue(try word(), at: position)
    }
  }

  private mutating func nested<T>(_ body: (inout JSONParser) throws(JSONFault) -> T) throws(JSONFault) -> T {
    guard depth < limits.depth else { throw fault(at: offset, "nested deeper than \(limits.depth) levels") }
    depth += 1
    offset += 1
    let result = try body(&self)
    depth -= 1
    return result
  }

  private func array(_ parser: inout JSONParser) throws(JSONFault) -> [JSONValue] {
    var elements: [JSONValue] = []
    while true {
      try parser.skipBlank()
      if parser.next == UInt8(ascii: "]") {
        if parser.strict, !elements.isEmpty { throw parser.fault(at: parser.offset, "no comma may stand before ']'") }
        break
      }
      try parser.countMember()
      elements.append(try parser.value())
      if try parser.separator(closing: UInt8(ascii: "]")) { break }
    }
    parser.offset += 1
    return elements
  }

  private func object(_ parser: inout JSONParser) throws(JSONFault) -> [JSONMember] {
    var members: [JSONMember] = []
    var lines: [String: Int] = [:]
    while true {
      try parser.skipBlank()
      if parser.next == UInt8(ascii: "}") {
        if parser.strict, !members.isEmpty { throw parser.fault(at: parser.offset, "no comma may stand before '}'") }
        break
      }
      try parser.countMember()
      let keyPosition = parser.position(at: parser.offset)
      let key = try parser.key()
      if let line = lines.updateValue(keyPosition.line, forKey: key) {
        throw JSONFault(keyPosition, "key \(quoted(key)) is there twice, the first is in line \(line)")
      }
      try parser.skipBlank()
      guard parser.next == UInt8(ascii: ":") else {
        throw parser.fault(at: parser.offset, "':' was expected behind key \(quoted(key)), found \(parser.found())")
      }
      parser.offset += 1
      try parser.skipBlank()
      members.append(JSONMember(key: key, keyPosition: keyPosition, value: try parser.value()))
      if try parser.separator(closing: UInt8(ascii: "}")) { break }
    }
    parser.offset += 1
    return members
  }

  /// Passes the comma; true where the closing bracket stands instead.
  private mutating func separator(closing: UInt8) throws(JSONFault) -> Bool {
    try skipBlank()
    if next == closing { return true }
    guard next == UInt8(ascii: ",") else {
      let bracket = Character(Unicode.Scalar(closing))
      throw fault(at: offset, "',' or '\(bracket)' was expected, found \(found())")
    }
    offset += 1
    return false
  }

  private mutating func countMember() throws(JSONFault) {
    memberCount += 1
    guard memberCount <= limits.members else { throw fault(at: offset, "more than \(limits.members) values") }
  }

  /// `true`, `false`, `null`, or what a reader may have meant.
  private mutating func word() throws(JSONFault) -> JSONValue.Kind {
    let start = offset
    while let byte = next, isWordByte(byte) { offset += 1 }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    switch text {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "null": return .null
    case "Infinity", "NaN": throw fault(at: start, "\(text) is not taken, write a finite number")
    case "":
      throw fault(at: start, "a value was expected, found \(found())")
    default:
      let advice =
        nearest(to: text, among: ["true", "false", "null"]).map { "did you mean \($0)?" } ?? "strings stand in quotes"
      throw fault(at: start, "\(quoted(text)) is not a value, \(advice)")
    }
  }

  /// The position of a byte; counting goes on from where it last stood.
  mutating func position(at target: Int) -> SourcePosition {
    if target < counted.offset { counted = (0, SourcePosition(line: 1, column: 1)) }
    while counted.offset < min(target, bytes.count) {
      let byte = bytes[counted.offset]
      let isLoneReturn =
        byte == 0x0D && (counted.offset + 1 >= bytes.count || bytes[counted.offset + 1] != UInt8(ascii: "\n"))
      if byte == UInt8(ascii: "\n") || isLoneReturn {
        counted.position = SourcePosition(line: counted.position.line + 1, column: 1)
      } else if byte & 0xC0 != 0x80 {
        counted.position.column += 1
      }
      counted.offset += 1
    }
    return counted.position
  }

  mutating func fault(at offset: Int, _ message: String) -> JSONFault { JSONFault(position(at: offset), message) }

  /// The next character, for messages.
  func found() -> String {
    guard offset < bytes.count else { return "the end of the text" }
    let rest = String(decoding: bytes[offset..<min(offset + 4, bytes.count)], as: UTF8.self)
    return rest.unicodeScalars.first.map { quoted(String($0)) } ?? "the end of the text"
  }
}

/// Index of the first byte that belongs to no valid sequence; nil where all is well.
private func firstInvalidUTF8(in bytes: [UInt8]) -> Int? {
  do throws(UTF8.ValidationError) {
    _ = try UTF8Span(validating: bytes.span)
    return nil
  } catch {
    return error.byteOffsets.lowerBound
  }
}
