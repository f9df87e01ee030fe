import Timing

/// Whether the sender offers less than it may: what arrives then says little of the path.
struct SendingRate: Sendable {
  private static let window = Interval.milliseconds(500)
  private static let limitedBelow = 0.65
  private static let memory = Interval.milliseconds(1_500)

  private(set) var isApplicationLimited = false
  /// When it was so last: what arrived before then says little for a while.
  private var lastLimited: Instant?
  /// Over the last half second.
  private(set) var bitsPerSecond = 0.0
  private var windowStart: Instant?
  private var bytes = 0

  /// Whether it was so in the last second and a half.
  func wasApplicationLimited(at now: Instant) -> Bool { lastLimited.map { now - $0 < Self.memory } ?? false }

  mutating func sent(_ size: Int, target: Double, at now: Instant) {
    let start = windowStart ?? now
    windowStart = start
    bytes &+= size
    let elapsed = now - start
    guard elapsed >= Self.window else { return }
    bitsPerSecond = Double(bytes) * 8 / elapsed.seconds
    isApplicationLimited = bitsPerSecond < Self.limitedBelow * target
    if isApplicationLimited { lastLimited = now }
    (windowStart, bytes) = (now, 0)
  }
}
