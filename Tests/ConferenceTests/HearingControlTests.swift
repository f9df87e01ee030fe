import Conference
import TestSupport
import Testing
import WebRTCTransport

/// Rules, side rooms, audio outputs and prompts as the control side keeps them.
@Suite struct HearingControlTests {
  @Test func rulesAreKeptToldAndForgotten() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let (ada, _) = try await house.connect("r", events)
    let (bob, _) = try await house.connect("r", events)
    let (eve, _) = try await house.connect("r", events)
    var changed = try await house.patch("r", ada) {
      $0.group = "desk"
      $0.whisperTo = [eve, bob]
      $0.mutedFor = [eve]
      $0.deaf = true
    }
    #expect(changed.group == "desk" && changed.whisperTo == [bob, eve] && changed.mutedFor == [eve] && changed.deaf)
    await events.next { if case .participantChanged = $0 { true } else { false } }
    try await house.conferences.leave(room: "r", participant: eve, by: .himself)
    await events.next { if case .participantChanged(let person) = $0 { person.id == ada } else { false } }
    changed = try await house.conferences.participant(room: "r", id: ada)
    #expect(changed.whisperTo == [bob] && changed.mutedFor == [])
    try await house.conferences.leave(room: "r", participant: bob, by: .himself)
    changed = try await house.conferences.participant(room: "r", id: ada)
    // Not nil: what was for Bob alone is not for everybody now.
    #expect(changed.whisperTo == [])
    changed = try await house.patch("r", ada) {
      $0.group = .some(nil)
      $0.whisperTo = .some(nil)
      $0.deaf = false
    }
    #expect(changed.group == nil && changed.whisperTo == nil && !changed.deaf)
    await house.conferences.stop()
  }

  @Test func whoIsInASideRoomHearsAnotherMix() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let (ada, adasPeer) = try await house.connect("r", events)
    let (bob, bobsPeer) = try await house.connect("r", events)
    func sound(_ peer: PeerID) -> OutputID? { house.transport.subscription(peer, .audio) }
    await eventually { sound(adasPeer) != nil && sound(adasPeer) == sound(bobsPeer) }
    let shared = sound(adasPeer)
    let picture = house.transport.subscription(bobsPeer, .video)
    let moved = try await house.patch("r", bob) { $0.sideRoom = "corner" }
    #expect(moved.sideRoom == "corner")
    await eventually { sound(bobsPeer) != nil && sound(bobsPeer) != shared }
    #expect(sound(adasPeer) == shared)
    #expect(house.transport.subscription(bobsPeer, .video) == picture)
    try await house.patch("r", ada) { $0.sideRoom = "corner" }
    await eventually { sound(adasPeer) != nil && sound(adasPeer) == sound(bobsPeer) }
    let corner = sound(bobsPeer)
    #expect(corner != shared)
    var metrics = await house.conferences.metrics()
    #expect(metrics.contains("\ntutti_side_rooms 1\n"))
    for id in [ada, bob] { try await house.patch("r", id) { $0.sideRoom = .some(nil) } }
    await eventually { sound(adasPeer) != nil && sound(adasPeer) != corner && sound(adasPeer) == sound(bobsPeer) }
    metrics = await house.conferences.metrics()
    #expect(metrics.contains("\ntutti_side_rooms 0\n"))
    await house.conferences.stop()
  }

  @Test func whoFollowsAMixGoesWhereItsOwnerGoes() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let (ada, _) = try await house.connect("r", events, kind: .publish)
    let (ear, peer) = try await house.connect("r", events, kind: .watch, mixOf: ada)
    await eventually { house.transport.subscription(peer, .audio) != nil }
    let shared = house.transport.subscription(peer, .audio)
    try await house.patch("r", ada) { $0.sideRoom = "corner" }
    let follower = try await house.conferences.participant(room: "r", id: ear)
    #expect(follower.sideRoom == "corner")
    await eventually { house.transport.subscription(peer, .audio).map { $0 != shared } ?? false }
    let corner = house.transport.subscription(peer, .audio)
    try await house.conferences.leave(room: "r", participant: ada, by: .himself)
    await eventually { house.transport.subscription(peer, .audio).map { $0 != corner } ?? false }
    await house.conferences.stop()
  }

  @Test func anAudioOutputIsChosenAndChanged() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let low = AudioOutputSettings(name: "low", bitrate: 8_000, ptime: 60)
    _ = try await house.conferences.putRoom("r", settings: RoomSettings(audio: AudioChange(outputs: [low])))
    let (ada, _) = try await house.connect("r", events, audio: "low")
    let (bob, _) = try await house.connect("r", events, audio: "auto")
    let (eve, _) = try await house.connect("r", events, kind: .publish)
    var people = try await house.conferences.participants(room: "r")
    #expect(people.map(\.audioOutput) == ["low", "auto", nil])
    try await house.patch("r", bob) { $0.audioOutput = "low" }
    try await house.patch("r", ada) { $0.audioOutput = "main" }
    people = try await house.conferences.participants(room: "r")
    #expect(people.map(\.audioOutput) == ["main", "low", nil])
    // Those whose output goes are brought to the first.
    let room = try await house.conferences.patchRoom("r", settings: RoomSettings(audio: AudioChange(outputs: [])))
    #expect(room.participants.map(\.audioOutput) == ["main", "main", nil] && room.audio.outputs.isEmpty)
    _ = eve
    await house.conferences.stop()
  }

  @Test func anAudioChangeLeavesWhatItDoesNotName() async throws {
    let house = try House {
      $0.emptySeconds = 3600
      $0.audio = AudioSettings(bitrate: 24_000, maxSpeakers: 6)
    }
    _ = try await house.conferences.putRoom("r", settings: RoomSettings(audio: AudioChange(stereo: true)))
    var room = try await house.conferences.patchRoom("r", settings: RoomSettings(audio: AudioChange(joinTone: "tone:join")))
    #expect(room.audio == AudioSettings(bitrate: 24_000, maxSpeakers: 6, stereo: true, joinTone: "tone:join"))
    room = try await house.conferences.patchRoom("r", settings: RoomSettings(audio: AudioChange(joinTone: .some(nil))))
    #expect(room.audio == AudioSettings(bitrate: 24_000, maxSpeakers: 6, stereo: true))
    (room, _) = try await house.conferences.putRoom("r", settings: RoomSettings())
    #expect(room.audio == AudioSettings(bitrate: 24_000, maxSpeakers: 6))
    await house.conferences.stop()
  }

  @Test func aPromptIsStartedAndEndsByItselfOrByRequest() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    _ = try await house.conferences.putRoom("r", settings: RoomSettings())
    let early = await house.refusal { _ = try await $0.startPrompt(room: "r", PromptRequest(file: "tone:join")) }
    #expect(early == .conflict)
    let (ada, _) = try await house.connect("r", events)
    let (bob, _) = try await house.connect("r", events)
    let first = try await house.conferences.startPrompt(room: "r", PromptRequest(file: "tone:join", loops: true))
    #expect(first.seconds == 0.36)
    await events.next { if case .promptStarted(first) = $0 { true } else { false } }
    let second = try await house.conferences.startPrompt(
      room: "r", PromptRequest(file: "tone:leave", participant: ada, loops: true, placement: .instead, gain: 0.5))
    var running = try await house.conferences.prompts(room: "r")
    #expect(running == [first, second] && first.id != second.id)
    #expect(try await house.conferences.prompt(room: "r", id: second.id) == second)
    // What the mix tells at the end of one; of tones it tells too, and nobody is interested.
    house.conferences.report(.mix(.promptEnded(Prompt.ID(first.id) ?? 0), room: "r"))
    house.conferences.report(.mix(.promptEnded(4_000_000_000), room: "r"))
    await events.next { if case .promptEnded(first, .finished) = $0 { true } else { false } }
    running = try await house.conferences.prompts(room: "r")
    #expect(running == [second])
    try await house.conferences.stopPrompt(room: "r", id: second.id)
    await events.next { if case .promptEnded(second, .stopped) = $0 { true } else { false } }
    // Whom it is for goes elsewhere, or away.
    for leave in [false, true] {
      let prompt = try await house.conferences.startPrompt(
        room: "r", PromptRequest(file: "tone:join", participant: ada, loops: true))
      if leave {
        try await house.conferences.leave(room: "r", participant: ada, by: .himself)
      } else {
        try await house.patch("r", ada) { $0.sideRoom = "corner" }
      }
      await events.next { if case .promptEnded(prompt, .left) = $0 { true } else { false } }
    }
    let last = try await house.conferences.startPrompt(room: "r", PromptRequest(file: "tone:join", loops: true))
    try await house.conferences.leave(room: "r", participant: bob, by: .himself)
    await events.next { if case .promptEnded(last, .left) = $0 { true } else { false } }
    await house.conferences.stop()
  }

  @Test func aRoomPlaysSoManyPromptsAtOnce() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    _ = try await house.connect("r", events)
    for _ in 0..<16 { _ = try await house.conferences.startPrompt(room: "r", PromptRequest(file: "tone:join", loops: true)) }
    let refusal = await house.refusal { _ = try await $0.startPrompt(room: "r", PromptRequest(file: "tone:join")) }
    #expect(refusal == .conflict)
    let metrics = await house.conferences.metrics()
    #expect(metrics.contains("\ntutti_prompts 16\n"))
    await house.conferences.stop()
  }

  @Test func allWhoHearNobodyAreSentOneSoundForWaiting() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    _ = try await house.conferences.putRoom("r", settings: RoomSettings(audio: AudioChange(waiting: "tone:join")))
    let (ada, adasPeer) = try await house.connect("r", events)
    let (bob, bobsPeer) = try await house.connect("r", events)
    try await house.patch("r", ada) { $0.whisperTo = [bob] }
    try await house.patch("r", bob) { $0.whisperTo = [ada] }
    var viewers: [PeerID] = []
    for _ in 0..<70 { viewers.append(try await house.connect("r", events, kind: .watch).peer) }
    func sound(_ peer: PeerID) -> OutputID? { house.transport.subscription(peer, .audio) }
    await eventually {
      let sounds = Set(viewers.map(sound))
      return sounds.count == 1 && !sounds.contains(nil) && !sounds.contains(sound(adasPeer))
    }
    #expect(sound(adasPeer) == sound(bobsPeer))
    // All that is played is numbered: once for Ada alone, and once for all who came later.
    let prompt = try await house.conferences.startPrompt(room: "r", PromptRequest(file: "tone:join"))
    #expect(prompt.id == "3")
    await house.conferences.stop()
  }

  @Test func whatTheMixRefusesToPlayIsNotPlayedAgainBeforeSomethingChanges() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    _ = try await house.conferences.putRoom("r", settings: RoomSettings(audio: AudioChange(waiting: "tone:join")))
    // What is played to her, who is alone, is number 1.
    let (ada, _) = try await house.connect("r", events)
    let request = PromptRequest(file: "tone:join", loops: true)
    let refused = try await house.conferences.startPrompt(room: "r", request)
    house.conferences.report(.mix(.promptRefused(1), room: "r"))
    house.conferences.report(.mix(.promptRefused(try #require(Prompt.ID(refused.id))), room: "r"))
    await events.next { if case .promptEnded(refused, .refused) = $0 { true } else { false } }
    let second = try await house.conferences.startPrompt(room: "r", request)
    #expect(refused.id == "2" && second.id == "3")
    try await house.patch("r", ada) { $0.group = "desk" }
    let third = try await house.conferences.startPrompt(room: "r", request)
    #expect(third.id == "5")
    await house.conferences.stop()
  }

  @Test func metricsTellTheLevelsOfWhoSends() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let (ada, _) = try await house.connect("r", events)
    let (eye, _) = try await house.connect("r", events, kind: .watch)
    let metrics = await house.conferences.metrics()
    #expect(metrics.contains("# TYPE tutti_participant_level_dbov gauge\n"))
    #expect(metrics.contains("tutti_participant_level_dbov{room=\"r\",participant=\"\(ada)\"} -127\n"))
    #expect(!metrics.contains(eye) && metrics.contains("\ntutti_participants_speaking 0\n"))
    await house.conferences.stop()
  }
}

/// Waits for what the mix's thread brings about; what does not come in minutes is a failure.
private func eventually(_ condition: () -> Bool) async {
  for _ in 0..<120_000 {
    if condition() { return }
    try? await Task.sleep(for: .milliseconds(1))
  }
  Issue.record("what was waited for did not happen")
}
