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
    try check(patch, of: room.participants[index], by: requester, in: room)
    let rules = try rules(patch, of: room.participants[index], in: room)
    let media = room.participants[index].media
    if let name = patch.name { room.participants[index].name = name }
    if let content = patch.content { room.participants[index].content = content }
    if let avatar = patch.avatar { setAvatar(avatar.map { ImageReference(.avatars, $0) }, of: index, in: room) }
    if let role = patch.role { setRole(role, of: index, in: room) }
    if let isUp = patch.handRaised { setHand(isUp, of: index, in: room) }
    if let hidden = patch.hidden { room.participants[index].isHidden = hidden }
    if let muted = patch.audioMuted {
      media.audioMuted.store(muted, ordering: .relaxed)
      if !muted || requester == .host { room.participants[index].isMutedByHost = muted }
    }
    if let muted = patch.videoMuted { media.setVideoMuted(muted, at: MonotonicClock.now()) }
    if let gain = patch.gain { media.gain = Float(gain) }
    if let slot = patch.slot { room.participants[index].pin = slot }
    if let output = patch.output {
      room.participants[index].output = room.output(named: output)?.name
      room.participants[index].isAutomatic = output == OutputSettings.automatic
    }
    if let selfView = patch.selfView { room.participants[index].selfView = selfView }
    if patch.output != nil || patch.selfView != nil || patch.hidden != nil { updateCanvases(of: room) }
    if rules != room.participants[index].rules {
      room.participants[index].rules = rules
      rulesChanged(index, in: room)
    }
    if let sideRoom = patch.sideRoom { room.participants[index].sideRoom = sideRoom }
    if patch.admitted == true, !room.participants[index].isAdmitted {
      admit(index, in: room)
      return room.describe(room.participants[index])
    }
    settleSound(of: room)
    room.publishScene()
    return tellChanged(index, in: room)
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
