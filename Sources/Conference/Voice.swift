import AudioMixing
import Codecs
import EncodedMedia
import Playout
import RawMedia
import Synchronization
import Timing

/// One participant's sound within a mix: from encoded frames to the 20 ms of samples due now.
///
/// Belongs to the mix loop; nothing here is touched by another thread but the mailbox inside `media`.
final class Voice {
  let media: ParticipantMedia
  /// The tick's samples, interleaved, after muting and gain: exactly what is added to the mix and taken out of it again.
  private(set) var samples: [Int16]
  /// Level of the samples, in -dBov.
  private(set) var level: UInt8 = 127
  /// The SSRC the frames came under; nil before the first.
  private(set) var source: SSRC?
  private let channelCount: Int
  private var buffer = PlayoutBuffer()
  private var receiver: OpusReceiver
  private var ramp = GainRamp()
  private var meter = LevelMeter()
  private var frames: [EncodedFrame] = []
  private var steps: [PlayoutStep] = []

  init(media: ParticipantMedia, channelCount: Int) throws {
    self.media = media
    self.channelCount = channelCount
    receiver = try OpusReceiver(channelCount: channelCount)
    samples = [Int16](repeating: 0, count: AudioFormat.samplesPerTick * channelCount)
  }

  /// Makes `samples` what is due at `due`.
  func advance(to due: Instant) {
    media.audio.collect(into: &frames)
    for frame in frames { buffer.insert(frame) }
    source = frames.last?.source ?? source
    frames.removeAll(keepingCapacity: true)
    steps.removeAll(keepingCapacity: true)
    buffer.pull(at: due, into: &steps)
    for step in steps { carryOut(step) }
    var span = samples.mutableSpan
    let sounds = receiver.take(into: &span)
    ramp.target = media.audioMuted.load(ordering: .relaxed) ? .zero : Gain(factor: Double(media.gain))
    if sounds { ramp.apply(to: &span, channelCount: channelCount) }
    level = meter.measure(samples.span)
    media.level.store(meter.smoothed, ordering: .relaxed)
  }

  private func carryOut(_ step: PlayoutStep) {
    switch step {
    case .play(let frame, let count): receiver.play(frame, sampleCount: count)
    case .accelerate(let frame, let count, let cut): receiver.play(frame, sampleCount: count, cutting: cut)
    case .conceal(let count, let following): receiver.conceal(count, following: following)
    case .expand(let count): receiver.conceal(count)
    case .skip: receiver.skip()
    case .silence(let count): receiver.silence(count)
    }
  }

  /// Tells the statistics what was measured so far.
  func report() {
    let statistics = buffer.statistics
    let perTick = AudioFormat.samplesPerTick
    media.noteAudio(
      .init(
        playoutDelayMilliseconds: statistics.delay.milliseconds, framesLate: statistics.late,
        ticksConcealed: (statistics.concealedSamples + statistics.underrunSamples) / perTick))
  }
}
