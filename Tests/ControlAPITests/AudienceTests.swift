import Conference
import ControlAPI
import Testing

private let secret = Array("0123456789abcdef0123456789abcdef".utf8)
private let now = 1_800_000_000

/// Those who only watch are counted rather than named, for who asks for that: there may be thousands.
@Suite struct AudienceTests {
  /// A room with Ada and Bob on its stage, of whom Vera and Will watch, and Eve in its lobby.
  private func fixture() throws -> Fixture {
    let key = try #require(TokenKey(.secret(secret), id: "k1"))
    let fixture = try Fixture { settings in
      settings.authentication = .tokens([key])
      settings.now = { now }
    }
    fixture.control.state.withLock { state in
      state.rooms["lobby"]?.participants += [Self.person("p3", "Vera", "viewer"), Self.person("p4", "Will", "viewer")]
      state.rooms["lobby"]?.waiting = [Self.person("p9", "Eve", "viewer", isAdmitted: false)]
    }
    return fixture
  }

  /// By his token he is called as by his name, in small letters.
  private static func person(_ id: String, _ name: String, _ role: String, isAdmitted: Bool = true) -> ParticipantDescription {
    var person = ParticipantDescription(id: id, name: name, role: role)
    person.subject = name.lowercased()
    person.isAdmitted = isAdmitted
    return person
  }

  private func bearer(_ role: Role, _ subject: String) -> [String] {
    let claims = TokenClaims(subject: subject, room: "lobby", role: role, expires: now + 60)
    return ["Authorization: Bearer \(Token.signed(claims, secret: secret, keyID: "k1"))"]
  }

  /// Which of all people an answer names.
  private func names(in body: String?) -> [String] {
    ["Ada", "Bob", "Vera", "Will", "Eve"].filter { body?.contains("\"name\":\"\($0)") == true }
  }

  @Test func aRoomNamesThoseOnStageAndTheCaller() async throws {
    let fixture = try fixture()
    for target in ["/v1/rooms/lobby", "/v1/rooms"] {
      let all = await fixture.ask("GET", target, bearer(.viewer, "vera"))
      #expect(names(in: all?.body) == ["Ada", "Bob", "Vera", "Will", "Eve"] && all?.body.contains("\"audience\":2") == true)
      let seen = await fixture.ask("GET", target + "?audience=count", bearer(.viewer, "vera"))
      #expect(names(in: seen?.body) == ["Ada", "Bob", "Vera"] && seen?.body.contains("\"audience\":2") == true)
      let nameless = await fixture.ask("GET", target + "?audience=count", bearer(.viewer, ""))
      #expect(names(in: nameless?.body) == ["Ada", "Bob"])
      let host = await fixture.ask("GET", target + "?audience=count", bearer(.host, "somebody"))
      #expect(names(in: host?.body) == ["Ada", "Bob", "Eve"], "whoever leads has to let in who waits")
    }
  }

  @Test func whatIsNeitherListNorCountIsRefused() async throws {
    let fixture = try fixture()
    #expect(await fixture.ask("GET", "/v1/rooms/lobby?audience=list", bearer(.viewer, "vera"))?.status == 200)
    for target in ["/v1/rooms/lobby?audience=none", "/v1/rooms?audience=1"] {
      let answer = await fixture.ask("GET", target, bearer(.viewer, "vera"))
      #expect(answer?.status == 422 && answer?.body.contains("'list' or 'count'") == true)
    }
    let events = await fixture.ask("GET", "/v1/rooms/lobby/events?audience=no", upgradeHeaders + bearer(.viewer, "vera"))
    #expect(events?.status == 422)
  }

  /// Listens as somebody until his filter has read the room.
  private func listen(_ fixture: Fixture, _ headers: [String]) async -> RawClient {
    let client = fixture.client()
    let before = fixture.control.state.withLock { $0.readings }
    await client.send(request("GET", "/v1/rooms/lobby/events?audience=count", upgradeHeaders + headers))
    #expect(await client.response(toHead: true)?.status == 101)
    await eventually { fixture.control.state.withLock { $0.readings } > before }
    return client
  }

  private func next(_ client: RawClient) async -> String {
    String(decoding: await client.frame()?.payload ?? [], as: UTF8.self)
  }

  @Test func eventsTellOfTheAudienceItsNumberAlone() async throws {
    let fixture = try fixture()
    let client = await listen(fixture, bearer(.viewer, "vera"))
    let control = fixture.control
    control.emit(.participantJoined(Self.person("p5", "Xeno", "viewer")))
    control.emit(.participantChanged(Self.person("p4", "Will", "viewer")))
    control.emit(.participantWaiting(Self.person("p9", "Eve", "viewer", isAdmitted: false)))
    control.emit(.pictureSwitched(id: "p4", output: "low"))
    control.emit(.participantLeft(id: "p4", reason: .left))
    control.emit(.audienceChanged(count: 2))
    #expect(await next(client).contains("\"type\":\"audience-changed\",\"room\":\"lobby\""))
    control.emit(.pictureSwitched(id: "p3", output: "low"))
    #expect(await next(client).contains("\"picture-switched\""), "his own")
    control.emit(.participantChanged(Self.person("p3", "Vera", "viewer")))
    #expect(await next(client).contains("\"id\":\"p3\""))
    control.emit(.participantLeft(id: "p2", reason: .left))
    #expect(await next(client).contains("\"participant-left\""), "who was on the stage")
  }

  @Test func whoGoesToTheStageAndBackIsToldOfAsLongAsHeIsThere() async throws {
    let fixture = try fixture()
    let client = await listen(fixture, bearer(.panelist, "bob"))
    let control = fixture.control
    control.emit(.participantChanged(Self.person("p4", "Will", "panelist")))
    #expect(await next(client).contains("\"role\":\"panelist\""))
    control.emit(.pictureSwitched(id: "p4", output: nil))
    #expect(await next(client).contains("\"picture-switched\""))
    control.emit(.participantChanged(Self.person("p4", "Will", "viewer")))
    #expect(await next(client).contains("\"role\":\"viewer\""), "that he left the stage")
    control.emit(.participantChanged(Self.person("p4", "William", "viewer")))
    control.emit(.participantLeft(id: "p4", reason: .left))
    control.emit(.roomClosing(reason: "over"))
    #expect(await next(client).contains("\"room-closing\""))
  }

  @Test func whoLeadsIsToldWhoWaits() async throws {
    let fixture = try fixture()
    let client = await listen(fixture, bearer(.host, "ada"))
    let waiting = Self.person("p8", "Zoe", "viewer", isAdmitted: false)
    fixture.control.emit(.participantWaiting(waiting))
    #expect(await next(client).contains("\"participant-waiting\""))
    fixture.control.emit(.participantLeft(id: "p8", reason: .refused))
    #expect(await next(client).contains("\"refused\""))
  }

  @Test func anEventIsWrittenOnceHoweverManyListen() {
    let event = ConferenceEvent(room: "r", unixNanoseconds: 0, change: .audienceChanged(count: 1))
    var count = 0
    for _ in 0..<3 {
      let text = event.text.written {
        count += 1
        return [7]
      }
      #expect(text == [7])
    }
    #expect(count == 1)
  }
}
