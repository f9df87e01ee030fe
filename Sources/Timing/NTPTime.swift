/// A wall-clock time in NTP format: seconds since 1900 in the high 32 bits, their fraction in the low ones (RFC 3550 section 4).
@frozen public struct NTPTime: Hashable, Comparable, Sendable {
  public var rawValue: UInt64

  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// - Parameter unixNanoseconds: nanoseconds since 1970-01-01 UTC, as `CLOCK_REALTIME` counts them; negative ones count as 0.
  public init(unixNanoseconds: Int64) {
    let (seconds, nanoseconds) = UInt64(max(0, unixNanoseconds)).quotientAndRemainder(dividingBy: 1_000_000_000)
    let fraction = (nanoseconds << 32) / 1_000_000_000
    self.rawValue = (seconds &+ 2_208_988_800) << 32 | fraction
  }

  /// The middle 32 bits, in units of 1/65536 s: what LSR and DLSR of a reception report count in (RFC 3550 section 6.4.1).
  @inlinable public var compact: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 16) }

  /// The same time an interval later; wraps in 2036 as NTP does.
  public static func + (a: NTPTime, b: Interval) -> NTPTime {
    let (seconds, rest) = b.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let fraction = (rest << 32) / 1_000_000_000
    return .init(rawValue: a.rawValue &+ UInt64(bitPattern: (seconds << 32) &+ fraction))
  }

  /// The interval from `b` to `a`, exact to a nanosecond, for times within 68 years of one another.
  public static func - (a: NTPTime, b: NTPTime) -> Interval {
    let difference = Int64(bitPattern: a.rawValue &- b.rawValue)
    let seconds = difference >> 32
    let fraction = difference & 0xFFFF_FFFF
    return .init(nanoseconds: seconds &* 1_000_000_000 &+ (fraction &* 1_000_000_000) >> 32)
  }

  public static func < (a: NTPTime, b: NTPTime) -> Bool { a.rawValue < b.rawValue }
}
