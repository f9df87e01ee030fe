import Synchronization

/// What pieces of work are likely to take: what the second longest of the last eight did. One that took long now and then is not taken for
/// the rule: with a processor quota it would be the last for a while.
package struct WorkEstimate: ~Copyable, Sendable {
  private struct Recent: Sendable {
    var first: Int64?
    var taken: InlineArray<8, Int64>
    var next = 0
  }
  private let recent: Mutex<Recent>

  /// - Parameters:
  ///   - nanoseconds: of processor time, before any was measured.
  ///   - first: those of the first piece, where that is another matter.
  package init(_ nanoseconds: Int64, first: Int64? = nil) {
    recent = Mutex(Recent(first: first, taken: InlineArray(repeating: nanoseconds)))
  }

  package var value: Int64 {
    recent.withLock { recent in
      if let first = recent.first { return first }
      var (longest, second) = (Int64.min, Int64.min)
      for index in recent.taken.indices {
        let taken = recent.taken[index]
        if taken >= longest { (longest, second) = (taken, longest) } else { second = max(second, taken) }
      }
      return second
    }
  }

  /// A piece took so long.
  package func note(_ taken: Int64) {
    recent.withLock { recent in
      recent.first = nil
      recent.taken[recent.next] = taken
      recent.next = (recent.next + 1) % recent.taken.count
    }
  }
}
