import Glibc

/// Changes the rate of a whole recording: a windowed sinc for each phase of the ratio, computed once.
///
///     output[n] = Σ_k input[left(n) + k] · h[phase(n)][k],   left(n) = ⌊n·down/up⌋ - taps/2 + 1,   phase(n) = n·down mod up
///
/// For recordings, not for streams: it wants all samples at once.
enum Resampler {
  /// Zero crossings of the sinc on each side at the lower of the rates.
  private static let crossings = 24

  /// - Parameters: `from` and `to` in samples a second, 1 or more.
  static func resample(_ input: [Float], from: Int, to: Int) -> [Float] {
    guard from != to, !input.isEmpty else { return input }
    let divisor = greatestCommonDivisor(from, to)
    let (up, down) = (to / divisor, from / divisor)
    // Going down, the filter is as much longer as its band is narrower.
    let cutoff = min(1, Double(to) / Double(from)) * 0.95
    let half = Int((Double(crossings) / cutoff).rounded(.up))
    let phases = filter(up: up, half: half, cutoff: cutoff)
    let outputCount = (input.count * up + down - 1) / down
    var output = [Float](repeating: 0, count: outputCount)
    let padded = [Float](repeating: 0, count: half) + input + [Float](repeating: 0, count: half + 1)
    padded.withUnsafeBufferPointer { padded in
      phases.withUnsafeBufferPointer { phases in
        for index in 0..<outputCount {
          let position = index * down
          // Of the padded input: input[left] lies at left + half, and left begins half - 1 before the position.
          let first = position / up + 1
          let phase = (position % up) * (2 * half)
          var sum: Float = 0
          for tap in 0..<2 * half { sum += padded[first + tap] * phases[phase + tap] }
          output[index] = sum
        }
      }
    }
    return output
  }

  /// `2 * half` taps for each of `up` phases, each phase with a sum of one.
  private static func filter(up: Int, half: Int, cutoff: Double) -> [Float] {
    var phases = [Float](repeating: 0, count: up * 2 * half)
    var taps = [Double](repeating: 0, count: 2 * half)
    for phase in 0..<up {
      let fraction = Double(phase) / Double(up)
      var sum = 0.0
      for tap in 0..<2 * half {
        let distance = Double(tap - half + 1) - fraction
        taps[tap] = sinc(distance * cutoff) * window(distance / Double(half))
        sum += taps[tap]
      }
      for tap in 0..<2 * half { phases[phase * 2 * half + tap] = Float(taps[tap] / sum) }
    }
    return phases
  }

  private static func sinc(_ x: Double) -> Double { abs(x) < 1e-9 ? 1 : sin(.pi * x) / (.pi * x) }

  /// Blackman's window over -1...1.
  private static func window(_ x: Double) -> Double {
    abs(x) >= 1 ? 0 : 0.42 + 0.5 * cos(.pi * x) + 0.08 * cos(2 * .pi * x)
  }

  private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }
}
