import Conference
import TestSupport
import Testing
import WebRTCTransport

/// What concerns a whole room is done once, however many come, change or go together.
@Suite struct CrowdTests {
  private static let size = 300
  /// Scenes of a room in which one thing happens, to however many.
  private static let scenesMax = 3

  /// A house with a room `r`, many who watch it, connected or not, and what it looks like.
  private func crowd(
    connected: Bool = true, _ change: (inout ConferenceSettings) -> Void = { _ in }
  ) async throws -> (house: House, events: House.Events, ids: [String], board: SceneBoard) {
    let house = try House {
      $0.emptySeconds = 3600
      change(&$0)
    }
    let events = await house.events("r")
    var ids: [String] = []
    for _ in 0..<Self.size { ids.append(try await house.conferences.join(house.request("r", kind: .watch)).participant) }
    let peers = house.transport.peers
    if connected {
      for peer in peers { house.transport.observer(peer)?.peerDidConnect(peer) }
      for _ in peers {
        await events.next { change in
          switch change {
          case .participantJoined, .participantWaiting: true
          default: false
          }
        }
      }
    }
    return (house, events, ids, try #require(await house.conferences.board(of: "r")))
  }

  /// Has something happen to all peers while the rooms are at work, so that they find it together.
  private func together(
    in house: House, _ layout: String, _ happen: @escaping @Sendable (PeerID, any PeerObserver) -> Void
  ) async throws {
    let (transport, peers) = (house.transport, house.transport.peers)
    let subscription = await house.conferences.subscribe(room: "r") { event in
      guard case .layoutChanged = event.change else { return }
      for peer in peers {
        if let observer = transport.observer(peer) { happen(peer, observer) }
      }
    }
    _ = try await house.conferences.patchRoom("r", settings: RoomSettings(layout: layout))
    subscription.cancel()
  }

  @Test func aLobbyThatIsSwitchedOffLetsAllInTogether() async throws {
    let (house, events, ids, board) = try await crowd { $0.admission.lobby = true }
    let before = board.current.revision
    var open = AdmissionChange()
    open.lobby = false
    let room = try await house.conferences.patchRoom("r", settings: RoomSettings(admission: open))
    #expect(board.current.revision - before <= Self.scenesMax)
    #expect(room.waiting.isEmpty && room.participants.map(\.id) == ids)
    for id in ids { await events.next { if case .participantJoined(let person) = $0 { person.id == id } else { false } } }
    await events.next { if case .roomChanged(let admission, _, _) = $0 { !admission.lobby } else { false } }
    let joined = Array(repeating: "participantJoined", count: Self.size)
    #expect(events.seen.suffix(Self.size + 1).elementsEqual(joined + ["roomChanged"]))
    let pictures = Set(house.transport.peers.map { house.transport.subscription($0, .video) })
    #expect(pictures.count == 1 && pictures.first != .some(nil))
    await house.conferences.stop()
  }

  @Test func allAreMutedTogetherAndThoseWhoAreMutedAlreadyAreLeftAsTheyAre() async throws {
    let (house, events, ids, board) = try await crowd()
    try await house.patch("r", ids[1]) { $0.audioMuted = true }
    // Who muted himself may unmute himself; whom a host mutes perhaps not.
    try await house.patch("r", ids[2], by: .himself) { $0.audioMuted = true }
    for _ in 0..<2 { await events.next { if case .participantChanged = $0 { true } else { false } } }
    let before = board.current.revision
    var mute = ParticipantPatch()
    mute.audioMuted = true
    let changed = try await house.conferences.patchParticipants(room: "r", roles: nil, patch: mute)
    let others = ids.enumerated().filter { $0.offset != 1 }.map(\.element)
    #expect(changed.map(\.id) == others && changed.allSatisfy { $0.audioMuted && $0.isMutedByHost })
    #expect(board.current.revision - before <= Self.scenesMax)
    for id in others { await events.next { if case .participantChanged(let person) = $0 { person.id == id } else { false } } }
    let told = events.seen.count
    #expect(try await house.conferences.patchParticipants(room: "r", roles: nil, patch: mute).isEmpty)
    try await house.conferences.leave(room: "r", participant: ids[0], by: .himself)
    await events.next { if case .participantLeft = $0 { true } else { false } }
    #expect(events.seen.count == told + 1)
    await house.conferences.stop()
  }

  @Test func aRoomThatEndsIsSettledForNobody() async throws {
    let (house, events, ids, board) = try await crowd()
    let before = board.current.revision
    try await house.conferences.deleteRoom("r")
    #expect(board.current.revision - before <= Self.scenesMax)
    for id in ids.reversed() { await events.next { if case .participantLeft(id, .closed) = $0 { true } else { false } } }
    let left = Array(repeating: "participantLeft", count: Self.size)
    #expect(events.seen.dropFirst(Self.size).elementsEqual(["roomClosing"] + left))
    #expect(house.transport.peers.isEmpty && !house.conferences.hasRoom("r"))
    #expect(house.log.all.count { $0.hasSuffix("the room was closed") } == Self.size)
  }

  @Test func thoseWhoConnectTogetherEnterTogetherAndLeaveTogether() async throws {
    let (house, events, ids, board) = try await crowd(connected: false)
    var before = board.current.revision
    try await together(in: house, "other") { peer, observer in observer.peerDidConnect(peer) }
    for id in ids { await events.next { if case .participantJoined(let person) = $0 { person.id == id } else { false } } }
    #expect(board.current.revision - before <= Self.scenesMax)
    let pictures = Set(house.transport.peers.map { house.transport.subscription($0, .video) })
    #expect(pictures.count == 1 && pictures.first != .some(nil))

    before = board.current.revision
    try await together(in: house, "grid") { peer, observer in observer.peerDidEnd(peer, .closed) }
    for id in ids { await events.next { if case .participantLeft(id, .left) = $0 { true } else { false } } }
    #expect(board.current.revision - before <= Self.scenesMax)
    #expect(house.transport.peers.isEmpty)
    await house.conferences.stop()
  }

  @Test func whoComesAndGoesWithinAMomentIsToldOfInThatOrder() async throws {
    let (house, events, ids, _) = try await crowd(connected: false)
    let first = try #require(house.transport.peers.first)
    try await together(in: house, "other") { peer, observer in
      observer.peerDidConnect(peer)
      if peer != first { observer.peerDidEnd(peer, .closed) }
    }
    for id in ids.dropFirst() { await events.next { if case .participantLeft(id, .left) = $0 { true } else { false } } }
    let pairs = (1..<Self.size).flatMap { _ in ["participantJoined", "participantLeft"] }
    #expect(events.seen.elementsEqual(["layoutChanged", "participantJoined"] + pairs))
    #expect(house.transport.peers == [first] && house.transport.subscription(first, .video) != nil)
    #expect(try await house.conferences.participants(room: "r").map(\.id) == [ids[0]])
    await house.conferences.stop()
  }

  @Test func whoCameAsAnotherWentIsToldOfBeforeWhatThatChangedOfHim() async throws {
    let house = try House { $0.emptySeconds = 3600 }
    let events = await house.events("r")
    let bob = try await house.conferences.join(house.request("r")).participant
    let bobsPeer = try #require(house.transport.peers.first)
    let ada = try await house.conferences.join(house.request("r")).participant
    try await house.patch("r", bob) { $0.whisperTo = [ada] }
    try await together(in: house, "other") { peer, observer in
      if peer == bobsPeer { observer.peerDidConnect(peer) } else { observer.peerDidEnd(peer, .closed) }
    }
    await events.next { if case .participantChanged(let person) = $0 { person.whisperTo == [] } else { false } }
    #expect(events.seen == ["layoutChanged", "participantJoined", "participantChanged"])
    await house.conferences.stop()
  }

  @Test func thoseToWhomSomebodyWhisperedAndWhoLeftTogetherAreForgottenTogether() async throws {
    let (house, events, ids, _) = try await crowd(connected: false)
    let host = try await house.connect("r", events)
    try await house.patch("r", host.id) { $0.whisperTo = .some(ids) }
    await events.next { if case .participantChanged(let person) = $0 { person.whisperTo == ids } else { false } }
    let told = events.seen.count
    try await together(in: house, "other") { peer, observer in
      if peer != host.peer { observer.peerDidEnd(peer, .connectivityLost) }
    }
    await events.next { if case .participantChanged(let person) = $0 { person.whisperTo == [] } else { false } }
    #expect(Array(events.seen[told...]) == ["layoutChanged", "participantChanged"], "told once")
    await house.conferences.stop()
  }
}
