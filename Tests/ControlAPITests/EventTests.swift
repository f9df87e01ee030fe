import Conference
import ControlAPI
import Testing
import Timing

/// The WebSocket of events.
@Suite struct EventTests {
  private func open(_ fixture: Fixture, _ headers: [String] = [], client: RawClient? = nil) async -> (
    RawClient, RawClient.Response?
  ) {
    let client = client ?? fixture.client()
    let before = fixture.control.state.withLock { $0.subscriptionCount }
    await client.send(request("GET", "/v1/rooms/lobby/events", upgradeHeaders + headers))
    let response = await client.response(toHead: true)
    if response?.status == 101 {
      await eventually { fixture.control.state.withLock { $0.subscriptionCount } > before }
    }
    return (client, response)
  }

  private func masked(_ opcode: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
    let mask: [UInt8] = [1, 2, 3, 4]
    return [0x80 | opcode, 0x80 | UInt8(payload.count)] + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
  }

  @Test func theHandshakeIsThatOfTheRFC() async throws {
    let fixture = try Fixture()
    let (_, response) = await open(fixture, ["Sec-WebSocket-Protocol: chat, tutti.events"])
    #expect(response?.status == 101)
    #expect(response?["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    #expect(response?["sec-websocket-protocol"] == "tutti.events")
    let (_, plain) = await open(fixture)
    #expect(plain?.status == 101)
    #expect(plain?["sec-websocket-protocol"] == nil)
  }

  @Test func eventsAreObjectsWithTheNamesOfTheContract() async throws {
    let fixture = try Fixture()
    let (client, _) = await open(fixture)
    let ada = ParticipantDescription(id: "p1", name: "Ada \"A\"", role: "host")
    let prompt = PromptDescription(id: "7", request: PromptRequest(file: "a.wav"), seconds: 2)
    let changes: [(ConferenceEvent.Change, String, String)] = [
      (
        .participantJoined(ada), "participant-joined", "\"id\":\"p1\",\"participant\":{\"id\":\"p1\",\"name\":\"Ada \\\"A\\\"\""
      ),
      (.participantChanged(ada), "participant-changed", "\"participant\":{"),
      (.participantWaiting(ada), "participant-waiting", "\"id\":\"p1\",\"participant\":{"),
      (
        .roomChanged(AdmissionSettings(), StageSettings(), spotlight: "p1"), "room-changed",
        "\"admission\":{\"locked\":false,\"lobby\":false,\"participantsMax\":null,\"publishersMax\":null},\"stage\":{\"onAir\":true,"
      ),
      (.participantLeft(id: "p1", reason: .kicked), "participant-left", "\"id\":\"p1\",\"reason\":\"kicked\"}"),
      (.participantLeft(id: "p1", reason: .left), "participant-left", "\"id\":\"p1\",\"reason\":\"left\"}"),
      (.floorChanged(id: nil), "floor-changed", "\"floor\":null}"),
      (.speakingStarted(id: "p2"), "speaking-started", "\"id\":\"p2\"}"),
      (.speakingStopped(id: "p2"), "speaking-stopped", "\"id\":\"p2\"}"),
      (.layoutChanged(layout: "grid"), "layout-changed", "\"layout\":\"grid\"}"),
      (.outputsChanged([]), "outputs-changed", "\"outputs\":[]}"),
      (.layoutInvalid(layout: "x", message: "m"), "layout-invalid", "\"layout\":\"x\",\"message\":\"m\"}"),
      (
        .promptStarted(prompt), "prompt-started",
        "\"prompt\":{\"id\":\"7\",\"file\":\"a.wav\",\"participant\":null,\"loop\":false,"
      ),
      (.promptEnded(prompt, reason: .finished), "prompt-ended", "\"seconds\":2},\"reason\":\"finished\"}"),
      (.roomClosing(reason: "r"), "room-closing", "\"reason\":\"r\"}"),
      (.overload(level: .halfRate, detail: "d"), "overload", "\"video\":\"half-rate\",\"detail\":\"d\"}"),
    ]
    for (change, type, rest) in changes {
      fixture.control.emit(change, room: "other")
      fixture.control.emit(change)
      let frame = await client.frame()
      let text = String(decoding: frame?.payload ?? [], as: UTF8.self)
      #expect(frame?.opcode == 1)
      #expect(text.hasPrefix("{\"type\":\"\(type)\",\"room\":\"lobby\",\"time\":\"2026-09-21T14:13:20.123Z\","))
      #expect(text.contains(rest))
    }
  }

  @Test func pingsAreAnsweredAndClosingIsReturned() async throws {
    let fixture = try Fixture()
    let (client, _) = await open(fixture)
    await client.send(masked(9, [1, 2, 3]) + masked(1, Array("ignored".utf8)))
    let pong = await client.frame()
    #expect(pong?.opcode == 10)
    #expect(pong?.payload == [1, 2, 3])
    await client.send(masked(8, [0x03, 0xE8]))
    let close = await client.frame()
    #expect(close?.opcode == 8)
    #expect(close?.payload == [0x03, 0xE8])
    #expect(await client.isClosed())
  }

