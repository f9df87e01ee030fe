import Timing

/// When to send the last flight again: after 100 ms, then twice as long each time up to 4 s (RFC 6347 section 4.2.4).
///
/// The RFC begins at one second, which would be what a user waits for after one lost datagram; ICE has measured this path and
/// WebRTC's clients begin at 50 to 100 ms. OpenSSL allows twelve repetitions, which here take longer than the whole handshake may.
struct RetransmissionTimer {
  static let first = Interval.milliseconds(100)
  static let longest = Interval.seconds(4)

  private(set) var deadline: Instant?
  private var interval = first

  mutating func start(at now: Instant) { deadline = now + interval }
  mutating func stop() { deadline = nil }
  /// A new flight begins from the shortest interval again.
  mutating func reset() { interval = Self.first }
  mutating func backOff() { interval = min(interval * 2, Self.longest) }
  /// OpenSSL did not think that the time had come: only where it insists on reading the real clock itself.
  mutating func retrySoon(at now: Instant) { deadline = now + .milliseconds(10) }

  /// The same steps for OpenSSL's own timer, in microseconds; 0 before the first.
  static func microseconds(after last: UInt32) -> UInt32 {
    last == 0 ? UInt32(first.nanoseconds / 1_000) : min(last &* 2, UInt32(longest.nanoseconds / 1_000))
  }
}
