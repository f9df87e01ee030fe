import CLinux

/// A thread of the data plane: named, perhaps of real-time priority, joined by its owner.
public final class Thread: @unchecked Sendable {
  // Unchecked: nothing changes after `init`.
  public enum Priority: Sendable {
    case normal
    /// SCHED_FIFO of the given priority, 1 to 99; silently normal where the system does not allow it.
    case realTime(Int32)
  }

  private let handle: pthread_t

  private final class Start {
    let name: String
    let priority: Priority
    let body: @Sendable () -> Void

    init(name: String, priority: Priority, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.priority = priority
      self.body = body
    }
  }

  /// Starts `body` on a new thread.
  ///
  /// - Parameter name: shown by `top -H` and debuggers; Linux keeps the first 15 bytes.
  public init(name: String, priority: Priority = .normal, _ body: @escaping @Sendable () -> Void) throws(SocketError) {
    let start = Unmanaged.passRetained(Start(name: name, priority: priority, body: body))
    var handle = pthread_t()
    let code = pthread_create(&handle, nil, { Thread.run($0) }, start.toOpaque())
    guard code == 0 else {
      start.release()
      throw SocketError("cannot start the thread \(name): \(String(cString: strerror(code)))")
    }
    self.handle = handle
  }

  /// Waits until the body has returned. Called once, by the owner.
  public func join() { pthread_join(handle, nil) }

  private static func run(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
    shim_name_this_thread(String(decoding: start.name.utf8.prefix(15), as: UTF8.self))
    if case .realTime(let priority) = start.priority { _ = shim_make_this_thread_real_time(priority) }
    start.body()
    return nil
  }
}
