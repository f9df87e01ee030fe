import Synchronization

/// Things on their way from one thread to another that collects them at its ticks.
///
/// Bounded: when full the oldest goes, and is counted. Posting never waits for the collector and allocates nothing once both
/// sides' arrays have grown to their size.
package final class Mailbox<Element: Sendable>: Sendable {
  private struct Contents {
    var elements: [Element] = []
    var dropped = 0
  }
  private let contents = Mutex(Contents())
  private let capacity: Int

  package init(capacity: Int) { self.capacity = capacity }

  /// - Returns: whether an older element had to go.
  @discardableResult
  package func post(_ element: Element) -> Bool {
    contents.withLock { contents in
      let full = contents.elements.count >= capacity
      if full {
        contents.elements.removeFirst()
        contents.dropped &+= 1
      }
      contents.elements.append(element)
      return full
    }
  }

  /// Takes everything, in order.
  ///
  /// - Parameter elements: emptied first; its storage is left behind for the posters to fill.
  package func collect(into elements: inout [Element]) {
    elements.removeAll(keepingCapacity: true)
    contents.withLock { swap(&$0.elements, &elements) }
  }

  package var isEmpty: Bool { contents.withLock { $0.elements.isEmpty } }

  /// Elements lost since the start because nobody collected them in time.
  package var dropped: Int { contents.withLock { $0.dropped } }
}
