/// The background noise of a pause, made from its description (RFC 3389, ITU-T G.711 appendix II), at any sample rate.
///
///     random numbers ─▶ lattice filter, all-pole ─▶ level, gliding within a tick ─▶ samples
///
/// The same seed and descriptions make the same noise. Allocates nothing.
package struct ComfortNoise: Sendable {
  private var random: UInt64
  /// The lattice's delayed backward errors.
  private var delayed = InlineArray<12, Float>(repeating: 0)
  /// What unit excitation is scaled by at the end of the last call.
  private var scale: Float = 0

  package init(seed: UInt64) { random = seed }

  /// Replaces the samples by noise.
  ///
  /// - Parameter samples: one channel, as many as wanted.
  package mutating func fill(_ samples: inout MutableSpan<Int16>, as description: ComfortNoiseDescription) {
    guard !samples.isEmpty else { return }
    let target = description.excitation
    let step = (target - scale) / Float(samples.count)
    let order = description.order
    let reflections = description.reflections
    // Copies, which the optimizer keeps in registers.
    var (random, delayed, factor) = (random, delayed, scale)
    samples.withUnsafeMutableBufferPointer { samples in
      for index in samples.indices {
        factor += step
        // Scaled before the filter: a model that changes finds nothing louder in its memory than was heard.
        var value = Self.normal(&random) * factor
        if order > 0 { value = Self.filter(value, reflections, order, &delayed) }
        // Rounded where all numbers are positive: the sign of noise cannot be foreseen by a processor either.
        let raised = Int32(max(0, min(65_535, value + 32_768.5)))
        samples[index] = Int16(truncatingIfNeeded: raised &- 32_768)
      }
    }
    (self.random, self.delayed) = (random, delayed)
    scale = target
  }

  /// One sample through the lattice whose all-pole response is 1 / A(z).
  @inline(__always)
  private static func filter(
    _ excitation: Float, _ reflections: InlineArray<12, Float>, _ order: Int, _ delayed: inout InlineArray<12, Float>
  ) -> Float {
    var forward = excitation
    for stage in stride(from: order - 1, through: 0, by: -1) {
      forward -= reflections[stage] * delayed[stage]
      if stage + 1 < order { delayed[stage + 1] = delayed[stage] + reflections[stage] * forward }
    }
    delayed[0] = forward
    return forward
  }

  /// About normal with variance 1: the sum of four even ones (the generator is SplitMix64, Steele et al. 2014).
  @inline(__always)
  private static func normal(_ random: inout UInt64) -> Float {
    random &+= 0x9E37_79B9_7F4A_7C15
    var z = random
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    let sum = (z & 0xFFFF) &+ ((z >> 16) & 0xFFFF) &+ ((z >> 32) & 0xFFFF) &+ (z >> 48)
    // Four even numbers of 0 ..< 65536 have mean 131070 and variance 65536² / 3.
    return (Float(sum) - 131_070) * (1.732_050_8 / 65_536)
  }
}