  @Test func aClientThatLeavesEndsItsSubscription() async throws {
    let fixture = try Fixture()
    do {
      let (client, _) = await open(fixture)
      client.endSending()
      #expect(await client.isClosed())
    }
    await eventually { fixture.control.state.withLock { $0.sinks.isEmpty } }
  }

  @Test(
    arguments: [
      ([0x81, 0x01, 0x41], 1002), ([0xC1, 0x80, 0, 0, 0, 0], 1002), ([0x83, 0x80, 0, 0, 0, 0], 1002),
      ([0x09, 0x80, 0, 0, 0, 0], 1002),
      ([0x89, 0xFE, 0, 126, 0, 0, 0, 0], 1002), ([0x82, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0], 1009),
      ([0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 1009), ([0x88, 0x81, 0, 0, 0, 0, 1], 1002),
    ] as [([UInt8], UInt16)])
  func framesThatBreakTheProtocolEndTheConnection(bytes: [UInt8], code: UInt16) async throws {
    let fixture = try Fixture()
    let (client, _) = await open(fixture)
    await client.send(bytes)
    let close = await client.frame()
    #expect(close?.opcode == 8)
    #expect(close?.payload.prefix(2).elementsEqual([UInt8(code >> 8), UInt8(code & 0xFF)]) == true)
    #expect(await client.isClosed())
  }

  @Test func aClientThatDoesNotReadIsDropped() async throws {
    let fixture = try Fixture()
    let (client, _) = await open(fixture, client: RawClient(port: fixture.server.port, receiveBuffer: 4096))
    let text = String(repeating: "x", count: 60_000)
    for _ in 0..<2000 where !fixture.control.state.withLock({ $0.sinks.isEmpty }) {
      fixture.control.emit(.overload(level: .full, detail: text))
      await Task.yield()
    }
    await eventually { fixture.control.state.withLock { $0.sinks.isEmpty } }
    withExtendedLifetime(client) {}
    #expect(await fixture.ask("GET", "/healthz")?.status == 200)
  }

  @Test func silentClientsArePingedAndThenDropped() async throws {
    let fixture = try Fixture { settings in
      settings.limits.pingTime = .milliseconds(50)
      settings.limits.silenceTime = .milliseconds(400)
    }
    let (client, _) = await open(fixture)
    #expect(await client.frame()?.opcode == 9)
    var last = await client.frame()
    while let frame = last {
      #expect(frame.opcode == 9)
      last = await client.frame()
    }
    await eventually { fixture.control.state.withLock { $0.sinks.isEmpty } }
  }

  @Test func stoppingSaysGoodbye() async throws {
    let fixture = try Fixture()
    let (client, _) = await open(fixture)
    fixture.server.stop()
    let close = await client.frame()
    #expect(close?.opcode == 8)
    #expect(close?.payload.prefix(2).elementsEqual([0x03, 0xE9]) == true)
  }

  @Test func thereAreNoEventsOfARoomThatIsNotThere() async throws {
    let fixture = try Fixture()
    let response = await fixture.ask("GET", "/v1/rooms/nowhere/events", upgradeHeaders)
    #expect(response?.status == 404)
    #expect(response?.body.contains("There is no room 'nowhere'") == true)
    #expect(fixture.control.state.withLock { $0.subscriptionCount } == 0)
  }

  @Test func whatIsNoHandshakeIsToldSo() async throws {
    let fixture = try Fixture()
    let target = "/v1/rooms/lobby/events"
    #expect(await fixture.ask("GET", target)?.status == 426)
    #expect(await fixture.ask("GET", target)?["upgrade"] == "websocket")
    let old = await fixture.ask("GET", target, upgradeHeaders.map { $0.hasSuffix("13") ? "Sec-WebSocket-Version: 8" : $0 })
    #expect(old?.status == 426)
    #expect(old?["sec-websocket-version"] == "13")
    let short = await fixture.ask("GET", target, upgradeHeaders.map { $0.contains("-Key") ? "Sec-WebSocket-Key: abc" : $0 })
    #expect(short?.status == 400)
    #expect(await fixture.ask("GET", "/v1/rooms/a%20b/events", upgradeHeaders)?.status == 400)
    #expect(await fixture.ask("GET", target, upgradeHeaders + ["Origin: https://elsewhere"])?.status == 403)
    #expect(await fixture.ask("GET", target, upgradeHeaders + ["Origin: http://localhost"])?.status == 101)
    #expect(await fixture.ask("GET", "/v1/rooms", upgradeHeaders)?.status == 200)
  }
}

/// Waits for what another thread brings about; what does not come in minutes is a failure.
func eventually(_ condition: () -> Bool) async {
  for _ in 0..<120_000 {
    if condition() { return }
    try? await Task.sleep(for: .milliseconds(1))
  }
  Issue.record("what was waited for did not happen")
}
