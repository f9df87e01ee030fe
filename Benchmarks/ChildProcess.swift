import Glibc

/// A program under measurement; what it prints is thrown away.
final class ChildProcess {
  let identifier: pid_t
  private var hasEnded = false

  init(_ arguments: [String]) throws {
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
      throw BenchmarkError("cannot start \(arguments[0])")
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

  /// Ends it; it has no say in it, because what it would still do is measured by nobody.
  func stop() {
    guard !hasEnded else { return }
    hasEnded = true
    kill(identifier, SIGKILL)
    waitpid(identifier, nil, 0)
  }
}
