import Dispatch
import RealTime
import Synchronization

/// One thread of low priority for work that people wait for and media must not feel: one piece at a time, a bounded number waiting.
///
/// The thread starts with the first piece and ends with its owner.
final class PatientThread: Sendable {
  /// Too many pieces wait already.
  struct Busy: Error {}

  /// What may wait: the thumbnails of one page, and a few authors.
  static let waitingMax = 24

  private final class Shared: Sendable {
    struct State {
      var pieces: [@Sendable () -> Void] = []
      var isStarted = false
      var isOver = false
    }
    let state = Mutex(State())
    let news = DispatchSemaphore(value: 0)
  }
  private let shared = Shared()

  deinit {
    shared.state.withLock { $0.isOver = true }
    shared.news.signal()
  }

  /// The result of a piece of work.
  func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async throws(Busy) -> Result {
    let result: Result? = await withCheckedContinuation { continuation in
      if !enqueue({ continuation.resume(returning: body()) }) { continuation.resume(returning: nil) }
    }
    guard let result else { throw Busy() }
    return result
  }

  /// - Returns: false where the piece was not taken.
  private func enqueue(_ piece: @escaping @Sendable () -> Void) -> Bool {
    let (isTaken, isFirst) = shared.state.withLock { state -> (Bool, Bool) in
      guard state.pieces.count < Self.waitingMax else { return (false, false) }
      state.pieces.append(piece)
      defer { state.isStarted = true }
      return (true, !state.isStarted)
    }
    guard isTaken else { return false }
    if isFirst, !MediaThread.start(name: "layout-work", priority: .background, { [shared] in Self.work(shared) }) {
      shared.state.withLock { state in
        state.isStarted = false
        state.pieces.removeLast()
      }
      return false
    }
    shared.news.signal()
    return true
  }

  private static func work(_ shared: Shared) {
    while true {
      shared.news.wait()
      let (piece, isOver) = shared.state.withLock { state in
        (state.pieces.isEmpty ? nil : state.pieces.removeFirst(), state.isOver)
      }
      if let piece { piece() } else if isOver { return }
    }
  }
}
