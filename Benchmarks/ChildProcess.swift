import Glibc

/// A program under measurement; what it prints is thrown away.
final class ChildProcess {
  let identifier: pid_t
  private var hasEnded = false

  init(_ command: [String]) throws {
    // Ends with this program, however that ends.
    let arguments = ["setpriv", "--pdeathsig", "KILL"] + command
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
    }
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var identifier = pid_t()
    guard posix_spawnp(&identifier, arguments[0], &actions, nil, &pointers, environ) == 0 else {
      throw BenchmarkError("cannot start \(command[0])")
    }
    self.identifier = identifier
  }

  deinit { stop() }

  /// CPU nanoseconds it has used; nil once it has ended.
  var cpuTime: Int64? {
    guard !hasEnded, waitpid(identifier, nil, WNOHANG) == 0 else {
      hasEnded = true
      return nil
    }
    return CPUClock.process(identifier)
  }

  /// CPU nanoseconds of its threads, those of one name together; to 10 ms, as the kernel counts.
  var threadTimes: [String: Int64] {
    var times: [String: Int64] = [:]
    guard let folder = opendir("/proc/\(identifier)/task") else { return times }
    defer { closedir(folder) }
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      // Behind `..` is the whole process.
      guard !name.hasPrefix(".") else { continue }
      guard let (thread, time) = Self.time(ofTask: "/proc/\(identifier)/task/\(name)/stat") else { continue }
      times[thread, default: 0] += time
    }
    return times
  }

  /// Name and CPU nanoseconds of one thread: fields 2, 14 and 15 of proc(5)'s stat.
  private static func time(ofTask path: String) -> (String, Int64)? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 1024)
    let count = fread(&buffer, 1, buffer.count, file)
    let text = String(decoding: buffer.prefix(count), as: UTF8.self)
    guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: close)...].split(separator: " ")
    guard fields.count > 13, let user = Int64(fields[11]), let system = Int64(fields[12]) else { return nil }
    return (String(text[text.index(after: open)..<close]), (user + system) * 1_000_000_000 / Int64(sysconf(Int32(_SC_CLK_TCK))))
  }

  /// - Returns: its exit status; nil where a signal ended it.
  func waitUntilEnded() -> Int32? {
    guard !hasEnded else { return nil }
    hasEnded = true
    var status: Int32 = 0
    waitpid(identifier, &status, 0)
    return status & 0x7F == 0 ? status >> 8 & 0xFF : nil
  }

  /// Ends it; it has no say in it, because what it would still do is measured by nobody.
  func stop() {
    guard !hasEnded else { return }
    hasEnded = true
    kill(identifier, SIGKILL)
    waitpid(identifier, nil, 0)
  }
}
