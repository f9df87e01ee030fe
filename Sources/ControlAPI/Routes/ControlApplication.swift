import Conference
import JSON5
import LayoutWorkshop

/// Turns requests into questions to the conferences and their answers into responses. Knows no socket.
struct ControlApplication: Sendable {
  let control: any ConferenceControl
  let workshop: LayoutWorkshop
  let authentication: Authentication
  /// What the `Link` headers of media sessions tell of.
  let iceServers: [ICEServer]
  /// Seconds since 1970.
  let now: @Sendable () -> Int

  var policy: HTTPPolicy { HTTPPolicy(admit: { self.admit($0) }, decorate: { self.decorated($0, $1) }) }

  // MARK: Before the body

  /// What can be decided from the head alone, so that nobody sends a body in vain.
  func admit(_ head: HTTPRequestHead) -> Admission {
    do throws(Refusal) {
      if head.method == "OPTIONS" { return .proceed(bodyBytesMax: 1024) }
      guard let route = try Route(head.segments) else {
        return .refuse(problem(404, "There is nothing at this address; /openapi.json lists what there is."))
      }
      let method = head.method == "HEAD" ? "GET" : head.method
      guard route.methods.contains(method) else {
        return .refuse(
          problem(405, "This address takes \(route.allowedMethods).").with("Allow", route.allowedMethods))
      }
      if case .events = route { return try admitWebSocket(head, route) }
      _ = try identity(of: head, route: route)
      try checkQuery(head, route)
      try checkTypes(head, route)
      return .proceed(bodyBytesMax: route.bodyBytesMax(method: method))
    } catch {
      return .refuse(error.response)
    }
  }

  func identity(of head: HTTPRequestHead, route: Route, isWebSocket: Bool = false) throws(Refusal) -> Identity {
    guard let permission = route.permission(method: head.method) else { return Identity(claims: nil) }
    return try authentication.check(head, permission: permission, room: route.room, isWebSocket: isWebSocket, now: now()).get()
  }

  /// A misspelt parameter would go unnoticed until somebody misses what it was to do.
  private func checkQuery(_ head: HTTPRequestHead, _ route: Route) throws(Refusal) {
    guard let known = route.parameters, let field = head.query.first(where: { !known.contains($0.name) }) else { return }
    let advice = known.isEmpty ? "this address takes none" : "this address takes \(known.joined(separator: ", "))"
    throw Refusal(response: problem(400, "There is no parameter \(quoted(field.name)) here; \(advice)."))
  }

  private func checkTypes(_ head: HTTPRequestHead, _ route: Route) throws(Refusal) {
    let types = route.bodyTypes(method: head.method)
    // A PUT without a body and without a type asks for the defaults.
    let isBareRequest = head.contentLength == 0 && head.mediaType == nil && head.method == "PUT"
    if !types.isEmpty, !isBareRequest, !types.contains(head.mediaType ?? "") {
      let refusal = problem(415, "Send the body with 'Content-Type: \(types[0])'.")
      throw Refusal(response: refusal.with(head.method == "PATCH" ? "Accept-Patch" : "Accept-Post", types[0]))
    }
    if let type = route.answerType(method: head.method), !accepts(head, type) {
      throw Refusal(response: problem(406, "The answer is \(type); accept it."))
    }
  }

  private func accepts(_ head: HTTPRequestHead, _ type: String) -> Bool {
    guard let accept = head.header("accept"), !accept.isEmpty else { return true }
    let bare = String(type.prefix { $0 != ";" })
    let family = bare.prefix { $0 != "/" } + "/*"
    var wanted = [bare, String(family), "*/*"]
    if bare == "application/json5" { wanted.append("application/json") }
    return accept.split(separator: ",").contains { range in
      let parts = range.split(separator: ";").map { String($0).trimmed().lowercased() }
      let isRefused = parts.dropFirst().contains { $0 == "q=0" || $0 == "q=0.0" || $0 == "q=0.00" || $0 == "q=0.000" }
      return !isRefused && wanted.contains(parts.first ?? "")
    }
  }

