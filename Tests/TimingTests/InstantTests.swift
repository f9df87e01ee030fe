import Testing
import Timing

@Test func intervalsConvertToTicksWithoutDrift() {
  #expect(Interval.milliseconds(20).ticks(at: 48_000) == 960)
  #expect(Interval.seconds(3_600).ticks(at: 90_000) == 324_000_000)
  #expect(Interval.ticks(960, at: 48_000) == .milliseconds(20))
  #expect(Interval.ticks(-960, at: 48_000) == .milliseconds(-20))
  // A day of 90 kHz ticks and back loses less than one tick.
  let day = Interval.seconds(86_400) + .nanoseconds(123_456_789)
  #expect((Interval.ticks(day.ticks(at: 90_000), at: 90_000) - day).nanoseconds > -11_112)
}

@Test func aRateOfZeroIsNotADivisionByZero() {
  #expect(Interval.ticks(10, at: 0) == .seconds(10))
  #expect(Interval.seconds(1) / 0 == .zero)
}

@Test func instantsWrapRatherThanTrap() {
  #expect((Instant.distantFuture + .seconds(1)) < Instant.zero)
}

@Test func ntpTimeCountsFrom1900() {
  let epoch = NTPTime(unixNanoseconds: 0)
  #expect(epoch.rawValue == 2_208_988_800 << 32)
  let later = NTPTime(unixNanoseconds: 1_500_000_000)
  #expect(later.rawValue &- epoch.rawValue == 0x1_8000_0000)
  #expect(later.compact == UInt32(truncatingIfNeeded: later.rawValue >> 16))
  #expect(NTPTime(unixNanoseconds: -5) == epoch)
}

@Test(arguments: [Interval.milliseconds(1), .seconds(12), .milliseconds(-1500), .nanoseconds(999_999_999)])
func ntpDifferencesUndoAdditions(step: Interval) {
  let start = NTPTime(unixNanoseconds: 1_700_000_000_123_456_789)
  let error = ((start + step) - start) - step
  #expect(abs(error.nanoseconds) <= 1)
}
