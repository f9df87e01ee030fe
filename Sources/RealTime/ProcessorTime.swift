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
  public static func allowance() -> Double {
    let status = text(of: "/proc/self/status") ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
    let allowed = line.map { Self.count(ofList: $0.drop { $0 != ":" }.dropFirst()) } ?? 0
    let processors = Double(allowed > 0 ? allowed : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    return max(0.01, min(processors, quota() ?? processors))
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

  /// Processors the control group of this program may use at a time (cgroup v2 `cpu.max`, v1 `cpu.cfs_quota_us`); nil for all.
  private static func quota() -> Double? {
    var least: Double?
    for line in (text(of: "/proc/self/cgroup") ?? "").split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      // Within a container the group's path may be its own root.
      for path in [String(fields[2]), ""] {
        let found: Double?
        if fields[1].isEmpty {
          found = text(of: "/sys/fs/cgroup\(path)/cpu.max").flatMap { share($0) }
        } else if fields[1].split(separator: ",").contains("cpu") {
          let folder = "/sys/fs/cgroup/cpu\(path)/"
          let words = [text(of: folder + "cpu.cfs_quota_us"), text(of: folder + "cpu.cfs_period_us")].compactMap { $0 }
          found = share(words.joined(separator: " "))
        } else {
          found = nil
        }
        if let found { least = min(least ?? found, found) }
      }
    }
    return least
  }

  /// Quota by period, of two numbers in microseconds; nil where there is no quota.
  static func share(_ text: String) -> Double? {
    let words = text.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
    guard words.count == 2, words[0] > 0, words[1] > 0 else { return nil }
    return words[0] / words[1]
  }

  private static func text(of path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
  }
}
