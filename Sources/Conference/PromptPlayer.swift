import AudioMixing
import RawMedia

/// Plays one prompt, a tick at a time.
struct PromptPlayer {
  let prompt: Prompt
  /// The slot it has in the mix.
  let slot: Int
  /// Who hears it from where packets of every length begin.
  var newAudience: Prompt.Audience?
  private(set) var isStopping = false
  private var position = 0
  private var strip: VoiceStrip
  private var samples = [Int16](repeating: 0, count: AudioFormat.samplesPerTick)

  init(_ prompt: Prompt, slot: Int, channelCount: Int) {
    self.prompt = prompt
    strip = VoiceStrip(inputChannelCount: 1, outputChannelCount: channelCount)
    self.slot = slot
  }

  /// Fades out with the next tick.
  mutating func stop() { isStopping = true }

  /// Whether the last tick was its last.
  var isOver: Bool { isStopping ? strip.isSilent : !prompt.loops && position >= prompt.samples.count }

  /// Makes `contribution` the next tick; silence behind the end.
  mutating func render(into contribution: inout [Int32]) {
    let source = prompt.samples
    for index in samples.indices {
      if position >= source.count, prompt.loops { position = 0 }
      samples[index] = position < source.count ? source[position] : 0
      position += 1
    }
    var span = contribution.mutableSpan
    let gain = isStopping ? .zero : Gain(factor: Double(prompt.gain))
    let samples = samples
    strip.render(samples.span, gain: gain, into: &span)
  }
}
