import Glibc
import TestSupport

/// Samples to encode and what to look for in those decoded.
enum Tone {
  /// A sine at 48 kHz.
  static func sine(_ hertz: Double, amplitude: Double = 10_000, count: Int, from start: Int = 0) -> [Int16] {
    (start..<(start + count)).map { Int16(amplitude * sin(2 * .pi * hertz * Double($0) / 48_000)) }
  }

  /// Something the encoder takes for speech: harmonics of a gliding pitch, swelling four times a second, over a little noise.
  static func voice(count: Int, seed: UInt64 = 1) -> [Int16] {
    var random = SeededRandom(seed: seed)
    var phase = 0.0
    return (0..<count).map { index in
      let time = Double(index) / 48_000
      phase += 2 * .pi * (130 + 30 * sin(2 * .pi * 0.7 * time)) / 48_000
      var sample = 0.0
      for harmonic in 1...12 { sample += sin(phase * Double(harmonic)) / Double(harmonic) }
      let swell = 0.55 + 0.45 * sin(2 * .pi * 4 * time)
      return Int16(4_000 * swell * sample + Double.random(in: -30...30, using: &random))
    }
  }

  /// The power of a sine of this frequency within the samples, and that of all the rest.
  static func analyze(_ samples: some Collection<Int16>, hertz: Double) -> (tone: Double, rest: Double) {
    var (sine, cosine, total) = (0.0, 0.0, 0.0)
    for (index, sample) in samples.enumerated() {
      let angle = 2 * .pi * hertz * Double(index) / 48_000
      sine += Double(sample) * sin(angle)
      cosine += Double(sample) * cos(angle)
      total += Double(sample) * Double(sample)
    }
    let count = Double(samples.count)
    let tone = 2 * (sine * sine + cosine * cosine) / (count * count)
    return (tone, max(total / count - tone, 1e-9))
  }

  static func decibels(_ ratio: Double) -> Double { 10 * log10(max(ratio, 1e-12)) }

  static func squaredError(_ a: some Collection<Int16>, _ b: some Collection<Int16>) -> Double {
    zip(a, b).reduce(0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
  }
}
