import Conference
import Synchronization

/// What is told of a room to one who is in its lobby, or not in it at all: of himself, and that there is a room.
extension RoomDescription {
  /// Whether it hides what is in it from a caller: it has a lobby, and he leads nothing and was not let in.
  func isHidden(from caller: Identity) -> Bool {
    admission.lobby && !caller.leads && !participants.contains { caller.isNamed($0.subject) }
  }

  /// The room as a caller may see it.
  func seen(by caller: Identity) -> RoomDescription {
    guard isHidden(from: caller) else { return self }
    var seen = self
    (seen.participants, seen.audience) = ([], 0)
    seen.waiting = waiting.filter { caller.isNamed($0.subject) }
    (seen.floor, seen.spotlight) = (nil, nil)
    return seen
  }
}

/// Which of a room's events one may see: all of them while there is no lobby or once he is in, else those about himself and about the
/// room as such.
final class LobbyFilter: Sendable {
  fileprivate struct State {
    /// Until it is known whether there is a lobby, there may be one.
    var hasLobby = true
    /// The ids of the caller's own sessions, and of those that are in the room.
    var own: Set<String> = []
    var inside: Set<String> = []
    /// Of which of them events told, and whether one told of the lobby: what was read of the room may then be older.
    var heard: Set<String> = []
    var hasHeardOfLobby = false

    var isOpen: Bool { !hasLobby || !inside.isEmpty }
  }
  private let caller: Identity
  private let state = Mutex(State())

  init(_ caller: Identity) { self.caller = caller }

  /// The room as it is: before the events begin, and once more after that, for what happened in between.
  func read(_ room: RoomDescription) {
    let people = (room.participants + room.waiting).filter { caller.isNamed($0.subject) }
    state.withLock { state in
      if !state.hasHeardOfLobby { state.hasLobby = room.admission.lobby }
      state.own.formIntersection(state.heard)
      state.inside.formIntersection(state.heard)
      for person in people where !state.heard.contains(person.id) { state.place(person) }
    }
  }

  /// Takes in what an event tells of him and of the lobby.
  ///
  /// - Returns: whether he may see it.
  func passes(_ change: ConferenceEvent.Change) -> Bool {
    state.withLock { state in
      switch change {
      case .participantWaiting(let person), .participantJoined(let person), .participantChanged(let person):
        guard caller.isNamed(person.subject) else { return state.isOpen }
        state.heard.insert(person.id)
        state.place(person)
        return true
      case .participantLeft(let id, _):
        let wasOpen = state.isOpen
        let isOwn = state.own.remove(id) != nil
        state.inside.remove(id)
        if isOwn { state.heard.insert(id) }
        return isOwn || wasOpen
      case .roomChanged(let admission, _, _):
        (state.hasLobby, state.hasHeardOfLobby) = (admission.lobby, true)
        return true
      case .roomClosing, .overload, .outputsChanged: return true
      default: return state.isOpen
      }
    }
  }
}

extension LobbyFilter.State {
  fileprivate mutating func place(_ person: ParticipantDescription) {
    own.insert(person.id)
    if person.isAdmitted { inside.insert(person.id) } else { inside.remove(person.id) }
  }
}
