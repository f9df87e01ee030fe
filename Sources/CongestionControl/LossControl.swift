import Timing

/// Bounds the rate by loss: down where more than a tenth is lost, up again where less than a fiftieth is, else as it was
/// (draft-ietf-rmcat-gcc-02 section 6). So random loss of a few percent costs nothing.
struct LossControl: Sendable {
  private static let high = 0.10
  private static let low = 0.02
  private static let packetsMin = 20

  /// Bits per second; infinite while loss is no reason for a bound.
  private(set) var limit = Double.infinity
  /// The share lost in the last window, 0 to 1.
  private(set) var fractionLost = 0.0
  private let minimum: Double
  private var received = 0
  private var lost = 0
  private var windowStart: Instant?
  private var lastDecrease: Instant?

  init(minimum: Double) { self.minimum = minimum }

  /// Counts packets that transport-wide feedback told of.
  mutating func count(
    received newlyReceived: Int, lost newlyLost: Int, target: Double, roundTripTime: Interval, at now: Instant
  ) {
    received &+= newlyReceived
    lost = max(lost &+ newlyLost, 0)
    let start = windowStart ?? now
    windowStart = start
    let elapsed = now - start
    guard elapsed >= .milliseconds(250), received &+ lost >= Self.packetsMin || elapsed >= .seconds(1) else { return }
    guard received &+ lost > 0 else { return }
    report(
      Double(lost) / Double(received &+ lost), over: elapsed, target: target, roundTripTime: roundTripTime, at: now)
    (received, lost, windowStart) = (0, 0, now)
  }

  /// A share lost over some time, as transport-wide feedback or a receiver report says.
  mutating func report(_ fraction: Double, over elapsed: Interval, target: Double, roundTripTime: Interval, at now: Instant) {
    fractionLost = min(max(fraction, 0), 1)
    if fractionLost > Self.high {
      guard lastDecrease.map({ now - $0 >= roundTripTime + .milliseconds(300) }) ?? true else { return }
      limit = max(min(limit, target) * (1 - 0.5 * fractionLost), minimum)
      lastDecrease = now
    } else if fractionLost < Self.low, limit.isFinite {
      limit += max(limit * 0.08, 4_000) * min(max(elapsed.seconds, 0), 2)
      // So far above the rest it bounds nothing.
      if limit > 4 * max(target, 1_000_000) { limit = .infinity }
    }
  }

  mutating func probed(_ rate: Double) { limit = max(limit, rate) }
}
