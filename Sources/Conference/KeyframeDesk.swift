import Synchronization
import WebRTCTransport

/// Brings receivers' keyframe requests to the canvas that is meant, on the network's thread and without a detour: a thousand
/// viewers may ask at once.
final class KeyframeDesk: Sendable {
  private let canvases = Mutex<[OutputID: Canvas]>([:])

  func register(_ canvas: Canvas, _ output: OutputID) { canvases.withLock { $0[output] = canvas } }
  func withdraw(_ output: OutputID) { canvases.withLock { $0[output] = nil } }

  /// Requests are merged by the canvas.
  func request(_ output: OutputID) { canvases.withLock { $0[output] }?.requestKeyframe(output) }
}
