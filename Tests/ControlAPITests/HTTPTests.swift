import Conference
import ControlAPI
import TestSupport
import Testing
import Timing

/// What any client may send, well or ill.
@Suite struct HTTPTests {
  @Test func aConnectionServesOneRequestAfterAnother() async throws {
    let fixture = try Fixture()
    let client = fixture.client()
    for _ in 0..<3 {
      await client.send(request("GET", "/healthz"))
      let response = await client.response()
      #expect(response?.status == 200)
      #expect(response?.body == "ok\n")
    }
  }

  @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
    let fixture = try Fixture()
    let client = fixture.client()
    let offer = request("POST", "/rooms/a/whip", ["Content-Type: application/sdp"], body: "v=0\r\n")
    await client.send(offer + request("GET", "/nothing") + offer + request("GET", "/healthz"))
    var statuses: [Int?] = []
    for _ in 0..<4 { statuses.append(await client.response()?.status) }
    #expect(statuses == [201, 404, 201, 200])
    #expect(fixture.control.state.withLock { $0.joins.count } == 2)
  }

  @Test func aRequestMayArriveByteByByte() async throws {
    let fixture = try Fixture()
    let client = fixture.client()
    for byte in request("POST", "/rooms/a/whip", ["Content-Type: application/sdp"], body: "v=0\r\n").utf8 {
      await client.send([byte])
    }
    #expect(await client.response()?.status == 201)
  }

  @Test func aClientThatClosesItsSideStillGetsItsAnswer() async throws {
    let fixture = try Fixture()
    for target in ["/v1/rooms", "/nothing"] {
      let client = fixture.client()
      await client.send(request("GET", target))
      client.endSending()
      #expect(await client.response() != nil)
      #expect(await client.isClosed())
    }
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("GET /\r\n\r\n", 400), ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505), ("GET / FTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /%0 HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /%c3%28 HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET /\u{0} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("GET /?a=1&a=2 HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
    ("GET / HTTP/1.1\nHost: a\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400),
    ("POST /rooms/a/whip HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    ("POST /rooms/a/whip HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
    ("POST /rooms/a/whip HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n\r\n", 400),
    ("POST /rooms/a/whip HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nv=0\r\n\r\n0\r\n\r\n", 411),
    (
      "POST /rooms/a/whip HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 411
    ), ("GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n", 417), ("\u{16}\u{03}\u{01}\u{02}hello\r\n\r\n", 400),
    ("FOO / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    ("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 20_000))\r\n\r\n", 431),
    (String(repeating: "a", count: 20_000), 431),
    ("GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: 1\r\n", count: 101))\r\n", 431),
  ])
  func whatIsNoGoodRequestIsAnsweredSo(bytes: String, status: Int) async throws {
    let fixture = try Fixture()
    let client = fixture.client()
    await client.send(bytes)
    let response = await client.response()
    #expect(response?.status == status)
    #expect(response?["content-type"] == "application/problem+json")
    #expect(response?["x-content-type-options"] == "nosniff")
    #expect(fixture.control.state.withLock { $0.joins.isEmpty })
    #expect(await fixture.ask("GET", "/healthz")?.status == 200)
  }

  @Test(arguments: [
    ("/rooms/../whip", 400), ("/rooms/%2e%2e/whip", 400), ("/rooms/%252e%252e/whip", 400), ("/rooms/a%2fb/whip", 400),
    ("/rooms/a%00/whip", 400), ("/rooms//whip", 400), ("/rooms/a/../../etc/whip", 404), ("/rooms/a%20b/whip", 400),
    ("/rooms/%0d%0aX:1/whip", 400), ("/rooms/\(String(repeating: "a", count: 65))/whip", 400), ("/rooms/a/whip/", 404),
    ("/Rooms/a/whip", 404), ("/rooms/a", 405),
  ])
  func aNameIsNeverAPath(target: String, status: Int) async throws {
    let fixture = try Fixture()
    #expect(await fixture.postOffer(target)?.status == status)
    #expect(fixture.control.state.withLock { $0.joins.isEmpty })
  }

  @Test func aHugeBodyIsRefusedBeforeItIsSent() async throws {
    let fixture = try Fixture()
    let client = fixture.client()
    await client.send(
      "POST /rooms/a/whip HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nContent-Length: 100000000\r\n\r\n")
    for _ in 0..<200 where await client.send([UInt8](repeating: 65, count: 500_000)) {}
    #expect(await client.response()?.status == 413)
    let other = await fixture.ask(
      "POST", "/rooms/a/whip", ["Content-Type: application/sdp", "Content-Length: 99999999999999999999999"])
    #expect(other?.status == 413)
    let json = await fixture.patch("/v1/rooms/lobby", json: String(repeating: " ", count: 256 * 1024 + 1))
    #expect(json?.status == 413)
  }

  @Test func aClientThatAsksFirstIsToldToGoOn() async throws {
    let fixture = try Fixture()
    let client = fixture.client()
    let whole = request("POST", "/rooms/a/whip", ["Content-Type: application/sdp", "Expect: 100-continue"], body: "v=0\r\n")
    await client.send(String(whole.dropLast(4)))
    #expect(await client.response()?.status == 100)
    await client.send("v=0\r\n")
    #expect(await client.response()?.status == 201)
  }

  @Test func slowClientsAreNotWaitedFor() async throws {
    let fixture = try Fixture { settings in
      settings.limits.headTime = .milliseconds(150)
      settings.limits.bodyTime = .milliseconds(150)
      settings.limits.idleTime = .milliseconds(150)
    }
    let silent = fixture.client()
    #expect(await silent.isClosed())
    let head = fixture.client()
    await head.send("GET / HTTP/1.1\r\nHost: a\r\nX: ")
    #expect(await head.response()?.status == 408)
    let body = fixture.client()
    await body.send("POST /rooms/a/whip HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nContent-Length: 9\r\n\r\nv")
    #expect(await body.response()?.status == 408)
    let idle = fixture.client()
    await idle.send(request("GET", "/healthz"))
    #expect(await idle.response()?.status == 200)
    #expect(await idle.isClosed())
  }

  @Test func anAnswerThatDoesNotComeBecomesATimeout() async throws {
    let fixture = try Fixture { $0.limits.answerTime = .milliseconds(100) }
    fixture.control.state.withLock { $0.holdsJoins = true }
    #expect(await fixture.postOffer("/rooms/a/whip")?.status == 504)
    fixture.control.state.withLock { $0.gate }?.resume()
  }

  @Test func moreClientsThanAllowedAreTurnedAway() async throws {
    let fixture = try Fixture { $0.connectionsMax = 2 }
    let first = fixture.client()
    let second = fixture.client()
    for client in [first, second] {
      await client.send(request("GET", "/healthz"))
      #expect(await client.response()?.status == 200)
    }
    #expect(await fixture.client().isClosed())
    await first.send(request("GET", "/healthz"))
    #expect(await first.response()?.status == 200)
  }

  @Test func theConnectionEndsWhereTheClientAsksForIt() async throws {
    let fixture = try Fixture()
    let client = fixture.client()
    await client.send(request("GET", "/healthz", ["Connection: close"]))
    #expect(await client.response()?["connection"] == "close")
    #expect(await client.isClosed())
    let old = fixture.client()
    await old.send("GET /healthz HTTP/1.0\r\n\r\n")
    #expect(await old.response()?.status == 200)
    #expect(await old.isClosed())
  }

  @Test func headHasTheHeadersOfGetAndNoBody() async throws {
    let fixture = try Fixture()
    let client = fixture.client()
    await client.send(request("HEAD", "/healthz") + request("GET", "/healthz"))
    let head = await client.response(toHead: true)
    #expect(head?["content-length"] == "3")
    #expect(await client.response()?.body == "ok\n")
  }

  @Test func stoppingEndsOpenConnections() async throws {
    let fixture = try Fixture()
    let client = fixture.client()
    await client.send(request("GET", "/healthz"))
    #expect(await client.response()?.status == 200)
    fixture.server.stop()
    #expect(await client.isClosed())
  }

  @Test func aPortInUseIsSaidSo() throws {
    let fixture = try Fixture()
    let error = #expect(throws: ControlServerError.self) { try Fixture { $0.port = fixture.server.port } }
    #expect(error?.description.contains("the port is in use") == true)
    let nowhere = #expect(throws: ControlServerError.self) { try Fixture { $0.address = "nowhere" } }
    #expect(nowhere?.description == "'nowhere' is not a numeric IP address to listen on")
  }

  @Test func noiseIsSurvived() async throws {
    let fixture = try Fixture()
    var random = SeededRandom(seed: 11)
    for _ in 0..<20 {
      let client = fixture.client()
      await client.send((0..<500).map { _ in UInt8.random(in: 0...255, using: &random) })
      client.endSending()
    }
    #expect(await fixture.ask("GET", "/healthz")?.status == 200)
  }
}
