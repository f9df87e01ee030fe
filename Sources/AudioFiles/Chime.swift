import Glibc
import RawMedia

/// Sounds that need no file: two soft notes, upward for who comes, downward for who leaves.
package enum Chime: String, Sendable, CaseIterable {
  case join = "tone:join"
  case leave = "tone:leave"

  /// 48 kHz, one channel, 0.36 s.
  var samples: [Int16] {
    let notes = self == .join ? [523.25, 783.99] : [783.99, 523.25]
    let step = AudioFormat.sampleRate * 3 / 25
    var sum = [Double](repeating: 0, count: 3 * step)
    for (index, hertz) in notes.enumerated() {
      for sample in 0..<2 * step { sum[index * step + sample] += Self.note(hertz, sample, of: 2 * step) }
    }
    return sum.map { Int16($0.rounded()) }
  }

  /// A struck note: 5 ms of attack, then falling to nothing at its end. Two at once stay below -15 dB of full scale.
  private static func note(_ hertz: Double, _ sample: Int, of count: Int) -> Double {
    let seconds = Double(sample) / Double(AudioFormat.sampleRate)
    let attack = min(1, seconds / 0.005)
    let end = min(1, Double(count - sample) / Double(AudioFormat.sampleRate) / 0.02)
    let phase = 2 * .pi * hertz * seconds
    return 2_400 * attack * end * exp(-seconds / 0.08) * (sin(phase) + 0.25 * sin(2 * phase))
  }
}
