import Timing

/// Draws the ticks of a canvas towards just after the pictures they are for, so that none waits a tick for nothing.
///
/// Told at each tick how long the leading picture had been waiting, it shortens or stretches the next period by a little, the shorter
/// way round. A picture rate that has nothing to do with the canvas's moves it to and fro and nowhere.
package struct PhaseLock: Sendable {
  package let period: Interval
  /// What the next period is longer by.
  package private(set) var shift = Interval.zero

  /// How long a picture should have been there: what decoding and the network vary by.
  private static let margin = Interval.milliseconds(3)
  private static let tolerance = Interval.milliseconds(2)
  private static let shiftMax = Interval.microseconds(400)

  package init(period: Interval) { self.period = period }

  /// - Parameter age: how long the newest leading picture has been there at the tick, if it is new; nil where there is none.
  package mutating func observe(age: Interval?) {
    shift = .zero
    guard let age, age >= .zero, age < period else { return }
    var early = age - Self.margin
    if early > period / 2 { early = early - period }
    guard early < .zero - Self.tolerance || early > Self.tolerance else { return }
    let step = early / 16
    shift = .zero - min(max(step, .zero - Self.shiftMax), Self.shiftMax)
  }
}
