/// One `type=value` line with its number in the text.
struct SDPLine {
  /// From 1.
  var number: Int
  /// The letter before the "=".
  var type: UInt8
  var value: Substring

  func error(_ sentence: String) -> SDPError { SDPError(.malformedValue, line: number, sentence) }

  /// An attribute line as name and value; nil value for a flag. Names we do not know may be any text.
  func attribute() throws(SDPError) -> (name: Substring, value: Substring?) {
    let parts = value.cut(at: .colon)
    let name = (parts?.before ?? value).trimmed
    guard !name.isEmpty, name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw error("an attribute is a=NAME or a=NAME:VALUE, not \(String(quoting: value)).")
    }
    return (name, parts?.after)
  }
}

/// Cuts the bytes of a description into lines, ended by CRLF or LF, and refuses what is not text or too much of it.
enum LineReader {
  static func lines(of bytes: [UInt8], limits: SDPLimits) throws(SDPError) -> [SDPLine] {
    guard bytes.count <= limits.byteCount else {
      throw SDPError(.tooLarge, line: 0, "the description has \(bytes.count) bytes; at most \(limits.byteCount) are read.")
    }
    var lines: [SDPLine] = []
    var number = 0
    for part in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
      number += 1
      let content = part.last == 0x0D ? part.dropLast() : part
      if let line = try line(content, number: number, limits: limits) { lines.append(line) }
    }
    return lines
  }

  /// nil for an empty line, which says nothing and does no harm.
  private static func line(_ bytes: ArraySlice<UInt8>, number: Int, limits: SDPLimits) throws(SDPError) -> SDPLine? {
    if bytes.isEmpty { return nil }
    guard bytes.count <= limits.lineByteCount else {
      throw SDPError(.tooLarge, line: number, "the line has \(bytes.count) bytes; at most \(limits.lineByteCount) are read.")
    }
    guard !bytes.contains(0x0D), !bytes.contains(0) else {
      throw SDPError(.notText, line: number, "there is a NUL byte or a carriage return inside the line; remove it.")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw SDPError(.notText, line: number, "the line is not UTF-8; write the description in UTF-8.")
    }
    guard let (type, value) = text[...].cut(at: .equals), let letter = type.utf8.first, type.utf8.count == 1 else {
      throw SDPError(
        .malformedLine, line: number, "a line is one letter, \"=\" and a value, not \(String(quoting: text[...])).")
    }
    return SDPLine(number: number, type: letter, value: value)
  }
}
