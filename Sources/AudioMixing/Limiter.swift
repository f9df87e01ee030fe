import RawMedia

/// Brings one mix from 32 bits back to 16 without wrapping or clipping.
///
/// Holds the true peak (ITU-R BS.1770 annex 2) at `ceiling`: the decoders after this and what they feed need room above. Looks 2 ms
/// ahead, so that the gain is down before a peak comes, and delays the mix by as much. A mix below the ceiling that was so lately
/// comes out bit for bit as it went in. Gains in fixed point with 30 bits behind the point:
///
///     peak of each sample ─▶ wanted gain ─▶ least of 100 ms ─▶ slow rise ─▶ average of 91 ─▶ gain of the sample 2 ms before
///
/// The least over the window holds from before a peak until well past it, so that the gain follows neither the wave of a low tone nor
/// the beat of several, which would be heard as other tones; it delays nothing. The average of values none of which is above what a
/// peak wants is not above it either. Both channels share one gain, so that the image does not shift. Allocates nothing after `init`.
package struct Limiter: ~Copyable {
  package let channelCount: Int
  /// The mix of the last 2 ms, not yet put out.
  private var delayed: [Int32]
  private var peaks: LimiterPeaks
  private var minimum: SlidingMinimum
  /// The gains averaged over, as a ring, and their sum.
  private var gains: [Int64]
  private var gainSum: Int64
  private var cursor = 0
  private var envelope = Limiter.unity
  /// Samples a channel since the gain was last below one anywhere, counted up to `smoothing`.
  private var calmSamples = Limiter.smoothing

  /// Samples a channel by which the output lags: 2 ms.
  package static let lookahead = 96
  /// The greatest magnitude put out: -1 dB of full scale, as EBU R 128 asks of what a codec is to follow.
  package static let ceiling: Float = 29_204
  private static let unity: Int64 = 1 << 30
  /// Samples the gain takes to come down; with what the peaks lag, the look-ahead.
  private static let smoothing = lookahead - TruePeak.lag + 1
  /// Samples a peak is held: 100 ms.
  private static let hold = 4_800
  /// The gain rises by 1/16384 with each sample: 25 dB a second.
  private static let releaseShift: Int64 = 14

  package init(channelCount: Int) {
    precondition(channelCount == 1 || channelCount == 2, "a mix has one channel or two")
    self.channelCount = channelCount
    delayed = [Int32](repeating: 0, count: Self.lookahead * channelCount)
    peaks = LimiterPeaks(channelCount: channelCount)
    minimum = SlidingMinimum(window: Self.hold)
    gains = [Int64](repeating: Self.unity, count: Self.smoothing)
    gainSum = Self.unity * Int64(Self.smoothing)
  }

  /// Whether the gain is one, and was for long enough that samples pass unchanged.
  package var isTransparent: Bool { calmSamples >= Self.smoothing }

  /// Puts out a tick of the mix, 2 ms late.
  ///
  /// - Parameters: mix, output: of one length, a multiple of `channelCount` and at least 2 ms.
  package mutating func process(_ mix: Span<Int32>, into output: inout MutableSpan<Int16>) {
    precondition(
      mix.count == output.count && mix.count >= delayed.count && mix.count % channelCount == 0,
      "a tick is longer than the look-ahead")
    mix.withUnsafeBufferPointer { mix in
      output.withUnsafeMutableBufferPointer { output in
        let isLoud = peaks.measure(mix)
        if isTransparent && !isLoud { pass(mix, into: output) } else { limit(mix, into: output) }
        keep(mix)
      }
    }
  }

  /// As when the limiter is given to another mix.
  package mutating func reset() {
    for index in delayed.indices { delayed[index] = 0 }
    peaks.reset()
    minimum.reset()
    for index in gains.indices { gains[index] = Self.unity }
    gainSum = Self.unity * Int64(Self.smoothing)
    envelope = Self.unity
    calmSamples = Self.smoothing
  }

  /// Goes on from where another limiter is, its gain and its last 2 ms included, so that who is moved from that mix to this hears
  /// neither a gap nor a step.
  ///
  /// - Parameter other: of as many channels.
  package mutating func resume(from other: borrowing Limiter) {
    precondition(other.channelCount == channelCount, "limiters continue one another with the same channels")
    for index in delayed.indices { delayed[index] = other.delayed[index] }
    peaks.resume(from: other.peaks)
    minimum.resume(from: other.minimum)
    for index in gains.indices { gains[index] = other.gains[index] }
    gainSum = other.gainSum
    cursor = other.cursor
    envelope = other.envelope
    calmSamples = other.calmSamples
  }

  private func pass(_ mix: UnsafeBufferPointer<Int32>, into output: UnsafeMutableBufferPointer<Int16>) {
    let lag = delayed.count
    for index in 0..<lag { output[index] = Int16(truncatingIfNeeded: delayed[index]) }
    for index in lag..<mix.count { output[index] = Int16(truncatingIfNeeded: mix[index &- lag]) }
  }

  private mutating func limit(_ mix: UnsafeBufferPointer<Int32>, into output: UnsafeMutableBufferPointer<Int16>) {
    let lag = delayed.count
    for frame in 0..<(mix.count / channelCount) {
      let peak = peaks[frame]
      let gain = advance(wanted: peak <= Self.ceiling ? Self.unity : Int64(Self.scaledCeiling / Double(peak)))
      let start = frame &* channelCount
      for index in start..<(start &+ channelCount) {
        let sample = Int64(index < lag ? delayed[index] : mix[index &- lag])
        // Rounded to nearest; no sample can leave the range, and none would wrap if it did.
        output[index] = Int16(clamping: (sample &* gain &+ Self.unity / 2) >> 30)
      }
    }
  }

  private static let scaledCeiling = Double(ceiling) * Double(unity)

  /// Takes in what the newest sample wants and answers the gain of the sample 2 ms before it.
  private mutating func advance(wanted: Int64) -> Int64 {
    let least = Int64(minimum.push(Int32(truncatingIfNeeded: wanted)))
    envelope = min(least, Self.unity, envelope &+ (envelope >> Self.releaseShift) &+ 1)
    gainSum = gainSum &+ envelope &- gains[cursor]
    gains[cursor] = envelope
    cursor = cursor &+ 1 < Self.smoothing ? cursor &+ 1 : 0
    calmSamples = envelope < Self.unity ? 0 : min(calmSamples &+ 1, Self.smoothing)
    return gainSum / Int64(Self.smoothing)
  }

  /// Keeps the last 2 ms for the next tick.
  private mutating func keep(_ mix: UnsafeBufferPointer<Int32>) {
    let start = mix.count - delayed.count
    for index in delayed.indices { delayed[index] = mix[start &+ index] }
  }
}
