private import Glibc
import Synchronization
import Timing

/// What a control group lets its programs use of the processors in each of the kernel's periods. Who has used it up is stopped to
/// the period's end, every thread that is not SCHED_FIFO.
public struct ProcessorQuota: Sendable, Equatable {
  /// Nanoseconds of processor time for one period.
  public var nanoseconds: Int64
  public var period: Interval

  public init(nanoseconds: Int64, each period: Interval) {
    self.nanoseconds = nanoseconds
    self.period = period
  }

  /// How many processors that is.
  public var processors: Double { Double(nanoseconds) / Double(max(period.nanoseconds, 1)) }

  /// Of two numbers in microseconds, quota and period; nil where there is no quota.
  package init?(_ text: String) {
    let words = text.split { $0 == " " || $0 == "\n" }.compactMap { Int64($0) }
    // The kernel takes periods up to a second; a quota beyond a million processors is none.
    guard words.count == 2, words[0] > 0, words[0] <= 1_000_000_000_000, 1...1_000_000 ~= words[1] else { return nil }
    self.init(nanoseconds: words[0] * 1_000, each: .microseconds(words[1]))
  }
}

/// What says which quota the control group of this program has, or one that it is within: the least counts (cgroup v2 `cpu.max`, v1
/// `cpu.cfs_quota_us`). Its files are held open: to read them takes some microseconds, and a quota may be changed at any time.
public final class GroupQuota: Sendable {
  private let files: Mutex<GroupFiles>

  public init() { files = Mutex(GroupFiles()) }

  /// The quota now; nil where there is none, or as much as the processors that the program may run on can be used.
  public func read() -> ProcessorQuota? { files.withLock { $0.read() } }

  /// Which files may say so: that of each group, or those of quota and period, for its own group and all that this is within.
  ///
  /// - Parameter groups: what `/proc/self/cgroup` says.
  package static func files(_ groups: String) -> [[String]] {
    groups.split(separator: "\n").flatMap { line -> [[String]] in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return [] }
      // Within a container the group's path may be its own root; or one that is not seen there.
      var paths = [""]
      for name in fields[2].split(separator: "/") { paths.append("\(paths[paths.count - 1])/\(name)") }
      if fields[1].isEmpty { return paths.map { ["/sys/fs/cgroup\($0)/cpu.max"] } }
      guard fields[1].split(separator: ",").contains("cpu") else { return [] }
      return paths.map { path in ["quota", "period"].map { "/sys/fs/cgroup/cpu\(path)/cpu.cfs_\($0)_us" } }
    }
  }

  /// For a program that may have been moved to another group: opens the files anew.
  public func reopen() { files.withLock { $0 = GroupFiles() } }
}

/// The open files of all groups that count.
private struct GroupFiles: ~Copyable {
  /// Of each group one file, or those of quota and period.
  private var groups: [[Int32]] = []
  private let processors = Double(ProcessorTime.processors())

  init() {
    for files in GroupQuota.files(SystemFile.text(of: "/proc/self/cgroup") ?? "") { open(files) }
  }

  deinit { for file in groups.joined() { close(file) } }

  private mutating func open(_ names: [String]) {
    let files = names.map { Glibc.open($0, O_RDONLY | O_CLOEXEC) }
    if files.allSatisfy({ $0 >= 0 }) { return groups.append(files) }
    for file in files where file >= 0 { close(file) }
  }

  /// The least that is said.
  func read() -> ProcessorQuota? {
    groups.compactMap { ProcessorQuota($0.map { SystemFile.text(in: $0) ?? "" }.joined(separator: " ")) }
      .filter { $0.processors < processors }.min { $0.processors < $1.processors }
  }
}

/// Files of the kernel's own, made anew at each reading.
enum SystemFile {
  static func text(of path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return text(in: descriptor)
  }

  /// From the beginning, up to 8 kB.
  static func text(in descriptor: Int32) -> String? {
    withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 1) { bytes in
      let count = pread(descriptor, bytes.baseAddress, bytes.count, 0)
      return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
  }
}
