internal import CLinux
import Timing

/// Waits for any of many descriptors (epoll, level-triggered), until a time in nanoseconds.
public final class EventQueue {
  /// What a descriptor is ready for.
  public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    public static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// Reported whether asked for or not: an error, or the peer is gone.
    public static let failed = Readiness(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)
  }

  /// Events taken in one wait; the rest come with the next one.
  public static let capacity = 64
  private let descriptor: Int32
  private let events: UnsafeMutablePointer<epoll_event>

  public init() throws(SocketError) {
    descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard descriptor >= 0 else { throw SocketError("cannot make an epoll queue: \(String(cString: strerror(shim_errno())))") }
    events = .allocate(capacity: Self.capacity)
    events.initialize(repeating: epoll_event(), count: Self.capacity)
  }

  deinit {
    close(descriptor)
    events.deallocate()
  }

  /// Begins to watch `watched`; `token` comes back with each of its events.
  ///
  /// - Returns: false where the kernel refuses: closed, or watched already.
  @discardableResult public func add(_ watched: Int32, token: UInt64, for readiness: Readiness) -> Bool {
    control(EPOLL_CTL_ADD, watched, token, readiness)
  }

  /// Watches for something else than before.
  @discardableResult public func change(_ watched: Int32, token: UInt64, for readiness: Readiness) -> Bool {
    control(EPOLL_CTL_MOD, watched, token, readiness)
  }

  /// Ends watching. Not needed before a descriptor is closed.
  public func remove(_ watched: Int32) { _ = control(EPOLL_CTL_DEL, watched, 0, []) }

  /// Waits until something is ready or the time is over, then tells of each descriptor that is.
  ///
  /// - Parameter timeout: nil waits for ever; zero or less looks and does not wait.
  /// - Returns: how many were ready; 0 where the time ran out or a signal came.
  @discardableResult public func wait(timeout: Interval?, _ body: (UInt64, Readiness) -> Void) -> Int {
    let found: Int32
    if let timeout {
      let (seconds, rest) = max(timeout.nanoseconds, 0).quotientAndRemainder(dividingBy: 1_000_000_000)
      var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(rest))
      found = epoll_pwait2(descriptor, events, Int32(Self.capacity), &time, nil)
    } else {
      found = epoll_pwait2(descriptor, events, Int32(Self.capacity), nil, nil)
    }
    guard found > 0 else { return 0 }
    for place in 0..<Int(found) { body(events[place].data.u64, Readiness(rawValue: events[place].events)) }
    return Int(found)
  }

  private func control(_ operation: Int32, _ watched: Int32, _ token: UInt64, _ readiness: Readiness) -> Bool {
    var event = epoll_event(events: readiness.rawValue, data: epoll_data_t(u64: token))
    return epoll_ctl(descriptor, operation, watched, &event) == 0
  }
}

/// Ends another thread's wait at an `EventQueue` (eventfd).
public final class Waker: Sendable {
  /// To be watched for `.readable`.
  public let descriptor: Int32

  public init() throws(SocketError) {
    descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    guard descriptor >= 0 else { throw SocketError("cannot make an eventfd: \(String(cString: strerror(shim_errno())))") }
  }

  deinit { close(descriptor) }

  /// From any thread. Several before the other thread looks count as one.
  public func wake() { eventfd_write(descriptor, 1) }

  /// Called by the thread that was woken, before it looks for what it was woken for.
  public func clear() {
    var count: eventfd_t = 0
    eventfd_read(descriptor, &count)
  }
}
