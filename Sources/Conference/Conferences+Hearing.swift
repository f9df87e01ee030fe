import RealTime
import Timing

/// Who is in which mix, and by what rules he hears.
extension Conferences {
  func makeMix(_ audio: AudioSettings, room name: String, board: SceneBoard, isSide: Bool = false) -> RoomMix {
    RoomMix(settings: audio, outputs: outputs, transport: transport, board: board) { [weak self] change in
      // The floor is the picture's, and a side room is not in it.
      if isSide, case .floor = change { return }
      self?.report(.mix(change, room: name))
    }
  }

  /// Brings everybody into the mix he belongs to, and everybody who hears nobody the sound that is for waiting.
  func settleSound(of room: Room) {
    for index in room.participants.indices where room.participants[index].isConnected { settle(index, in: room) }
    settleWaiting(of: room)
  }

  private func settle(_ index: Int, in room: Room) {
    let name = room.placeName(of: room.participants[index])
    let present = room.participants[index].place
    guard present == nil || present?.name != name else { return }
    let participant = room.participants[index]
    if present != nil {
      leaveSound(index, in: room)
      // What he comes to may have nothing for him, and what he left must not be heard on.
      transport.subscribe(participant.peer, .audio, to: nil)
      participant.media.speaking.store(false, ordering: .relaxed)
    }
    let place = place(name, in: room)
    room.participants[index].place = place
    place.members.insert(participant.media.number)
    place.mix.join(
      .init(
        media: participant.media, peer: participant.peer, sends: participant.isTaken(.audio),
        receives: participant.setup.sendCodec(.audio) != nil, mixOf: participant.mixOf, rules: participant.rules,
        wishes: SoundWishes(participant.setup)))
    if place.members.count == 1 { mixLoop.add(place.mix) }
  }

  private func place(_ name: String?, in room: Room) -> SoundPlace {
    guard let name else { return room.main }
    if let place = room.sidePlaces[name] { return place }
    // Who speaks there does not hold the floor of the room's picture.
    let place = SoundPlace(
      name: name,
      mix: makeMix(room.audio, room: room.name, board: SceneBoard(layout: room.board.current.layout), isSide: true))
    room.sidePlaces[name] = place
    return place
  }

  /// Takes a participant out of the mix he is in; the last one out of a side room ends it.
  func leaveSound(_ index: Int, in room: Room) {
    let number = room.participants[index].media.number
    guard let place = room.participants[index].place else { return }
    room.participants[index].place = nil
    endPrompts(in: room, at: place, for: number)
    place.mix.leave(number)
    place.members.remove(number)
    guard place.members.isEmpty else { return }
    endPrompts(in: room, at: place, for: nil)
    endWaiting(at: place)
    mixLoop.remove(place.mix)
    if let name = place.name { room.sidePlaces[name] = nil }
  }

  // MARK: Rules

  /// Gives a participant's rules to the mix he is in.
  func rulesChanged(_ index: Int, in room: Room) {
    let participant = room.participants[index]
    participant.place?.mix.setRules(participant.rules, of: participant.media.number)
  }

  /// Takes those who are gone out of everybody's rules. Who whispered to them alone is not heard by all of a sudden.
  ///
  /// - Returns: those whose rules named any of them.
  func forget(_ gone: Set<UInt32>, in room: Room) -> [Int] {
    guard !gone.isEmpty else { return [] }
    var changed: [Int] = []
    for index in room.participants.indices {
      var rules = room.participants[index].rules
      rules.mutedFor.subtract(gone)
      rules.whispersTo?.subtract(gone)
      guard rules != room.participants[index].rules else { continue }
      room.participants[index].rules = rules
      rulesChanged(index, in: room)
      changed.append(index)
    }
    return changed
  }

  /// A room's audio settings have changed.
  func audioChanged(of room: Room, waitingChanged: Bool) {
    for index in room.participants.indices {
      guard !room.hasAudioOutput(room.participants[index].rules.audioOutput) else { continue }
      room.participants[index].rules.audioOutput = nil
      rulesChanged(index, in: room)
    }
    for place in room.places { place.mix.configure(room.audio) }
    guard waitingChanged else { return }
    for place in room.places { endWaiting(at: place) }
    settleWaiting(of: room)
  }

  // MARK: Those who wait

  /// Plays the sound for waiting to all who hear nobody: whoever they are, it is one prompt and one encode.
  func settleWaiting(of room: Room) {
    for place in room.places { settleWaiting(of: room, at: place) }
  }

  private func settleWaiting(of room: Room, at place: SoundPlace) {
    guard let samples = room.audio.waiting.flatMap({ room.sounds[$0] }), let audience = whoWaits(at: place, in: room) else {
      return endWaiting(at: place)
    }
    if let waiting = place.waiting {
      guard waiting.audience != audience else { return }
      place.waiting?.audience = audience
      place.mix.setAudience(audience, of: waiting.prompt)
    } else {
      let id = makePromptID()
      place.waiting = (id, audience)
      place.mix.play(Prompt(id: id, samples: samples, loops: true, placement: .instead, audience: audience))
    }
  }

  /// - Returns: those who hear nobody; nil where there are none.
  private func whoWaits(at place: SoundPlace, in room: Room) -> Prompt.Audience? {
    let present = room.participants.filter { $0.place === place }
    let senders = present.filter { $0.isTaken(.audio) }
    let receivers = present.filter { $0.setup.sendCodec(.audio) != nil }
    let waiting = receivers.filter { receiver in !senders.contains { room.hears(receiver, $0) } }
    if waiting.isEmpty { return nil }
    return waiting.count == receivers.count ? .everybody : .only(Set(waiting.map { room.ear(of: $0) }))
  }

  private func endWaiting(at place: SoundPlace) {
    guard let waiting = place.waiting else { return }
    place.mix.stopPrompt(waiting.prompt)
    place.waiting = nil
  }

  /// A tone for everybody in a place when somebody who is seen or heard came or left.
  func playTone(_ name: String?, for participant: Room.Participant, in room: Room, at place: SoundPlace?) {
    guard let place, !place.members.isEmpty, let name, let samples = room.sounds[name], !samples.isEmpty,
      participant.isTaken(.audio) || participant.isTaken(.video)
    else { return }
    let now = MonotonicClock.now()
    guard now >= place.toneEnds else { return }
    place.toneEnds = now + SoundLength.of(samples)
    place.mix.play(Prompt(id: makePromptID(), samples: samples))
  }
}
