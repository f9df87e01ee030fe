/// A request that is not taken, and the status that says so. The connection ends behind it: what follows cannot be trusted.
struct HTTPFault: Error, Equatable {
  var status: Int
  var detail: String
}

/// Reads request heads from a stream of bytes (RFC 9112), strictly: line ends are CRLF, one Content-Length, no folding.
///
/// Strictness is the point: what two readers of a stream may read differently is refused (RFC 9112 section 11.2).
struct HTTPRequestParser: Sendable {
  /// The longest head.
  let headBytesMax: Int
  /// What was received and not yet consumed.
  private(set) var buffer: [UInt8] = []
  /// Where the search for the end of the head goes on.
  private var searched = 0

  init(headBytesMax: Int) { self.headBytesMax = headBytesMax }

  var isEmpty: Bool { buffer.isEmpty }

  mutating func append(_ bytes: some Sequence<UInt8>) { buffer.append(contentsOf: bytes) }

  /// The next head where it is there in full.
  mutating func head() throws(HTTPFault) -> HTTPRequestHead? {
    // Blank lines before a request are passed (RFC 9112 section 2.2).
    while searched == 0, buffer.starts(with: [0x0D, 0x0A]) { buffer.removeFirst(2) }
    guard let end = endOfHead() else {
      if buffer.count > headBytesMax {
        throw HTTPFault(status: 431, detail: "Keep the request head under \(headBytesMax) bytes.")
      }
      return nil
    }
    guard end <= headBytesMax else {
      throw HTTPFault(status: 431, detail: "Keep the request head under \(headBytesMax) bytes.")
    }
    let lines = try splitLines(buffer[..<(end - 4)])
    buffer.removeFirst(end)
    searched = 0
    return try parseHead(lines)
  }

  /// Takes `count` bytes of body where they are there in full.
  mutating func body(_ count: Int) -> [UInt8]? {
    guard buffer.count >= count else { return nil }
    let body = Array(buffer[..<count])
    buffer.removeFirst(count)
    return body
  }

  mutating func removeAll() {
    buffer.removeAll()
    searched = 0
  }

  /// Index behind the blank line.
  private mutating func endOfHead() -> Int? {
    var i = max(searched, 3)
    while i < buffer.count {
      if buffer[i] == 0x0A, buffer[i - 1] == 0x0D, buffer[i - 2] == 0x0A, buffer[i - 3] == 0x0D { return i + 1 }
      i += 1
    }
    searched = buffer.count
    return nil
  }
}

private func splitLines(_ bytes: ArraySlice<UInt8>) throws(HTTPFault) -> [ArraySlice<UInt8>] {
  var lines: [ArraySlice<UInt8>] = []
  var start = bytes.startIndex
  for i in bytes.indices {
    let byte = bytes[i]
    if byte == 0x0A {
      guard i > start, bytes[i - 1] == 0x0D else { throw HTTPFault(status: 400, detail: "End each line with CR LF.") }
      lines.append(bytes[start..<(i - 1)])
      start = i + 1
    } else if (byte < 0x20 && byte != 0x09 && byte != 0x0D) || byte == 0x7F {
      throw HTTPFault(status: 400, detail: "The request head contains a control character.")
    }
  }
  lines.append(bytes[start...])
  if lines.contains(where: { $0.contains(0x0D) }) { throw HTTPFault(status: 400, detail: "A line contains a lone CR.") }
  return lines
}

private func parseHead(_ lines: [ArraySlice<UInt8>]) throws(HTTPFault) -> HTTPRequestHead {
  guard let first = lines.first else { throw HTTPFault(status: 400, detail: "The request is empty.") }
  let words = first.split(separator: 0x20, omittingEmptySubsequences: false)
  guard words.count == 3, !words[0].isEmpty, words[0].count <= 32, words[0].allSatisfy(isTokenByte) else {
    throw HTTPFault(status: 400, detail: "The request line is not 'METHOD TARGET HTTP/1.1'.")
  }
  let version = String(decoding: words[2], as: UTF8.self)
  guard version == "HTTP/1.1" || version == "HTTP/1.0" else {
    throw HTTPFault(status: version.hasPrefix("HTTP/") ? 505 : 400, detail: "Use HTTP/1.1.")
  }
  let headers = try parseFields(lines.dropFirst())
  let (segments, query) = try parseTarget(words[1])
  var head = HTTPRequestHead(
    method: String(decoding: words[0], as: UTF8.self), segments: segments, query: query, headers: headers,
    keepsAlive: version == "HTTP/1.1")
  try interpret(&head, isVersion11: version == "HTTP/1.1")
  return head
}

private func parseFields(_ lines: ArraySlice<ArraySlice<UInt8>>) throws(HTTPFault) -> [HTTPField] {
  guard lines.count <= 100 else { throw HTTPFault(status: 431, detail: "Send at most 100 header fields.") }
  var fields: [HTTPField] = []
  for line in lines {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
      line[..<colon].allSatisfy(isTokenByte)
    else { throw HTTPFault(status: 400, detail: "A header line is not 'Name: value'.") }
    let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
    fields.append(HTTPField(name: name, value: String(decoding: line[(colon + 1)...], as: UTF8.self).trimmed()))
  }
  return fields
}

