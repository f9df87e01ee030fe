private import CLinux
import Timing

/// The machine's clocks. Read once a batch by the network loop and once a tick by the mix and picture loops; nobody else asks.
public enum MonotonicClock {
  /// Now, on the clock that never jumps (CLOCK_MONOTONIC).
  public static func now() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
  }

  /// Sleeps until `deadline`; returns at once where that has passed. Absolute, so that a late tick does not delay the next.
  public static func sleep(until deadline: Instant) {
    guard deadline > now() else { return }
    let nanoseconds = max(0, deadline.nanoseconds)
    var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
  }
}

/// The time of day, for sender reports, certificates and event stamps.
public enum WallClock {
  /// Nanoseconds since 1970-01-01 UTC.
  public static func unixNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }

  public static func now() -> NTPTime { NTPTime(unixNanoseconds: unixNanoseconds()) }
}
