/// The least of the last so many values, in constant time a value on average.
///
/// A ring of candidates whose values rise from the oldest to the newest: a value as small as those before it outlives them all.
struct SlidingMinimum {
  private var values: [Int32]
  /// When each candidate leaves the window. Times wrap; a candidate is looked at each time, so that equality is enough.
  private var expiries: [UInt32]
  private var head = 0
  private var count = 0
  private var time: UInt32 = 0
  private let window: Int

  init(window: Int) {
    precondition(window > 0, "a window holds a value")
    self.window = window
    values = [Int32](repeating: 0, count: window)
    expiries = [UInt32](repeating: 0, count: window)
  }

  /// Takes in a value and answers the least of the last `window`.
  mutating func push(_ value: Int32) -> Int32 {
    time &+= 1
    if count > 0, expiries[head] == time {
      head = slot(1)
      count &-= 1
    }
    while count > 0, values[slot(count &- 1)] >= value { count &-= 1 }
    let last = slot(count)
    values[last] = value
    expiries[last] = time &+ UInt32(truncatingIfNeeded: window)
    count &+= 1
    return values[head]
  }

  /// As when nothing was pushed yet.
  mutating func reset() {
    head = 0
    count = 0
  }

  /// Holds what another of the same window holds.
  mutating func resume(from other: SlidingMinimum) {
    precondition(other.window == window, "windows are of one length")
    (head, count, time) = (other.head, other.count, other.time)
    for offset in 0..<count {
      let index = slot(offset)
      values[index] = other.values[index]
      expiries[index] = other.expiries[index]
    }
  }

  private func slot(_ offset: Int) -> Int {
    let index = head &+ offset
    return index < window ? index : index &- window
  }
}