/// Fills in what the headers say about the connection and the body.
private func interpret(_ head: inout HTTPRequestHead, isVersion11: Bool) throws(HTTPFault) {
  let hosts = head.headers.filter { $0.name == "host" }
  guard hosts.count == 1 || (hosts.isEmpty && !isVersion11) else {
    throw HTTPFault(status: 400, detail: "Send exactly one Host header.")
  }
  for field in head.headers where field.name == "connection" {
    for option in field.value.lowercased().split(separator: ",").map({ String($0).trimmed() }) {
      if option == "close" { head.keepsAlive = false }
      if option == "keep-alive", !isVersion11 { head.keepsAlive = true }
    }
  }
  if let expectation = head.header("expect") {
    guard expectation.lowercased() == "100-continue" else {
      throw HTTPFault(status: 417, detail: "The only expectation known is 100-continue.")
    }
    head.expectsContinue = isVersion11
  }
  if head.header("transfer-encoding") != nil {
    throw HTTPFault(status: 411, detail: "Send the body with a Content-Length instead of a transfer coding.")
  }
  let lengths = head.headers.filter { $0.name == "content-length" }
  guard lengths.count <= 1 else { throw HTTPFault(status: 400, detail: "Send one Content-Length.") }
  guard let text = lengths.first?.value else { return }
  guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
    throw HTTPFault(status: 400, detail: "Content-Length is not a number.")
  }
  // More digits than fit are more bytes than are taken.
  head.contentLength = Int(text) ?? .max
}

private func parseTarget(_ target: ArraySlice<UInt8>) throws(HTTPFault) -> (segments: [String], query: [HTTPField]) {
  guard target.count <= 8192 else { throw HTTPFault(status: 414, detail: "Keep the address under 8192 bytes.") }
  var rest = target
  for scheme in ["http://", "https://"] where target.starts(with: scheme.utf8) {
    rest = target.dropFirst(scheme.utf8.count)
    rest = rest.firstIndex(of: UInt8(ascii: "/")).map { rest[$0...] } ?? [UInt8(ascii: "/")]
  }
  if rest.elementsEqual([UInt8(ascii: "*")]) { return (["*"], []) }
  guard rest.first == UInt8(ascii: "/"), !rest.contains(UInt8(ascii: "#")) else {
    throw HTTPFault(status: 400, detail: "The address of a request begins with '/'.")
  }
  let parts = rest.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
  var segments: [String] = []
  for raw in parts[0].dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
    segments.append(try percentDecoded(raw, plusIsBlank: false))
  }
  return (segments, parts.count > 1 ? try parseQuery(parts[1]) : [])
}

private func parseQuery(_ bytes: ArraySlice<UInt8>) throws(HTTPFault) -> [HTTPField] {
  var fields: [HTTPField] = []
  for pair in bytes.split(separator: UInt8(ascii: "&")) {
    let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
    let name = try percentDecoded(parts[0], plusIsBlank: true)
    let value = parts.count > 1 ? try percentDecoded(parts[1], plusIsBlank: true) : ""
    guard !fields.contains(where: { $0.name == name }) else {
      throw HTTPFault(status: 400, detail: "A query parameter is there twice.")
    }
    guard fields.count < 32 else { throw HTTPFault(status: 400, detail: "Send at most 32 query parameters.") }
    fields.append(HTTPField(name: name, value: value))
  }
  return fields
}

/// Decodes once; what is not UTF-8 afterwards, or contains NUL, is refused.
private func percentDecoded(_ bytes: ArraySlice<UInt8>, plusIsBlank: Bool) throws(HTTPFault) -> String {
  var decoded: [UInt8] = []
  var i = bytes.startIndex
  while i < bytes.endIndex {
    if bytes[i] == UInt8(ascii: "%") {
      guard bytes.endIndex - i > 2, let high = hexadecimalValue(bytes[i + 1]), let low = hexadecimalValue(bytes[i + 2]) else {
        throw HTTPFault(status: 400, detail: "A percent sign in the address is not followed by two hexadecimal digits.")
      }
      decoded.append(high << 4 | low)
      i += 3
    } else {
      decoded.append(plusIsBlank && bytes[i] == UInt8(ascii: "+") ? 0x20 : bytes[i])
      i += 1
    }
  }
  guard !decoded.contains(0), let text = String(validating: decoded, as: UTF8.self) else {
    throw HTTPFault(status: 400, detail: "The address is not UTF-8 text.")
  }
  return text
}

private func hexadecimalValue(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x30...0x39: byte &- 0x30
  case 0x41...0x46: byte &- 0x37
  case 0x61...0x66: byte &- 0x57
  default: nil
  }
}

/// RFC 9110 section 5.6.2.
func isTokenByte(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
  default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
  }
}
