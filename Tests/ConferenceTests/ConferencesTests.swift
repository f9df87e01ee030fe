import Conference
import EncodedMedia
import Glibc
import ICE
import Synchronization
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

@Suite struct ConferencesTests {
  @Test func whoAsksForASnapshotTogetherIsGivenOneDrawing() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    _ = try await house.connect("r", events)
    let conferences = house.conferences
    let images = try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<8 { group.addTask { try await conferences.snapshot(room: "r", output: nil) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(images.count == 8 && Set(images).count == 1)
    let drawn = await conferences.metrics().split(separator: "\n").first { $0.hasPrefix("tutti_snapshots_drawn_total") }
    #expect(drawn == "tutti_snapshots_drawn_total 1")
    await conferences.stop()
  }

  @Test func aParticipantJoinsIsSeenAndLeaves() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let (id, peer) = try await house.connect("r", events)
    var room = try await house.conferences.room("r", listing: .everybody)
    #expect(room.participants.map(\.id) == [id] && room.participants[0].name == "Ada")
    #expect(room.participants[0].sendsAudio && room.participants[0].receivesVideoCodec == "VP8")
    #expect(house.transport.subscription(peer, .video) != nil)
    try await house.conferences.leave(room: "r", participant: id, by: .himself)
    await events.next { if case .participantLeft(id, .left) = $0 { true } else { false } }
    room = try await house.conferences.room("r", listing: .everybody)
    #expect(room.participants.isEmpty && house.transport.calls.contains(.remove(peer)))
    await house.conferences.stop()
  }

