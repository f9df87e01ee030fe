import Glibc
import RawMedia
import Timing

/// Finds out whether a sound has anything above what wide-band speech has, so that no bits go to bands that are empty.
///
/// Old telephones, headsets and recordings end at 8 kHz or below, at whatever rate they are sampled. High frequencies show at once;
/// that there are none is believed after some seconds of sound that would have had them.
package struct BandwidthDetector: Sendable {
  /// Whether the sound has frequencies from about 10 kHz on; assumed until it is known better.
  package private(set) var isFullBand = true
  /// The greatest power of late, falling slowly.
  private var loudest = 0.0
  private var narrowTicks = 0
  private let taps: [Float]
  private var samples: [Float]
  private let channelCount: Int

  /// High frequencies this far below the loudest sound, in power, are none: quantisation noise and what filters leave.
  private static let share = 1e-5
  /// Below this power, 1 for a full-scale square wave, nothing is looked for: -60 dB.
  private static let powerMin = 1e-6
  /// 3 s of ticks with sound.
  private static let ticksUntilNarrow = 150
  /// 0.5 dB a second.
  private static let decay = 0.9977
  private static let tapCount = 129
  /// One output in so many is enough to measure power; odd, so that no common frequency stands still under it.
  private static let stride = 7

  /// - Parameter channelCount: 1 or 2, interleaved.
  package init(channelCount: Int) {
    self.channelCount = max(channelCount, 1)
    taps = Self.highPass(cutoff: 9_500)
    samples = [Float](repeating: 0, count: AudioFormat.samplesPerTick)
  }

  /// Looks at one tick.
  ///
  /// - Parameter power: its mean power, as `LevelMeter` measured it.
  package mutating func observe(_ tick: Span<Int16>, power: Double) {
    loudest = max(loudest * Self.decay, power)
    guard power > Self.powerMin, power > loudest * 1e-3, tick.count >= samples.count * channelCount else { return }
    mix(tick)
    if highPower() > loudest * Self.share {
      isFullBand = true
      narrowTicks = 0
    } else {
      narrowTicks &+= 1
      if narrowTicks >= Self.ticksUntilNarrow { isFullBand = false }
    }
  }

  private mutating func mix(_ tick: Span<Int16>) {
    let scale = 1 / (32_768 * Float(channelCount))
    for index in samples.indices {
      var sum: Int32 = 0
      for channel in 0..<channelCount { sum &+= Int32(tick[index &* channelCount &+ channel]) }
      samples[index] = Float(sum) * scale
    }
  }

  /// The mean power of what the filter lets through.
  private func highPower() -> Double {
    samples.withUnsafeBufferPointer { samples in
      taps.withUnsafeBufferPointer { taps in
        var sum: Float = 0
        var count = 0
        for start in Swift.stride(from: 0, through: samples.count - taps.count, by: Self.stride) {
          var lanes = SIMD8<Float>(repeating: 0)
          for tap in Swift.stride(from: 0, to: taps.count - 7, by: 8) {
            var (sample, weight) = (SIMD8<Float>(), SIMD8<Float>())
            for lane in 0..<8 {
              sample[lane] = samples[start + tap + lane]
              weight[lane] = taps[tap + lane]
            }
            lanes += sample * weight
          }
          let output = lanes.sum() + samples[start + taps.count - 1] * taps[taps.count - 1]
          sum += output * output
          count += 1
        }
        return count > 0 ? Double(sum) / Double(count) : 0
      }
    }
  }

  /// A linear-phase filter by the window method (Blackman): 1 kHz on either side of the cutoff it is at -6 dB and below -60 dB.
  private static func highPass(cutoff: Double) -> [Float] {
    let middle = Double(tapCount - 1) / 2
    let frequency = cutoff / Double(AudioFormat.sampleRate)
    return (0..<tapCount).map { index in
      let offset = Double(index) - middle
      let turn = 2 * Double.pi * Double(index) / Double(tapCount - 1)
      let window = 0.42 - 0.5 * cos(turn) + 0.08 * cos(2 * turn)
      let low = offset == 0 ? 2 * frequency : sin(2 * .pi * frequency * offset) / (.pi * offset)
      return Float(window * ((offset == 0 ? 1 : 0) - low))
    }
  }
}
