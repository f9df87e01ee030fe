import Compositing
import Layouts
import RealTime
import Timing

/// Who is in a room, and what is changed about them.
extension Conferences {
  package func participants(room name: String) async throws(ConferenceError) -> [ParticipantDescription] {
    try find(room: name).describe().participants
  }

  package func participant(room name: String, id: String) async throws(ConferenceError) -> ParticipantDescription {
    let (room, index) = try find(room: name, participant: id)
    return room.describe(room.participants[index])
  }

  package func patchParticipant(
    room name: String, id: String, patch: ParticipantPatch, by requester: Requester
  ) async throws(ConferenceError) -> ParticipantDescription {
    let (room, index) = try find(room: name, participant: id)
    _ = try change([index], by: patch, of: requester, in: room)
    if patch.admitted == true, !room.participants[index].isAdmitted {
      admit([index], in: room)
      return room.describe(room.participants[index])
    }
    settle(room, after: patch)
    return tellChanged(index, in: room)
  }

  /// Changes all of some people, or none where it cannot be done. The room is still to be settled.
  ///
  /// - Returns: those of whom anything is another now.
  func change(
    _ indices: [Int], by patch: ParticipantPatch, of requester: Requester, in room: Room
  ) throws(ConferenceError) -> [Int] {
    var rules: [HearingRules] = []
    for index in indices {
      try check(patch, of: room.participants[index], by: requester, in: room)
      rules.append(try self.rules(patch, of: room.participants[index], in: room))
    }
    try checkPromotion(by: patch, of: indices, in: room)
    return zip(indices, rules).filter { change($0, by: patch, $1, of: requester, in: room) }.map(\.0)
  }

  /// - Returns: whether anything is another now.
  private func change(
    _ index: Int, by patch: ParticipantPatch, _ rules: HearingRules, of requester: Requester, in room: Room
  ) -> Bool {
    var isChanged = false
    func set<Value: Equatable>(_ value: inout Value, to wanted: Value?) {
      guard let wanted, wanted != value else { return }
      value = wanted
      isChanged = true
    }
    let media = room.participants[index].media
    set(&room.participants[index].name, to: patch.name)
    set(&room.participants[index].content, to: patch.content)
    if let avatar = patch.avatar.map({ $0.map { ImageReference(.avatars, $0) } }), avatar != room.participants[index].avatar {
      setAvatar(avatar, of: index, in: room)
      isChanged = true
    }
    if let role = patch.role, role != room.participants[index].role {
      setRole(role, of: index, in: room)
      isChanged = true
    }
    if let isUp = patch.handRaised, isUp != (room.participants[index].handRaised != nil) {
      setHand(isUp, of: index, in: room)
      isChanged = true
    }
    set(&room.participants[index].isHidden, to: patch.hidden)
    if let muted = patch.audioMuted {
      if media.audioMuted.exchange(muted, ordering: .relaxed) != muted { isChanged = true }
      if !muted || requester == .host { set(&room.participants[index].isMutedByHost, to: muted) }
    }
    if let muted = patch.videoMuted, media.setVideoMuted(muted, at: MonotonicClock.now()) { isChanged = true }
    set(&media.gain, to: patch.gain.map { Float($0) })
    set(&room.participants[index].pin, to: patch.slot)
    if let output = patch.output {
      set(&room.participants[index].output, to: room.output(named: output)?.name)
      set(&room.participants[index].isAutomatic, to: output == OutputSettings.automatic)
    }
    set(&room.participants[index].selfView, to: patch.selfView)
    if rules != room.participants[index].rules {
      room.participants[index].rules = rules
      rulesChanged(index, in: room)
      isChanged = true
    }
    set(&room.participants[index].sideRoom, to: patch.sideRoom)
    return isChanged
  }

  /// Has a room be heard and seen as a patch wants those in it.
  func settle(_ room: Room, after patch: ParticipantPatch) {
    settleSound(of: room)
    room.publishScene()
    // Before the start the stage and the audience see different pictures.
    if patch.role != nil || patch.output != nil || patch.selfView != nil || patch.hidden != nil { updateCanvases(of: room) }
  }

