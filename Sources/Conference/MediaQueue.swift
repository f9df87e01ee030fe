import Dispatch
import Synchronization

/// The serial queue of one decoder or canvas, behind the gate. All share one pool of as many threads as there are cores, apart from
/// the pool of the control side's tasks: a hundred streams start no hundred threads, and no request waits behind pictures.
struct MediaQueue: Sendable {
  private let queue: DispatchQueue
  private let gate: PictureGate

  init(_ label: String, behind gate: PictureGate) {
    queue = DispatchQueue(label: label, target: .global(qos: .userInitiated))
    self.gate = gate
  }

  /// Has the work be done once, as soon as there is time for it.
  func submit(_ work: any PictureWork) { gate.submit(work, on: queue) }

  /// Does at once what takes no time.
  func async(_ body: @escaping @Sendable () -> Void) { queue.async(execute: body) }
}

/// What pieces of work are likely to take: what the longest of the last ones did.
struct WorkEstimate: ~Copyable {
  private let nanoseconds: Atomic<Int64>

  /// - Parameter nanoseconds: before any was measured.
  init(_ nanoseconds: Int64) { self.nanoseconds = Atomic(nanoseconds) }

  var value: Int64 { nanoseconds.load(ordering: .relaxed) }

  /// A piece took so long. Told by one thread at a time.
  func note(_ taken: Int64) { nanoseconds.store(max(taken, value - value / 4), ordering: .relaxed) }
}
