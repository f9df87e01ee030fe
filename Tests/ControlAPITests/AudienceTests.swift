import Conference
import ControlAPI
import Testing

/// Those who only watch are counted rather than named, for who asks for that: there may be thousands.
@Suite struct AudienceTests {
  /// A room with Ada and Bob on its stage, of whom Vera and Will watch, and Eve in its lobby.
  private func fixture() throws -> Fixture {
    let fixture = try Fixture.withTokens()
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

  /// Listens as somebody, once it is known whom he may be told of: until then he is told of everybody's leaving.
  private func listen(_ fixture: Fixture, _ headers: [String], readings: Int) async -> RawClient {
    let client = await fixture.listen(headers, query: "?audience=count", readings: readings)
    var text = ""
    repeat {
      if text.contains("\"participant-left\"") { _ = await client.text() }
      fixture.control.emit(.participantLeft(id: "unknown", reason: .left))
      fixture.control.emit(.floorChanged(id: nil))
      text = await client.text()
    } while text.contains("\"participant-left\"")
    return client
  }

  @Test func eventsTellOfTheAudienceItsNumberAlone() async throws {
    let fixture = try fixture()
    let client = await listen(fixture, bearer(.viewer, "vera"), readings: 2)
    let control = fixture.control
    control.emit(.participantJoined(Self.person("p5", "Xeno", "viewer")))
    control.emit(.participantChanged(Self.person("p4", "Will", "viewer")))
    control.emit(.participantWaiting(Self.person("p9", "Eve", "viewer", isAdmitted: false)))
    control.emit(.pictureSwitched(id: "p4", output: "low"))
    control.emit(.participantLeft(id: "p4", reason: .left))
    control.emit(.audienceChanged(count: 2))
    #expect(await client.text().contains("\"type\":\"audience-changed\",\"room\":\"lobby\""))
    control.emit(.pictureSwitched(id: "p3", output: "low"))
    #expect(await client.text().contains("\"picture-switched\""), "his own")
    control.emit(.participantChanged(Self.person("p3", "Vera", "viewer")))
    #expect(await client.text().contains("\"id\":\"p3\""))
    control.emit(.participantLeft(id: "p2", reason: .left))
    #expect(await client.text().contains("\"participant-left\""), "who was on the stage")
  }

  @Test func whoGoesToTheStageAndBackIsToldOfAsLongAsHeIsThere() async throws {
    let fixture = try fixture()
    let client = await listen(fixture, bearer(.panelist, "bob"), readings: 2)
    let control = fixture.control
    control.emit(.participantChanged(Self.person("p4", "Will", "panelist")))
    #expect(await client.text().contains("\"role\":\"panelist\""))
    control.emit(.pictureSwitched(id: "p4", output: nil))
    #expect(await client.text().contains("\"picture-switched\""))
    control.emit(.participantChanged(Self.person("p4", "Will", "viewer")))
    #expect(await client.text().contains("\"role\":\"viewer\""), "that he left the stage")
    control.emit(.participantChanged(Self.person("p4", "William", "viewer")))
    control.emit(.participantLeft(id: "p4", reason: .left))
    control.emit(.roomClosing(reason: "over"))
    #expect(await client.text().contains("\"room-closing\""))
  }

  @Test func whoLeadsIsToldWhoWaits() async throws {
    let fixture = try fixture()
    let client = await listen(fixture, bearer(.host, "ada"), readings: 1)
    let waiting = Self.person("p8", "Zoe", "viewer", isAdmitted: false)
    fixture.control.emit(.participantWaiting(waiting))
    #expect(await client.text().contains("\"participant-waiting\""))
    fixture.control.emit(.participantLeft(id: "p8", reason: .refused))
    #expect(await client.text().contains("\"refused\""))
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
