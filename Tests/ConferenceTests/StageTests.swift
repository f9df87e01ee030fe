import AudioFiles
import Conference
import EncodedMedia
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// Hosts, panelists, viewers; the lobby; what is seen before the start.
@Suite struct StageTests {
  private func isJoined(_ change: ConferenceEvent.Change) -> Bool {
    if case .participantJoined = change { true } else { false }
  }
  private func isWaiting(_ change: ConferenceEvent.Change) -> Bool {
    if case .participantWaiting = change { true } else { false }
  }

  /// Comes in with a role, is connected, and told as wanted.
  private func come(
    _ house: House, _ events: House.Events, _ role: String?, kind: JoinRequest.Kind = .takePart, subject: String? = nil,
    mixOf: String? = nil, isTold: (ConferenceEvent.Change) -> Bool
  ) async throws -> (id: String, peer: PeerID) {
    var request = house.request("r", kind: kind, mixOf: mixOf)
    request.role = role
    request.subject = subject
    let answer = try await house.conferences.join(request)
    let peer = try #require(house.transport.peers.last)
    house.transport.observer(peer)?.peerDidConnect(peer)
    await events.next(where: isTold)
    return (answer.participant, peer)
  }

  @Test func whoWaitsIsToldWhatFor() {
    var stage = StageSettings()
    #expect(stage.textForWhoWaits == "You will be let in soon")
    stage.onAir = false
    #expect(stage.textForWhoWaits == "We will begin soon")
    var change = StageChange()
    change.waitingText = .some("Back at ten")
    stage = stage.applying(change)
    #expect(stage.textForWhoWaits == "Back at ten")
    change.waitingText = .some(nil)
    #expect(stage.applying(change).textForWhoWaits == "We will begin soon")
  }

