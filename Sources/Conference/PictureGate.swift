import Dispatch
import RealTime
import Synchronization
import Timing

/// Work for pictures that is done on a queue, piece by piece.
package protocol PictureWork: AnyObject, Sendable {
  /// Nanoseconds of processor time that the next piece will take, if it is begun now.
  var expectedTime: Int64 { get }
  /// Whether it composes what is sent; else it decodes what may be shown.
  var isOutput: Bool { get }
  func work()
}

/// Where all work for pictures passes before it begins: at once, or where the control group of this program has a processor quota, in
/// its turn (`PictureTurns`) once the quota has room for it (`PictureBudget`).
///
///     decoders, canvases ─▶ gate ─no quota───────────────────────▶ their queues
///                            └─quota─▶ turns ─as the budget allows──▶
///
/// One piece of each waits at most; what comes meanwhile is left out where it is left out anyway: ticks of a canvas that is at work,
/// frames in a full mailbox.
package final class PictureGate: Sendable {
  private struct Waiting {
    let work: any PictureWork
    let queue: DispatchQueue
  }
  private struct State {
    var budget = PictureBudget()
    var waiting = PictureTurns<Waiting>()
    /// Nanoseconds of processor time that what is done has taken.
    var taken: Int64 = 0
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
      state.waiting.append(Waiting(work: work, queue: queue), isOutput: work.isOutput, at: now)
      admit(&state, at: now)
      if state.waiting.contains(where: { $0.work === work }) { held.add(1, ordering: .relaxed) }
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
    state.budget.observe(used: ProcessorTime.ofProcess() - exempt(), pictures: state.taken, at: now)
    while state.waiting.count > 0 {
      let next = state.waiting.next(
        at: now, expected: { $0.work.expectedTime }, admit: { state.budget.admit($0, waited: $1) })
      guard let (waiting, expected) = next else { return retryLater(&state) }
      waiting.queue.async { [self] in
        let begun = ProcessorTime.ofThread()
        waiting.work.work()
        finish(expected, taken: ProcessorTime.ofThread() - begun)
      }
    }
  }

  private func finish(_ expected: Int64, taken: Int64) {
    state.withLock { state in
      state.budget.finish(expected)
      state.taken += taken
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
