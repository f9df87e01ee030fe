import Dispatch
import RealTime
import Synchronization
import Timing

/// Work for pictures that is done on a queue, piece by piece.
package protocol PictureWork: AnyObject, Sendable {
  /// Nanoseconds of processor time that the next piece will take, if it is begun now.
  var expectedTime: Int64 { get }
  func work()
}

/// Where all work for pictures passes before it begins: at once, or where the control group of this program has a processor quota, in
/// its turn once the quota has room for it (`PictureBudget`).
///
///     decoders, canvases ─▶ gate ─no quota───────────────────────▶ their queues
///                            └─quota─▶ who came first waits first ─▶
///
/// One piece of each waits at most; what comes meanwhile is left out where it is left out anyway: ticks of a canvas that is at work,
/// frames in a full mailbox.
package final class PictureGate: Sendable {
  private struct Waiting {
    let work: any PictureWork
    let queue: DispatchQueue
    let since: Instant
  }
  private struct State {
    var budget = PictureBudget()
    var waiting: [Waiting] = []
    var isRetrying = false
  }

  private let state = Mutex(State())
  private let isLimited = Atomic<Bool>(false)
  private let nextReading = Atomic<Int64>(.min)
  private let held = Atomic<Int>(0)
  /// The quota now; nil where there is none.
  private let quota: @Sendable () -> ProcessorQuota?
  /// Nanoseconds of processor time that no quota counts.
  private let exempt: @Sendable () -> Int64
  private let retries = DispatchQueue(label: "picture-gate", target: .global(qos: .userInitiated))

  /// A quota may be changed at any time, and is used up within a few tens of milliseconds then.
  private static let readingInterval = Interval.milliseconds(10)
  private static let retryInterval = DispatchTimeInterval.milliseconds(10)

  /// - Parameters:
  ///   - quota: that of the control group now; nil where there is none.
  ///   - exempt: nanoseconds of processor time used by threads that the kernel never stops.
  package init(quota: @escaping @Sendable () -> ProcessorQuota?, exempt: @escaping @Sendable () -> Int64 = { 0 }) {
    self.quota = quota
    self.exempt = exempt
  }

  /// Pieces of work that had to wait.
  package var heldBack: Int { held.load(ordering: .relaxed) }
  /// Those that wait now.
  var waitingCount: Int { state.withLock { $0.waiting.count } }

  /// Has the work be done once on its queue.
  package func submit(_ work: any PictureWork, on queue: DispatchQueue) {
    let now = MonotonicClock.now()
    if now.nanoseconds >= nextReading.load(ordering: .relaxed) { readQuota(at: now) }
    guard isLimited.load(ordering: .relaxed) else { return queue.async { work.work() } }
    state.withLock { state in
      state.waiting.append(Waiting(work: work, queue: queue, since: now))
      admit(&state, at: now)
      if state.waiting.last?.work === work { held.add(1, ordering: .relaxed) }
    }
  }

  private func readQuota(at now: Instant) {
    nextReading.store((now + Self.readingInterval).nanoseconds, ordering: .relaxed)
    let quota = quota()
    state.withLock { $0.budget.change(quota) }
    isLimited.store(quota != nil, ordering: .relaxed)
  }

  /// Begins what the budget has room for, in its order.
  private func admit(_ state: inout State, at now: Instant) {
    state.budget.observe(used: ProcessorTime.ofProcess() - exempt(), at: now)
    while let next = state.waiting.first {
      let expected = next.work.expectedTime
      guard state.budget.admits(expected, waited: now - next.since) else { return retryLater(&state) }
      state.waiting.removeFirst()
      next.queue.async { [self] in
        next.work.work()
        finish(expected)
      }
    }
  }

  private func finish(_ expected: Int64) {
    state.withLock { state in
      state.budget.finish(expected)
      admit(&state, at: MonotonicClock.now())
    }
  }

  private func retryLater(_ state: inout State) {
    guard !state.isRetrying else { return }
    state.isRetrying = true
    retries.asyncAfter(deadline: .now() + Self.retryInterval) { [self] in
      let now = MonotonicClock.now()
      if now.nanoseconds >= nextReading.load(ordering: .relaxed) { readQuota(at: now) }
      self.state.withLock { state in
        state.isRetrying = false
        admit(&state, at: now)
      }
    }
  }
}
