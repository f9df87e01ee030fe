import Conference
import JSON5

/// Rooms and the people in them.
extension ControlApplication {
  /// All rooms, or the one that is named if there is one: who only wants to know that is not told of a fault.
  func listRooms(_ head: HTTPRequestHead, _ caller: Identity) async throws(Refusal) -> HTTPResponse {
    let name = try nameParameter(head, "name")
    if let name, !caller.mayEnter(name) { throw Refusal(response: problem(403, "The token is for another room.")) }
    let listing = try listing(head, caller)
    let rooms = await control.rooms(listing: listing).filter { caller.mayEnter($0.name) && (name == nil || $0.name == name) }
      .map { $0.seen(by: caller) }
    return json { writer in
      writer.beginObject()
      writer.key("rooms")
      writer.beginArray()
      for room in rooms { writer.value(room) }
      writer.endArray()
      writer.endObject()
    }
  }

  func room(_ request: HTTPRequest, name: String, caller: Identity) async throws(Refusal) -> HTTPResponse {
    switch request.head.method {
    case "PUT":
      let settings = try decode(request, orElse: RoomSettings(), RoomSettings.init)
      let result = try await asking { () async throws(ConferenceError) in
        let (room, created) = try await control.putRoom(name, settings: settings)
        return (room: room, created: created)
      }
      let response = json(result.created ? 201 : 200) { $0.value(result.room) }
      return result.created ? response.with("Location", "/v1/rooms/\(name)") : response
    case "PATCH":
      let settings = try decode(request, orElse: nil, RoomSettings.init)
      let room = try await asking { () async throws(ConferenceError) in try await control.patchRoom(name, settings: settings) }
      return json { $0.value(room) }
    case "DELETE":
      try await asking { () async throws(ConferenceError) in try await control.deleteRoom(name) }
      return HTTPResponse(204)
    default:
      let listing = try listing(request.head, caller)
      let room = try await asking { () async throws(ConferenceError) in try await control.room(name, listing: listing) }
      return json { $0.value(room.seen(by: caller)) }
    }
  }

  /// Whom the caller wants to have named: everybody, or of those who only watch himself alone.
  func listing(_ head: HTTPRequestHead, _ caller: Identity) throws(Refusal) -> RoomListing {
    switch head.queryValue("audience") {
    case nil, "list": .everybody
    case "count": caller.listing
    default: throw Refusal(response: problem(422, "The parameter 'audience' is 'list' or 'count'."))
    }
  }

  /// Refuses to show what is in a room to whom its lobby hides it.
  func checkLobby(of room: String, _ caller: Identity) async throws(Refusal) {
    // The room need not be asked for those who see all.
    guard !caller.leads else { return }
    let found = try await asking { () async throws(ConferenceError) in try await control.room(room, listing: caller.listing) }
    guard found.isHidden(from: caller) else { return }
    throw Refusal(response: problem(403, "The room has a lobby: join it with this token, and wait until a host lets you in."))
  }

  /// Everybody in a room, or those of some roles: looked at, or changed at once.
  private func everybody(_ request: HTTPRequest, room: String, caller: Identity) async throws(Refusal) -> HTTPResponse {
    let roles = (request.head.queryValue("role") ?? "").split(separator: ",").map(String.init)
    guard roles.allSatisfy(isValidName) else {
      throw Refusal(response: problem(422, "The parameter 'role' is a role, or several with commas between them."))
    }
    let list: [ParticipantDescription]
    if request.head.method == "PATCH" {
      let patch = try decode(request, orElse: nil, ParticipantPatch.init(ofMany:_:))
      list = try await asking { () async throws(ConferenceError) in
        try await control.patchParticipants(room: room, roles: roles.isEmpty ? nil : roles, patch: patch)
      }
    } else {
      try await checkLobby(of: room, caller)
      list = try await asking { () async throws(ConferenceError) in try await control.participants(room: room) }
        .filter { roles.isEmpty || roles.contains($0.role) }
    }
    return json { writer in
      writer.beginObject()
      writer.key("participants")
      writer.value(list)
      writer.endObject()
    }
  }

