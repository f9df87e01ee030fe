import Conference
import ControlAPI
import Testing

/// A lobby hides a room from whom nobody let in.
@Suite struct LobbyTests {
  /// A room with a lobby, Ada in it and Eve before it.
  private func fixture(lobby: Bool = true) throws -> Fixture {
    let fixture = try Fixture.withTokens()
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

  @Test func aLobbyThatIsPutUpLaterHidesTheRoomFromWhoListensAndIsNotInIt() async throws {
    let fixture = try fixture(lobby: false)
    let (outside, inside) = (
      await fixture.listen(bearer(.viewer, "mallory"), readings: 2), await fixture.listen(bearer(.viewer, "ada"), readings: 2)
    )
    func change(lobby: Bool) {
      var admission = AdmissionSettings()
      admission.lobby = lobby
      fixture.control.emit(.roomChanged(admission, StageSettings(), spotlight: nil))
    }
    fixture.control.emit(.speakingStarted(id: "p1"))
    for client in [outside, inside] { #expect(await client.text().contains("\"speaking-started\"")) }
    change(lobby: true)
    for client in [outside, inside] { #expect(await client.text().contains("\"room-changed\"")) }
    fixture.control.emit(.speakingStopped(id: "p1"))
    #expect(await inside.text().contains("\"speaking-stopped\""))
    change(lobby: false)
    #expect(await outside.text().contains("\"room-changed\""), "nothing before it")
    fixture.control.emit(.speakingStarted(id: "p1"))
    #expect(await outside.text().contains("\"speaking-started\""))
  }

  @Test func whoComesAnewMissesNothingWhereThereIsNoLobby() async throws {
    let fixture = try fixture(lobby: false)
    let client = await fixture.listen(bearer(.panelist, "ada"), readings: 2)
    fixture.control.emit(.participantLeft(id: "p1", reason: .left))
    #expect(await client.text().contains("\"id\":\"p1\""))
    fixture.control.emit(.participantLeft(id: "p2", reason: .left))
    #expect(await client.text().contains("\"id\":\"p2\""))
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
    hidden()
    fixture.control.emit(.participantWaiting(Self.eve))
    #expect(await client.text().contains("\"participant-waiting\""))
    hidden()
    var admission = AdmissionSettings()
    admission.lobby = true
    fixture.control.emit(.roomChanged(admission, StageSettings(), spotlight: nil))
    #expect(await client.text().contains("\"room-changed\""))
    hidden()
    var eve = Self.eve
    eve.isAdmitted = true
    fixture.control.emit(.participantJoined(eve))
    #expect(await client.text().contains("\"participant-joined\""))
    fixture.control.emit(.speakingStarted(id: "p1"))
    #expect(await client.text().contains("\"speaking-started\""))
    fixture.control.emit(.participantLeft(id: "p9", reason: .left))
    #expect(await client.text().contains("\"participant-left\""))
    hidden()
    fixture.control.emit(.roomClosing(reason: "over"))
    #expect(await client.text().contains("\"room-closing\""))
  }
}
