import Glibc
import RawMedia

/// Brings one participant slowly to the loudness of the others (EBU R 128 short-term loudness, gated).
///
/// Measures and moves only while he speaks: neither noise nor a pause is ever raised, and what he had last he has again when he speaks
/// next. The target is -20 LUFS: between the -23 of broadcasting, which headsets on a train are too quiet for, and the -16 of
/// podcasts, which leaves three who speak at once no room. Not for music, whose dynamics are meant. Allocates nothing.
package struct LoudnessNormalizer: Sendable {
  package struct Settings: Hashable, Sendable {
    /// What is worked toward, in LUFS.
    package var target: Double
    /// How far voices are lowered and raised at most, in dB, at most +12 up.
    package var range: ClosedRange<Double>
    /// How quickly at most.
    package var decibelsPerSecondMax: Double
    /// In LUFS: what is quieter is not taken for speech, and never raised.
    package var quietest: Double

    package init(
      target: Double = -20, range: ClosedRange<Double> = -12...12, decibelsPerSecondMax: Double = 3, quietest: Double = -50
    ) {
      self.target = target
      self.range = range
      self.decibelsPerSecondMax = decibelsPerSecondMax
      self.quietest = quietest
    }
  }

  package let settings: Settings
  /// What is to be applied by the end of the tick, in dB.
  package private(set) var decibels = 0.0
  /// The same as a factor; the tick begins with the one before.
  package private(set) var gain = Gain.unity
  /// In LUFS, before the gain; nil before enough was heard.
  package private(set) var loudness: Double?
  private var meter: LoudnessMeter
  private var wasVoice = false

  /// 400 ms of speech before anything is concluded, as long as a momentary loudness takes.
  private static let stretchesMin = 4
  /// The share of what is lacking that a tick makes up for: a time constant of 1.5 s.
  private static let shareOfTick = 0.02 / 1.5

  package init(channelCount: Int, settings: Settings = Settings()) {
    self.settings = settings
    meter = LoudnessMeter(channelCount: channelCount)
  }

  /// Takes in a tick and answers the gain to be reached by its end.
  ///
  /// - Parameters:
  ///   - samples: before any gain, 960 a channel.
  ///   - isVoice: whether this tick itself is speech: the gate's `isLoud` rather than `isOpen`.
  @discardableResult
  package mutating func update(_ samples: Span<Int16>, isVoice: Bool) -> Gain {
    defer { wasVoice = isVoice }
    guard isVoice else { return gain }
    if !wasVoice { meter.skip() }
    if meter.measure(samples), meter.stretchCount >= Self.stretchesMin { loudness = meter.gated }
    guard let loudness, loudness >= settings.quietest else { return gain }
    let wanted = min(max(settings.target - loudness, settings.range.lowerBound), settings.range.upperBound)
    let stepMax = settings.decibelsPerSecondMax * 0.02
    let step = min(max((wanted - decibels) * Self.shareOfTick, -stepMax), stepMax)
    decibels += step
    gain = Gain(decibels: decibels)
    return gain
  }
}
