import Conference
import JSON5

/// An error answer (RFC 9457).
///
/// - Parameters:
///   - detail: a sentence that says what to do.
///   - faults: places in the body of the request.
///   - line: line of a malformed SDP, from 1.
func problem(_ status: Int, _ detail: String, line: Int? = nil, faults: [JSONFault] = []) -> HTTPResponse {
  var writer = JSONWriter()
  writer.beginObject()
  writer.member("type", "about:blank")
  writer.member("title", reasonPhrase(status))
  writer.member("status", status)
  writer.member("detail", detail)
  if let line { writer.member("line", line) }
  if !faults.isEmpty {
    writer.key("errors")
    writer.beginArray()
    for fault in faults.prefix(32) {
      writer.beginObject()
      writer.member("line", fault.line)
      writer.member("column", fault.column)
      writer.member("detail", fault.message)
      writer.endObject()
    }
    writer.endArray()
  }
  writer.endObject()
  return HTTPResponse(status, type: "application/problem+json", body: writer.bytes)
}

func problem(_ error: ConferenceError) -> HTTPResponse {
  switch error.kind {
  case .malformed(let line): problem(400, error.detail, line: line)
  case .noCommonCodec: problem(406, error.detail)
  case .forbidden: problem(403, error.detail)
  case .notFound: problem(404, error.detail)
  case .conflict: problem(409, error.detail)
  case .stale: problem(412, error.detail)
  case .unprocessable: problem(422, error.detail)
  case .overloaded(let seconds): problem(503, error.detail).with("Retry-After", String(max(1, seconds)))
  }
}

/// The answer to a body with faults: 400 where it does not parse, 422 where it says what cannot be.
func problem(_ status: Int, faults: [JSONFault]) -> HTTPResponse {
  let first =
    faults.first.map { "Line \($0.line), column \($0.column): \($0.message)" + ($0.message.hasSuffix("?") ? "" : ".") }
    ?? "The body is not as it should be."
  let more = faults.count > 1 ? " \(faults.count - 1) more under 'errors'." : ""
  return problem(status, first + more, line: faults.first?.line, faults: faults)
}
