import Glibc
import RawMedia

/// How loud a voice is over the last three seconds, in LUFS (EBU R 128 short-term loudness, ITU-R BS.1770 weighting).
///
/// Counts only what it is given: whoever leaves out the pauses has three seconds of speech in the window, whenever it was said. A mono
/// voice is measured as it is heard, from both sides: 3 dB above what BS.1770 says of one channel alone. Allocates nothing.
package struct LoudnessMeter: Sendable {
  package let channelCount: Int
  private var left = KWeighting()
  private var right = KWeighting()
  /// The mean power of the last 30 stretches of 100 ms, as a ring.
  private var stretches = InlineArray<30, Float>(repeating: 0)
  private var cursor = 0
  private var ticks = 0
  private var energy: Float = 0
  /// Stretches in the ring.
  package private(set) var stretchCount = 0

  private static let ticksPerStretch = 5
  /// -70 LUFS: what is below is no sound at all.
  private static let absoluteGate: Float = 1.172e-7

  package init(channelCount: Int) {
    precondition(channelCount == 1 || channelCount == 2, "a voice has one channel or two")
    self.channelCount = channelCount
  }

  /// Takes in a tick of 960 samples a channel; answers whether a stretch of 100 ms is complete, so that the loudness is a new one.
  package mutating func measure(_ samples: Span<Int16>) -> Bool {
    precondition(samples.count == AudioFormat.samplesPerTick * channelCount, "a tick has 960 samples a channel")
    samples.withUnsafeBufferPointer { samples in
      let first = left.energy(of: samples, channel: 0, channelCount: channelCount)
      energy += first + (channelCount == 2 ? right.energy(of: samples, channel: 1, channelCount: 2) : first)
    }
    ticks += 1
    guard ticks == Self.ticksPerStretch else { return false }
    stretches[cursor] = energy / Float(Self.ticksPerStretch * AudioFormat.samplesPerTick)
    cursor = (cursor + 1) % stretches.count
    stretchCount = min(stretchCount + 1, stretches.count)
    ticks = 0
    energy = 0
    return true
  }

  /// Says that ticks were left out, so that the filter does not take the gap for sound.
  package mutating func skip() {
    left.reset()
    right.reset()
  }

  /// The loudness of all in the window, in LUFS; nil before the first 100 ms and of silence.
  package var shortTerm: Double? { loudness(above: 0) }

  /// The loudness of what is above -70 LUFS and within 10 LU of it all (the gates of BS.1770): that of the words, not the breath.
  package var gated: Double? {
    let all = mean(above: Self.absoluteGate)
    return loudness(above: max(all / 10, Self.absoluteGate))
  }

  private func loudness(above gate: Float) -> Double? {
    let power = mean(above: gate)
    return power > 0 ? -0.691 + 10 * log10(Double(power)) : nil
  }

  private func mean(above gate: Float) -> Float {
    var (sum, count) = (Float(0), Float(0))
    for index in 0..<stretchCount where stretches[index] >= gate {
      sum += stretches[index]
      count += 1
    }
    return count > 0 ? sum / count : 0
  }
}
