import Layouts
import RealTime
import Timing

/// What the hosts of a room decide: who comes in, who is on the stage, and what the others see meanwhile.
///
///     newcomer ──lobby──▶ waiting ──admitted──▶ audience (viewer) ──role──▶ stage (panelist, host, …)
///                            └──refused──▶ gone      ▲─────────role───────────┘
///
/// Everybody keeps his connection all the way. What the audience sends is dropped as it comes; those who wait receive the waiting
/// picture and its sound from the outputs they chose.
extension Conferences {
  // MARK: Coming in

  /// The role that goes with a path.
  static func role(of kind: JoinRequest.Kind) -> String { kind == .watch ? Room.audienceRole : "panelist" }

  private func leads(_ role: String) -> Bool { role == "host" || role == "admin" }

  /// Hosts come in always, but for the server's own limits.
  func checkAdmission(_ request: JoinRequest, to room: Room) throws(ConferenceError) {
    let role = request.role ?? Self.role(of: request.kind)
    guard !leads(role) else { return }
    if room.admission.locked, !isInside(request.subject, room) {
      throw .init(.forbidden, "The room is locked; ask a host to open it.")
    }
    if let max = room.admission.participantsMax, room.participants.count >= max {
      throw .init(.overloaded(retryAfterSeconds: 10), "The room is full; try again later.")
    }
    if request.kind != .watch, role != Room.audienceRole { try checkPublishers(of: room, retries: true) }
  }

  /// - Parameters:
  ///   - added: how many would come to them.
  ///   - retries: whether it is worth the while to ask again.
  private func checkPublishers(of room: Room, adding added: Int = 1, retries: Bool) throws(ConferenceError) {
    guard let max = room.admission.publishersMax else { return }
    let count = room.participants.count {
      $0.role != Room.audienceRole && ($0.setup.receives(.audio) || $0.setup.receives(.video))
    }
    guard count + added > max else { return }
    let words = "The room takes at most \(max) who are seen and heard, and has them; "
    throw retries
      ? .init(.overloaded(retryAfterSeconds: 10), words + "come as a viewer.")
      : .init(.conflict, words + "make another of them a viewer first.")
  }

  /// Whether somebody is in the room already, by his token: he may have lost his connection and come back before that is noticed.
  private func isInside(_ subject: String?, _ room: Room) -> Bool {
    guard let subject, !subject.isEmpty else { return false }
    return room.participants.contains { $0.isConnected && $0.isAdmitted && $0.subject == subject }
  }

  /// Whether a newcomer need not wait in the lobby: a host, who is in already, or the second connection of such a one.
  func isAdmitted(_ request: JoinRequest, follows mixOf: UInt32?, in room: Room) -> Bool {
    if !room.admission.lobby || leads(request.role ?? Self.role(of: request.kind)) { return true }
    if isInside(request.subject, room) { return true }
    // Without tokens nobody has a name, and all may do everything.
    guard request.subject == nil, let followed = mixOf.flatMap({ room.index(of: $0) }).map({ room.participants[$0] }) else {
      return false
    }
    return followed.isAdmitted
  }

  /// Brings people in from the lobby.
  func admit(_ indices: [Int], in room: Room) {
    var turnover = Turnover()
    for index in indices {
      room.participants[index].isAdmitted = true
      followStage(index, in: room)
      if room.participants[index].isConnected { enter(index, in: room, &turnover) }
    }
    settle(room, after: turnover)
  }

  // MARK: The stage

  /// Takes up what somebody sends, or no longer, as his role has it now.
  func followStage(_ index: Int, in room: Room) {
    let participant = room.participants[index]
    participant.media.setOnStage(participant.isOnStage, at: MonotonicClock.now())
    participant.place?.mix.setFlow(
      of: participant.media.number, sends: participant.isTaken(.audio), receives: participant.setup.sendCodec(.audio) != nil)
  }

  func setRole(_ role: String, of index: Int, in room: Room) {
    let wasOnStage = room.participants[index].isOnStage
    room.participants[index].role = role
    guard room.participants[index].isOnStage != wasOnStage else { return }
    // He has what he raised it for.
    if !wasOnStage { room.participants[index].handRaised = nil }
    followStage(index, in: room)
    let number = room.participants[index].media.number
    if wasOnStage, room.board.spotlight == number { setSpotlight(nil, in: room) }
  }

  func setHand(_ isUp: Bool, of index: Int, in room: Room) {
    let present = room.participants[index].handRaised
    room.participants[index].handRaised = isUp ? present ?? WallClock.unixNanoseconds() : nil
  }

