/// Who came into a room and who went out of it, until the room is settled for all of them together.
///
/// Many come where a lobby is opened and many go where a network breaks. Sound, scene and pictures concern everybody who is there, and
/// are gone through once for all of them.
struct Turnover {
  /// Numbers of those who came: who are connected, or were let in from the lobby.
  var arrivals: Set<UInt32> = []
  /// Those who went, as they were.
  var departures: [Room.Participant] = []
  /// What is to be told of them, in the order it happened.
  var events: [ConferenceEvent.Change] = []

  var isEmpty: Bool { arrivals.isEmpty && departures.isEmpty }

  /// Whether anybody came or went whom others may hear or see, or who is sent something.
  var isNoticed: Bool { !arrivals.isEmpty || departures.contains(where: \.isConnected) }
}

/// How people come and go: each is taken note of, then the room is settled.
extension Conferences {
  /// Takes note of somebody who is connected or was let in from the lobby.
  func enter(_ index: Int, in room: Room, _ turnover: inout Turnover) {
    let participant = room.participants[index]
    // Who waits in the lobby is not in the room yet.
    if participant.isAdmitted { room.isAwaitingFirst = false }
    turnover.arrivals.insert(participant.media.number)
    let description = room.describe(participant)
    turnover.events.append(participant.isAdmitted ? .participantJoined(description) : .participantWaiting(description))
  }

  /// Takes a participant out of everything that knows him, but for what follows for the others.
  ///
  /// - Parameter words: why, for the log.
  func remove(at index: Int, from room: Room, reason: LeaveReason, words: String, _ turnover: inout Turnover) {
    let participant = room.participants[index]
    log("room \(room.name): participant \(participant.id.prefix(8)) ended: \(words)")
    leaveSound(index, in: room)
    setAvatar(nil, of: index, in: room)
    room.participants.remove(at: index)
    transport.remove(participant.peer)
    turnover.departures.append(participant)
    if participant.isConnected { turnover.events.append(.participantLeft(id: participant.id, reason: reason)) }
  }

  /// Has a room be heard and seen as it is after people came and went, and tells of them.
  func settle(_ room: Room, after turnover: Turnover) {
    guard !turnover.isEmpty else { return }
    let forgetful = forget(Set(turnover.departures.map(\.media.number)), in: room)
    if turnover.isNoticed {
      settleSound(of: room)
      playTones(for: turnover, in: room)
      room.publishScene()
      updateCanvases(of: room)
    }
    tell(turnover, in: room)
    for index in forgetful { tellChanged(index, in: room) }
    if room.participants.isEmpty, !room.isAwaitingFirst { scheduleEnd(of: room) }
  }

  /// Tells who came and went. The spotlight does not stay with who is gone.
  func tell(_ turnover: Turnover, in room: Room) {
    if turnover.departures.contains(where: { $0.media.number == room.board.spotlight }) { setSpotlight(nil, in: room) }
    for event in turnover.events { events.post(event, room: room.name) }
  }

  private func playTones(for turnover: Turnover, in room: Room) {
    for participant in room.participants where turnover.arrivals.contains(participant.media.number) {
      playTone(room.audio.joinTone, for: participant, in: room, at: participant.place)
    }
    for participant in turnover.departures where participant.isConnected {
      playTone(room.audio.leaveTone, for: participant, in: room, at: participant.place)
    }
  }
}
