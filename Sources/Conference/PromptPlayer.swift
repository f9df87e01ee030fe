import AudioMixing
import RawMedia

/// Plays one prompt, a tick at a time.
struct PromptPlayer {
  let prompt: Prompt
  /// The slot it has in the mix.
  let slot: Int
  private(set) var isStopping = false
  private var position = 0
  private var ramp = GainRamp(.zero)

  init(_ prompt: Prompt, slot: Int) {
    self.prompt = prompt
    self.slot = slot
  }

  /// Fades out with the next tick.
  mutating func stop() { isStopping = true }

  /// Whether the last tick was its last.
  var isOver: Bool { isStopping ? ramp.isSilent : !prompt.loops && position >= prompt.samples.count }

  /// Makes `samples` the next tick, interleaved where it has two channels; silence behind the end.
  mutating func render(into samples: inout [Int16], channelCount: Int) {
    let source = prompt.samples
    for frame in 0..<AudioFormat.samplesPerTick {
      if position >= source.count, prompt.loops { position = 0 }
      let sample = position < source.count ? source[position] : 0
      position += 1
      for channel in 0..<channelCount { samples[frame * channelCount + channel] = sample }
    }
    ramp.target = isStopping ? .zero : Gain(factor: Double(prompt.gain))
    var span = samples.mutableSpan
    ramp.apply(to: &span, channelCount: channelCount)
  }
}