  @Test func aViewerIsNeitherSeenNorHeardUntilHeIsMadeAPanelist() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let (id, peer) = try await come(house, events, "viewer", isTold: isJoined)
    let before = try await house.conferences.participant(room: "r", id: id)
    #expect(!before.sendsAudio && !before.sendsVideo && before.receivesVideoCodec == "VP8")
    let media = try #require(house.transport.observer(peer) as? ParticipantMedia)
    #expect(!media.isOnStage)
    try await house.patch("r", id) { $0.handRaised = true }
    let raised = try await house.conferences.participant(room: "r", id: id)
    #expect(raised.handRaised != nil)
    let panelist = try await house.patch("r", id) { $0.role = "panelist" }
    #expect(panelist.sendsAudio && panelist.sendsVideo && media.isOnStage)
    #expect(panelist.handRaised == nil, "he has what he raised it for")
    let viewer = try await house.patch("r", id) { $0.role = "viewer" }
    #expect(!viewer.sendsAudio && !media.isOnStage)
    #expect(!house.transport.calls.contains(.remove(peer)), "the connection is the same all the while")
    await house.conferences.stop()
  }

  @Test func thoseWhoOnlyWatchAreCountedAndNamedOnlyWhereThatIsAskedFor() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    func audienceIs(_ number: Int) async {
      await house.conferences.tellAudiences()
      await events.next { if case .audienceChanged(number) = $0 { true } else { false } }
    }
    let host = try await come(house, events, "host", isTold: isJoined)
    let vera = try await come(house, events, nil, kind: .watch, subject: "vera", isTold: isJoined)
    let will = try await come(house, events, nil, kind: .watch, subject: "will", isTold: isJoined)
    await audienceIs(2)
    func listed(_ listing: RoomListing) async throws -> [String] {
      let room = try await house.conferences.room("r", listing: listing)
      #expect(room.audience == 2)
      return room.participants.map(\.id)
    }
    #expect(try await listed(.everybody) == [host.id, vera.id, will.id])
    #expect(try await listed(RoomListing(namesAudience: false)) == [host.id])
    #expect(try await listed(RoomListing(namesAudience: false, subject: "will")) == [host.id, will.id])

    try await house.patch("r", vera.id) { $0.role = "panelist" }
    await audienceIs(1)
    try await house.conferences.leave(room: "r", participant: will.id, by: .himself)
    await audienceIs(0)
    await house.conferences.stop()
  }

  @Test func whoIsInComesBackPastLobbyAndLock() async throws {
    let house = try House {
      $0.emptySeconds = 3600
      $0.admission.lobby = true
    }
    let events = await house.events("r")
    _ = try await come(house, events, "host", subject: "ada", isTold: isJoined)
    let eve = try await come(house, events, nil, subject: "eve", isTold: isWaiting)
    _ = try await come(house, events, nil, subject: "eve", isTold: isWaiting)
    try await house.patch("r", eve.id) { $0.admitted = true }
    await events.next(where: isJoined)
    let again = try await come(house, events, nil, subject: "eve", isTold: isJoined)
    #expect(try await house.conferences.participant(room: "r", id: again.id).isAdmitted)
    var change = AdmissionChange()
    change.locked = true
    _ = try await house.conferences.patchRoom("r", settings: RoomSettings(admission: change))
    _ = try await come(house, events, nil, subject: "eve", isTold: isJoined)
    for stranger in [nil, "", "mallory"] {
      #expect(
        await house.refusal { conferences in
          var request = house.request("r")
          request.subject = stranger
          _ = try await conferences.join(request)
        } == .forbidden)
    }
    await house.conferences.stop()
  }

  @Test func aRoleThatNobodyCanHaveIsNoneToChangeAllOf() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    _ = try await come(house, events, "panelist", isTold: isJoined)
    var patch = ParticipantPatch()
    patch.audioMuted = true
    for (roles, kind) in [
      (["panelst"], ConferenceError.Kind.unprocessable), (["host"], nil), (["panelist", "nobody"], .unprocessable),
    ] {
      let refusal = await house.refusal { _ = try await $0.patchParticipants(room: "r", roles: roles, patch: patch) }
      #expect(refusal == kind, "\(roles)")
    }
    #expect(try await house.conferences.participants(room: "r").allSatisfy { !$0.audioMuted }, "nobody was changed by half")
    await house.conferences.stop()
  }

  @Test func anEmptyRoomThatIsPutAgainStays() async throws {
    let house = try House { $0.emptySeconds = 1 }
    let events = await house.events("r")
    let (id, _) = try await come(house, events, "host", isTold: isJoined)
    try await house.conferences.leave(room: "r", participant: id, by: .himself)
    _ = try await house.conferences.putRoom("r", settings: RoomSettings())
    // As long as it would have been kept, and longer.
    try await Task.sleep(for: .milliseconds(1_500))
    #expect(house.conferences.hasRoom("r"))
    await house.conferences.stop()
  }

  @Test func theSpotlightDoesNotStayWithWhoNeverCame() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    _ = try await come(house, events, "host", isTold: isJoined)
    let answer = try await house.conferences.join(house.request("r"))
    var stage = StageChange()
    stage.spotlight = .some(answer.participant)
    let lit = try await house.conferences.patchRoom("r", settings: RoomSettings(stage: stage))
    #expect(lit.spotlight == answer.participant)
    try await house.conferences.leave(room: "r", participant: answer.participant, by: .himself)
    await events.next { change in
      if case .roomChanged(_, _, nil) = change { true } else { false }
    }
    await house.conferences.stop()
  }

  @Test func theLobbyIsListedWhereThatIsAskedFor() async throws {
    let house = try House {
      $0.emptySeconds = 3600
      $0.admission.lobby = true
    }
    let events = await house.events("r")
    let eve = try await come(house, events, nil, kind: .watch, subject: "eve", isTold: isWaiting)
    let zoe = try await come(house, events, nil, kind: .watch, subject: "zoe", isTold: isWaiting)
    for (listing, waiting) in [
      (RoomListing.everybody, [eve.id, zoe.id]), (RoomListing(namesWaiting: false), []),
      (RoomListing(namesWaiting: false, subject: "zoe"), [zoe.id]),
    ] {
      let room = try await house.conferences.room("r", listing: listing)
      #expect(room.waiting.map(\.id) == waiting && room.audience == 0, "who waits is not in the room yet")
    }
    await house.conferences.stop()
  }

  @Test func whoWatchesIsAViewerAndWhoPublishesAPanelistWhereNothingIsSaid() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    for (kind, role) in [(JoinRequest.Kind.watch, "viewer"), (.publish, "panelist"), (.takePart, "panelist")] {
      let (id, _) = try await come(house, events, nil, kind: kind, isTold: isJoined)
      #expect(try await house.conferences.participant(room: "r", id: id).role == role)
    }
    await house.conferences.stop()
  }

  @Test func theLobbyHoldsEverybodyButHostsUntilTheyAreAdmitted() async throws {
    let house = try House {
      $0.emptySeconds = 3600
      $0.admission.lobby = true
    }
    let events = await house.events("r")
    let host = try await come(house, events, "host", isTold: isJoined)
    let guest = try await come(house, events, nil, subject: "eve", isTold: isWaiting)
    var room = try await house.conferences.room("r", listing: .everybody)
    #expect(room.participants.map(\.id) == [host.id] && room.waiting.map(\.id) == [guest.id] && !room.waiting[0].isAdmitted)
    #expect(!room.waiting[0].sendsAudio)
    let (waitingFor, shownToHost) = (
      house.transport.subscription(guest.peer, .video), house.transport.subscription(host.peer, .video)
    )
    #expect(waitingFor != nil && waitingFor != shownToHost, "a picture for those who wait")

    let second = try await come(house, events, nil, kind: .watch, subject: "eve", mixOf: host.id, isTold: isWaiting)
    #expect(try await !house.conferences.participant(room: "r", id: second.id).isAdmitted, "naming somebody opens no door")

    let admitted = try await house.patch("r", guest.id) { $0.admitted = true }
    #expect(admitted.isAdmitted && admitted.sendsAudio)
    await events.next(where: isJoined)
    #expect(house.transport.subscription(guest.peer, .video) == shownToHost)
    let own = try await come(house, events, nil, kind: .watch, subject: "eve", mixOf: guest.id, isTold: isJoined)
    #expect(try await house.conferences.participant(room: "r", id: own.id).isAdmitted, "his second connection need not wait")
    #expect(
      await house.refusal { _ = try await $0.patchParticipant(room: "r", id: guest.id, patch: unadmitted(), by: .host) }
        == .unprocessable)

    try await house.conferences.leave(room: "r", participant: second.id, by: .host)
    await events.next { if case .participantLeft(second.id, .refused) = $0 { true } else { false } }
    let late = try await come(house, events, nil, isTold: isWaiting)
    var open = AdmissionChange()
    open.lobby = false
    room = try await house.conferences.patchRoom("r", settings: RoomSettings(admission: open))
    #expect(room.waiting.isEmpty && room.participants.contains { $0.id == late.id })
    await house.conferences.stop()
  }

  @Test func whatBecomesOfWhoWaitsIsTold() async throws {
    let house = try House {
      $0.emptySeconds = 3600
      $0.admission.lobby = true
    }
    let events = await house.events("r")
    let guest = try await come(house, events, nil, isTold: isWaiting)
    try await house.patch("r", guest.id, by: .himself) { $0.handRaised = true }
    await events.next { if case .participantChanged(let person) = $0 { person.handRaised != nil } else { false } }
    await house.conferences.stop()
  }

  private func unadmitted() -> ParticipantPatch {
    var patch = ParticipantPatch()
    patch.admitted = false
    return patch
  }

  @Test func limitsAndTheLockHoldForAllButHosts() async throws {
    let house = try House {
      $0.emptySeconds = 3600
      $0.admission.participantsMax = 3
      $0.admission.publishersMax = 1
    }
    let events = await house.events("r")
    let ada = try await come(house, events, nil, isTold: isJoined)
    func refusal(_ role: String?, _ kind: JoinRequest.Kind = .takePart) async -> ConferenceError.Kind? {
      await house.refusal {
        var request = house.request("r", kind: kind)
        request.role = role
        _ = try await $0.join(request)
      }
    }
    #expect(await refusal(nil) == .overloaded(retryAfterSeconds: 10), "one publisher is there")
    let bob = try await come(house, events, "viewer", isTold: isJoined)
    #expect(
      await house.refusal { _ = try await $0.patchParticipant(room: "r", id: bob.id, patch: panelist(), by: .host) }
        == .conflict)
    #expect(await refusal(nil, .watch) == nil)
    #expect(await refusal(nil, .watch) == .overloaded(retryAfterSeconds: 10), "three are there")
    #expect(await refusal("host") == nil)
    try await house.patch("r", ada.id) { $0.role = "viewer" }
    try await house.patch("r", bob.id) { $0.role = "viewer" }
    var locked = AdmissionChange()
    locked.locked = true
    locked.participantsMax = .some(nil)
    _ = try await house.conferences.patchRoom("r", settings: RoomSettings(admission: locked))
    #expect(await refusal(nil, .watch) == .forbidden)
    #expect(await refusal("host") == nil)
    await house.conferences.stop()
  }

  @Test func ofManyWhoAreMoreThanTheStageTakesNobodyIsPromoted() async throws {
    let house = try House {
      $0.emptySeconds = 3600
      $0.admission.publishersMax = 2
    }
    let events = await house.events("r")
    for _ in 0..<3 { _ = try await come(house, events, "viewer", isTold: isJoined) }
    #expect(
      await house.refusal { _ = try await $0.patchParticipants(room: "r", roles: ["viewer"], patch: panelist()) } == .conflict)
    #expect(try await house.conferences.participants(room: "r").map(\.role) == ["viewer", "viewer", "viewer"])
    await house.conferences.stop()
  }

  private func panelist() -> ParticipantPatch {
    var patch = ParticipantPatch()
    patch.role = "panelist"
    return patch
  }

  @Test func beforeTheStartTheAudienceSeesTheWaitingPictureAndThePanelMeets() async throws {
    let house = try House {
      $0.emptySeconds = 3600
      $0.stage.onAir = false
    }
    let events = await house.events("r")
    let host = try await come(house, events, "host", isTold: isJoined)
    let viewer = try await come(house, events, nil, kind: .watch, isTold: isJoined)
    let leg = try await come(house, events, nil, kind: .watch, mixOf: host.id, isTold: isJoined)
    let transport = house.transport
    #expect(transport.subscription(viewer.peer, .video) != transport.subscription(host.peer, .video))
    #expect(
      transport.subscription(leg.peer, .video) == transport.subscription(host.peer, .video),
      "who listens for the host meets as well")
    #expect(try await house.conferences.participant(room: "r", id: viewer.id).sideRoom == nil)
    var stage = StageChange()
    stage.onAir = true
    _ = try await house.conferences.patchRoom("r", settings: RoomSettings(stage: stage))
    await events.next { if case .roomChanged(_, let stage, _) = $0 { stage.onAir } else { false } }
    #expect(transport.subscription(viewer.peer, .video) == transport.subscription(host.peer, .video))
    await house.conferences.stop()
  }

  @Test func theSpotlightHoldsTheFloorAndEndsWithWhomItIsOn() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let ada = try await come(house, events, nil, isTold: isJoined)
    let bob = try await come(house, events, "viewer", isTold: isJoined)
    func spotlight(_ id: String?) async throws -> RoomDescription {
      var stage = StageChange()
      stage.spotlight = .some(id)
      return try await house.conferences.patchRoom("r", settings: RoomSettings(stage: stage))
    }
    #expect(await house.refusal { _ in _ = try await spotlight(bob.id) } == .unprocessable, "a viewer is not on the stage")
    let room = try await spotlight(ada.id)
    #expect(room.spotlight == ada.id && room.floor == ada.id)
    await events.next { if case .floorChanged(ada.id) = $0 { true } else { false } }
    let whole = try await house.conferences.patchRoom("r", settings: RoomSettings(layout: "other"))
    #expect(whole.spotlight == ada.id, "what is not named stays")
    try await house.patch("r", ada.id) { $0.role = "viewer" }
    #expect(try await house.conferences.room("r", listing: .everybody).spotlight == nil)
    await house.conferences.stop()
  }

  @Test func allAreMutedButHostsAndMayUnmuteThemselvesWhereTheRoomLetsThem() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let host = try await come(house, events, "host", isTold: isJoined)
    let ada = try await come(house, events, nil, isTold: isJoined)
    let bob = try await come(house, events, "viewer", isTold: isJoined)
    var mute = ParticipantPatch()
    mute.audioMuted = true
    let changed = try await house.conferences.patchParticipants(room: "r", roles: nil, patch: mute)
    #expect(changed.map(\.id) == [ada.id, bob.id] && changed.allSatisfy { $0.audioMuted && $0.isMutedByHost })
    #expect(try await !house.conferences.participant(room: "r", id: host.id).audioMuted)
    #expect(try await house.conferences.patchParticipants(room: "r", roles: ["host"], patch: mute).map(\.id) == [host.id])

    #expect(try await !house.patch("r", ada.id, by: .himself) { $0.audioMuted = false }.audioMuted)
    var strict = StageChange()
    strict.selfUnmute = false
    _ = try await house.conferences.patchRoom("r", settings: RoomSettings(stage: strict))
    var unmute = ParticipantPatch()
    unmute.audioMuted = false
    try await house.patch("r", bob.id, by: .himself) { $0.audioMuted = true }
    #expect(
      await house.refusal { _ = try await $0.patchParticipant(room: "r", id: bob.id, patch: unmute, by: .himself) }
        == .forbidden)
    #expect(try await !house.patch("r", bob.id) { $0.audioMuted = false }.audioMuted)
    #expect(try await !house.patch("r", bob.id, by: .himself) { $0.audioMuted = false }.isMutedByHost)
    await house.conferences.stop()
  }

  @Test func whatOnlyHostsChangeIsRefusedToWhoChangesHimself() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let (id, _) = try await come(house, events, nil, isTold: isJoined)
    let changes: [(inout ParticipantPatch) -> Void] = [
      { $0.gain = 2 }, { $0.role = "host" }, { $0.slot = .index(0) }, { $0.sideRoom = "x" }, { $0.hidden = true },
      { $0.admitted = true }, { $0.mutedFor = [] }, { $0.group = "g" }, { $0.whisperTo = .some(nil) },
    ]
    for change in changes {
      var patch = ParticipantPatch()
      patch.name = "Mallory"
      change(&patch)
      let wanted = patch
      #expect(
        await house.refusal { _ = try await $0.patchParticipant(room: "r", id: id, patch: wanted, by: .himself) } == .forbidden)
    }
    let own = try await house.patch("r", id, by: .himself) {
      $0.name = "Ada L"
      $0.handRaised = true
      $0.videoMuted = true
    }
    #expect(own.name == "Ada L" && own.handRaised != nil && own.videoMuted)
    await house.conferences.stop()
  }
}
