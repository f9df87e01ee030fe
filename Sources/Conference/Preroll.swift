import Playout

/// What a stream that is not listened to would have played in the last 120 ms, undecoded.
///
/// A decoder that begins with it has found its state by the time it comes to what is heard, so that no first syllable is lost.
struct Preroll {
  /// What one tick was to play.
  struct Tick {
    var steps: [PlayoutStep] = []
    /// Samples a channel that the ticks before had handed out already.
    var carried = 0
  }

  private var ticks: [Tick]
  private var next = 0

  /// 120 ms: the longest packet, so that whatever plays now began within.
  static let depth = 6

  init() { ticks = [Tick](repeating: Tick(), count: Self.depth) }

  /// Keeps a tick in place of the oldest.
  ///
  /// - Parameter steps: comes back empty, with storage to be filled again.
  mutating func keep(_ steps: inout [PlayoutStep], carried: Int) {
    swap(&ticks[next].steps, &steps)
    ticks[next].carried = carried
    steps.removeAll(keepingCapacity: true)
    next = (next + 1) % Self.depth
  }

  /// Forgets what was kept.
  mutating func clear() {
    for index in ticks.indices {
      ticks[index].steps.removeAll(keepingCapacity: true)
      ticks[index].carried = 0
    }
  }

  /// The ticks kept, oldest first; nothing is kept after.
  ///
  /// - Parameter count: only so many of the newest are wanted, at most `depth`.
  mutating func drain(_ count: Int = depth, _ body: (Tick) -> Void) {
    for offset in 0..<Self.depth {
      let index = (next + offset) % Self.depth
      if offset >= Self.depth - count { body(ticks[index]) }
      ticks[index].steps.removeAll(keepingCapacity: true)
      ticks[index].carried = 0
    }
  }
}
