private import CLinux

/// Starts threads of our own for loops that must keep deadlines; Swift's and Dispatch's pools promise none.
public enum MediaThread {
  /// How a thread is scheduled.
  public enum Priority: Sendable {
    case normal
    /// Nice -10, where the system allows it: ahead of what computes, and still stopped by nothing but its own work.
    case raised
    /// SCHED_FIFO at a low priority, where the system allows it; else normal, without a word: ticks are then less punctual.
    case realTime
    /// Nice 10: work that may wait gets what the others leave.
    case background
  }

  /// Runs `body` on a new detached thread.
  ///
  /// - Parameter name: at most 15 bytes are shown by the system's tools.
  /// - Returns: false where the system has no thread to give.
  @discardableResult
  public static func start(name: String, priority: Priority = .normal, _ body: @escaping @Sendable () -> Void) -> Bool {
    let start = Unmanaged.passRetained(Start(name: name, priority: priority, body: body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let status = pthread_create(&thread, &attributes, runThread, start.toOpaque())
    if status != 0 { start.release() }
    return status == 0
  }

  /// Runs `body` on this thread as one that keeps deadlines, where the system allows it.
  package static func atRealTimePriority<Result>(_ body: () throws -> Result) rethrows -> Result {
    var (policy, before) = (Int32(0), sched_param())
    pthread_getschedparam(pthread_self(), &policy, &before)
    becomeRealTime()
    defer { pthread_setschedparam(pthread_self(), policy, &before) }
    return try body()
  }

  /// Whether the system allowed the calling thread to be one of those that no quota of its control group stops.
  package static var isRealTime: Bool {
    var (policy, parameter) = (Int32(0), sched_param())
    return pthread_getschedparam(pthread_self(), &policy, &parameter) == 0 && policy == SCHED_FIFO
  }

  fileprivate static func becomeRealTime() {
    var parameter = sched_param()
    parameter.sched_priority = 10
    pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameter)
  }
}

private final class Start: Sendable {
  let name: String
  let priority: MediaThread.Priority
  let body: @Sendable () -> Void

  init(name: String, priority: MediaThread.Priority, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.priority = priority
    self.body = body
  }
}

private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let context else { return nil }
  let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
  pthread_setname_np(pthread_self(), String(decoding: start.name.utf8.prefix(15), as: UTF8.self))
  switch start.priority {
  case .normal: break
  case .realTime: MediaThread.becomeRealTime()
  // On Linux the nice value belongs to the thread, and 0 names the calling one.
  case .raised: setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -10)
  case .background: setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
  }
  start.body()
  return nil
}
