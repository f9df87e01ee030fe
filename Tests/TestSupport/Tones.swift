import Glibc

/// Sines to speak with, and how much of one is in what was heard.
public enum Tones {
  /// A sine at 48 kHz, one channel.
  public static func sine(_ hertz: Double, amplitude: Double = 8_000, count: Int, from start: Int = 0) -> [Int16] {
    (start..<(start + count)).map { Int16(amplitude * sin(2 * .pi * hertz * Double($0) / 48_000)) }
  }

  /// The power of a sine of this frequency within the samples, in dB above that of a sine of amplitude 1.
  public static func level(of hertz: Double, in samples: [Int16]) -> Double {
    // Both the tone and Hann's window, which keeps a strong tone nearby from spreading, turn by a constant angle a sample.
    let count = Double(max(samples.count, 1))
    var (tone, hann) = ((re: 1.0, im: 0.0), (re: 1.0, im: 0.0))
    let (toneStep, hannStep) = (angle(2 * .pi * hertz / 48_000), angle(2 * .pi / count))
    var (sine, cosine, total) = (0.0, 0.0, 0.0)
    for sample in samples {
      let window = 0.5 - 0.5 * hann.re
      cosine += Double(sample) * window * tone.re
      sine += Double(sample) * window * tone.im
      total += window
      tone = (tone.re * toneStep.re - tone.im * toneStep.im, tone.re * toneStep.im + tone.im * toneStep.re)
      hann = (hann.re * hannStep.re - hann.im * hannStep.im, hann.re * hannStep.im + hann.im * hannStep.re)
    }
    let amplitude = 2 * (sine * sine + cosine * cosine).squareRoot() / max(total, 1)
    return 20 * log10(max(amplitude, 1e-6))
  }

  private static func angle(_ radians: Double) -> (re: Double, im: Double) { (cos(radians), sin(radians)) }
}
