import Conference
import JSON5

/// Layouts, and what a room looks like.
extension ControlApplication {
  func pictures(_ request: HTTPRequest, route: Route) async throws(Refusal) -> HTTPResponse {
    switch route {
    case .layouts:
      let names = await control.layouts()
      return json { writer in
        writer.beginObject()
        writer.key("layouts")
        writer.beginArray()
        for name in names { writer.value(name) }
        writer.endArray()
        writer.endObject()
      }
    case .layout(let name): return try await layout(name, head: request.head)
    case .layoutPreview(let name): return try await preview(name, head: request.head)
    case .snapshot(let room):
      let output = try nameParameter(request.head, "output")
      let png = try await asking { () async throws(ConferenceError) in try await control.snapshot(room: room, output: output) }
      return HTTPResponse(200, type: "image/png", body: png)
    default: return problem(404, "There is nothing at this address.")
    }
  }

  /// As plain JSON, or as its author wrote it for those who accept JSON5.
  private func layout(_ name: String, head: HTTPRequestHead) async throws(Refusal) -> HTTPResponse {
    let source = try await asking { () async throws(ConferenceError) in try await control.layoutSource(name) }
    if head.header("accept")?.lowercased().contains("application/json5") == true {
      return HTTPResponse(200, type: "application/json5", body: Array(source.utf8))
    }
    do throws(JSONFault) {
      let value = try JSONValue(parsing: source)
      return json { $0.value(value) }
    } catch {
      throw Refusal(response: problem(500, "The layout's file is not valid JSON5: line \(error.line), \(error.message)."))
    }
  }

  private func preview(_ name: String, head: HTTPRequestHead) async throws(Refusal) -> HTTPResponse {
    let participants = head.queryValue("participants").map { Int($0) } ?? 4
    guard let participants, (0...100).contains(participants) else {
      throw Refusal(response: problem(422, "The parameter 'participants' is a whole number from 0 to 100."))
    }
    let sides = (head.queryValue("size") ?? "640x360").split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count == 2, let width = sides[0], let height = sides[1], (64...3840).contains(width),
      (64...2160).contains(height)
    else { throw Refusal(response: problem(422, "The parameter 'size' is WIDTHxHEIGHT, 64x64 to 3840x2160.")) }
    let png = try await asking { () async throws(ConferenceError) in
      try await control.layoutPreview(name, participants: participants, width: width, height: height)
    }
    return HTTPResponse(200, type: "image/png", body: png)
  }
}
