import Timing

/// What a path delivers while packets queue in it: all that it carries, however little of it was offered before.
///
/// Packets that waited one behind the other arrive as fast as the path lets them through. What arrives over a time that was not
/// filled tells of the sender, so a queue that a burst left is measured by itself.
struct BottleneckRate: Sendable {
  /// What waited so long waited for those before it, and not for a path that is uneven.
  private static let waitMin = Interval.milliseconds(15)
  private static let spanMin = Interval.milliseconds(80)
  /// Then the next measurement begins, so that a path that changes is followed.
  private static let spanMax = Interval.milliseconds(400)
  private static let packetsMin = 5
  private static let gapMax = Interval.milliseconds(1_000)
  private static let lifetime = Interval.milliseconds(1_500)

  private var start: Instant?
  private var last = Instant.zero
  private var bytes = 0
  private var packets = 0
  private var measured: (bitsPerSecond: Double, at: Instant)?

  /// Bits per second; nil where no queue was measured of late.
  func bitsPerSecond(at now: Instant) -> Double? {
    guard let measured, now - measured.at <= Self.lifetime else { return nil }
    return measured.bitsPerSecond
  }

  /// A packet arrived.
  ///
  /// - Parameters:
  ///   - arrival: on the receiver's clock.
  ///   - waited: how long it took above the least of late.
  mutating func add(_ size: Int, arrival: Instant, waited: Interval, at now: Instant) {
    guard waited >= Self.waitMin else {
      start = nil
      return
    }
    guard let first = start, arrival >= last, arrival - last < Self.gapMax, !isOver(at: arrival) else {
      begin(arrival)
      return
    }
    last = arrival
    bytes &+= size
    packets &+= 1
    let span = arrival - first
    guard span >= Self.spanMin, packets >= Self.packetsMin else { return }
    measured = (Double(bytes) * 8 / span.seconds, now)
  }

  /// Whether the next measurement begins: not between packets that were held back and come all at once, or those before would seem to
  /// have taken all of that time.
  private func isOver(at arrival: Instant) -> Bool {
    guard let start, last - start >= Self.spanMax, packets > 0 else { return false }
    return (arrival - last) * Int64(4 * packets) > last - start
  }

  private mutating func begin(_ arrival: Instant) { (start, last, bytes, packets) = (arrival, arrival, 0, 0) }
}
