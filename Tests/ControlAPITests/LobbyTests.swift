import Conference
import ControlAPI
import Testing

private let secret = Array("0123456789abcdef0123456789abcdef".utf8)
private let now = 1_800_000_000

/// A lobby hides a room from whom nobody let in.
@Suite struct LobbyTests {
  /// A room with a lobby, Ada in it and Eve before it.
  private func fixture(lobby: Bool = true) throws -> Fixture {
    let key = try #require(TokenKey(.secret(secret), id: "k1"))
    let fixture = try Fixture { settings in
      settings.authentication = .tokens([key])
      settings.now = { now }
    }
    fixture.control.state.withLock { state in
      state.rooms["lobby"]?.admission.lobby = lobby
      state.rooms["lobby"]?.waiting = [Self.eve]
    }
    return fixture
  }

  private static var eve: ParticipantDescription {
    var eve = ParticipantDescription(id: "p9", name: "Eve", role: "viewer")
    eve.subject = "eve"
    eve.isAdmitted = false
    return eve
  }

  private func bearer(_ role: Role, _ subject: String) -> [String] {
    let claims = TokenClaims(subject: subject, room: "lobby", role: role, expires: now + 60)
    return ["Authorization: Bearer \(Token.signed(claims, secret: secret, keyID: "k1"))"]
  }

  private static let inside = [
    "/v1/rooms/lobby/snapshot.png", "/v1/rooms/lobby/participants", "/v1/rooms/lobby/participants/p1",
    "/v1/rooms/lobby/participants/p1/avatar", "/v1/rooms/lobby/prompts",
  ]

