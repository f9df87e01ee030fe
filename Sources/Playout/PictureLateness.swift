import Timing

/// How late pictures are, second by second: what nine of ten of each of the last seconds kept to.
///
/// Seconds of few pictures say nothing and count as if none were late: slides have no lips.
struct PictureLateness {
  /// How many seconds are remembered.
  static let seconds = 10
  private static let picturesMin = 4
  private static let picturesMax = 64
  private static let length = Interval.seconds(1)

  /// Of the second that is under way.
  private var current: [Interval] = []
  private var start: Instant?
  /// Of the seconds before it, the latest first.
  private var past = [Interval](repeating: .zero, count: PictureLateness.seconds)

  init() { current.reserveCapacity(Self.picturesMax) }

  mutating func note(_ lateness: Interval) {
    if current.count < Self.picturesMax { current.append(lateness) }
  }

  /// - Returns: whether a second has ended.
  mutating func advance(to now: Instant) -> Bool {
    guard let start, now >= start else {
      start = now
      return false
    }
    guard now - start >= Self.length else { return false }
    // A pause of the sound is one second, however long it is.
    self.start = now
    past.removeLast()
    past.insert(nineOfTen(), at: 0)
    current.removeAll(keepingCapacity: true)
    return true
  }

  private mutating func nineOfTen() -> Interval {
    guard current.count >= Self.picturesMin else { return .zero }
    current.sort()
    return current[current.count * 9 / 10]
  }

  /// In how many of the last seconds pictures were later than that.
  func count(ofLast seconds: Int, above lateness: Interval) -> Int { past.prefix(seconds).count { $0 > lateness } }

  /// The most of the last seconds.
  func most(ofLast seconds: Int) -> Interval { past.prefix(seconds).max() ?? .zero }
}
