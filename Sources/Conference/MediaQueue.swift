import Dispatch

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
