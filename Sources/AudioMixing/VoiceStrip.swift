import RawMedia

/// One voice's way into the mix: gain, place between left and right, and a soft entry and exit.
///
///     the voice's tick ─▶ gain and pan, each gliding ─▶ contribution ─▶ MixHistory.add(_:slot:)
///
/// The contribution is kept as 32 bits: exactly what was added is what is taken out of the voice's own mix, however the gain moved
/// within the tick, and a voice that is raised does not clip before the limiter. A voice comes in over 5 ms and goes out over 10 ms;
/// between other gains it glides over the whole tick. Allocates nothing.
package struct VoiceStrip: Sendable {
  /// Of the voice: 1, or 2 interleaved.
  package let inputChannelCount: Int
  /// Of the mix: 1 or 2, and not fewer than the voice has.
  package let outputChannelCount: Int
  /// The gains at the end of the last tick; `right` is unused in a mono mix.
  private var left = Gain.zero
  private var right = Gain.zero

  /// 5 ms.
  private static let entrySamples = 240
  /// 10 ms.
  private static let exitSamples = 480

  package init(inputChannelCount: Int, outputChannelCount: Int) {
    precondition(
      (1...2).contains(inputChannelCount) && (inputChannelCount...2).contains(outputChannelCount),
      "a voice has no more channels than its mix")
    self.inputChannelCount = inputChannelCount
    self.outputChannelCount = outputChannelCount
  }

  /// Whether the last tick ended in silence: then the voice need not be added any longer.
  package var isSilent: Bool { left == .zero && right == .zero }

  /// Makes a tick's contribution.
  ///
  /// - Parameters:
  ///   - samples: the voice's tick, 960 samples a channel.
  ///   - gain: where the gain is to be at the end of the tick. Zero fades out: the voice belongs to this tick's mix for the last time,
  ///     and its owner must still be given the mix without it.
  ///   - pan: for a stereo mix; a stereo voice keeps its own image and is weighted by it.
  ///   - contribution: 960 samples a channel of the mix.
  package mutating func render(
    _ samples: Span<Int16>, gain: Gain, pan: Pan = .center, into contribution: inout MutableSpan<Int32>
  ) {
    let frames = AudioFormat.samplesPerTick
    precondition(
      samples.count == frames * inputChannelCount && contribution.count == frames * outputChannelCount,
      "a tick has 960 samples a channel")
    let isStereo = outputChannelCount == 2
    let (newLeft, newRight) = isStereo ? (gain * pan.left, gain * pan.right) : (gain, Gain.zero)
    let isEntry = isSilent
    let isExit = newLeft == .zero && newRight == .zero
    let ramp = isEntry ? Self.entrySamples : isExit ? Self.exitSamples : frames
    let leftCurve = GainCurve(start: left, end: newLeft, rampSamples: ramp)
    let rightCurve = GainCurve(start: right, end: newRight, rampSamples: ramp)
    samples.withUnsafeBufferPointer { input in
      contribution.withUnsafeMutableBufferPointer { output in
        if isFlat(newLeft, newRight), inputChannelCount == outputChannelCount {
          for index in output.indices { output[index] = newLeft.apply(to: input[index]) }
          return
        }
        let (from, to) = (inputChannelCount, outputChannelCount)
        leftCurve.apply(to: input, from: 0, by: from, into: output, from: 0, by: to, sampleCount: frames)
        guard isStereo else { return }
        rightCurve.apply(to: input, from: from - 1, by: from, into: output, from: 1, by: to, sampleCount: frames)
      }
    }
    (left, right) = (newLeft, newRight)
  }

  /// Whether all samples of the tick have one gain.
  private func isFlat(_ newLeft: Gain, _ newRight: Gain) -> Bool {
    left == newLeft && (outputChannelCount == 1 || (right == newRight && left == right))
  }

  /// Silent at once, as when another takes the place of the voice.
  package mutating func reset() { (left, right) = (.zero, .zero) }
}
