import Timing

/// Notices pauses between sentences, in which a change of delay is not heard. What is quiet for less is the closure of a consonant or the
/// end of a word: a cut there is heard as one.
package struct PauseDetector {
  /// In -dBov: follows what is loud at once and forgets it slowly.
  private var loudest: Int64 = Self.silence
  private var quietSince: Instant?
  private var last = Instant.zero

  /// In thousandths of a dB, as all levels here.
  private static let silence: Int64 = 127_000
  /// What is quieter than the voice by so much is none of it.
  private static let distance: Int64 = 20_000
  /// What is quieter than this is quiet beside any voice.
  private static let quietAlways: Int64 = 60_000
  /// The loudest is forgotten by 3 dB a second.
  private static let forgottenPerSecond: Int64 = 3_000
  private static let length = Interval.milliseconds(200)

  package init() {}

  /// - Parameter level: of what is played about now, in -dBov.
  /// - Returns: whether it has been quiet for long enough.
  package mutating func isPause(level: UInt8, at now: Instant) -> Bool {
    let level = Int64(level) * 1_000
    let elapsed = min(max(now - last, .zero), .seconds(1))
    last = now
    loudest = min(level, loudest + elapsed.nanoseconds * Self.forgottenPerSecond / 1_000_000_000, Self.silence)
    guard level >= min(loudest + Self.distance, Self.quietAlways) else {
      quietSince = nil
      return false
    }
    let since = quietSince ?? now
    quietSince = since
    return now - since >= Self.length
  }
}
