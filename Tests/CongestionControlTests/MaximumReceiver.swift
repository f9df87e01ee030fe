import Timing

/// A receiver that estimates by itself what it can be sent and names that twice a second (REMB), as those do that know no transport-wide
/// feedback: at first what came in three seconds; 0.85 of what comes where it comes later and later; else a twelfth more each second, up
/// to half as much again as comes.
struct MaximumReceiver {
  /// Of each packet, headers that are not counted.
  private static let headers = 40
  private static let window = Interval.seconds(1)

  private var packets: [(at: Instant, size: Int)] = []
  private var startedAt: Instant?
  private var nextWord: Instant?
  private var named: Double?
  private var delays: (sum: Double, count: Int) = (0, 0)
  private var lastDelay: Double?

  mutating func receive(size: Int, delay: Interval, at now: Instant) {
    if startedAt == nil { (startedAt, nextWord) = (now, now + .milliseconds(500)) }
    packets.append((now, max(size - Self.headers, 0)))
    delays = (delays.sum + delay.milliseconds, delays.count + 1)
  }

  /// - Returns: bits per second, when it is time to say so.
  mutating func word(at now: Instant) -> Int? {
    guard let startedAt, let due = nextWord, now >= due else { return nil }
    nextWord = now + .milliseconds(500)
    packets.removeAll { now - $0.at > Self.window }
    let incoming = Double(packets.reduce(0) { $0 + $1.size }) * 8 / Self.window.seconds
    let delay = delays.count > 0 ? delays.sum / Double(delays.count) : lastDelay ?? 0
    let before = lastDelay ?? delay
    let (isLater, isSooner) = (delay > before + 12, delay < before - 12)
    (lastDelay, delays) = (delay, (0, 0))
    if isLater {
      named = 0.85 * incoming
    } else if let before = named {
      let risen = before + max(before * 0.04, 1_000)
      named = isSooner ? before : min(risen, max(1.5 * incoming + 10_000, before))
    } else if now - startedAt > .seconds(3) {
      named = incoming
    }
    return named.map { Int($0) }
  }
}
