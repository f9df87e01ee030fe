/// The first part of a request: everything before its body.
struct HTTPRequestHead: Sendable, Equatable {
  var method: String
  /// The path's segments, percent-decoded exactly once; never normalised, so `..` stays `..` and names nothing.
  var segments: [String]
  /// The query's fields, percent-decoded, in order.
  var query: [HTTPField]
  /// Names in lower case, in order; values without surrounding blanks.
  var headers: [HTTPField]
  /// Bytes of body that follow.
  var contentLength = 0
  /// Whether the connection stays open behind the response, as far as the client is concerned.
  var keepsAlive: Bool
  var expectsContinue = false

  /// The first header of that name, which is given in lower case.
  func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
  func queryValue(_ name: String) -> String? { query.first { $0.name == name }?.value }

  /// The media type of the body, in lower case and without parameters.
  var mediaType: String? {
    header("content-type").map { String($0.prefix { $0 != ";" }).trimmed().lowercased() }
  }
}

struct HTTPField: Sendable, Equatable {
  var name: String
  var value: String
}

struct HTTPRequest: Sendable {
  var head: HTTPRequestHead
  var body: [UInt8]
}

struct HTTPResponse: Sendable {
  var status: Int
  var headers: [HTTPField]
  var body: [UInt8]
  /// Ends the connection behind this response.
  var closes = false

  init(_ status: Int, headers: [HTTPField] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  init(_ status: Int, type: String, body: [UInt8]) {
    self.init(status, headers: [HTTPField(name: "Content-Type", value: type)], body: body)
  }

  mutating func set(_ name: String, _ value: String) {
    headers.removeAll { $0.name == name }
    headers.append(HTTPField(name: name, value: value))
  }

  func with(_ name: String, _ value: String) -> HTTPResponse {
    var copy = self
    copy.set(name, value)
    return copy
  }

  /// The bytes on the wire.
  ///
  /// - Parameter withoutBody: for HEAD: the length is told and nothing follows.
  func encoded(withoutBody: Bool, closing: Bool) -> [UInt8] {
    var text = "HTTP/1.1 \(status) \(reasonPhrase(status))\r\n"
    for field in headers { text += "\(field.name): \(headerSafe(field.value))\r\n" }
    if status >= 200, status != 204, status != 304 { text += "Content-Length: \(body.count)\r\n" }
    if closing { text += "Connection: close\r\n" }
    text += "\r\n"
    return withoutBody ? Array(text.utf8) : Array(text.utf8) + body
  }
}

/// A header value in which no line can end.
private func headerSafe(_ value: String) -> String {
  String(String.UnicodeScalarView(value.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F || $0 == "\t" }))
}

func reasonPhrase(_ status: Int) -> String {
  switch status {
  case 100: "Continue"
  case 101: "Switching Protocols"
  case 200: "OK"
  case 201: "Created"
  case 204: "No Content"
  case 303: "See Other"
  case 304: "Not Modified"
  case 400: "Bad Request"
  case 401: "Unauthorized"
  case 403: "Forbidden"
  case 404: "Not Found"
  case 405: "Method Not Allowed"
  case 406: "Not Acceptable"
  case 408: "Request Timeout"
  case 409: "Conflict"
  case 411: "Length Required"
  case 412: "Precondition Failed"
  case 413: "Content Too Large"
  case 414: "URI Too Long"
  case 415: "Unsupported Media Type"
  case 417: "Expectation Failed"
  case 422: "Unprocessable Content"
  case 426: "Upgrade Required"
  case 428: "Precondition Required"
  case 429: "Too Many Requests"
  case 431: "Request Header Fields Too Large"
  case 500: "Internal Server Error"
  case 501: "Not Implemented"
  case 503: "Service Unavailable"
  case 504: "Gateway Timeout"
  case 505: "HTTP Version Not Supported"
  default: "Status"
  }
}

extension String {
  /// Without blanks and tabs at both ends.
  func trimmed() -> String {
    func isBlank(_ c: Character) -> Bool { c == " " || c == "\t" }
    guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(self[first...last])
  }
}