  /// Tells that somebody has changed. Of who is not connected yet nobody knows; what tells of his coming says how he is by then.
  ///
  /// - Returns: how he is now.
  @discardableResult
  func tellChanged(_ index: Int, in room: Room) -> ParticipantDescription {
    let participant = room.participants[index]
    let description = room.describe(participant)
    if participant.isConnected { events.post(.participantChanged(description), room: room.name) }
    return description
  }

  /// A participant's rules as the patch wants them.
  private func rules(
    _ patch: ParticipantPatch, of participant: Room.Participant, in room: Room
  ) throws(ConferenceError) -> HearingRules {
    var rules = participant.rules
    if let deaf = patch.deaf { rules.isDeaf = deaf }
    if let group = patch.group { rules.group = group }
    if let ids = patch.whisperTo {
      if let ids { rules.whispersTo = try numbers(ids, in: room) } else { rules.whispersTo = nil }
    }
    if let ids = patch.mutedFor { rules.mutedFor = try numbers(ids, in: room) }
    if let output = patch.audioOutput {
      guard room.hasAudioOutput(output) else {
        throw .init(
          .unprocessable,
          "There is no audio output '\(output)'; choose one of \(room.audio.outputNames.joined(separator: ", ")), or auto.")
      }
      rules.audioOutput = output == AudioSettings.mainOutput ? nil : output
    }
    for name in [patch.group ?? nil, patch.sideRoom ?? nil].compactMap({ $0 }) where !isValidName(name) {
      throw .init(.unprocessable, "Names of groups and side rooms are 1 to 64 of A-Z a-z 0-9 . _ -")
    }
    return rules
  }

  private func numbers(_ ids: [String], in room: Room) throws(ConferenceError) -> Set<UInt32> {
    var numbers: Set<UInt32> = []
    for id in ids {
      guard let index = room.index(of: id) else {
        throw .init(.unprocessable, "There is nobody with the id '\(id)' in this room.")
      }
      numbers.insert(room.participants[index].media.number)
    }
    return numbers
  }

  /// Says what cannot be done before anything is changed.
  private func check(
    _ patch: ParticipantPatch, of participant: Room.Participant, by requester: Requester, in room: Room
  ) throws(ConferenceError) {
    try checkStage(patch, of: participant, by: requester, in: room)
    if patch.name?.isEmpty == true {
      throw .init(.unprocessable, "name must have at least one character that can be shown.")
    }
    if case .some(.some(let avatar)) = patch.avatar { try check(avatar: avatar) }
    if let gain = patch.gain, !(0...4).contains(gain) { throw .init(.unprocessable, "gain must be from 0 to 4.") }
    if let output = patch.output, room.output(named: output) == nil {
      throw .init(
        .unprocessable,
        "There is no output '\(output)'; choose one of \(room.outputs.map(\.name).joined(separator: ", ")), or auto.")
    }
    if let role = patch.role, role != participant.role {
      try check(role: role)
    }
    if case .some(.some(let slot)) = patch.slot, !layouts(of: room).contains(where: { $0.hasSlot(slot) }) {
      throw .init(.unprocessable, "The room's layout has no such slot; name a slot's id or its index from 0.")
    }
  }

  func check(role: String) throws(ConferenceError) {
    let roles = Self.roles + layoutLibrary.roles.subtracting(Self.roles).sorted()
    guard roles.contains(role) else {
      throw .init(.unprocessable, "There is no role '\(role)'; choose one of \(roles.joined(separator: ", ")).")
    }
  }

  /// The roles there are without a layout that names others.
  static let roles = ["host", "panelist", "viewer", "admin"]

  private func layouts(of room: Room) -> [LayoutTemplate] {
    ([room.layout] + room.outputs.compactMap(\.layout)).compactMap { layoutLibrary.template($0) }
  }
}

extension LayoutTemplate {
  /// Whether any variant has the slot: by its id, its key, or its index.
  fileprivate func hasSlot(_ reference: SlotReference) -> Bool {
    switch reference {
    case .index(let index): return variants.contains { $0.slots.indices.contains(index) }
    case .id(let id):
      let number = Int(id)
      return variants.contains { variant in
        variant.slots.contains { $0.id == id || $0.source == .reserved(id) }
          || number.map(variant.slots.indices.contains) ?? false
      }
    }
  }
}
