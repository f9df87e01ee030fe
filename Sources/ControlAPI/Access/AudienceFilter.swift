import Conference
import Synchronization

/// Which of a room's events are told to who asked to have the audience counted (`audience=count`): of those who only watch, nothing
/// but what becomes of himself. How many they are has an event of its own.
///
/// With thousands of them, each who comes would be news of a kilobyte for each who is there: more than a thin line carries.
final class AudienceFilter: Sendable {
  private struct State {
    /// Of whom he was told that they are there.
    var known: Set<String> = []
    /// Whether the room was read after the events began: until then he may know of others as well.
    var isRead = false
  }
  private let caller: Identity
  private let state = Mutex(State())

  init(_ caller: Identity) { self.caller = caller }

  /// The room as it was read after the events began, for who asks as the caller did.
  func read(_ room: RoomDescription) {
    let ids = (room.participants + room.waiting).map(\.id)
    state.withLock { state in
      state.known.formUnion(ids)
      state.isRead = true
    }
  }

  /// Takes in what an event tells of who is there.
  ///
  /// - Returns: whether it is told.
  func passes(_ change: ConferenceEvent.Change) -> Bool {
    state.withLock { state in
      switch change {
      case .participantJoined(let participant), .participantWaiting(let participant), .participantChanged(let participant):
        if tells(of: participant) {
          state.known.insert(participant.id)
          return true
        }
        // Who leaves the stage for the audience is told of once more.
        return state.known.remove(participant.id) != nil
      case .participantLeft(let id, _): return state.known.remove(id) != nil || !state.isRead
      case .pictureSwitched(let id, _): return state.known.contains(id) || !state.isRead
      default: return true
      }
    }
  }

  private func tells(of participant: ParticipantDescription) -> Bool {
    if caller.isNamed(participant.subject) { return true }
    return participant.isAdmitted ? !participant.isInAudience : caller.leads
  }
}
