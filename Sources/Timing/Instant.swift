/// A point on one machine's monotonic clock, in nanoseconds since an arbitrary origin.
///
/// Nothing at this level reads a clock: instants are told by whoever drives a machine, so that a conference can run in virtual
/// time. Arithmetic wraps rather than traps; at nanosecond resolution the range is 292 years.
@frozen public struct Instant: Hashable, Comparable, Sendable {
  public var nanoseconds: Int64

  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// The origin of the clock; where virtual time starts.
  public static let zero = Instant(nanoseconds: 0)
  /// Later than every deadline.
  public static let distantFuture = Instant(nanoseconds: .max)

  @inlinable public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
  @inlinable public static func + (a: Instant, b: Interval) -> Instant { .init(nanoseconds: a.nanoseconds &+ b.nanoseconds) }
  @inlinable public static func - (a: Instant, b: Interval) -> Instant { .init(nanoseconds: a.nanoseconds &- b.nanoseconds) }
  @inlinable public static func - (a: Instant, b: Instant) -> Interval { .init(nanoseconds: a.nanoseconds &- b.nanoseconds) }
  @inlinable public static func += (a: inout Instant, b: Interval) { a = a + b }
}

/// A length of time in nanoseconds; may be negative.
///
/// The standard library's `Duration` counts attoseconds in 128 bits, which costs a division at every use on the media path.
@frozen public struct Interval: Hashable, Comparable, Sendable {
  public var nanoseconds: Int64

  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static let zero = Interval(nanoseconds: 0)
  @inlinable public static func nanoseconds(_ n: Int64) -> Interval { .init(nanoseconds: n) }
  @inlinable public static func microseconds(_ n: Int64) -> Interval { .init(nanoseconds: n &* 1_000) }
  @inlinable public static func milliseconds(_ n: Int64) -> Interval { .init(nanoseconds: n &* 1_000_000) }
  @inlinable public static func seconds(_ n: Int64) -> Interval { .init(nanoseconds: n &* 1_000_000_000) }

  /// The interval in seconds, for statistics and messages.
  @inlinable public var seconds: Double { Double(nanoseconds) / 1e9 }
  /// The interval in milliseconds, for statistics and messages.
  @inlinable public var milliseconds: Double { Double(nanoseconds) / 1e6 }

  /// The interval in ticks of a clock of `rate` hertz, rounded towards zero.
  ///
  /// - Parameter rate: ticks per second, 1 to 2^20, so that no product of seconds and ticks overflows.
  @inlinable public func ticks(at rate: Int64) -> Int64 {
    let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    return whole &* rate &+ rest &* rate / 1_000_000_000
  }

  /// The interval of `ticks` periods of a clock of `rate` hertz, rounded towards zero.
  @inlinable public static func ticks(_ ticks: Int64, at rate: Int64) -> Interval {
    let (whole, rest) = ticks.quotientAndRemainder(dividingBy: Swift.max(rate, 1))
    return .init(nanoseconds: whole &* 1_000_000_000 &+ rest &* 1_000_000_000 / Swift.max(rate, 1))
  }

  @inlinable public static func < (a: Interval, b: Interval) -> Bool { a.nanoseconds < b.nanoseconds }
  @inlinable public static func + (a: Interval, b: Interval) -> Interval { .init(nanoseconds: a.nanoseconds &+ b.nanoseconds) }
  @inlinable public static func - (a: Interval, b: Interval) -> Interval { .init(nanoseconds: a.nanoseconds &- b.nanoseconds) }
  @inlinable public static prefix func - (a: Interval) -> Interval { .init(nanoseconds: 0 &- a.nanoseconds) }
  @inlinable public static func * (a: Interval, n: Int64) -> Interval { .init(nanoseconds: a.nanoseconds &* n) }
  @inlinable public static func / (a: Interval, n: Int64) -> Interval { .init(nanoseconds: n == 0 ? 0 : a.nanoseconds / n) }
  @inlinable public static func += (a: inout Interval, b: Interval) { a = a + b }
}
