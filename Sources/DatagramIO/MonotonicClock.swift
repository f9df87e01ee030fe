import CLinux
import Timing

/// The machine's clocks. The only place below `Conference` that reads one; everything else is told the time.
public enum MonotonicClock {
  /// Nanoseconds since the machine started; never goes back.
  public static func now() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
  }

  /// The time of day, for sender reports; may jump when the machine's clock is set.
  public static func wallClock() -> NTPTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return NTPTime(unixNanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
  }
}