  /// Says what about the stage cannot be done before anything is changed.
  func checkStage(
    _ patch: ParticipantPatch, of participant: Room.Participant, by requester: Requester, in room: Room
  ) throws(ConferenceError) {
    if requester == .himself, let key = patch.keysOfHosts.first {
      throw .init(
        .forbidden, "'\(key)' is changed by hosts; this token's bearer may change his own name, hand, mutes and outputs.")
    }
    if requester == .himself, patch.audioMuted == false, participant.isMutedByHost, !room.stage.selfUnmute {
      throw .init(.forbidden, "A host muted you and has to let you speak; raise your hand.")
    }
    if patch.admitted == false, participant.isAdmitted {
      throw .init(.unprocessable, "Nobody goes back to the lobby; DELETE takes a participant out of the room.")
    }
  }

  /// Says so where some come to the stage by a patch and the room has no place for all of them.
  func checkPromotion(by patch: ParticipantPatch, of indices: [Int], in room: Room) throws(ConferenceError) {
    guard let role = patch.role, role != Room.audienceRole else { return }
    let count = indices.count { room.participants[$0].role == Room.audienceRole }
    if count > 0 { try checkPublishers(of: room, adding: count, retries: false) }
  }

  package func patchParticipants(
    room name: String, roles: [String]?, patch: ParticipantPatch
  ) async throws(ConferenceError) -> [ParticipantDescription] {
    let room = try find(room: name)
    // One that was misspelt would change nobody, and nobody would know. A role may be of a layout that is gone.
    for role in roles ?? [] where !room.participants.contains(where: { $0.role == role }) { try check(role: role) }
    let chosen = room.participants.indices.filter { index in
      let participant = room.participants[index]
      return participant.isConnected && participant.isAdmitted
        && (roles?.contains(participant.role) ?? !leads(participant.role))
    }
    let changed = try change(chosen, by: patch, of: .host, in: room)
    if !changed.isEmpty { settle(room, after: patch) }
    return changed.map { tellChanged($0, in: room) }
  }

  // MARK: What a room's settings say

  func check(_ stage: StageChange?, in room: Room?) throws(ConferenceError) {
    if case .some(.some(let layout)) = stage?.waitingLayout, layoutLibrary.template(layout) == nil {
      throw unknownLayout(layout)
    }
    guard case .some(.some(let id)) = stage?.spotlight else { return }
    guard let room, let index = room.index(of: id), room.participants[index].isOnStage else {
      throw .init(.unprocessable, "spotlight: there is nobody on the stage with the id '\(id)'.")
    }
  }

  /// Applies what hosts say of admission and stage, all at once.
  func lead(_ room: Room, _ admission: AdmissionSettings, _ stage: StageSettings, _ spotlight: String?) {
    let number = spotlight.flatMap { room.index(of: $0) }.map { room.participants[$0].media.number }
    let isSame = admission == room.admission && stage == room.stage
    if isSame, number == room.board.spotlight { return }
    let (wasWaiting, wasOnAir) = (room.admission.lobby, room.stage.onAir)
    room.admission = admission
    room.stage = stage
    publishWaiting(of: room)
    if wasWaiting, !admission.lobby {
      admit(room.participants.indices.filter { !room.participants[$0].isAdmitted }, in: room)
    }
    if wasOnAir != stage.onAir {
      settleSound(of: room)
      updateCanvases(of: room)
    }
    guard number == room.board.spotlight else { return setSpotlight(number, in: room) }
    tell(room)
  }

  /// Gives the active-speaker slot to one, or back to who speaks.
  func setSpotlight(_ number: UInt32?, in room: Room) {
    let before = room.board.floor
    room.board.spotlight = number
    room.publishScene()
    tell(room)
    if room.board.floor != before { events.post(.floorChanged(id: room.identifier(room.board.floor)), room: room.name) }
  }

  private func tell(_ room: Room) {
    let spotlight = room.identifier(room.board.spotlight)
    events.post(.roomChanged(room.admission, room.stage, spotlight: spotlight), room: room.name)
  }

  /// Puts the text onto the board of those who wait, in the layout that is for it.
  func publishWaiting(of room: Room) {
    let named = room.stage.waitingLayout.flatMap { layoutLibrary.template($0) }
    guard let layout = named ?? StageSettings.waitingCard ?? layoutLibrary.template(room.layout) else { return }
    let card = SceneBoard.Person(
      media: room.usher, name: room.stage.textForWhoWaits, role: Room.audienceRole, sendsVideo: false)
    room.waitingBoard.change { scene in
      scene.layout = layout
      scene.people = [card]
    }
  }
}
