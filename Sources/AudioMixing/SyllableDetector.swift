import Timing

/// Whether what is loud is modulated as speech is, by level alone: a tone, a hum or a fan is not.
///
/// Speech falls and rises by many decibels several times a second. A rise out of silence alone says nothing, nor does a hole or two
/// that a bad line leaves in a steady sound.
package struct SyllableDetector: Sendable {
  /// Decibels above -127 of the loudest tick since the last syllable.
  private var peak = 0
  /// The quietest tick since the level fell; nil while it has not.
  private var dip: Int?
  /// When the last syllables were, as a ring.
  private var syllables: [4 of Instant?] = .init(repeating: nil)
  private var next = 0

  /// A fall and a rise of so many decibels are a syllable.
  private static let depth = 6
  /// So many within so long are speech.
  private static let syllablesNeeded = 4
  private static let span = Interval.milliseconds(2500)

  package init() {}

  /// Takes in a tick.
  ///
  /// - Parameter level: in -dBov, 0 to 127.
  /// - Returns: whether it is speech that is heard.
  @discardableResult
  package mutating func update(level: UInt8, at now: Instant) -> Bool {
    let loudness = 127 - Int(min(level, 127))
    if let lowest = dip {
      dip = min(lowest, loudness)
      if loudness >= lowest + Self.depth {
        syllables[next] = now
        next = (next + 1) % Self.syllablesNeeded
        dip = nil
        peak = loudness
      }
    } else {
      peak = max(peak, loudness)
      if loudness <= peak - Self.depth { dip = loudness }
    }
    // What comes next in the ring is the oldest of those that are needed.
    return syllables[next].map { now - $0 < Self.span } ?? false
  }

  /// Begins anew, as after a pause: what comes next rises out of silence.
  package mutating func reset() { self = SyllableDetector() }
}
