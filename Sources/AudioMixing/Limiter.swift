import RawMedia

/// Brings one mix from 32 bits back to 16 without wrapping or clipping.
///
/// Looks 5 ms ahead, so that the gain is down before a peak comes, and delays the mix by as much. A mix that is within range and
/// was so lately comes out bit for bit as it went in. All in fixed point with 30 bits behind the point:
///
///     wanted gain of each sample ─▶ least of the last 241 ─▶ slow rise ─▶ average of the last 240 ─▶ gain of the delayed sample
///
/// The least over the window holds from before a peak until it is past; the average of values none of which is above what a peak
/// wants is not above it either. Both channels share one gain, so that the image does not shift. Allocates nothing after `init`.
package struct Limiter: ~Copyable {
  package let channelCount: Int
  /// The mix of the last 5 ms, not yet put out.
  private var delayed: [Int32]
  private var minimum: SlidingMinimum
  /// The gains averaged over, as a ring, and their sum.
  private var gains: [Int64]
  private var gainSum: Int64
  private var cursor = 0
  private var envelope = Limiter.unity
  /// Samples a channel since the gain was last below one anywhere.
  private var calmSamples = Limiter.lookahead * 2

  /// Samples a channel by which the output lags: 5 ms.
  package static let lookahead = 240
  private static let unity: Int64 = 1 << 30
  /// The gain rises by 1/4096 of what it lacks with each sample: a time constant of 85 ms.
  private static let releaseShift: Int64 = 12

  package init(channelCount: Int) {
    precondition(channelCount == 1 || channelCount == 2, "a mix has one channel or two")
    self.channelCount = channelCount
    delayed = [Int32](repeating: 0, count: Self.lookahead * channelCount)
    minimum = SlidingMinimum(window: Self.lookahead + 1)
    gains = [Int64](repeating: Self.unity, count: Self.lookahead)
    gainSum = Self.unity * Int64(Self.lookahead)
  }

  /// Whether the gain is one, and was for long enough that samples pass unchanged.
  package var isTransparent: Bool { calmSamples >= Self.lookahead * 2 && envelope == Self.unity }

  /// Puts out a tick of the mix, 5 ms late.
  ///
  /// - Parameters: mix, output: of one length, a multiple of `channelCount` and at least 5 ms.
  package mutating func process(_ mix: Span<Int32>, into output: inout MutableSpan<Int16>) {
    precondition(mix.count == output.count && mix.count >= delayed.count, "a tick is longer than the look-ahead")
    let passes = isTransparent && Self.isInRange(mix)
    mix.withUnsafeBufferPointer { mix in
      output.withUnsafeMutableBufferPointer { output in
        if passes { pass(mix, into: output) } else { limit(mix, into: output) }
      }
    }
  }

  /// As when the limiter is given to another mix.
  package mutating func reset() { self = Limiter(channelCount: channelCount) }

  private static func isInRange(_ mix: Span<Int32>) -> Bool {
    mix.withUnsafeBufferPointer { mix in
      var beyond: Int32 = 0
      // Zero for what 16 bits hold: the upper 17 bits are all alike.
      for sample in mix { beyond |= (sample ^ (sample >> 31)) >> 15 }
      return beyond == 0
    }
  }

  private mutating func pass(_ mix: UnsafeBufferPointer<Int32>, into output: UnsafeMutableBufferPointer<Int16>) {
    let lag = delayed.count
    for index in 0..<lag { output[index] = Int16(truncatingIfNeeded: delayed[index]) }
    for index in lag..<mix.count { output[index] = Int16(truncatingIfNeeded: mix[index &- lag]) }
    keep(mix)
  }

  private mutating func limit(_ mix: UnsafeBufferPointer<Int32>, into output: UnsafeMutableBufferPointer<Int16>) {
    let lag = delayed.count
    for frame in 0..<(mix.count / channelCount) {
      let start = frame * channelCount
      var magnitude = Self.magnitude(mix[start])
      if channelCount == 2 { magnitude = max(magnitude, Self.magnitude(mix[start + 1])) }
      let gain = advance(wanted: magnitude <= 32_767 ? Self.unity : 32_767 * Self.unity / magnitude)
      for index in start..<(start + channelCount) {
        let sample = Int64(index < lag ? delayed[index] : mix[index - lag])
        // Rounded to nearest; no sample can leave the range, and none would wrap if it did.
        output[index] = Int16(clamping: (sample &* gain &+ Self.unity / 2) >> 30)
      }
    }
    keep(mix)
  }

  /// Takes in what the newest sample wants and answers the gain of the sample 5 ms before it.
  private mutating func advance(wanted: Int64) -> Int64 {
    let least = minimum.push(wanted)
    let risen = envelope + max((Self.unity - envelope) >> Self.releaseShift, min(Self.unity - envelope, 16))
    envelope = min(least, risen)
    gainSum += envelope - gains[cursor]
    gains[cursor] = envelope
    cursor = cursor + 1 < gains.count ? cursor + 1 : 0
    calmSamples = envelope < Self.unity ? 0 : min(calmSamples + 1, Self.lookahead * 2)
    return gainSum / Int64(Self.lookahead)
  }

  /// Keeps the last 5 ms for the next tick.
  private mutating func keep(_ mix: UnsafeBufferPointer<Int32>) {
    let start = mix.count - delayed.count
    for index in delayed.indices { delayed[index] = mix[start + index] }
  }

  /// How far from zero, counting -32768 like 32767, since 16 bits hold both.
  private static func magnitude(_ sample: Int32) -> Int64 { Int64(sample ^ (sample >> 31)) }
}
