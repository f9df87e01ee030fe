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

/// Which of a room's events one may see: all of them once he is in, before that those about himself and about the room as such.
final class LobbyFilter: Sendable {
  fileprivate struct State {
    var isInside = false
    /// The ids of the caller's own sessions.
    var own: Set<String> = []
    /// Whether an event told of him: what was read of the room may then be older.
    var hasHeard = false
  }
  private let caller: Identity
  private let state = Mutex(State())

  init(_ caller: Identity) { self.caller = caller }

  /// The room as it was read after the events began.
  func read(_ room: RoomDescription) {
    let own = (room.participants + room.waiting).filter { caller.isNamed($0.subject) }.map(\.id)
    let isHidden = room.isHidden(from: caller)
    state.withLock { state in
      guard !state.hasHeard else { return }
      state.own.formUnion(own)
      state.isInside = !isHidden
    }
  }

  /// Takes in what an event tells of him and of the lobby.
  ///
  /// - Returns: whether he may see it.
  func passes(_ change: ConferenceEvent.Change) -> Bool {
    state.withLock { state in
      switch change {
      case .participantWaiting(let participant): return state.isInside || state.note(participant, isIn: false, caller)
      case .participantJoined(let participant): return state.note(participant, isIn: true, caller) || state.isInside
      case .participantChanged(let participant): return state.isInside || state.own.contains(participant.id)
      case .participantLeft(let id, _):
        let isOwn = state.own.remove(id) != nil
        defer { if isOwn, state.own.isEmpty { (state.isInside, state.hasHeard) = (false, true) } }
        return isOwn || state.isInside
      case .roomChanged(let admission, _, _):
        if !admission.lobby { (state.isInside, state.hasHeard) = (true, true) }
        return true
      case .roomClosing, .overload, .outputsChanged: return true
      default: return state.isInside
      }
    }
  }
}

extension LobbyFilter.State {
  /// - Returns: whether it is he who came.
  fileprivate mutating func note(_ participant: ParticipantDescription, isIn: Bool, _ caller: Identity) -> Bool {
    guard caller.isNamed(participant.subject) else { return false }
    own.insert(participant.id)
    hasHeard = true
    if isIn { isInside = true }
    return true
  }
}
