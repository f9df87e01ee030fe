import Timing

/// How long packets wait on the way: their delay above the least of the last half minute to minute.
///
/// Clocks of sender and receiver need not agree, only run at one speed; what they drift apart in that time is a few milliseconds at worst.
struct QueueDelay: Sendable {
  private static let period = Interval.seconds(30)
  private static let short = Interval.milliseconds(50)
  private static let sharedAfter = Interval.seconds(5)
  private static let sharedMax = Interval.milliseconds(800)

  /// The least of the last feedback's packets, above the base.
  private(set) var current = Interval.zero
  /// Whether somebody else's packets keep the queue from emptying: for five seconds it was never short, however little was sent.
  private(set) var isShared = false
  private var lastShort: Instant?
  private var base: Interval?
  private var nextBase: Interval?
  private var periodStart: Instant?
  private var least: Interval?

  /// - Returns: how long this packet took above the base; zero before there is one.
  mutating func add(sent: Instant, arrival: Instant) -> Interval {
    let delay = arrival - sent
    least = min(least ?? delay, delay)
    return base.map { delay - $0 } ?? .zero
  }

  /// Nothing was sent for so long that no queue of ours is left, and of others' nothing is known.
  mutating func rest() { (current, isShared, lastShort) = (.zero, false, nil) }

  /// The packets of one feedback were added.
  ///
  /// - Parameter isDraining: whether more of what we send comes through than is sent.
  mutating func finish(isDraining: Bool, at now: Instant) {
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
    // A queue so long that drains is our own, from before the path became slower: that takes more than five seconds.
    if current < Self.short || current > Self.sharedMax && isDraining || lastShort == nil { lastShort = now }
    isShared = lastShort.map { now - $0 > Self.sharedAfter } ?? false
  }
}
