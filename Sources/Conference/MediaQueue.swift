import Dispatch

/// Makes the serial queues of decoders and canvases. All share one pool of as many threads as there are cores, apart from the pool
/// of the control side's tasks: a hundred streams start no hundred threads, and no request waits behind pictures.
enum MediaQueue {
  static func serial(_ label: String) -> DispatchQueue {
    DispatchQueue(label: label, target: .global(qos: .userInitiated))
  }
}
