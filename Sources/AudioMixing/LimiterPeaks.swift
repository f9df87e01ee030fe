import RawMedia

/// The true peak of each sample of a tick, worked out only where it can matter.
///
/// A stretch whose samples are so low that nothing between them can reach the ceiling is not interpolated, and its peaks count as
/// zero; a tick of nothing else costs one look at each sample. What comes of it for the limiter is the same as if all were.
struct LimiterPeaks: Sendable {
  private let channelCount: Int
  /// The tick of each channel, `TruePeak.history` samples of the tick before it first.
  private var lines: [[Float]]
  private var peaks: [Float]
  /// Whether nothing in the tick can reach the ceiling, so that neither `lines` nor `peaks` were filled.
  private var isHarmless = true
  /// The greatest magnitude of the samples of the tick before.
  private var lastMagnitude: Float = 0

  /// Samples a channel in a stretch: 1 ms.
  private static let stretch = 48
  /// The greatest magnitude of samples that interpolation cannot take to the ceiling.
  private static let harmless = Limiter.ceiling / TruePeak.overshootMax

  init(channelCount: Int) {
    self.channelCount = channelCount
    let line = [Float](repeating: 0, count: TruePeak.history + AudioFormat.samplesPerTick)
    lines = [[Float]](repeating: line, count: channelCount)
    // So that each is on its own from the start, and nothing is copied later.
    for index in lines.indices { lines[index][0] = 0 }
    peaks = [Float](repeating: 0, count: AudioFormat.samplesPerTick)
  }

  /// The peak of a sample and of what lies between the two samples `TruePeak.lag` before it; the greater of both channels.
  @inline(__always) subscript(frame: Int) -> Float { isHarmless ? 0 : peaks[frame] }

  /// Works out a tick's peaks; answers whether any is above the ceiling.
  ///
  /// - Parameter mix: a multiple of 8 samples a channel, at most a tick of 20 ms.
  mutating func measure(_ mix: UnsafeBufferPointer<Int32>) -> Bool {
    let frames = mix.count / channelCount
    precondition(frames % 8 == 0 && frames <= AudioFormat.samplesPerTick, "a tick is at most 20 ms, and whole eights")
    let magnitude = Self.magnitude(of: mix)
    defer { lastMagnitude = magnitude }
    isHarmless = max(magnitude, lastMagnitude) <= Self.harmless
    var isLoud = false
    if !isHarmless {
      for channel in 0..<channelCount { fill(channel, from: mix) }
      for start in stride(from: 0, to: frames, by: Self.stretch) {
        isLoud = measureStretch(start..<min(start + Self.stretch, frames)) || isLoud
      }
    }
    for channel in 0..<channelCount { remember(channel, from: mix) }
    return isLoud
  }

  mutating func reset() {
    for channel in 0..<channelCount {
      for index in 0..<TruePeak.history { lines[channel][index] = 0 }
    }
    lastMagnitude = 0
  }

  /// Remembers the samples another one remembers.
  mutating func resume(from other: LimiterPeaks) {
    for channel in 0..<channelCount {
      for index in 0..<TruePeak.history { lines[channel][index] = other.lines[channel][index] }
    }
    lastMagnitude = other.lastMagnitude
  }

  private mutating func fill(_ channel: Int, from mix: UnsafeBufferPointer<Int32>) {
    let stride = channelCount
    lines[channel].withUnsafeMutableBufferPointer { line in
      for frame in 0..<(mix.count / stride) { line[TruePeak.history &+ frame] = Float(mix[frame &* stride &+ channel]) }
    }
  }

  /// Keeps the end of the tick for the next one.
  private mutating func remember(_ channel: Int, from mix: UnsafeBufferPointer<Int32>) {
    let start = mix.count - TruePeak.history * channelCount + channel
    for index in 0..<TruePeak.history { lines[channel][index] = Float(mix[start + index * channelCount]) }
  }

  private mutating func measureStretch(_ frames: Range<Int>) -> Bool {
    peaks.withUnsafeMutableBufferPointer { peaks in
      for frame in frames { peaks[frame] = 0 }
      var room = MutableSpan(_unsafeElements: UnsafeMutableBufferPointer(rebasing: peaks[frames]))
      for channel in 0..<channelCount {
        lines[channel].withUnsafeBufferPointer { line in
          let samples = UnsafeBufferPointer(rebasing: line[frames.lowerBound..<(frames.upperBound + TruePeak.history)])
          guard Self.magnitude(of: samples) > Self.harmless else { return }
          for index in 0..<room.count { room[index] = max(room[index], abs(samples[TruePeak.history &+ index])) }
          TruePeak.raise(&room, by: Span(_unsafeElements: samples))
        }
      }
      var greatest: Float = 0
      for frame in frames { greatest = max(greatest, peaks[frame]) }
      return greatest > Limiter.ceiling
    }
  }

  /// Counts -32768 like 32767, which only a sum at the very ends of 32 bits could tell apart.
  private static func magnitude(of samples: UnsafeBufferPointer<Int32>) -> Float {
    var greatest: Int32 = 0
    for sample in samples { greatest = max(greatest, sample ^ (sample >> 31)) }
    return Float(greatest)
  }

  private static func magnitude(of samples: UnsafeBufferPointer<Float>) -> Float {
    var greatest = SIMD8<Float>.zero
    for start in stride(from: 0, to: samples.count - 7, by: 8) {
      let eight = UnsafeRawBufferPointer(samples).loadUnaligned(fromByteOffset: 4 * start, as: SIMD8<Float>.self)
      greatest = greater(greatest, AudioMixing.magnitude(eight))
    }
    var result = greatest.max()
    for index in (samples.count / 8 * 8)..<samples.count { result = max(result, abs(samples[index])) }
    return result
  }
}