  @Test func whoLeavesIsToldApartFromWhoVanishesAndWhoIsTakenOut() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    func reason(_ leave: (String, PeerID) async throws -> Void) async throws -> LeaveReason? {
      let (id, peer) = try await house.connect("r", events)
      try await leave(id, peer)
      var found: LeaveReason?
      await events.next { change in
        if case .participantLeft(id, let reason) = change { found = reason }
        return found != nil
      }
      return found
    }
    let transport = house.transport
    #expect(try await reason { id, _ in try await house.conferences.leave(room: "r", participant: id, by: .himself) } == .left)
    #expect(try await reason { id, _ in try await house.conferences.leave(room: "r", participant: id, by: .host) } == .kicked)
    #expect(try await reason { _, peer in transport.observer(peer)?.peerDidEnd(peer, .closed) } == .left)
    #expect(try await reason { _, peer in transport.observer(peer)?.peerDidEnd(peer, .connectivityLost) } == .disconnected)
    await house.conferences.stop()
  }

  @Test func whoLeavesInWhateverWayStandsInTheLog() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    var names: [Substring] = []
    for way in ["himself", "host", "lost", "closed"] {
      let (id, peer) = try await house.connect("r", events)
      names.append(id.prefix(8))
      switch way {
      case "himself": try await house.conferences.leave(room: "r", participant: id, by: .himself)
      case "host": try await house.conferences.leave(room: "r", participant: id, by: .host)
      case "lost": house.transport.observer(peer)?.peerDidEnd(peer, .connectivityLost)
      default: try await house.conferences.deleteRoom("r")
      }
      await events.next { if case .participantLeft = $0 { true } else { false } }
    }
    let words = ["the peer left", "taken out of the room", "the connection was lost", "the room was closed"]
    let expected = zip(names, words).flatMap {
      ["room r: participant \($0) is connected", "room r: participant \($0) ended: \($1)"]
    }
    #expect(house.log.all == expected)
    await house.conferences.stop()
  }

  @Test func whoNeverConnectsIsNeverSeen() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    _ = try await house.conferences.join(house.request("r"))
    let room = try await house.conferences.room("r", listing: .everybody)
    #expect(room.participants.isEmpty)
    await house.conferences.stop()
  }

  @Test func ofWhoNeverConnectsNothingIsTold() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let silent = try await house.conferences.join(house.request("r")).participant
    let peer = try #require(house.transport.peers.last)
    let (ada, _) = try await house.connect("r", events)
    let own = try await house.patch("r", silent, by: .himself) {
      $0.audioMuted = true
      $0.deaf = true
    }
    #expect(own.audioMuted && own.deaf)
    try await house.patch("r", silent) { $0.mutedFor = [ada] }
    // He is changed once more by this: he can name her no longer.
    try await house.conferences.leave(room: "r", participant: ada, by: .himself)
    house.transport.observer(peer)?.peerDidEnd(peer, .connectivityLost)
    _ = try await house.connect("r", events)
    #expect(events.seen == ["participantJoined", "participantLeft", "participantJoined"])
    await house.conferences.stop()
  }

  @Test func whatSomebodyChangedBeforeHeWasConnectedIsToldAsHeJoins() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let id = try await house.conferences.join(house.request("r")).participant
    let peer = try #require(house.transport.peers.last)
    try await house.patch("r", id, by: .himself) { $0.audioMuted = true }
    house.transport.observer(peer)?.peerDidConnect(peer)
    await events.next { if case .participantJoined(let person) = $0 { person.audioMuted } else { false } }
    #expect(events.seen == ["participantJoined"])
    await house.conferences.stop()
  }

  @Test func aRoomEndsOnceItIsEmpty() async throws {
    let house = try House()
    let events = await house.events("r")
    let (_, peer) = try await house.connect("r", events)
    house.transport.observer(peer)?.peerDidEnd(peer, .closed)
    await events.next { if case .roomClosing = $0 { true } else { false } }
    let rooms = await house.conferences.rooms(listing: .everybody)
    #expect(rooms.isEmpty && events.seen == ["participantJoined", "participantLeft", "roomClosing"])
  }

  @Test func aRoomThatWasPreparedStaysUntilItsLastParticipantHasLeft() async throws {
    let house = try House()
    let events = await house.events("r")
    // Of two empty rooms the one that ends tells when the other would have.
    func anotherRoomEnds() async throws {
      let others = await house.events("other")
      let (_, peer) = try await house.connect("other", others)
      house.transport.observer(peer)?.peerDidEnd(peer, .closed)
      await others.next { if case .roomClosing = $0 { true } else { false } }
    }
    var settings = RoomSettings()
    settings.admission = AdmissionChange()
    settings.admission?.lobby = true
    _ = try await house.conferences.putRoom("r", settings: settings)
    try await anotherRoomEnds()
    let prepared = try await house.conferences.room("r", listing: .everybody)
    #expect(prepared.admission.lobby)
    // Who goes again without having been let in leaves it as it was.
    let waiting = try await house.conferences.join(house.request("r"))
    var peer = try #require(house.transport.peers.last)
    house.transport.observer(peer)?.peerDidConnect(peer)
    await events.next { if case .participantWaiting = $0 { true } else { false } }
    try await house.conferences.leave(room: "r", participant: waiting.participant, by: .himself)
    try await anotherRoomEnds()
    let still = try await house.conferences.room("r", listing: .everybody)
    #expect(still.admission.lobby && still.waiting.isEmpty)
    // The first who is let in makes it end after its last.
    var host = house.request("r")
    host.role = "host"
    _ = try await house.conferences.join(host)
    peer = try #require(house.transport.peers.last)
    house.transport.observer(peer)?.peerDidConnect(peer)
    await events.next { if case .participantJoined = $0 { true } else { false } }
    house.transport.observer(peer)?.peerDidEnd(peer, .closed)
    await events.next { if case .roomClosing = $0 { true } else { false } }
    let rooms = await house.conferences.rooms(listing: .everybody)
    #expect(rooms.isEmpty)
  }

  @Test func whatIsReportedTogetherIsTakenInOrder() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    for _ in 0..<50 {
      _ = try await house.conferences.join(house.request("r"))
      let peer = try #require(house.transport.peers.last)
      let observer = house.transport.observer(peer)
      observer?.peerDidConnect(peer)
      observer?.peerDidEnd(peer, .closed)
      await events.next { if case .participantLeft = $0 { true } else { false } }
    }
    #expect(events.seen == (0..<50).flatMap { _ in ["participantJoined", "participantLeft"] })
    await house.conferences.stop()
  }

  @Test func aRefusedRequestChangesNothing() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let (id, _) = try await house.connect("r", events)
    let before = await house.state()
    // The mix subscribes in its own time; whoever came and went is what counts.
    func comings() -> [ScriptedTransport.Call] {
      house.transport.calls.filter { if case .subscribe(_, .audio, _) = $0 { false } else { true } }
    }
    let calls = comings()
    func patch(_ change: (inout ParticipantPatch) -> Void) -> ParticipantPatch {
      var patch = ParticipantPatch()
      patch.name = "Eve"
      patch.deaf = true
      change(&patch)
      return patch
    }
    let low = AudioOutputSettings(name: "low", bitrate: 8_000)
    let main = OutputSettings(name: "main", width: 64, height: 64, fps: 1, bitrate: 30_000)
    func outputs(_ change: (inout OutputSettings) -> Void) -> RoomSettings {
      var output = main
      change(&output)
      return RoomSettings(layout: "other", outputs: [output])
    }
    let refused: [(ConferenceError.Kind, (Conferences) async throws -> Void)] = [
      (.unprocessable, { _ = try await $0.patchParticipant(room: "r", id: id, patch: patch { $0.gain = 5 }, by: .host) }),
      (.unprocessable, { _ = try await $0.patchParticipant(room: "r", id: id, patch: patch { $0.gain = .nan }, by: .host) }),
      (
        .unprocessable, { _ = try await $0.patchParticipant(room: "r", id: id, patch: patch { $0.output = "none" }, by: .host) }
      ),
      (.unprocessable, { _ = try await $0.patchParticipant(room: "r", id: id, patch: patch { $0.name = "" }, by: .host) }),
      (.unprocessable, { _ = try await $0.patchParticipant(room: "r", id: id, patch: patch { $0.role = "king" }, by: .host) }),
      (
        .unprocessable,
        { _ = try await $0.patchParticipant(room: "r", id: id, patch: patch { $0.slot = .index(4) }, by: .host) }
      ),
      (
        .unprocessable,
        { _ = try await $0.patchParticipant(room: "r", id: id, patch: patch { $0.slot = .id("main") }, by: .host) }
      ),
      (
        .unprocessable,
        { _ = try await $0.patchParticipant(room: "r", id: id, patch: patch { $0.audioOutput = "low" }, by: .host) }
      ),
      (.unprocessable, { _ = try await $0.patchParticipant(room: "r", id: id, patch: patch { $0.group = "a b" }, by: .host) }),
      (
        .unprocessable, { _ = try await $0.patchParticipant(room: "r", id: id, patch: patch { $0.sideRoom = ".." }, by: .host) }
      ),
      (
        .unprocessable,
        { _ = try await $0.patchParticipant(room: "r", id: id, patch: patch { $0.whisperTo = ["x"] }, by: .host) }
      ),
      (
        .unprocessable,
        { _ = try await $0.patchParticipant(room: "r", id: id, patch: patch { $0.mutedFor = [id, "x"] }, by: .host) }
      ),
      (.notFound, { _ = try await $0.patchParticipant(room: "r", id: "x", patch: patch { _ in }, by: .host) }),
      (.notFound, { _ = try await $0.patchParticipant(room: "q", id: id, patch: patch { _ in }, by: .host) }),
      (.unprocessable, { _ = try await $0.patchRoom("r", settings: RoomSettings(layout: "none")) }),
      (.unprocessable, { _ = try await $0.patchRoom("r", settings: RoomSettings(layout: "other", outputs: [])) }),
      (.unprocessable, { _ = try await $0.patchRoom("r", settings: RoomSettings(outputs: [main, main])) }),
      (.unprocessable, { _ = try await $0.patchRoom("r", settings: outputs { $0.width = 63 }) }),
      (.unprocessable, { _ = try await $0.patchRoom("r", settings: outputs { $0.height = 0 }) }),
      (.unprocessable, { _ = try await $0.patchRoom("r", settings: outputs { $0.fps = 61 }) }),
      (.unprocessable, { _ = try await $0.patchRoom("r", settings: outputs { $0.bitrate = -1 }) }),
      (.unprocessable, { _ = try await $0.patchRoom("r", settings: outputs { $0.name = "../x" }) }),
      (.unprocessable, { _ = try await $0.patchRoom("r", settings: outputs { $0.layout = "none" }) }),
      (.unprocessable, { _ = try await $0.patchRoom("r", settings: RoomSettings(audio: AudioChange(bitrate: 1))) }),
      (.unprocessable, { _ = try await $0.patchRoom("r", settings: RoomSettings(audio: AudioChange(maxSpeakers: 16))) }),
      (
        .unprocessable,
        { _ = try await $0.patchRoom("r", settings: RoomSettings(layout: "other", audio: AudioChange(outputs: [low, low]))) }
      ),
      (
        .unprocessable,
        {
          _ = try await $0.patchRoom(
            "r", settings: RoomSettings(audio: AudioChange(outputs: [.init(name: "main", bitrate: 6_000)])))
        }
      ),
      (
        .unprocessable,
        {
          _ = try await $0.patchRoom(
            "r", settings: RoomSettings(audio: AudioChange(outputs: [.init(name: "a", bitrate: 6_000, ptime: 10)])))
        }
      ),
      (
        .unprocessable,
        { _ = try await $0.patchRoom("r", settings: RoomSettings(layout: "other", audio: AudioChange(waiting: "none.wav"))) }
      ),
      (.unprocessable, { _ = try await $0.startPrompt(room: "r", PromptRequest(file: "none.wav")) }),
      (.unprocessable, { _ = try await $0.startPrompt(room: "r", PromptRequest(file: "../etc/passwd")) }),
      (.unprocessable, { _ = try await $0.startPrompt(room: "r", PromptRequest(file: "tone:join", gain: 5)) }),
      (.unprocessable, { _ = try await $0.startPrompt(room: "r", PromptRequest(file: "tone:join", participant: "x")) }),
      (.notFound, { _ = try await $0.startPrompt(room: "q", PromptRequest(file: "tone:join")) }),
      (.notFound, { _ = try await $0.stopPrompt(room: "r", id: "1") }),
      (.notFound, { [house] in _ = try await $0.join(house.request("r", audio: "none")) }),
      (.notFound, { [house] in _ = try await $0.join(house.request("q", audio: "none")) }),
      (.notFound, { _ = try await $0.patchRoom("q", settings: RoomSettings()) }),
      (.notFound, { _ = try await $0.leave(room: "r", participant: "x", by: .himself) }),
      (.notFound, { _ = try await $0.deleteRoom("q") }),
      (.notFound, { _ = try await $0.snapshot(room: "r", output: "none") }),
      (.unprocessable, { _ = try await $0.putRoom("../etc", settings: RoomSettings()) }),
      (.unprocessable, { _ = try await $0.putRoom("..", settings: RoomSettings()) }),
      (.unprocessable, { _ = try await $0.putRoom("a/b", settings: RoomSettings()) }),
      (.unprocessable, { _ = try await $0.putRoom("", settings: RoomSettings()) }),
      (.unprocessable, { _ = try await $0.putRoom(String(repeating: "a", count: 65), settings: RoomSettings()) }),
      (.unprocessable, { _ = try await $0.putRoom("q", settings: RoomSettings(layout: "none")) }),
      (.stale, { _ = try await $0.trickle(room: "r", participant: id, fragment: "a=x", entityTag: "old") }),
      (.notFound, { [house] in _ = try await $0.join(house.request("q", output: "none")) }),
      (.notFound, { [house] in _ = try await $0.join(house.request("q", mixOf: "nobody")) }),
      (.notFound, { [house] in _ = try await $0.join(house.request("r", output: "none")) }),
      (.unprocessable, { [house] in _ = try await $0.join(house.request("../q")) }),
      (.unprocessable, { [house] in _ = try await $0.join(house.request("a\r\nb")) }),
    ]
    for (index, (kind, body)) in refused.enumerated() {
      let refusal = await house.refusal(body)
      #expect(refusal == kind, "request \(index)")
      let after = await house.state()
      #expect(after == before, "request \(index)")
    }
    #expect(comings() == calls)
    await house.conferences.stop()
  }

  @Test func anOfferThatCannotBeAnsweredSaysWhy() async throws {
    let house = try House()
    for (offer, isMalformed) in [("", true), ("v=0\r\nnonsense", true), (String(repeating: "a", count: 100_000), true)] {
      var request = house.request("r")
      request.offer = offer
      let refusal = await house.refusal { [request] in _ = try await $0.join(request) }
      if case .malformed? = refusal {} else { #expect(!isMalformed, "\(String(describing: refusal))") }
    }
    var random = SeededRandom(seed: 4)
    var offerer = PeerOfferer(
      certificate: TestClient.certificate, candidates: [], capabilities: .init(audio: [.pcmu], video: []), using: &random)
    var request = house.request("r")
    request.offer = offerer.offer([.init(.audio, sends: true, receives: true)])
    let refusal = await house.refusal { [request] in _ = try await $0.join(request) }
    #expect(refusal == .noCommonCodec)
    let rooms = await house.conferences.rooms(listing: .everybody)
    #expect(rooms.isEmpty && house.transport.calls.isEmpty)
  }

  @Test func limitsHold() async throws {
    let house = try House {
      $0.participantsMax = 2
      $0.roomsMax = 1
      $0.emptySeconds = 3600
    }
    _ = try await house.conferences.join(house.request("r"))
    var refusal = await house.refusal { [house] in _ = try await $0.join(house.request("q")) }
    #expect(refusal == .overloaded(retryAfterSeconds: 10))
    _ = try await house.conferences.join(house.request("r"))
    refusal = await house.refusal { [house] in _ = try await $0.join(house.request("r")) }
    #expect(refusal == .overloaded(retryAfterSeconds: 10))
    await house.conferences.drain()
    refusal = await house.refusal { [house] in _ = try await $0.join(house.request("r")) }
    #expect(refusal == .overloaded(retryAfterSeconds: 30))
    await house.conferences.stop()
    let rooms = await house.conferences.rooms(listing: .everybody)
    #expect(rooms.isEmpty && house.transport.peers.isEmpty)
  }

  @Test func requestsThatFailLeaveRoomForWhoComesIn() async throws {
    let house = try House {
      $0.processorMax = 0.9
      $0.autoCreate = false
      $0.emptySeconds = 3600
    }
    /// Whether one more would fit in after a second in which much was used.
    func takesOneMore() async -> Bool {
      var control = await house.conferences.admissionControl
      var use = CostModel.Use()
      use.total = 4
      control.observe(use, CostModel.Census(), allowance: 1.8)
      return control.admits(0.35, at: .full)
    }
    for _ in 0..<100 {
      let refusal = await house.refusal { [house] in _ = try await $0.join(house.request("r")) }
      #expect(refusal == .notFound)
    }
    #expect(await takesOneMore())
    _ = try await house.conferences.putRoom("r", settings: RoomSettings())
    _ = try await house.conferences.join(house.request("r"))
    #expect(await !takesOneMore(), "who came counts before he is measured")
    await house.conferences.stop()
  }

  @Test func aRestartIsAnsweredWithNewCredentialsAndANewTag() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    var (offerer, offer) = House.offer(seed: 9)
    let joined = try await house.conferences.join(JoinRequest(kind: .takePart, room: "r", offer: offer))
    _ = try offerer.apply(answer: joined.answer)
    var random = SeededRandom(seed: 10)
    let restart = offerer.restart(using: &random)
    let fragment = try #require(restart)
    let answer = try await house.conferences.trickle(
      room: "r", participant: joined.participant, fragment: fragment, entityTag: joined.entityTag)
    guard case .restarted(let text, let tag) = answer else {
      Issue.record("not restarted")
      return
    }
    #expect(tag != joined.entityTag)
    _ = try offerer.apply(fragment: text)
    let refusal = await house.refusal {
      _ = try await $0.trickle(room: "r", participant: joined.participant, fragment: fragment, entityTag: joined.entityTag)
    }
    #expect(refusal == .stale)
    await house.conferences.stop()
  }

  @Test func pinsAndRolesAreThoseOfTheLayouts() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let (id, _) = try await house.connect("r", events)
    func refusal(_ change: (inout ParticipantPatch) -> Void) async -> ConferenceError.Kind? {
      var patch = ParticipantPatch()
      change(&patch)
      return await house.refusal { [patch] in _ = try await $0.patchParticipant(room: "r", id: id, patch: patch, by: .host) }
    }
    // The second variant of the grid has it, whichever is shown.
    #expect(await refusal { $0.slot = .index(3) } == nil)
    #expect(await refusal { $0.slot = .id("lectern") } == .unprocessable)
    _ = try await house.conferences.patchRoom("r", settings: RoomSettings(layout: "stage"))
    #expect(await refusal { $0.slot = .id("lectern") } == nil)
    #expect(await refusal { $0.slot = .id("guest") } == nil)
    #expect(await refusal { $0.slot = .index(3) } == .unprocessable)
    #expect(await refusal { $0.slot = .some(nil) } == nil)
    #expect(await refusal { $0.role = "interpreter" } == nil)
    #expect(await refusal { $0.role = "host" } == nil)
    #expect(await refusal { $0.role = "interpreters" } == .unprocessable)
    await house.conferences.stop()
  }

  @Test func aDrainAnnouncesTheEndOfARoomOnce() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    _ = try await house.connect("r", events)
    #expect(house.conferences.hasRoom("r") && !house.conferences.hasRoom("q"))
    await house.conferences.drain()
    await house.conferences.stop()
    await events.next { if case .participantLeft(_, .closed) = $0 { true } else { false } }
    #expect(events.seen == ["participantJoined", "roomClosing", "participantLeft"])
    #expect(!house.conferences.hasRoom("r"))
  }

  @Test func patchesAreSeenAndTold() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let (id, peer) = try await house.connect("r", events)
    var patch = ParticipantPatch()
    patch.name = "Grace"
    patch.gain = 0.5
    patch.audioMuted = true
    patch.videoMuted = true
    let changed = try await house.conferences.patchParticipant(room: "r", id: id, patch: patch, by: .host)
    #expect(changed.name == "Grace" && changed.gain == 0.5 && changed.audioMuted && changed.videoMuted && !changed.deaf)
    await events.next { if case .participantChanged = $0 { true } else { false } }
    let picture = house.transport.subscription(peer, .video)
    let small = OutputSettings(name: "small", width: 128, height: 64, fps: 1, bitrate: 30_000)
    let room = try await house.conferences.patchRoom("r", settings: RoomSettings(layout: "other", outputs: [small]))
    #expect(room.layout == "other" && room.outputs == [small] && room.participants[0].output == "small")
    await events.next { if case .layoutChanged("other") = $0 { true } else { false } }
    #expect(events.seen.suffix(2) == ["outputsChanged", "layoutChanged"])
    let newPicture = house.transport.subscription(peer, .video)
    #expect(newPicture != nil && newPicture != picture)
    let (_, created) = try await house.conferences.putRoom("r", settings: RoomSettings())
    let again = try await house.conferences.room("r", listing: .everybody)
    #expect(!created && again.layout == "grid" && again.outputs.map(\.name) == ["main"])
    await house.conferences.stop()
  }
}

