import Synchronization

/// The queue between a room's events and one WebSocket: bounded, and a client that lets it overflow is dropped.
final class EventChannel: Sendable {
  /// What a slow client may leave unread.
  static let messagesMax = 256
  static let bytesMax = 1 << 20

  private struct State {
    var messages: [[UInt8]] = []
    var bytes = 0
    var hasOverflown = false
    /// Whether the service thread has been told of what is queued.
    var isAnnounced = false
  }
  private let state = Mutex(State())
  private let announce: @Sendable () -> Void

  /// - Parameter announce: tells the service thread that there is something to take; does not block.
  init(announce: @escaping @Sendable () -> Void) { self.announce = announce }

  /// Queues a message; never blocks.
  func push(_ message: [UInt8]) {
    let isNews = state.withLock { state -> Bool in
      if state.hasOverflown { return false }
      if state.messages.count >= Self.messagesMax || state.bytes + message.count > Self.bytesMax {
        state.hasOverflown = true
        state.messages = []
        return true
      }
      state.messages.append(message)
      state.bytes += message.count
      defer { state.isAnnounced = true }
      return !state.isAnnounced
    }
    if isNews { announce() }
  }

  /// Whether the client has to be dropped.
  var hasOverflown: Bool { state.withLock { $0.hasOverflown } }

  /// Everything queued.
  func take() -> [[UInt8]] {
    state.withLock { state in
      defer {
        state.messages = []
        state.bytes = 0
      }
      state.isAnnounced = false
      return state.messages
    }
  }
}