  /// In whose name a caller asks for something about a participant: in that one's own, if it is he who joined, else in a host's.
  ///
  /// - Parameter isSession: whether he asks by the session's address, which WHIP clients use without any name in their token.
  func requester(
    _ caller: Identity, room: String, id: String, isSession: Bool = false
  ) async throws(Refusal) -> Requester {
    guard let claims = caller.claims else { return isSession ? .himself : .host }
    if caller.leads, !isSession { return .host }
    let owner = try await asking { () async throws(ConferenceError) in try await control.participant(room: room, id: id) }
      .subject
    if owner == claims.subject, isSession || !claims.subject.isEmpty { return .himself }
    if caller.leads { return .host }
    throw Refusal(
      response: problem(403, "This takes the token that joined as this participant, with a 'sub' of its own, or a host's.")
        .with("WWW-Authenticate", "Bearer realm=\"tutti\", error=\"insufficient_scope\""))
  }

  func participants(_ request: HTTPRequest, route: Route, caller: Identity) async throws(Refusal) -> HTTPResponse {
    if case .participants(let room) = route { return try await everybody(request, room: room, caller: caller) }
    guard case .participant(let room, let id) = route else { return problem(404, "There is nothing at this address.") }
    switch request.head.method {
    case "PATCH":
      let requester = try await requester(caller, room: room, id: id)
      let patch = try decode(request, orElse: nil, ParticipantPatch.init(_:_:))
      let changed = try await asking { () async throws(ConferenceError) in
        try await control.patchParticipant(room: room, id: id, patch: patch, by: requester)
      }
      return json { $0.value(changed) }
    case "DELETE":
      let requester = try await requester(caller, room: room, id: id)
      try await asking { () async throws(ConferenceError) in
        try await control.leave(room: room, participant: id, by: requester)
      }
      return HTTPResponse(204)
    default:
      let found = try await asking { () async throws(ConferenceError) in try await control.participant(room: room, id: id) }
      if !caller.isNamed(found.subject) { try await checkLobby(of: room, caller) }
      return json { $0.value(found) }
    }
  }

  func avatar(_ request: HTTPRequest, room: String, id: String, caller: Identity) async throws(Refusal) -> HTTPResponse {
    if request.head.method == "PUT" {
      let requester = try await requester(caller, room: room, id: id)
      let changed = try await asking { () async throws(ConferenceError) in
        try await control.putAvatar(room: room, id: id, image: request.body, by: requester)
      }
      return json { $0.value(changed) }
    }
    try await checkLobby(of: room, caller)
    let image = try await asking { () async throws(ConferenceError) in try await control.avatar(room: room, id: id) }
    // Of the two kinds there are.
    return HTTPResponse(200, type: image.starts(with: [0xFF, 0xD8]) ? "image/jpeg" : "image/png", body: image)
  }

  /// Reads a JSON body: 400 where it does not parse, 422 where it says what cannot be.
  ///
  /// - Parameter empty: what an empty body means; nil where there must be one.
  func decode<T>(_ request: HTTPRequest, orElse empty: T?, _ make: (JSONValue, JSONDecoder) -> T) throws(Refusal) -> T {
    if request.body.isEmpty, let empty { return empty }
    let value: JSONValue
    do throws(JSONFault) {
      value = try JSONValue(
        parsing: request.body, strict: true, limits: JSONLimits(bytes: 256 * 1024, depth: 16, members: 4096))
    } catch { throw Refusal(response: problem(400, faults: [error])) }
    let decoder = JSONDecoder()
    let result = make(value, decoder)
    guard decoder.faults.isEmpty else { throw Refusal(response: problem(422, faults: decoder.faults)) }
    return result
  }

  func json(_ status: Int = 200, _ write: (inout JSONWriter) -> Void) -> HTTPResponse {
    var writer = JSONWriter()
    write(&writer)
    return HTTPResponse(status, type: "application/json", body: writer.bytes)
  }
}
