import Conference

/// Who may use the server.
package enum Authentication: Sendable {
  /// Everybody may do everything.
  case none
  /// Those whose token one of the keys signed, within what it allows.
  case tokens([TokenKey])
}

/// What a request wants to do, for the comparison with a role.
enum Permission {
  /// Look at a room, its people and its pictures, and watch.
  case watch
  /// Send audio and video.
  case takePart
  /// Change a room and the people in it.
  case control
  /// See the whole server.
  case administer

  var leastRole: Role {
    switch self {
    case .watch: .viewer
    case .takePart: .panelist
    case .control: .host
    case .administer: .admin
    }
  }
}

extension Role {
  func allows(_ permission: Permission) -> Bool { allows(as: permission.leastRole) }

  /// Whether this role may do all that the other may.
  func allows(as other: Role) -> Bool {
    let order = Role.allCases
    return order.firstIndex(of: self) ?? 0 >= order.firstIndex(of: other) ?? 0
  }
}

/// Who a request is from; nil claims where nobody has to say.
struct Identity: Sendable {
  var claims: TokenClaims?

  /// Whether a token names this subject.
  func isNamed(_ subject: String?) -> Bool { claims.map { !$0.subject.isEmpty && $0.subject == subject } ?? false }

  /// Whether he leads the rooms he may enter, so that nothing in them is kept from him.
  var leads: Bool { claims?.role.allows(.control) ?? true }

  /// Those of a room whom he cannot do without: himself, those on stage and, if he leads, those who wait.
  var listing: RoomListing {
    RoomListing(namesAudience: false, namesWaiting: leads, subject: claims.flatMap { $0.subject.isEmpty ? nil : $0.subject })
  }

  func mayEnter(_ room: String) -> Bool { claims.map { $0.room == "*" || $0.room == room } ?? true }
}

extension Authentication {
  /// The subprotocol that browsers offer beside their token, since they cannot set headers on a WebSocket.
  static let eventsSubprotocol = "tutti.events"
  static let bearerSubprotocolPrefix = "bearer."

  /// The identity of a request, or the refusal.
  ///
  /// - Parameters:
  ///   - room: nil where the request is about the whole server.
  ///   - now: seconds since 1970.
  func check(
    _ head: HTTPRequestHead, permission: Permission, room: String?, isWebSocket: Bool = false, now: Int
  ) -> Result<Identity, Refusal> {
    guard case .tokens(let keys) = self else { return .success(Identity(claims: nil)) }
    guard let token = bearerToken(head, isWebSocket: isWebSocket) else {
      return .failure(
        Refusal(
          response: problem(401, "Send a token in 'Authorization: Bearer …'; 'tutti token' makes one.")
            .with("WWW-Authenticate", "Bearer realm=\"tutti\"")))
    }
    do throws(TokenFault) {
      let identity = Identity(claims: try Token.verified(token, keys: keys, now: now))
      if let refusal = refusal(of: identity, permission: permission, room: room) { return .failure(refusal) }
      return .success(identity)
    } catch {
      return .failure(
        Refusal(
          response: problem(401, error.detail)
            .with("WWW-Authenticate", "Bearer realm=\"tutti\", error=\"invalid_token\", error_description=\"\(error.detail)\""))
      )
    }
  }

  private func refusal(of identity: Identity, permission: Permission, room: String?) -> Refusal? {
    guard let claims = identity.claims else { return nil }
    if let room, !identity.mayEnter(room) {
      return Refusal(response: forbidden("The token is for another room."))
    }
    guard claims.role.allows(permission) else {
      return Refusal(
        response: forbidden(
          "The token's role is \(claims.role.rawValue); this takes \(permission.leastRole.andAbove)."))
    }
    return nil
  }

  private func forbidden(_ detail: String) -> HTTPResponse {
    problem(403, detail).with("WWW-Authenticate", "Bearer realm=\"tutti\", error=\"insufficient_scope\"")
  }

  private func bearerToken(_ head: HTTPRequestHead, isWebSocket: Bool) -> String? {
    if let value = head.header("authorization") {
      let words = value.split(separator: " ", maxSplits: 1)
      guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
      return String(words[1]).trimmed()
    }
    guard isWebSocket else { return nil }
    return offeredSubprotocols(head).first { $0.hasPrefix(Self.bearerSubprotocolPrefix) }
      .map { String($0.dropFirst(Self.bearerSubprotocolPrefix.count)) }
  }
}

struct Refusal: Error, Sendable { var response: HTTPResponse }

/// What a client lists in Sec-WebSocket-Protocol.
func offeredSubprotocols(_ head: HTTPRequestHead) -> [String] {
  head.headers.filter { $0.name == "sec-websocket-protocol" }
    .flatMap { $0.value.split(separator: ",").map { String($0).trimmed() } }
}
