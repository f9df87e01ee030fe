import Conference
import JSON5

/// Recordings played into a room.
extension ControlApplication {
  func prompts(_ request: HTTPRequest, room: String) async throws(Refusal) -> HTTPResponse {
    guard request.head.method == "POST" else {
      let list = try await asking { () async throws(ConferenceError) in try await control.prompts(room: room) }
      return json { writer in
        writer.beginObject()
        writer.key("prompts")
        writer.beginArray()
        for prompt in list { writer.value(prompt) }
        writer.endArray()
        writer.endObject()
      }
    }
    let wanted = try decode(request, orElse: nil, PromptRequest.init)
    let started = try await asking { () async throws(ConferenceError) in try await control.startPrompt(room: room, wanted) }
    return json(201) { $0.value(started) }.with("Location", "/v1/rooms/\(room)/prompts/\(started.id)")
  }

  func prompt(_ request: HTTPRequest, room: String, id: String) async throws(Refusal) -> HTTPResponse {
    if request.head.method == "DELETE" {
      try await asking { () async throws(ConferenceError) in try await control.stopPrompt(room: room, id: id) }
      return HTTPResponse(204)
    }
    let found = try await asking { () async throws(ConferenceError) in try await control.prompt(room: room, id: id) }
    return json { $0.value(found) }
  }
}
