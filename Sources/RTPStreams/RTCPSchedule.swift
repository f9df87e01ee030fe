import Timing

/// When the next regular report is due (RFC 3550 section 6.2, with the reduced minimum).
///
/// Intervals vary at random between half and one and a half times their mean, so that peers do not report in step.
public struct RTCPSchedule: Sendable {
  public let meanInterval: Interval
  public private(set) var nextDeadline: Instant

  /// - Parameter meanInterval: at least 100 ms.
  public init(meanInterval: Interval = .seconds(1), start: Instant, using random: inout some RandomNumberGenerator) {
    self.meanInterval = max(meanInterval, .milliseconds(100))
    self.nextDeadline = start
    // The first report goes out after half an interval, so that round-trip times are known soon.
    nextDeadline = start + self.meanInterval / 4 + Self.vary(self.meanInterval / 4, &random)
  }

  /// Whether a report is to be sent now, which counts as sent.
  public mutating func takeDue(at now: Instant, using random: inout some RandomNumberGenerator) -> Bool {
    guard now >= nextDeadline else { return false }
    nextDeadline = now + Self.vary(meanInterval, &random)
    return true
  }

  private static func vary(_ interval: Interval, _ random: inout some RandomNumberGenerator) -> Interval {
    interval / 2 + .nanoseconds(Int64(truncatingIfNeeded: random.next() % UInt64(max(interval.nanoseconds, 1))))
  }
}
