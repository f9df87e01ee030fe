import RealTime
import Synchronization

/// Brings the events of rooms to those who asked for them.
final class EventHub: Sendable {
  private struct Subscriber {
    let id: UInt64
    /// Nil for all rooms.
    let room: String?
    let sink: @Sendable (ConferenceEvent) -> Void
  }
  private struct State {
    var subscribers: [Subscriber] = []
    var nextID: UInt64 = 0
  }
  private let state = Mutex(State())

  func subscribe(room: String?, _ sink: @escaping @Sendable (ConferenceEvent) -> Void) -> EventSubscription {
    let id = state.withLock { state in
      state.nextID += 1
      state.subscribers.append(Subscriber(id: state.nextID, room: room, sink: sink))
      return state.nextID
    }
    return EventSubscription { [weak self] in
      self?.state.withLock { state in state.subscribers.removeAll { $0.id == id } }
    }
  }

  func post(_ change: ConferenceEvent.Change, room: String) {
    let sinks = state.withLock { state in state.subscribers.filter { $0.room == nil || $0.room == room }.map(\.sink) }
    guard !sinks.isEmpty else { return }
    let event = ConferenceEvent(room: room, unixNanoseconds: WallClock.unixNanoseconds(), change: change)
    for sink in sinks { sink(event) }
  }
}
