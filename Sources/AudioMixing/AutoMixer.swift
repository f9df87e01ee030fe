/// Shares one gain among all who are heard, so that open microphones do not add up to noise (Dugan's gain sharing).
///
/// Each voice's attenuation in decibels is how far its level is below that of all together, so that the sum is always as loud as one
/// microphone. Whoever speaks alone keeps 0 dB, two alike have -3 dB each, N alike -10 log N (the attenuation by number of open
/// microphones), and a voice of -20 dB beside a talker has -20 dB. Nobody goes below -18 dB, which is his share among 64: breath and
/// the ends of words stay. A level counts at once where it rises, so that no first syllable is lost, and wears off by 26 dB a second.
///
///     begin() ─▶ observe(power, in: &share) for each voice of the tick ─▶ gain(of: share) for each
///
/// A share lives with its voice, made anew when the voice enters the mix: there is nothing to look up and nothing to remove.
package struct AutoMixer: Sendable {
  /// One voice's part in the sharing.
  package struct Share: Sendable {
    fileprivate var power = 0.0
    package init() {}
  }

  private var sum = 0.0

  /// Wears off by this factor a tick: 26 dB a second.
  private static let decay = 0.887
  /// -100 dBov: levels below are all alike.
  private static let floor = 1e-10
  /// The least gain: a share among 64.
  private static let gainMin = 0.125

  package init() {}

  /// Begins a tick.
  package mutating func begin() { sum = 0 }

  /// Takes in one voice of the tick.
  ///
  /// - Parameter power: mean power, 1 for a full-scale square wave, after all other gains, as `LevelMeter.power` times their square.
  package mutating func observe(_ power: Double, in share: inout Share) {
    let held = power >= 0 && power <= 1_000 ? power : 0
    share.power = max(held, share.power * Self.decay, Self.floor)
    sum += share.power
  }

  /// The gain a voice is to reach by the end of the tick, at most one; after all voices of the tick were observed.
  package func gain(of share: Share) -> Gain {
    guard share.power < sum else { return .unity }
    return Gain(factor: max((share.power / sum).squareRoot(), Self.gainMin))
  }
}
