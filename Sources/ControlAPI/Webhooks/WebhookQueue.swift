import Timing

/// What is still to be told to one address: in order, each until it was taken, and no more than fits.
///
///     post ──▶ queue ──next──▶ being sent ──taken──▶ gone
///                 ▲                └──not taken──▶ again after 1, 2, 4 … 60 s, six times in all, then dropped and counted
///
/// Order matters more than speed here: who learns of a departure before the arrival holds a ghost. Knows no socket and no clock.
package struct WebhookQueue: Sendable {
  package struct Delivery: Sendable, Equatable {
    /// Names the event for whoever is sent it twice.
    package var id: UInt64
    package var body: [UInt8]

    package init(id: UInt64, body: [UInt8]) {
      self.id = id
      self.body = body
    }
  }

  /// What waits at most; beyond it the oldest goes.
  package static let capacity = 1_000
  /// How often one event is sent in all.
  package static let attemptsMax = 6

  package init() {}

  private var waiting: [Delivery] = []
  private var isSending = false
  private var attempts = 0
  private var notBefore = Instant.zero
  package private(set) var deliveredCount = 0
  package private(set) var droppedCount = 0

  package var isEmpty: Bool { waiting.isEmpty }

  package mutating func post(_ delivery: Delivery) {
    if waiting.count >= Self.capacity {
      // The one under way stays: what becomes of it must find it.
      waiting.remove(at: isSending ? 1 : 0)
      if !isSending { attempts = 0 }
      droppedCount += 1
    }
    waiting.append(delivery)
  }

  /// What is to be sent now; the caller says what became of it before it asks again.
  package mutating func next(at now: Instant) -> Delivery? {
    guard !isSending, now >= notBefore, let first = waiting.first else { return nil }
    isSending = true
    return first
  }

  /// When there is something to be sent; nil where there is nothing.
  package var nextDeadline: Instant? { waiting.isEmpty || isSending ? nil : notBefore }

  /// - Parameter status: the answer's, nil where none came.
  package mutating func finished(status: Int?, at now: Instant) {
    guard isSending else { return }
    isSending = false
    attempts += 1
    let isTaken = status.map { (200..<300).contains($0) } ?? false
    // Who refuses an event for what it is will not take it later; who is busy or lost his way may.
    let isFinal = status.map { (400..<500).contains($0) && $0 != 408 && $0 != 429 } ?? false
    if isTaken || isFinal || attempts >= Self.attemptsMax {
      waiting.removeFirst()
      if isTaken { deliveredCount += 1 } else { droppedCount += 1 }
      attempts = 0
      notBefore = now
    } else {
      notBefore = now + min(.seconds(60), .seconds(1) * Int64(1 << (attempts - 1)))
    }
  }
}
