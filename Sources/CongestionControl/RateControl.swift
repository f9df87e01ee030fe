import Timing

/// What the delay-based controller does with its rate.
public enum RateControlState: Sendable {
  case hold, increase, decrease
}

/// Raises the rate while queues do not grow, by factors while the capacity is unknown and by steps near it, and falls below what
/// arrived when they do (draft-ietf-rmcat-gcc-02 section 5).
struct RateControl: Sendable {
  private static let decreaseFactor = 0.85
  /// What came through a queue is known well, and what drains the queue is the target's matter: more taken off would cost a receiver
  /// the rung that his line carries, for every key frame and every probe.
  private static let deliveredFactor = 0.95
  private static let limitedFactor = 0.5
  private static let thinBelow = 100_000.0
  private static let sharedFactor = 0.7
  private static let sharedSpacing = Interval.milliseconds(1_000)
  /// Per second, as a TCP flow of one packet a round trip grows, within reason: where the queue is a second long that would take a
  /// minute, and the share that was lost before others were known would hardly come back.
  private static let sharedStepMax = 60_000.0
  private static let sharedStepMin = 32_000.0
  private static let sharedStepMinFactor = 0.1

  private(set) var state = RateControlState.hold
  private(set) var bitsPerSecond: Double
  private(set) var capacity = LinkCapacity()
  private(set) var lastDecrease: Instant?
  private let bounds: ClosedRange<Double>
  private var lastChange: Instant?

  init(start: Double, bounds: ClosedRange<Double>) {
    self.bounds = bounds
    bitsPerSecond = min(max(start, bounds.lowerBound), bounds.upperBound)
  }

  /// - Parameters:
  ///   - acknowledged: bits per second that arrived; nil before it is known.
  ///   - delivered: bits per second that came through while packets queued; nil where that was not measured of late.
  ///   - isApplicationLimited: the sender offers so little that what arrives says little of the path: no reason to rise, nor to fall far
  ///     at once.
  ///   - isShared: other traffic fills the queue whatever is done here: rises and falls are then those of a TCP flow, so that a share
  ///     is left.
  mutating func update(
    _ usage: PathUsage, acknowledged: Double?, delivered: Double? = nil, roundTripTime: Interval, isApplicationLimited: Bool,
    isShared: Bool = false, at now: Instant
  ) {
    if isShared { capacity.reset() }
    switch usage {
    case .over: state = .decrease
    case .under: state = .hold
    case .normal: if state == .hold { lastChange = now; state = .increase }
    }
    switch state {
    case .hold: lastChange = now
    case .increase: increase(acknowledged, roundTripTime, !isApplicationLimited, isShared, at: now)
    case .decrease: decrease(acknowledged, delivered, roundTripTime, isApplicationLimited, isShared, at: now)
    }
  }

  private mutating func increase(
    _ acknowledged: Double?, _ roundTripTime: Interval, _ mayIncrease: Bool, _ isShared: Bool, at now: Instant
  ) {
    let elapsed = min(max((now - (lastChange ?? now)).seconds, 0), 1)
    lastChange = now
    if let acknowledged, acknowledged > capacity.upperBound { capacity.reset() }
    guard mayIncrease else { return }
    let step: Double
    if isShared {
      let seconds = max(roundTripTime.seconds, 0.01)
      let least = min(Self.sharedStepMinFactor * bitsPerSecond, Self.sharedStepMin)
      step = min(max(9_600 / (seconds * seconds), least), Self.sharedStepMax) * elapsed
    } else if capacity.estimate != nil {
      let frame = bitsPerSecond / 30
      let packet = frame / max((frame / 9_600).rounded(.up), 1)
      step = max(packet / ((roundTripTime.seconds + 0.1) * 2), 4_000) * elapsed
    } else {
      step = max(bitsPerSecond * 0.08 * elapsed, 1_000 * elapsed)
    }
    // A thin line that is taken for a third more than it carries has its sound wait behind pictures: there only probes go beyond what
    // arrived.
    let isThin = bitsPerSecond < Self.thinBelow && !isShared
    let limit = acknowledged.map { isThin ? 1.1 * $0 + 2_000 : 1.5 * $0 + 10_000 } ?? .infinity
    guard bitsPerSecond < limit else { return }
    set(min(bitsPerSecond + step, limit))
  }

  private mutating func decrease(
    _ acknowledged: Double?, _ delivered: Double?, _ roundTripTime: Interval, _ isApplicationLimited: Bool, _ isShared: Bool,
    at now: Instant
  ) {
    let known = delivered ?? acknowledged
    let spacing = isShared ? Self.sharedSpacing : min(max(roundTripTime, .milliseconds(100)), .milliseconds(300))
    let isFar = known.map { $0 < bitsPerSecond / 2 } ?? false
    if let lastDecrease, !isFar, now - lastDecrease < spacing {
      (state, lastChange) = (.hold, now)
      return
    }
    set(min(lowered(acknowledged, delivered, isApplicationLimited, isShared), bitsPerSecond))
    if let known {
      if known < capacity.lowerBound { capacity.reset() }
      capacity.overused(at: known)
    }
    (lastDecrease, lastChange, state) = (now, now, .hold)
  }

  /// What the rate is lowered to, where that is less than it is.
  private func lowered(_ acknowledged: Double?, _ delivered: Double?, _ isApplicationLimited: Bool, _ isShared: Bool) -> Double
  {
    // What came through a queue is what the path carries, whatever was offered before.
    if let delivered { return Self.deliveredFactor * delivered }
    var rate = (isShared ? Self.sharedFactor : Self.decreaseFactor) * (acknowledged ?? bitsPerSecond)
    if isApplicationLimited { rate = max(rate, Self.limitedFactor * bitsPerSecond) }
    // Of the few packets of a thin line those that arrive within a moment say little, and no queue was long enough to tell more.
    if bitsPerSecond < Self.thinBelow, !isShared { rate = max(rate, Self.decreaseFactor * bitsPerSecond) }
    if rate > bitsPerSecond, let estimate = capacity.estimate { rate = Self.decreaseFactor * estimate }
    return rate
  }

  /// A probe found that the path carries so much.
  mutating func probed(_ rate: Double, at now: Instant) {
    capacity.probed(rate)
    set(rate)
    lastChange = now
  }

  /// Begins from a rate at least, before anything is known.
  mutating func assume(_ rate: Double) { set(max(rate, bitsPerSecond)) }

  /// Falls for a reason that is not the delay's.
  mutating func limit(to rate: Double) { if rate < bitsPerSecond { set(rate) } }

  private mutating func set(_ rate: Double) { bitsPerSecond = min(max(rate, bounds.lowerBound), bounds.upperBound) }
}
