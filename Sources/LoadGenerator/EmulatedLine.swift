import EncodedMedia
import Timing

/// A line of so many bits a second before a client: what comes faster waits, and what would wait too long is lost.
struct EmulatedLine {
  /// Longer than this nothing waits, as in the buffer of a modem.
  private static let queueMax = Interval.milliseconds(500)

  private let bitsPerSecond: Int
  private var emptyAt = Instant.zero
  /// In the order they leave it.
  private var waiting: [(bytes: [UInt8], at: Instant)] = []

  /// - Parameter bitsPerSecond: 1000 or more.
  init(bitsPerSecond: Int) { self.bitsPerSecond = max(bitsPerSecond, 1_000) }

  /// A datagram came; counted with its IP and UDP headers.
  mutating func take(_ datagram: Span<UInt8>, at now: Instant) {
    let start = max(now, emptyAt)
    guard start - now <= Self.queueMax else { return }
    emptyAt = start + .ticks(Int64(datagram.count &+ 28) &* 8, at: Int64(bitsPerSecond))
    var bytes: [UInt8] = []
    bytes.append(contentsOf: datagram)
    waiting.append((bytes, emptyAt))
  }

  /// The next datagram that has left the line, with when it did.
  mutating func next(at now: Instant) -> (bytes: [UInt8], at: Instant)? {
    guard let first = waiting.first, first.at <= now else { return nil }
    waiting.removeFirst()
    return first
  }

  /// When the next one leaves; nil while nothing waits.
  var nextDeadline: Instant? { waiting.first?.at }
}
