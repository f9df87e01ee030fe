import Conference
import ControlAPI
import JSON5
import Testing

/// Rooms, people, layouts, pictures and what belongs to the server.
@Suite struct ControlRouteTests {
  private func json(_ response: RawClient.Response?) throws -> JSONValue {
    let response = try #require(response)
    #expect(response["content-type"]?.contains("json") == true)
    return try JSONValue(parsing: response.body, strict: true)
  }

  @Test func aRoomHasTheNamesOfTheContract() async throws {
    let fixture = try Fixture()
    let room = try json(await fixture.ask("GET", "/v1/rooms/lobby"))
    #expect(
      room.members?.map(\.key) == [
        "name", "layout", "outputs", "audio", "admission", "stage", "participants", "audience", "waiting", "floor",
      ])
    #expect(room["outputs"]?.array?[0].members?.map(\.key) == ["name", "width", "height", "fps", "bitrate"])
    #expect(room["floor"]?.string == "p1")
    let ada = try #require(room["participants"]?.array?[0])
    #expect(
      ada.members?.map(\.key) == [
        "id", "name", "role", "avatar", "admitted", "handRaised", "handRaisedAt", "sends", "receives", "audioMuted",
        "mutedByHost",
        "videoMuted", "hidden", "deaf", "group", "whisperTo", "mutedFor",
        "sideRoom", "gain", "slot", "pin", "speaking", "levelDb", "stats",
      ])
    #expect(ada["slot"]?.integer == 0)
    #expect(ada["levelDb"]?.number == -23.5)
    #expect(ada["receives"]?["codec"]?.string == "VP8")
    #expect(ada["receives"]?.members?.map(\.key) == ["output", "auto", "codec", "self", "audio", "audioCodec"])
    #expect(ada["receives"]?["audio"]?.string == "low" && ada["group"]?.string == "desk")
    #expect(ada["whisperTo"]?.isNull == true && ada["mutedFor"]?.array?.map(\.string) == ["p2"])
    let bob = try #require(room["participants"]?.array?[1])
    #expect(bob["whisperTo"]?.array?.map(\.string) == ["p1"] && bob["sideRoom"]?.string == "corner")
    #expect(
      room["audio"]?.members?.map(\.key) == [
        "bitrate", "maxSpeakers", "stereo", "mode", "noiseSuppression", "audioPan", "outputs", "joinTone", "leaveTone",
        "waiting",
      ])
    #expect(ada["stats"]?["lossPercent"]?.number == 0.5)
    #expect(room["participants"]?.array?[1]["slot"]?.string == "main")
    let list = try json(await fixture.ask("GET", "/v1/rooms"))
    #expect(list["rooms"]?.array?.count == 1)
    #expect(try json(await fixture.ask("GET", "/v1/rooms?name=lobby"))["rooms"]?.array?.count == 1)
    let none = try json(await fixture.ask("GET", "/v1/rooms?name=nowhere"))
    #expect(none["rooms"]?.array?.isEmpty == true, "who only wants to know is not told of a fault")
    #expect(await fixture.ask("GET", "/v1/rooms?name=a%2Fb")?.status == 422)
    let people = try json(await fixture.ask("GET", "/v1/rooms/lobby/participants"))
    #expect(people["participants"]?.array?.count == 2)
    #expect(try json(await fixture.ask("GET", "/v1/rooms/lobby/participants/p2"))["name"]?.string == "Bob <b>")
    #expect(await fixture.ask("GET", "/v1/rooms/nowhere")?.status == 404)
    #expect(await fixture.ask("GET", "/v1/rooms/lobby/participants/p9")?.status == 404)
  }

  @Test func putMakesARoomAndThenReplacesItsSettings() async throws {
    let fixture = try Fixture()
    let body = #"{"layout":"speaker","outputs":[{"name":"hd","width":1920,"height":1080,"fps":25,"bitrate":3000000}]}"#
    let made = await fixture.ask("PUT", "/v1/rooms/new", ["Content-Type: application/json"], body: body)
    #expect(made?.status == 201)
    #expect(made?["location"] == "/v1/rooms/new")
    #expect(await fixture.ask("PUT", "/v1/rooms/new", ["Content-Type: application/json"], body: "{}")?.status == 200)
    #expect(await fixture.ask("PUT", "/v1/rooms/bare")?.status == 201)
    let settings = fixture.control.state.withLock { $0.roomSettings }
    #expect(settings[0].outputs == [OutputSettings(name: "hd", width: 1920, height: 1080, fps: 25, bitrate: 3_000_000)])
    #expect(settings[1] == RoomSettings())
    #expect(await fixture.ask("DELETE", "/v1/rooms/new")?.status == 204)
    #expect(await fixture.ask("DELETE", "/v1/rooms/new")?.status == 404)
  }

  @Test func patchChangesWhatItNames() async throws {
    let fixture = try Fixture()
    let room = try json(await fixture.patch("/v1/rooms/lobby", json: #"{"audio":{"bitrate":64000,"stereo":true}}"#))
    #expect(room["layout"]?.string == "grid")
    let settings = try #require(fixture.control.state.withLock { $0.roomSettings.last })
    #expect(settings == RoomSettings(audio: AudioChange(bitrate: 64_000, stereo: true)))
  }

  @Test func aRoomsSoundIsSetMemberByMember() async throws {
    let fixture = try Fixture()
    let body = """
      {"audio":{"mode":"music","noiseSuppression":true,"outputs":[{"name":"low","bitrate":12000,"ptime":60,"fec":false},
      {"name":"hifi","bitrate":128000}],"joinTone":"tone:join","waiting":"lobby.ogg"}}
      """
    let room = try json(await fixture.patch("/v1/rooms/lobby", json: body))
    #expect(room["audio"]?["mode"]?.string == "music" && room["audio"]?["maxSpeakers"]?.integer == 4)
    let outputs = try #require(room["audio"]?["outputs"]?.array)
    #expect(outputs[0].members?.map(\.key) == ["name", "bitrate", "ptime", "fec"])
    #expect(outputs[0]["ptime"]?.integer == 60 && outputs[0]["fec"]?.bool == false)
    #expect(outputs[1]["ptime"]?.integer == 20 && outputs[1]["fec"]?.bool == true)
    #expect(room["audio"]?["joinTone"]?.string == "tone:join" && room["audio"]?["leaveTone"]?.isNull == true)
    let next = try json(await fixture.patch("/v1/rooms/lobby", json: #"{"audio":{"waiting":null,"bitrate":6000}}"#))
    #expect(next["audio"]?["waiting"]?.isNull == true && next["audio"]?["joinTone"]?.string == "tone:join")
    #expect(next["audio"]?["outputs"]?.array?.count == 2 && next["audio"]?["bitrate"]?.integer == 6000)
  }

  @Test func whatAParticipantHearsIsPatched() async throws {
    let fixture = try Fixture()
    let target = "/v1/rooms/lobby/participants/p1"
    let body = #"{"audioOutput":"low","group":"desk","whisperTo":["p2"],"mutedFor":["p2","p3"],"sideRoom":"corner"}"#
    #expect(await fixture.patch(target, json: body)?.status == 200)
    var patch = try #require(fixture.control.state.withLock { $0.patches.last })
    #expect(patch.audioOutput == "low" && patch.group == .some("desk") && patch.sideRoom == .some("corner"))
    #expect(patch.whisperTo == .some(["p2"]) && patch.mutedFor == ["p2", "p3"])
    #expect(
      await fixture.patch(target, json: #"{"group":null,"whisperTo":null,"mutedFor":null,"sideRoom":null}"#)?.status == 200)
    patch = try #require(fixture.control.state.withLock { $0.patches.last })
    #expect(patch.group == .some(nil) && patch.sideRoom == .some(nil) && patch.whisperTo == .some(nil) && patch.mutedFor == [])
    #expect(await fixture.patch(target, json: "{}")?.status == 200)
    #expect(fixture.control.state.withLock { $0.patches.last } == ParticipantPatch())
    for wrong in [
      #"{"group":"a b"}"#, #"{"group":1}"#, #"{"whisperTo":"p2"}"#, #"{"whisperTo":[1]}"#, #"{"mutedFor":["../x"]}"#,
      #"{"sideRoom":""}"#, #"{"audioOutput":null}"#,
    ] { #expect(await fixture.patch(target, json: wrong)?.status == 422, "\(wrong)") }
    #expect(fixture.control.state.withLock { $0.patches.count } == 3)
  }

  @Test func whatAParticipantShowsAndSeesOfHimselfIsPatched() async throws {
    let fixture = try Fixture()
    let target = "/v1/rooms/lobby/participants/p1"
    #expect(await fixture.patch(target, json: #"{"avatar":"staff/ada.png","self":false}"#)?.status == 200)
    var patch = try #require(fixture.control.state.withLock { $0.patches.last })
    #expect(patch.avatar == .some("staff/ada.png") && patch.selfView == .some(false))
    #expect(await fixture.patch(target, json: #"{"avatar":null,"self":null}"#)?.status == 200)
    patch = try #require(fixture.control.state.withLock { $0.patches.last })
    #expect(patch.avatar == .some(nil) && patch.selfView == .some(nil))
    for wrong in [#"{"avatar":1}"#, #"{"self":"yes"}"#] { #expect(await fixture.patch(target, json: wrong)?.status == 422) }
  }

  @Test func admissionAndStageAreChangedMemberByMember() async throws {
    let fixture = try Fixture()
    let body =
      #"{"admission":{"lobby":true,"publishersMax":4,"participantsMax":null},"stage":{"onAir":false,"waitingText":"So\u0007on","spotlight":"p1"}}"#
    #expect(await fixture.patch("/v1/rooms/lobby", json: body)?.status == 200)
    let wanted = try #require(fixture.control.state.withLock { $0.roomSettings.last })
    #expect(wanted.admission?.lobby == true && wanted.admission?.locked == nil)
    #expect(wanted.admission?.publishersMax == .some(4) && wanted.admission?.participantsMax == .some(nil))
    #expect(wanted.stage?.onAir == false && wanted.stage?.waitingText == "Soon" && wanted.stage?.spotlight == .some("p1"))
    #expect(wanted.stage?.waitingLayout == nil && wanted.stage?.selfUnmute == nil)
    #expect(await fixture.patch("/v1/rooms/lobby", json: #"{"stage":{"waitingText":null}}"#)?.status == 200)
    #expect(fixture.control.state.withLock { $0.roomSettings.last?.stage?.waitingText } == .some(.some(nil)))
    let room = try json(await fixture.ask("GET", "/v1/rooms/lobby"))
    #expect(room["admission"]?.members?.map(\.key) == ["locked", "lobby", "participantsMax", "publishersMax"])
    #expect(room["stage"]?.members?.map(\.key) == ["onAir", "waitingLayout", "waitingText", "selfUnmute", "spotlight"])
    #expect(room["waiting"]?.array?.isEmpty == true)
    for wrong in [
      #"{"admission":{"locked":1}}"#, #"{"admission":{"participantsMax":0}}"#, #"{"admission":{"open":true}}"#,
      #"{"admission":[]}"#,
      #"{"stage":{"waitingLayout":"../x"}}"#, #"{"stage":{"spotlight":3}}"#, #"{"stage":{"onAir":null}}"#,
      #"{"stage":{"waitingText":"\#(String(repeating: "x", count: 300))"}}"#,
    ] { #expect(await fixture.patch("/v1/rooms/lobby", json: wrong)?.status == 422, "\(wrong)") }
  }

  @Test func manyAreChangedAtOnce() async throws {
    let fixture = try Fixture()
    let target = "/v1/rooms/lobby/participants"
    func ids(_ response: RawClient.Response?) throws -> [String?]? {
      try json(response)["participants"]?.array?.map { $0["id"]?.string }
    }
    #expect(try ids(await fixture.patch(target, json: #"{"audioMuted":true}"#)) == ["p2"])
    #expect(
      try ids(await fixture.patch(target + "?role=host,viewer", json: #"{"audioMuted":true,"handRaised":false}"#)) == ["p1"])
    #expect(fixture.control.state.withLock { $0.patches.last?.handRaised } == false)
    #expect(try ids(await fixture.ask("GET", target + "?role=panelist")) == ["p2"])
    for wrong in [#"{"role":"host"}"#, #"{"name":"x"}"#, #"{"audioMuted":1}"#] {
      #expect(await fixture.patch(target, json: wrong)?.status == 422, "\(wrong)")
    }
    #expect(await fixture.patch(target + "?role=a%20b", json: "{}")?.status == 422)
  }

  @Test func anAvatarIsSentAndFetched() async throws {
    let fixture = try Fixture()
    let target = "/v1/rooms/lobby/participants/p1/avatar"
    func put(_ body: String, _ type: String) async -> Int? {
      await fixture.ask("PUT", target, ["Content-Type: \(type)"], body: body)?.status
    }
    #expect(await put("abc", "image/png") == 200)
    #expect(await put("\0", "image/jpeg") == 422)
    #expect(await put("<svg/>", "image/svg+xml") == 415)
    #expect(await put(String(repeating: "a", count: (1 << 20) + 1), "image/png") == 413)
    #expect(await fixture.ask("GET", target)?["content-type"] == "image/jpeg")
    #expect(await fixture.ask("GET", "/v1/rooms/lobby/participants/p2/avatar")?["content-type"] == "image/png")
    #expect(await fixture.ask("GET", "/v1/rooms/lobby/participants/nobody/avatar")?.status == 404)
  }

  @Test func aPromptIsStartedListedAndStopped() async throws {
    let fixture = try Fixture()
    let target = "/v1/rooms/lobby/prompts"
    func post(_ body: String) async -> RawClient.Response? {
      await fixture.ask("POST", target, ["Content-Type: application/json"], body: body)
    }
    let made = await post(#"{"file":"welcome.wav","participant":"p1","loop":true,"placement":"instead","gain":0.5}"#)
    #expect(made?.status == 201)
    #expect(made?["location"] == "/v1/rooms/lobby/prompts/1")
    let prompt = try json(made)
    #expect(prompt.members?.map(\.key) == ["id", "file", "participant", "loop", "placement", "gain", "seconds"])
    #expect(prompt["seconds"]?.number == 1.235 && prompt["placement"]?.string == "instead")
    #expect(await post(#"{"file":"welcome.wav"}"#)?.status == 201)
    let requests = fixture.control.state.withLock { $0.prompts.map(\.request) }
    #expect(
      requests == [
        PromptRequest(file: "welcome.wav", participant: "p1", loops: true, placement: .instead, gain: 0.5),
        PromptRequest(file: "welcome.wav"),
      ])
    #expect(try json(await fixture.ask("GET", target))["prompts"]?.array?.count == 2)
    #expect(try json(await fixture.ask("GET", target + "/2"))["id"]?.string == "2")
    #expect(await fixture.ask("DELETE", target + "/2")?.status == 204)
    #expect(await fixture.ask("DELETE", target + "/2")?.status == 404)
    #expect(await fixture.ask("GET", target + "/2")?.status == 404)
    for wrong in ["{}", #"{"file":1}"#, #"{"file":"a","placement":"over"}"#, #"{"file":"a","gain":5}"#, #"{"file":"a","x":1}"#]
    {
      #expect(await post(wrong)?.status == 422, "\(wrong)")
    }
    #expect(await post("")?.status == 400)
    #expect(
      await fixture.ask("POST", target, ["Content-Type: application/sdp"], body: "v=0")?["accept-post"] == "application/json")
    #expect(await fixture.ask("PUT", target)?["allow"] == "GET, HEAD, POST, OPTIONS")
    #expect(await fixture.ask("GET", "/v1/rooms/none/prompts")?.status == 404)
  }

  @Test func aParticipantIsPatched() async throws {
    let fixture = try Fixture()
    let body =
      #"{"name":"A\u0007da","audioMuted":true,"videoMuted":false,"deaf":true,"gain":1.5,"slot":"main","role":"host","output":"main"}"#
    #expect(await fixture.patch("/v1/rooms/lobby/participants/p1", json: body)?.status == 200)
    let patch = try #require(fixture.control.state.withLock { $0.patches.last })
    #expect(patch.name == "Ada")
    #expect(patch.audioMuted == true)
    #expect(patch.videoMuted == false)
    #expect(patch.gain == 1.5)
    #expect(patch.slot == .some(.id("main")))
    for (text, slot) in [("null", SlotReference??.some(nil)), ("3", .some(.index(3)))] {
      #expect(await fixture.patch("/v1/rooms/lobby/participants/p1", json: "{\"slot\":\(text)}")?.status == 200)
      #expect(fixture.control.state.withLock { $0.patches.last?.slot } == slot)
    }
    #expect(await fixture.ask("DELETE", "/v1/rooms/lobby/participants/p1")?.status == 204)
  }

  @Test(arguments: [
    ("{\"layout\":1}", 422, "Line 1, column 11: 'layout' must be a string, not 1."),
    ("{\"layuot\":\"x\"}", 422, "Line 1, column 2: unknown key 'layuot', did you mean 'layout'?"),
    (
      "{\n\"outputs\":[{\"name\":\"a\",\"fps\":90}]}", 422,
      "Line 2, column 30: 'fps' must be a whole number from 1 to 60, not 90."
    ),
    ("{\"outputs\":[]}", 422, "Line 1, column 12: 'outputs' must have at least one output."),
    ("{\"outputs\":[{\"name\":\"a\",\"width\":65}]}", 422, "Line 1, column 33: 'width' must be even, not 65."),
    ("{\"outputs\":[{\"name\":\"a\"},{\"name\":\"a\"}]}", 422, "Line 1, column 34: output 'a' is there twice."),
    ("{\"outputs\":[{}]}", 422, "Line 1, column 13: key 'name' is missing."),
    ("{\"audio\":{\"maxSpeakers\":0}}", 422, "Line 1, column 25: 'maxSpeakers' must be a whole number from 1 to 15, not 0."),
    (
      "{\"audio\":{\"outputs\":[{\"name\":\"main\",\"bitrate\":6000}]}}", 422,
      "Line 1, column 30: audio output 'main' is there already: its bitrate is that of 'audio'."
    ),
    (
      "{\"audio\":{\"outputs\":[{\"name\":\"a\",\"bitrate\":6000},{\"name\":\"a\",\"bitrate\":6000}]}}", 422,
      "Line 1, column 58: audio output 'a' is there twice."
    ),
    (
      "{\"audio\":{\"outputs\":[{\"name\":\"a\",\"bitrate\":5999}]}}", 422,
      "Line 1, column 44: 'bitrate' must be a whole number from 6000 to 256000, not 5999."
    ),
    (
      "{\"audio\":{\"outputs\":[{\"name\":\"a\",\"bitrate\":6000,\"ptime\":30}]}}", 422,
      "Line 1, column 57: 'ptime' must be 20, 40, 60 or 120, not 30."
    ),
    (
      "{\"audio\":{\"outputs\":[1,1,1,1,1,1,1,1]}}", 422,
      "Line 1, column 21: 'outputs' has 8 elements, at most 7 are taken."
    ),
    ("{\"audio\":{\"outputs\":[{\"name\":\"a\"}]}}", 422, "Line 1, column 22: key 'bitrate' is missing."),
    ("{\"audio\":{\"mode\":\"loud\"}}", 422, "Line 1, column 18: 'mode' is one of 'speech', 'music', not 'loud'."),
    ("{\"audio\":{\"waiting\":7}}", 422, "Line 1, column 21: 'waiting' must be the name of a sound or null, not 7."),
    ("{\"layout\":\"../x\"}", 422, "Line 1, column 11: 'layout' must be 1 to 64 of A-Z a-z 0-9 . _ -, not '../x'."),
    ("[]", 422, "Line 1, column 1: an object was expected, not a list."),
    ("{\"layout\":", 400, "Line 1, column 11: the text ends where a value was expected."),
    ("{layout:\"x\"}", 400, "Line 1, column 2: a key in double quotes was expected, found 'l'."),
    ("", 400, "Line 1, column 1: the text is empty, a value was expected."),
  ])
  func aBodyWithAFaultChangesNothing(body: String, status: Int, detail: String) async throws {
    let fixture = try Fixture()
    let problem = try json(await fixture.patch("/v1/rooms/lobby", json: body))
    #expect(problem["status"]?.integer == status)
    #expect(problem["detail"]?.string == detail)
    #expect(problem["type"]?.string == "about:blank")
    #expect(problem["title"]?.string != nil)
    #expect(problem["errors"]?.array?.count == 1)
    #expect(fixture.control.state.withLock { $0.roomSettings.isEmpty })
  }

  @Test func controlSpeaksJSONOnly() async throws {
    let fixture = try Fixture()
    #expect(await fixture.ask("PATCH", "/v1/rooms/lobby", ["Content-Type: text/plain"], body: "{}")?.status == 415)
    #expect(await fixture.ask("GET", "/v1/rooms", ["Accept: text/html"])?.status == 406)
    #expect(await fixture.ask("GET", "/v1/rooms", ["Accept: text/html, */*;q=0.1"])?.status == 200)
    let wrong = await fixture.ask("POST", "/v1/rooms/lobby")
    #expect(wrong?.status == 405)
    #expect(wrong?["allow"] == "GET, HEAD, PUT, PATCH, DELETE, OPTIONS")
    #expect(await fixture.ask("GET", "/v2/rooms")?.status == 404)
    let foreign = await fixture.ask("GET", "/v1/rooms", ["Origin: https://elsewhere"])
    #expect(foreign?["access-control-allow-origin"] == nil)
  }

  @Test func aSnapshotIsOfTheNamedOutput() async throws {
    let fixture = try Fixture()
    #expect(await fixture.ask("GET", "/v1/rooms/lobby/snapshot.png")?.body == "PNG first")
    #expect(await fixture.ask("GET", "/v1/rooms/lobby/snapshot.png?output=hd")?.body == "PNG hd")
    #expect(await fixture.ask("GET", "/v1/rooms/none/snapshot.png")?.status == 404)
  }

  @Test func parametersThatMeanNothingAreRefused() async throws {
    let fixture = try Fixture()
    for (target, advice) in [
      ("/v1/layouts?limit=3", "There is no parameter 'limit' here; this address takes none."),
      ("/v1/rooms?limit=3", "There is no parameter 'limit' here; this address takes name, audience."),
      (
        "/v1/layouts/grid/preview.png?particpants=9",
        "this address takes participants, size, floor, screen, cameras, roles, slots."
      ),
      ("/v1/rooms/lobby/snapshot.png?outptu=hd", "this address takes output."),
    ] {
      let response = await fixture.ask("GET", target)
      #expect(response?.status == 400)
      #expect(response?.body.contains(advice) == true)
    }
    let socket = await fixture.ask("GET", "/v1/rooms/lobby/events?access_token=x", upgradeHeaders)
    #expect(socket?.status == 400)
    for target in ["/?utm=1", "/healthz?x", "/metrics?x=1"] { #expect(await fixture.ask("GET", target)?.status == 200) }
  }

  @Test func theServerTellsHowItIs() async throws {
    let fixture = try Fixture()
    let metrics = await fixture.ask("GET", "/metrics")
    #expect(metrics?["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
    #expect(metrics?.body.contains("tutti_rooms 1") == true)
    #expect(await fixture.ask("GET", "/readyz")?.status == 200)
    fixture.control.state.withLock { $0.isReady = false }
    let notReady = await fixture.ask("GET", "/readyz")
    #expect(notReady?.status == 503)
    #expect(notReady?["retry-after"] == "5")
    #expect(await fixture.ask("GET", "/healthz")?.status == 200)
  }

  @Test func thePageIsServedWithValidators() async throws {
    let fixture = try Fixture()
    for (path, type) in [
      ("/", "text/html; charset=utf-8"), ("/?room=x", "text/html; charset=utf-8"), ("/style.css", "text/css; charset=utf-8"),
      ("/page.js", "text/javascript; charset=utf-8"), ("/session.js", "text/javascript; charset=utf-8"),
      ("/devices.js", "text/javascript; charset=utf-8"), ("/room.js", "text/javascript; charset=utf-8"),
      ("/statistics.js", "text/javascript; charset=utf-8"), ("/token.js", "text/javascript; charset=utf-8"),
      ("/layouts", "text/html; charset=utf-8"), ("/layouts.css", "text/css; charset=utf-8"),
      ("/layouts.js", "text/javascript; charset=utf-8"), ("/layout-editor.js", "text/javascript; charset=utf-8"),
      ("/layout-preview.js", "text/javascript; charset=utf-8"), ("/layout-choice.js", "text/javascript; charset=utf-8"),
      ("/icon.svg", "image/svg+xml"),
    ] {
      let response = await fixture.ask("GET", path)
      #expect(response?.status == 200)
      #expect(response?["content-type"] == type)
      let tag = try #require(response?["etag"])
      let again = await fixture.ask("GET", path, ["If-None-Match: \(tag)"])
      #expect(again?.status == 304)
      #expect(again?.body == "")
    }
    for path in ["/index.html", "/layouts.html"] { #expect(await fixture.ask("GET", path)?.status == 404) }
  }

  @Test func aRoomsAddressLeadsToThePage() async throws {
    let fixture = try Fixture()
    let answer = await fixture.ask("GET", "/rooms/lobby")
    #expect(answer?.status == 303 && answer?["location"] == "/?room=lobby")
    #expect(await fixture.ask("GET", "/rooms/a%0d%0ab")?.status == 400)
  }

  @Test func thePageHasNoScriptOrStyleWithin() async throws {
    let fixture = try Fixture()
    let authors = try #require(await fixture.ask("GET", "/layouts"))
    for part in ["style=", "<style", " onclick", "http"] { #expect(!authors.body.contains(part), "\(part)") }
    let page = try #require(await fixture.ask("GET", "/"))
    let policy = try #require(page["content-security-policy"])
    #expect(policy.hasPrefix("default-src 'self';"))
    #expect(policy.contains("frame-ancestors 'none'"))
    #expect(!policy.contains("unsafe"))
    #expect(page["referrer-policy"] == "no-referrer")
    #expect(page.body.contains("href=\"/layouts\"") && authors.body.contains("href=\"/\""))
    #expect(!page.body.contains("style="))
    #expect(!page.body.contains("<style"))
    #expect(!page.body.contains(" onclick"))
    for id in [
      "name", "room", "join", "leave", "mute", "camera", "microphone-select", "camera-select", "source", "picture", "status",
      "error", "participants", "layouts", "statistics", "deafen", "sound-select", "hand", "lead", "on-air", "lobby-switch",
      "lock-switch", "mute-all", "waiting",
    ] { #expect(page.body.contains("id=\"\(id)\"")) }
  }

  @Test func healthSaysHowTheServerFares() async throws {
    let fixture = try Fixture()
    #expect(await fixture.ask("GET", "/healthz")?.body == "ok\n")
    fixture.control.state.withLock { state in
      state.load.level = .halfSize
      state.load.takesNewcomers = false
      state.load.processorShare = 0.956
    }
    let strained = await fixture.ask("GET", "/healthz")
    #expect(strained?.status == 200, "it lives")
    #expect(strained?.body == "overloaded\nvideo: half-size\nnewcomers: refused\nprocessors: 96 %\n")
  }
}