  private func admitWebSocket(_ head: HTTPRequestHead, _ route: Route) throws(Refusal) -> Admission {
    let options = (head.header("connection") ?? "").lowercased().split(separator: ",").map { String($0).trimmed() }
    guard head.method == "GET", head.header("upgrade")?.lowercased() == "websocket", options.contains("upgrade") else {
      _ = try identity(of: head, route: route)
      throw Refusal(
        response: problem(426, "Events come over a WebSocket; ask for the upgrade.").with("Upgrade", "websocket")
          .with("Connection", "Upgrade"))
    }
    guard head.header("sec-websocket-version") == "13" else {
      throw Refusal(response: problem(426, "Use version 13 of the WebSocket protocol.").with("Sec-WebSocket-Version", "13"))
    }
    guard let key = head.header("sec-websocket-key"), key.utf8.count == 24, key.hasSuffix("==") else {
      throw Refusal(response: problem(400, "Sec-WebSocket-Key is not 16 bytes in base64."))
    }
    try checkOrigin(head)
    let caller = try identity(of: head, route: route, isWebSocket: true)
    try checkQuery(head, route)
    _ = try listing(head, caller)
    if let room = route.room, !control.hasRoom(room) {
      throw Refusal(response: problem(404, "There is no room '\(room)'; join it or create it with PUT /v1/rooms/\(room)."))
    }
    let digest = Cryptography.sha1(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
    let offered = offeredSubprotocols(head).contains(Authentication.eventsSubprotocol)
    return .webSocket(
      acceptKey: Base64.encode(digest), subprotocol: offered ? Authentication.eventsSubprotocol : nil)
  }

  /// Without tokens nothing else keeps the pages of other sites from listening through a visitor's browser.
  private func checkOrigin(_ head: HTTPRequestHead) throws(Refusal) {
    guard case .none = authentication, let origin = head.header("origin"), let host = head.header("host") else { return }
    guard origin == "http://" + host || origin == "https://" + host else {
      throw Refusal(response: problem(403, "Pages of other sites may listen only with a token."))
    }
  }

  // MARK: Answers

  /// The answer to a request that was admitted.
  func answer(_ request: HTTPRequest) async -> HTTPResponse {
    do throws(Refusal) {
      if request.head.method == "OPTIONS" { return try preflight(request.head) }
      guard let route = try Route(request.head.segments) else { return problem(404, "There is nothing at this address.") }
      let caller = try identity(of: request.head, route: route)
      return try await answer(request, route: route, caller: caller)
    } catch {
      return error.response
    }
  }

  private func answer(_ request: HTTPRequest, route: Route, caller: Identity) async throws(Refusal) -> HTTPResponse {
    switch route {
    case .page(let file): return file.response(to: request.head)
    case .roomPage(let room): return HTTPResponse(303).with("Location", "/?room=\(room)")
    case .health: return health()
    case .readiness:
      if await control.isReady() { return HTTPResponse(200, type: "text/plain; charset=utf-8", body: Array("ready\n".utf8)) }
      return problem(503, "The server takes no new participants now.").with("Retry-After", "5")
    case .metrics:
      return HTTPResponse(200, type: "text/plain; version=0.0.4; charset=utf-8", body: Array(await control.metrics().utf8))
    case .offer(let kind, let room): return try await join(request, kind: kind, room: room, caller: caller)
    case .session(let room, let id):
      return request.head.method == "DELETE"
        ? try await leave(room: room, id: id, caller: caller) : try await trickle(request, room: room, id: id, caller: caller)
    case .rooms: return try await listRooms(request.head, caller)
    case .room(let name): return try await room(request, name: name, caller: caller)
    case .avatar(let room, let id): return try await avatar(request, room: room, id: id, caller: caller)
    case .participants, .participant: return try await participants(request, route: route, caller: caller)
    case .prompts(let room):
      try await checkLobby(of: room, caller)
      return try await prompts(request, room: room)
    case .prompt(let room, let id):
      try await checkLobby(of: room, caller)
      return try await prompt(request, room: room, id: id)
    case .layouts, .layout, .layoutPreview, .layoutCheck, .layoutShipped: return try await layouts(request, route: route)
    case .snapshot(let room):
      try await checkLobby(of: room, caller)
      return try await snapshot(request, room: room)
    case .events: return problem(426, "Events come over a WebSocket.")
    }
  }

  /// A PNG of the picture being sent now.
  private func snapshot(_ request: HTTPRequest, room: String) async throws(Refusal) -> HTTPResponse {
    let output = try nameParameter(request.head, "output")
    let png = try await asking { () async throws(ConferenceError) in try await control.snapshot(room: room, output: output) }
    return HTTPResponse(200, type: "image/png", body: png)
  }

  /// It lives; where it is short of time, how short.
  private func health() -> HTTPResponse {
    let load = control.load()
    var text = "ok\n"
    if load.level != .full || !load.takesNewcomers {
      text = "overloaded\nvideo: \(load.level.name)\nnewcomers: \(load.takesNewcomers ? "taken" : "refused")\n"
      text += "processors: \(Int((load.processorShare * 100).rounded())) %\n"
    }
    return HTTPResponse(200, type: "text/plain; charset=utf-8", body: Array(text.utf8))
  }

  /// Calls the conferences; what they refuse becomes a problem.
  func asking<T: Sendable>(_ body: () async throws(ConferenceError) -> T) async throws(Refusal) -> T {
    do throws(ConferenceError) { return try await body() } catch { throw Refusal(response: problem(error)) }
  }

  // MARK: Headers of every answer

  private func preflight(_ head: HTTPRequestHead) throws(Refusal) -> HTTPResponse {
    if head.segments == ["*"] { return HTTPResponse(204) }
    guard let route = try Route(head.segments) else { return problem(404, "There is nothing at this address.") }
    var response = HTTPResponse(204).with("Allow", route.allowedMethods)
    if let type = route.bodyTypes(method: "POST").first { response.set("Accept-Post", type) }
    if let type = route.bodyTypes(method: "PATCH").first { response.set("Accept-Patch", type) }
    if route.isMedia {
      // Preflights carry no token: who sends one is told of all servers, others of those that ask for nothing.
      let caller = try? identity(of: head, route: route)
      addLinks(to: &response, for: caller)
    }
    if isShared(route) {
      response.set("Access-Control-Allow-Methods", route.allowedMethods)
      response.set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match, If-None-Match")
      response.set("Access-Control-Max-Age", "86400")
    }
    return response
  }

  /// - Parameter caller: nil where he may not come in, as far as is known.
  func addLinks(to response: inout HTTPResponse, for caller: Identity?) {
    for server in iceServers where caller != nil || !server.isConfidential {
      let link = server.link(for: caller?.claims?.subject, now: now())
      response.headers.append(HTTPField(name: "Link", value: link))
    }
  }

  /// Whether pages of other sites may read the answers. Control without tokens is for this server's own page.
  private func isShared(_ route: Route) -> Bool {
    if case .tokens = authentication { return true }
    return route.isMedia
  }

  private func decorated(_ response: HTTPResponse, _ head: HTTPRequestHead?) -> HTTPResponse {
    var response = response
    for (name, value) in securityHeaders { response.set(name, value) }
    if !response.headers.contains(where: { $0.name == "Cache-Control" }) { response.set("Cache-Control", "no-store") }
    guard let head, let route = try? Route(head.segments), isShared(route) else { return response }
    response.set("Access-Control-Allow-Origin", "*")
    response.set(
      "Access-Control-Expose-Headers", "Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After, WWW-Authenticate")
    return response
  }
}

private let securityHeaders = [
  (
    "Content-Security-Policy",
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; "
      + "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
  ),
  ("X-Content-Type-Options", "nosniff"),
  ("Referrer-Policy", "no-referrer"),
  ("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=()"),
]
