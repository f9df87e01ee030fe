import Glibc

/// Describes the noise of a pause as RFC 3389 wants it, so that a receiver without a codec's own pauses can go on hearing it.
///
///     samples ─▶ autocorrelation, windowed ─▶ mean of the last half second ─▶ Levinson and Durbin ─▶ level, reflections
///
/// Fed with what is heard in pauses, at the rate at which the noise will be made; allocates nothing after `init`.
package struct ComfortNoiseAnalyzer: Sendable {
  /// How many reflection coefficients are found.
  private let order: Int
  /// Means of the autocorrelation at lags up to `order`, a sample.
  private var correlation = InlineArray<13, Double>(repeating: 0)
  private var isEmpty = true

  /// What a call weighs against all before: of calls of 20 ms those of half a second count most.
  private static let weight = 0.06
  /// Of white noise added to what is analysed, so that a tone or silence has a model too: 40 dB below.
  private static let whitening = 1.0001

  /// - Parameter order: 0 (level alone) to 12; 10 follow the formants of a room at 8 kHz.
  package init(order: Int = 10) { self.order = min(max(order, 0), ComfortNoiseDescription.orderMax) }

  /// Takes in what a pause sounds like.
  ///
  /// - Parameter samples: one channel, 10 ms or more.
  package mutating func observe(_ samples: Span<Int16>) {
    guard samples.count > 4 * order, !samples.isEmpty else { return }
    var sums = InlineArray<13, Double>(repeating: 0)
    for index in samples.indices {
      let sample = Double(samples[index])
      for lag in 0...min(order, index) { sums[lag] += sample * Double(samples[index - lag]) }
    }
    let weight = isEmpty ? 1 : Self.weight
    isEmpty = false
    // Of fewer products where the lag is longer: dividing all alike keeps the model stable.
    for lag in 0...order { correlation[lag] += weight * (sums[lag] / Double(samples.count) - correlation[lag]) }
  }

  /// Forgets everything, as when another room is listened to.
  package mutating func reset() {
    correlation = .init(repeating: 0)
    isEmpty = true
  }

  /// The noise as far as it is known; silence before anything was.
  package var description: ComfortNoiseDescription {
    let power = correlation[0] / (32_768 * 32_768)
    guard power > 1e-13 else { return ComfortNoiseDescription(level: 127) }
    let level = UInt8(min(max((-10 * log10(power)).rounded(), 0), 127))
    return ComfortNoiseDescription(level: level, reflections: reflections, order: order)
  }

  /// Levinson's recursion; in the signs of RFC 3389, the first is negative where the spectrum falls.
  private var reflections: InlineArray<12, Float> {
    var reflections = InlineArray<12, Float>(repeating: 0)
    var filter = InlineArray<13, Double>(repeating: 0)
    var error = correlation[0] * Self.whitening
    for stage in 0..<order {
      var sum = correlation[stage + 1]
      for index in 0..<stage { sum += filter[index] * correlation[stage - index] }
      guard error > 0 else { break }
      let reflection = min(max(-sum / error, -0.999), 0.999)
      let before = filter
      for index in 0..<stage { filter[index] += reflection * before[stage - 1 - index] }
      filter[stage] = reflection
      error *= 1 - reflection * reflection
      reflections[stage] = Float(reflection)
    }
    return reflections
  }
}
