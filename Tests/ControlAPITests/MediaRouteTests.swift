import Conference
import ControlAPI
import Testing

/// WHIP, WHEP and participants.
@Suite struct MediaRouteTests {
  @Test func anOfferIsAnsweredWithTheSessionsAddress() async throws {
    let fixture = try Fixture()
    let response = await fixture.postOffer(
      "/rooms/lobby/participants?name=Ada%20L&output=main&audio=low&self=false&role=host&content=slides&avatar=ada.png")
    #expect(response?.status == 201)
    #expect(response?["location"] == "/rooms/lobby/participants/secret-42")
    #expect(response?["etag"] == "\"tag-1\"")
    #expect(response?["content-type"] == "application/sdp")
    #expect(response?["accept-patch"] == "application/trickle-ice-sdpfrag")
    #expect(response?["access-control-allow-origin"] == "*")
    #expect(response?["access-control-expose-headers"]?.contains("Location, ETag, Link") == true)
    #expect(
      response?["link"] == #"<stun:stun.example.net>; rel="ice-server", <turn:t:3478>; rel="ice-server"; "#
        + #"username="u\"x"; credential="c"; credential-type="password""#)
    #expect(response?.body == "v=0\r\ns=answer\r\n")
    let join = try #require(fixture.control.state.withLock { $0.joins.last })
    #expect(join.room == "lobby")
    #expect(join.name == "Ada L")
    #expect(join.output == "main")
    #expect(join.audioOutput == "low")
    #expect(join.role == "host")
    #expect(join.selfView == false && join.avatar == "ada.png")
    #expect(join.content == .slides)
    #expect(join.offer == "v=0\r\n")
  }

  @Test func theThreeAddressesDiffer() async throws {
    let fixture = try Fixture()
    for (path, kind) in [("whip", JoinRequest.Kind.publish), ("whep", .watch), ("participants", .takePart)] {
      #expect(await fixture.postOffer("/rooms/a/\(path)?participant=p1")?.status == 201)
      #expect(fixture.control.state.withLock { $0.joins.last?.kind } == kind)
      #expect(fixture.control.state.withLock { $0.joins.last?.mixOf } == "p1")
    }
  }

  @Test func aNameIsCleanedOfWhatCannotBeShown() async throws {
    let fixture = try Fixture()
    let long = String(repeating: "x", count: 100)
    for (given, kept) in [
      ("a%0d%0ab", "ab"), ("%E2%80%AEevil", "evil"), ("%20Ada+L%20", "Ada L"), (long, String(long.prefix(64))),
      ("%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB", "👩‍💻"),
    ] {
      #expect(await fixture.postOffer("/rooms/a/participants?name=\(given)")?.status == 201)
      #expect(fixture.control.state.withLock { $0.joins.last?.name } == kept)
    }
  }

  @Test(arguments: [
    ("?self=maybe", 422), ("?content=cat", 422), ("?output=../x", 422), ("?audio=../x", 422), ("?audio=auto", 201),
    ("?role=a%20b", 422),
    ("?participant=%2f", 422), ("?naem=Ada", 400),
    ("?", 201),
  ])
  func parametersAreChecked(query: String, status: Int) async throws {
    let fixture = try Fixture()
    #expect(await fixture.postOffer("/rooms/a/whip\(query)")?.status == status)
  }

  @Test func optionsSayWhatIsTaken() async throws {
    let fixture = try Fixture()
    let endpoint = await fixture.ask("OPTIONS", "/rooms/a/whip", ["Origin: https://x", "Access-Control-Request-Method: POST"])
    #expect(endpoint?.status == 204)
    #expect(endpoint?["accept-post"] == "application/sdp")
    #expect(endpoint?["access-control-allow-origin"] == "*")
    #expect(endpoint?["access-control-allow-methods"] == "POST, OPTIONS")
    #expect(endpoint?["access-control-allow-headers"] == "Authorization, Content-Type, If-Match, If-None-Match")
    #expect(endpoint?["link"] != nil)
    let session = await fixture.ask("OPTIONS", "/rooms/a/participants/x")
    #expect(session?["allow"] == "PATCH, DELETE, OPTIONS")
    #expect(session?["accept-patch"] == "application/trickle-ice-sdpfrag")
    #expect(await fixture.ask("OPTIONS", "*")?.status == 204)
    #expect(await fixture.ask("OPTIONS", "/nothing")?.status == 404)
  }

