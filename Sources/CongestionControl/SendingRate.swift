import Timing

/// Whether the sender offers less than it may: what arrives then says little of the path.
struct SendingRate: Sendable {
  private static let window = Interval.milliseconds(500)
  private static let limitedBelow = 0.65
  private static let memory = Interval.milliseconds(1_500)

  private(set) var isApplicationLimited = false
  /// When it was so last: what arrived before then says little for a while.
  private var lastLimited: Instant?
  /// Over the last half second; 0 before the first is over.
  private(set) var bitsPerSecond = 0.0
  /// Whether it can be told what is sent: not in the first half second.
  var isKnown: Bool { windowStart == nil || bitsPerSecond > 0 }
  private var windowStart: Instant?
  private var bytes = 0

  /// Whether it was so in the last second and a half.
  func wasApplicationLimited(at now: Instant) -> Bool { lastLimited.map { now - $0 < Self.memory } ?? false }

  /// Counts what is sent.
  ///
  /// - Returns: whether half a second is full, so that it must be judged.
  mutating func sent(_ size: Int, at now: Instant) -> Bool {
    let start = windowStart ?? now
    windowStart = start
    bytes &+= size
    return now - start >= Self.window
  }

  /// Judges the time since it was judged last by what could have been sent, in bits per second.
  mutating func judge(target: Double, at now: Instant) {
    guard let windowStart, now > windowStart else { return }
    bitsPerSecond = Double(bytes) * 8 / (now - windowStart).seconds
    isApplicationLimited = bitsPerSecond < Self.limitedBelow * target
    if isApplicationLimited { lastLimited = now }
    (self.windowStart, bytes) = (now, 0)
  }
}
