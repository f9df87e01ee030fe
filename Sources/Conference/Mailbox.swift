import Bytes
import Synchronization

/// Things on their way from one thread to another that collects them at its ticks.
///
/// Bounded: when full the oldest goes, and is counted. Posting never waits for the collector and allocates nothing once both
/// sides' arrays have grown to their size.
package final class Mailbox<Element: Sendable>: Sendable {
  private struct Contents {
    var elements: [Element] = []
    var dropped = 0
    var bell: Bell?
  }
  private let contents = Mutex(Contents())
  private let capacity: Int

  package init(capacity: Int) { self.capacity = capacity }

  /// Has a bell be rung with all that is posted from now on, in place of another.
  func ring(_ bell: Bell) { contents.withLock { $0.bell = bell } }

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
      // Under the lock: who heard the bell and collects after that finds the element.
      contents.bell?.ring()
      return full
    }
  }

  /// Asks for the memory of the oldest element.
  func prefetch() { contents.withLock { Prefetch.element(0, of: $0.elements) } }

  /// Takes everything, in order.
  ///
  /// - Parameter elements: emptied first; its storage is left behind for the posters to fill.
  package func collect(into elements: inout [Element]) {
    elements.removeAll(keepingCapacity: true)
    contents.withLock { swap(&$0.elements, &elements) }
  }

  /// Takes the oldest, in order.
  func collect(into elements: inout [Element], atMost count: Int) {
    elements.removeAll(keepingCapacity: true)
    contents.withLock { contents in
      guard contents.elements.count > count else { return swap(&contents.elements, &elements) }
      elements += contents.elements.prefix(count)
      contents.elements.removeFirst(count)
    }
  }

  /// What the oldest weigh together; told in order.
  func weight(ofOldest count: Int, _ weigh: (Element) -> Int64) -> Int64 {
    contents.withLock { contents in contents.elements.prefix(count).reduce(0) { $0 + weigh($1) } }
  }

  var count: Int { contents.withLock { $0.elements.count } }

  /// Elements lost since the start because nobody collected them in time.
  package var dropped: Int { contents.withLock { $0.dropped } }
}

/// Says that something was posted in any of several mailboxes, so that who sleeps need not look into each.
final class Bell: Sendable {
  private let rung = Atomic<Bool>(false)

  func ring() { if !rung.load(ordering: .relaxed) { rung.store(true, ordering: .releasing) } }

  var isRung: Bool { rung.load(ordering: .relaxed) }

  /// To be asked before mailboxes are collected.
  ///
  /// - Returns: whether it was rung since it was asked last.
  func answer() -> Bool { isRung && rung.exchange(false, ordering: .acquiring) }
}
