private import Glibc

/// What of the processors this program has used, and what it may use.
public enum ProcessorTime {
  /// Nanoseconds used by all threads since the start.
  public static func ofProcess() -> Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }

  /// Nanoseconds used by the calling thread.
  public static func ofThread() -> Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }

  /// Processors it may use: those it is allowed to run on, or less where its control group has a quota.
  ///
  /// - Returns: at least 0.01; the fraction is that of the quota.
  public static func allowance() -> Double { max(0.01, GroupQuota().read()?.processors ?? Double(processors())) }

  /// Those it is allowed to run on.
  static func processors() -> Int {
    let status = SystemFile.text(of: "/proc/self/status") ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
    let allowed = line.map { Self.count(ofList: $0.drop { $0 != ":" }.dropFirst()) } ?? 0
    return allowed > 0 ? allowed : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  }

  /// How many numbers a list such as `0-3,8` has; 0 for what is none.
  static func count(ofList text: some StringProtocol) -> Int {
    var count = 0
    for part in text.split(separator: ",") {
      let bounds = part.split(separator: "-").compactMap { Int(String($0).filter(\.isNumber)) }
      guard let first = bounds.first, let last = bounds.last, last >= first, last < 65_536 else { continue }
      count += last - first + 1
    }
    return count
  }
}