  @Test func onlyOffersArePosted() async throws {
    let fixture = try Fixture()
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH"] {
      let response = await fixture.ask(method, "/rooms/a/whip")
      #expect(response?.status == 405)
      #expect(response?["allow"] == "POST, OPTIONS")
    }
    #expect(await fixture.ask("GET", "/rooms/a/participants/x")?.status == 405)
    let untyped = await fixture.ask("POST", "/rooms/a/whip", body: "v=0")
    #expect(untyped?.status == 415)
    #expect(untyped?["accept-post"] == "application/sdp")
    #expect(await fixture.ask("POST", "/rooms/a/whip", ["Content-Type: application/json"], body: "{}")?.status == 415)
    #expect(await fixture.postOffer("/rooms/a/whip", ["Accept: text/html"])?.status == 406)
    #expect(await fixture.postOffer("/rooms/a/whip", ["Accept: application/*;q=0.5"])?.status == 201)
    let typed = await fixture.ask("POST", "/rooms/a/whip", ["Content-Type: Application/SDP; charset=utf-8"], body: "v=0")
    #expect(typed?.status == 201)
    #expect(await fixture.ask("POST", "/rooms/a/whip", ["Content-Type: application/sdp"])?.status == 400)
  }

  @Test(arguments: [
    (ConferenceError.Kind.malformed(line: 7), 400), (.noCommonCodec, 406), (.notFound, 404), (.conflict, 409),
    (.unprocessable, 422), (.overloaded(retryAfterSeconds: 12), 503),
  ])
  func aRefusalIsAProblemWithItsSentence(kind: ConferenceError.Kind, status: Int) async throws {
    let fixture = try Fixture()
    fixture.control.state.withLock { $0.nextError = ConferenceError(kind, "Do \"this\".") }
    let response = await fixture.postOffer("/rooms/a/whip")
    #expect(response?.status == status)
    #expect(response?["content-type"] == "application/problem+json")
    #expect(response?.body.contains(#""status":\#(status),"detail":"Do \"this\".""#) == true)
    #expect(response?.body.contains("\"line\":7") == (kind == .malformed(line: 7)))
    #expect(response?["retry-after"] == (status == 503 ? "12" : nil))
    #expect(response?["access-control-allow-origin"] == "*")
  }

  @Test(arguments: [
    ("\"tag-1\"", 204), ("*", 200), ("\"*\"", 200), ("\"old\"", 412), ("W/\"tag-1\"", 412), ("\"a\", \"b\"", 412),
    ("tag-1", 412),
  ])
  func trickleNamesItsICESession(tag: String, status: Int) async throws {
    let fixture = try Fixture()
    let response = await fixture.ask(
      "PATCH", "/rooms/a/participants/secret-42", ["Content-Type: application/trickle-ice-sdpfrag", "If-Match: \(tag)"],
      body: "a=ice-ufrag:x\r\n")
    #expect(response?.status == status)
    if status == 200 {
      #expect(response?["etag"] == "\"tag-2\"")
      #expect(response?["content-type"] == "application/trickle-ice-sdpfrag")
      #expect(response?.body == "a=ice-ufrag:new\r\n")
    }
    if status == 204 { #expect(response?["content-length"] == nil) }
  }

  @Test func trickleWithoutATagOrWithAnotherTypeIsRefused() async throws {
    let fixture = try Fixture()
    let type = "Content-Type: application/trickle-ice-sdpfrag"
    #expect(await fixture.ask("PATCH", "/rooms/a/participants/x", [type], body: "a=b")?.status == 428)
    #expect(await fixture.ask("PATCH", "/rooms/a/participants/x", [type, "If-Match: *"])?.status == 400)
    let other = await fixture.ask(
      "PATCH", "/rooms/a/participants/x", ["Content-Type: application/sdp", "If-Match: *"], body: "v=0")
    #expect(other?.status == 415)
    #expect(other?["accept-patch"] == "application/trickle-ice-sdpfrag")
  }

  @Test func leavingEndsTheSession() async throws {
    let fixture = try Fixture()
    #expect(await fixture.ask("DELETE", "/rooms/a/participants/secret-42")?.status == 200)
    #expect(fixture.control.state.withLock { $0.departures } == ["secret-42"])
    fixture.control.state.withLock { $0.nextError = ConferenceError(.notFound, "Gone.") }
    #expect(await fixture.ask("DELETE", "/rooms/a/participants/secret-42")?.status == 404)
  }
}
