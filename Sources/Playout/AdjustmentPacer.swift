import Timing

/// Spreads changes of the playout delay: at once where it is quiet or much is to be done, else only after a while.
struct AdjustmentPacer {
  private var wantedSince: Instant?
  private var lastWanted = Instant.zero
  private var lastDone: Instant?

  private static let interval = Interval.milliseconds(100)
  private static let patience = Interval.milliseconds(500)
  private static let urgent = Interval.milliseconds(60)

  /// Whether a deviation of `amount` is to be made smaller now; counts as done when it is.
  ///
  /// - Parameter beyond: deviations up to this are let be.
  mutating func allows(_ amount: Interval, beyond threshold: Interval, isQuiet: Bool, at now: Instant) -> Bool {
    guard amount > threshold else { return false }
    // Asked afresh after a break, the waiting starts afresh.
    if wantedSince == nil || now - lastWanted > Self.interval { wantedSince = now }
    lastWanted = now
    if let lastDone, now - lastDone < Self.interval { return false }
    let waited = wantedSince.map { now - $0 } ?? .zero
    guard isQuiet || amount > Self.urgent || waited >= Self.patience else { return false }
    lastDone = now
    wantedSince = nil
    return true
  }
}