/// Ticks come by a real clock; nothing here depends on how punctually.
@Suite struct TickLoopTests {
  private final class Ticker: Ticking {
    let tickPeriod = Interval.milliseconds(2)
    let ticks = Mutex<[(index: Int64, due: Instant)]>([])
    let enough: AsyncStream<Void>.Continuation
    let count: Int
    init(count: Int, enough: AsyncStream<Void>.Continuation) {
      self.count = count
      self.enough = enough
    }
    func tick(_ index: Int64, due: Instant) {
      let reached = ticks.withLock {
        $0.append((index, due))
        return $0.count
      }
      if reached == count { enough.finish() }
    }
  }

  @Test func ticksFollowTheirPeriodAndMembersComeAndGo() async {
    let loop = TickLoop(name: "test", priority: .normal, skipAfter: .milliseconds(20))
    for _ in 0..<2 {
      let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
      let tickers = (0..<3).map { _ in Ticker(count: 20, enough: continuation) }
      for ticker in tickers { loop.add(ticker) }
      for await _ in stream {}
      for ticker in tickers { loop.remove(ticker) }
      for ticks in tickers.map({ $0.ticks.withLock { $0 } }) {
        for (a, b) in zip(ticks, ticks.dropFirst()) {
          #expect(b.index > a.index && b.due - a.due == .milliseconds(2) * (b.index - a.index))
        }
        #expect(ticks.allSatisfy { $0.due.nanoseconds % 2_000_000 == 0 })
      }
    }
    #expect(loop.ticks >= 40)
  }

