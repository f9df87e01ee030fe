import Conference

/// WHIP (RFC 9725), WHEP and both in one.
extension ControlApplication {
  func join(_ request: HTTPRequest, kind: JoinRequest.Kind, room: String, caller: Identity) async throws(Refusal)
    -> HTTPResponse
  {
    guard let offer = String(validating: request.body, as: UTF8.self), !offer.isEmpty else {
      throw Refusal(response: problem(400, "The body is to be an SDP offer in UTF-8.", line: 1))
    }
    let join = try joinRequest(request.head, kind: kind, room: room, offer: offer, caller: caller)
    // Who hears with another's ears hears what is whispered to him, in his side room and before the start.
    if let followed = join.mixOf { _ = try await requester(caller, room: room, id: followed) }
    let answer = try await asking { () async throws(ConferenceError) in try await control.join(join) }
    var response = HTTPResponse(201, type: "application/sdp", body: Array(answer.answer.utf8))
    response.set("Location", "/rooms/\(room)/participants/\(answer.participant)")
    response.set("ETag", "\"\(answer.entityTag)\"")
    response.set("Accept-Patch", "application/trickle-ice-sdpfrag")
    addLinks(to: &response, for: caller)
    return response
  }

  private func joinRequest(
    _ head: HTTPRequestHead, kind: JoinRequest.Kind, room: String, offer: String, caller: Identity
  ) throws(Refusal) -> JoinRequest {
    let selfView: Bool?
    switch head.queryValue("self") {
    case nil: selfView = nil
    case "true", "1": selfView = true
    case "false", "0": selfView = false
    default: throw Refusal(response: problem(422, "The parameter 'self' is true or false; without it the layout decides."))
    }
    return JoinRequest(
      kind: kind, room: room, offer: offer,
      name: displayName(head.queryValue("name") ?? caller.claims?.subject ?? ""),
      role: try role(head, caller: caller), subject: caller.claims?.subject, output: try nameParameter(head, "output"),
      audioOutput: try nameParameter(head, "audio"), selfView: selfView,
      mixOf: try nameParameter(head, "participant"), content: try content(head),
      avatar: head.queryValue("avatar").flatMap { $0.isEmpty ? nil : $0 })
  }

  private func content(_ head: HTTPRequestHead) throws(Refusal) -> PictureContent? {
    guard let text = head.queryValue("content") else { return nil }
    guard let content = PictureContent(rawValue: text) else {
      let choices = PictureContent.allCases.map(\.rawValue).joined(separator: " or ")
      throw Refusal(response: problem(422, "The parameter 'content' is \(choices)."))
    }
    return content
  }

  /// The role asked for, which without a host's token is the token's own. Everybody may come as a viewer.
  private func role(_ head: HTTPRequestHead, caller: Identity) throws(Refusal) -> String? {
    let asked = try nameParameter(head, "role")
    guard let claims = caller.claims else { return asked }
    guard let asked, asked != claims.role.rawValue else { return claims.role.rawValue }
    if asked == Role.viewer.rawValue { return asked }
    let isAbove = Role(rawValue: asked).map { !claims.role.allows(as: $0) } ?? false
    guard claims.role.allows(.control), !isAbove else {
      throw Refusal(response: problem(403, "The token's role is \(claims.role.rawValue); leave 'role' away."))
    }
    return asked
  }

  func nameParameter(_ head: HTTPRequestHead, _ key: String) throws(Refusal) -> String? {
    guard let value = head.queryValue(key), !value.isEmpty else { return nil }
    guard isValidName(value) else {
      throw Refusal(response: problem(422, "The parameter '\(key)' is 1 to 64 of A-Z a-z 0-9 . _ -."))
    }
    return value
  }

  func trickle(_ request: HTTPRequest, room: String, id: String, caller: Identity) async throws(Refusal) -> HTTPResponse {
    _ = try await requester(caller, room: room, id: id, isSession: true)
    let entityTag = try entityTag(request.head)
    guard let fragment = String(validating: request.body, as: UTF8.self), !fragment.isEmpty else {
      throw Refusal(response: problem(400, "The body is to be an SDP fragment (RFC 8840) in UTF-8.", line: 1))
    }
    let answer = try await asking { () async throws(ConferenceError) in
      try await control.trickle(room: room, participant: id, fragment: fragment, entityTag: entityTag)
    }
    switch answer {
    case .accepted: return HTTPResponse(204)
    case .restarted(let fragment, let entityTag):
      return HTTPResponse(200, type: "application/trickle-ice-sdpfrag", body: Array(fragment.utf8))
        .with("ETag", "\"\(entityTag)\"")
    }
  }

  /// The tag in If-Match; nil for `*`.
  private func entityTag(_ head: HTTPRequestHead) throws(Refusal) -> String? {
    guard let text = head.header("if-match"), !text.isEmpty else {
      throw Refusal(response: problem(428, "Send If-Match with the session's ETag, or \"*\" to restart ICE."))
    }
    // RFC 9725 section 4.3.3 writes the star in quotes.
    if text == "*" || text == "\"*\"" { return nil }
    guard text.utf8.count >= 2, text.hasPrefix("\""), text.hasSuffix("\""), !text.dropFirst().dropLast().contains("\"") else {
      throw Refusal(response: problem(412, "If-Match names one strong entity tag: the session's ETag with its quotes."))
    }
    return String(text.dropFirst().dropLast())
  }

  func leave(room: String, id: String, caller: Identity) async throws(Refusal) -> HTTPResponse {
    let requester = try await requester(caller, room: room, id: id, isSession: true)
    try await asking { () async throws(ConferenceError) in try await control.leave(room: room, participant: id, by: requester) }
    return HTTPResponse(200)
  }
}
