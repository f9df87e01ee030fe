import Glibc
import LoadGenerator

/// CPU time in nanoseconds: what the work costs, whoever else is on the machine.
enum CPUClock {
  /// Of the calling thread.
  static func thread() -> Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

  /// Of all threads of a process that is running; nil where there is none.
  static func process(_ identifier: pid_t) -> Int64? {
    var clock = clockid_t()
    guard clock_getcpuclockid(identifier, &clock) == 0 else { return nil }
    return read(clock)
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// Runs everything in turn, five times over, so that a busy moment of the machine meets all alike.
///
/// - Returns: the median of each.
func alternate(_ measured: [() throws -> Double], repetitions: Int = 5) throws -> [Double] {
  var results = measured.map { _ in [Double]() }
  for _ in 0..<repetitions {
    for (index, measure) in measured.enumerated() { results[index].append(try measure()) }
  }
  return results.map { percentile($0, 0.5) }
}

/// CPU nanoseconds of the calling thread for `body`.
func threadTime(_ body: () throws -> Void) rethrows -> Double {
  let start = CPUClock.thread()
  try body()
  return Double(CPUClock.thread() - start)
}

/// Keeps the optimizer from leaving out what only a benchmark asks for.
@inline(never) func keep<T>(_ value: T) {}