  @Test func whoWaitsSeesOfTheRoomOnlyHimself() async throws {
    let fixture = try fixture()
    for role in [Role.viewer, .panelist] {
      for target in Self.inside { #expect(await fixture.ask("GET", target, bearer(role, "eve"))?.status == 403, "\(target)") }
    }
    for target in ["/v1/rooms/lobby", "/v1/rooms"] {
      let room = await fixture.ask("GET", target, bearer(.viewer, "eve"))
      #expect(room?.status == 200 && room?.body.contains("Ada") == false && room?.body.contains("Eve") == true)
      #expect(room?.body.contains("\"floor\":\"p1\"") == false)
      let stranger = await fixture.ask("GET", target, bearer(.viewer, "mallory"))
      #expect(stranger?.status == 200 && stranger?.body.contains("Eve") == false)
      let nameless = await fixture.ask("GET", target, bearer(.viewer, ""))
      #expect(nameless?.body.contains("Ada") == false)
    }
  }

  @Test func whoIsInOrLeadsSeesAll() async throws {
    let fixture = try fixture()
    for headers in [bearer(.viewer, "ada"), bearer(.host, "somebody")] {
      for target in Self.inside { #expect(await fixture.ask("GET", target, headers)?.status == 200, "\(target)") }
      #expect(await fixture.ask("GET", "/v1/rooms/lobby", headers)?.body.contains("Ada") == true)
    }
    let open = try self.fixture(lobby: false)
    for target in Self.inside { #expect(await open.ask("GET", target, bearer(.viewer, "mallory"))?.status == 200) }
  }

  /// Listens as somebody, until the room was read for him twice.
  private func listen(_ fixture: Fixture, _ headers: [String]) async -> RawClient {
    let client = fixture.client()
    let before = fixture.control.state.withLock { $0.readings }
    await client.send(request("GET", "/v1/rooms/lobby/events", upgradeHeaders + headers))
    #expect(await client.response(toHead: true)?.status == 101)
    await eventually { fixture.control.state.withLock { $0.readings } > before + 1 }
    return client
  }

  private func next(_ client: RawClient) async -> String {
    String(decoding: await client.frame()?.payload ?? [], as: UTF8.self)
  }

  @Test func aLobbyThatIsPutUpLaterHidesTheRoomFromWhoListensAndIsNotInIt() async throws {
    let fixture = try fixture(lobby: false)
    let (outside, inside) = (
      await listen(fixture, bearer(.viewer, "mallory")), await listen(fixture, bearer(.viewer, "ada"))
    )
    func change(lobby: Bool) {
      var admission = AdmissionSettings()
      admission.lobby = lobby
      fixture.control.emit(.roomChanged(admission, StageSettings(), spotlight: nil))
    }
    fixture.control.emit(.speakingStarted(id: "p1"))
    for client in [outside, inside] { #expect(await next(client).contains("\"speaking-started\"")) }
    change(lobby: true)
    for client in [outside, inside] { #expect(await next(client).contains("\"room-changed\"")) }
    fixture.control.emit(.speakingStopped(id: "p1"))
    #expect(await next(inside).contains("\"speaking-stopped\""))
    change(lobby: false)
    #expect(await next(outside).contains("\"room-changed\""), "nothing before it")
    fixture.control.emit(.speakingStarted(id: "p1"))
    #expect(await next(outside).contains("\"speaking-started\""))
  }

  @Test func whoComesAnewMissesNothingWhereThereIsNoLobby() async throws {
    let fixture = try fixture(lobby: false)
    let client = await listen(fixture, bearer(.panelist, "ada"))
    fixture.control.emit(.participantLeft(id: "p1", reason: .left))
    #expect(await next(client).contains("\"id\":\"p1\""))
    fixture.control.emit(.participantLeft(id: "p2", reason: .left))
    #expect(await next(client).contains("\"id\":\"p2\""))
  }

  @Test func nobodyHearsWithTheEarsOfAnother() async throws {
    let fixture = try fixture(lobby: false)
    func watch(_ role: Role, _ subject: String) async -> Int? {
      await fixture.postOffer("/rooms/lobby/whep?participant=p1", bearer(role, subject))?.status
    }
    #expect(await watch(.viewer, "mallory") == 403)
    #expect(await watch(.viewer, "") == 403)
    #expect(await watch(.viewer, "ada") == 201, "his own second connection")
    #expect(await watch(.host, "somebody") == 201)
    let stranger = await fixture.postOffer("/rooms/lobby/whep?participant=nobody", bearer(.viewer, "ada"))
    #expect(stranger?.status == 404)
  }

  @Test func whoWaitsHearsOfHimselfUntilHeIsLetIn() async throws {
    let fixture = try fixture()
    let client = fixture.client()
    await client.send(request("GET", "/v1/rooms/lobby/events", upgradeHeaders + bearer(.viewer, "eve")))
    #expect(await client.response(toHead: true)?.status == 101)
    await eventually { fixture.control.state.withLock { $0.subscriptionCount } > 0 }
    let ada = try #require(fixture.control.state.withLock { $0.rooms["lobby"]?.participants.first })
    func hidden() {
      fixture.control.emit(.speakingStarted(id: "p1"))
      fixture.control.emit(.participantChanged(ada))
      fixture.control.emit(.floorChanged(id: "p1"))
      fixture.control.emit(.participantLeft(id: "p1", reason: .left))
    }
    func next() async -> String { String(decoding: await client.frame()?.payload ?? [], as: UTF8.self) }
    hidden()
    fixture.control.emit(.participantWaiting(Self.eve))
    #expect(await next().contains("\"participant-waiting\""))
    hidden()
    var admission = AdmissionSettings()
    admission.lobby = true
    fixture.control.emit(.roomChanged(admission, StageSettings(), spotlight: nil))
    #expect(await next().contains("\"room-changed\""))
    hidden()
    var eve = Self.eve
    eve.isAdmitted = true
    fixture.control.emit(.participantJoined(eve))
    #expect(await next().contains("\"participant-joined\""))
    fixture.control.emit(.speakingStarted(id: "p1"))
    #expect(await next().contains("\"speaking-started\""))
    fixture.control.emit(.participantLeft(id: "p9", reason: .left))
    #expect(await next().contains("\"participant-left\""))
    hidden()
    fixture.control.emit(.roomClosing(reason: "over"))
    #expect(await next().contains("\"room-closing\""))
  }
}