  /// Its first tick takes five periods.
  private final class Sluggard: Ticking {
    let tickPeriod = Interval.milliseconds(2)
    let next: AsyncStream<Int64>.Continuation
    init(next: AsyncStream<Int64>.Continuation) { self.next = next }
    func tick(_ index: Int64, due: Instant) {
      guard index == 0 else {
        next.yield(index)
        return next.finish()
      }
      usleep(10_000)
    }
  }

  /// - Returns: the index of the tick after the one that took too long.
  private func tickAfterASlowOne(_ loop: TickLoop) async -> Int64? {
    let (stream, continuation) = AsyncStream.makeStream(of: Int64.self)
    let sluggard = Sluggard(next: continuation)
    loop.add(sluggard)
    defer { loop.remove(sluggard) }
    return await stream.first { _ in true }
  }

  @Test func aTickThatBeginsMoreThanAPeriodLateIsCountedAsLate() async {
    let loop = TickLoop(name: "test", priority: .normal, skipAfter: .seconds(1_000))
    let next = await tickAfterASlowOne(loop)
    #expect(next == 1 && loop.lateTicks >= 1 && loop.skippedTicks == 0)
  }

  @Test func aTickThatIsFarTooLateIsSkippedAndCountedAsThat() async {
    let loop = TickLoop(name: "test", priority: .normal, skipAfter: .milliseconds(4))
    let next = await tickAfterASlowOne(loop)
    #expect((next ?? 0) > 1 && loop.skippedTicks >= 1)
  }
}
