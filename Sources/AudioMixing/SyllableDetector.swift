import Timing

/// Whether what is loud is modulated as speech is, by level alone: a tone, a hum or a fan is not.
///
/// Speech falls and rises by many decibels several times a second; a rise out of silence alone says nothing.
package struct SyllableDetector: Sendable {
  /// Decibels above -127 of the loudest tick since the last syllable.
  private var peak = 0
  /// The quietest tick since the level fell; nil while it has not.
  private var dip: Int?
  private var lastSyllable: Instant?

  /// A fall and a rise of so many decibels are a syllable.
  private static let depth = 6
  private static let hold = Interval.seconds(2)

  package init() {}

  /// Takes in a tick.
  ///
  /// - Parameter level: in -dBov, 0 to 127.
  /// - Returns: whether there was a syllable within the last two seconds.
  @discardableResult
  package mutating func update(level: UInt8, at now: Instant) -> Bool {
    let loudness = 127 - Int(min(level, 127))
    if let lowest = dip {
      dip = min(lowest, loudness)
      if loudness >= lowest + Self.depth {
        lastSyllable = now
        dip = nil
        peak = loudness
      }
    } else {
      peak = max(peak, loudness)
      if loudness <= peak - Self.depth { dip = loudness }
    }
    return lastSyllable.map { now - $0 < Self.hold } ?? false
  }

  /// Begins anew, as after a pause: what comes next rises out of silence.
  package mutating func reset() { self = SyllableDetector() }
}
