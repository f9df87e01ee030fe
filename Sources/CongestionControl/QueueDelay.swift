import Timing

/// How long packets wait on the way: their delay above the least of the last ten to twenty seconds.
///
/// Clocks of sender and receiver need not agree, only run at one speed; what they drift apart in that time is a few hundred microseconds.
struct QueueDelay: Sendable {
  private static let period = Interval.seconds(10)

  /// The least of the last feedback's packets, above the base.
  private(set) var current = Interval.zero
  private var base: Interval?
  private var nextBase: Interval?
  private var periodStart: Instant?
  private var least: Interval?

  mutating func add(sent: Instant, arrival: Instant) {
    let delay = arrival - sent
    least = min(least ?? delay, delay)
  }

  /// The packets of one feedback were added.
  mutating func finish(at now: Instant) {
    guard let delay = least else { return }
    least = nil
    if let base, delay - base > .seconds(10) || base - delay > .seconds(10) { self = QueueDelay() }
    if now - (periodStart ?? now) >= Self.period || periodStart == nil {
      base = nextBase ?? delay
      nextBase = nil
      periodStart = now
    }
    nextBase = min(nextBase ?? delay, delay)
    let floor = min(base ?? delay, delay)
    base = floor
    current = delay - floor
  }
}
