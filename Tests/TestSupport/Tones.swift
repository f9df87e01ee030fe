import Glibc

/// Sines to speak with, and how much of one is in what was heard.
public enum Tones {
  /// A sine at 48 kHz, one channel.
  public static func sine(_ hertz: Double, amplitude: Double = 8_000, count: Int, from start: Int = 0) -> [Int16] {
    (start..<(start + count)).map { Int16(amplitude * sin(2 * .pi * hertz * Double($0) / 48_000)) }
  }

  /// The power of a sine of this frequency within the samples, in dB above that of a sine of amplitude 1.
  public static func level(of hertz: Double, in samples: some Collection<Int16>) -> Double {
    var (sine, cosine) = (0.0, 0.0)
    var total = 0.0
    for (index, sample) in samples.enumerated() {
      // Hann's window, so that a strong tone nearby does not spread.
      let window = 0.5 - 0.5 * cos(2 * .pi * Double(index) / Double(max(samples.count, 1)))
      let angle = 2 * .pi * hertz * Double(index) / 48_000
      sine += Double(sample) * window * sin(angle)
      cosine += Double(sample) * window * cos(angle)
      total += window
    }
    let amplitude = 2 * (sine * sine + cosine * cosine).squareRoot() / max(total, 1)
    return 20 * log10(max(amplitude, 1e-6))
  }
}
