import Synchronization
import WebRTCTransport

/// Names outputs; no name twice in one server.
package final class OutputIDSource: Sendable {
  private let last: Atomic<UInt32>

  package init(after last: UInt32 = 0) { self.last = Atomic(last) }

  package func next() -> OutputID { OutputID(last.wrappingAdd(1, ordering: .relaxed).newValue) }
}
