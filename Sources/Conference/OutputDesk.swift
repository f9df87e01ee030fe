import Synchronization
import WebRTCTransport

/// Brings what happens to receivers to the canvas that is meant, on the network's thread and without a detour: a thousand viewers may ask
/// for a keyframe at once.
final class OutputDesk: Sendable {
  private let canvases = Mutex<[OutputID: Canvas]>([:])

  func register(_ canvas: Canvas, _ output: OutputID) { canvases.withLock { $0[output] = canvas } }
  func withdraw(_ output: OutputID) { canvases.withLock { $0[output] = nil } }

  /// Requests are merged by the canvas.
  func request(_ output: OutputID) { canvases.withLock { $0[output] }?.requestKeyframe(output) }

  /// Somebody receives an output from now on, or no longer: it is encoded only while somebody does.
  func receiversChanged(of output: OutputID, by count: Int) {
    canvases.withLock { $0[output] }?.receiversChanged(of: output, by: count)
  }
}
