import AudioMixing
import Bytes
import Codecs
import EncodedMedia
import NoiseSuppression
import Playout
import RawMedia
import Synchronization
import Timing

/// One participant's sound within a mix: from encoded frames to the 20 ms of samples due now, decoded only where it matters.
///
///     advance ─▶ playout ─▶ stated level ─▶ ListeningPolicy ─▶ Preroll, undecoded
///                                                          └─▶ decode ─▶ level ─▶ gate
///     render  ─▶ gains ─▶ what is added to the mix
///
/// Belongs to the mix loop; nothing here is touched by another thread but the mailbox inside `media`.
final class Voice {
  // First what every tick needs, whether or not it is listened to.
  let media: ParticipantMedia
  /// Level of the tick, in -dBov: measured where it was decoded, else as stated by the sender.
  private(set) var level: UInt8 = 127
  /// Judges whether he speaks.
  private(set) var gate = VoiceGate(settings: .init(opensAbove: 9, staysAbove: 4, quietest: 70, hold: .milliseconds(800)))
  /// The SSRC the frames came under; nil before the first.
  private(set) var source: SSRC?
  private var buffer = PlayoutBuffer()
  private var policy: ListeningPolicy
  private var preroll = Preroll()
  private var meter = LevelMeter()
  private var frames: [EncodedFrame] = []
  private var steps: [PlayoutStep] = []
  /// What the sender said of the frame being played: nil where he said nothing.
  private var stated: UInt8? = 127
  private var isDecoding = false
  /// When the last frame came; and when one was taken in without a tick, which may be a run-up yet.
  private var lastFrame: Instant?
  private var absorbed: Instant?
  /// What `render` made of the tick: just what is added to the mix and taken out of it again, interleaved.
  private(set) var contribution: [Int32]
  /// The tick's samples as decoded, interleaved.
  private var samples: [Int16]
  /// Ticks decoded since the start, the pre-rolls included.
  private(set) var decodedTicks = 0
  private var receiver: OpusReceiver
  private var strip: VoiceStrip
  /// Evens loudness out; nil where the sound is left as it comes.
  private var normalizer: LoudnessNormalizer?
  private var syllables = SyllableDetector()
  private var bandwidth: BandwidthDetector
  private var suppressor: NoiseSuppressor?
  private var share = AutoMixer.Share()

  /// Bytes of what every tick needs, about.
  private static let tickByteCount =
    160 + MemoryLayout<VoiceGate>.size + MemoryLayout<PlayoutBuffer>.size + MemoryLayout<ListeningPolicy>.size

  /// 120 ms, as much as `Preroll` holds.
  private static let runUpMax = Interval.milliseconds(Int64(Preroll.depth * AudioFormat.millisecondsPerTick))
  /// Frames so far apart are of a pause (DTX): nobody speaks in them, whatever is said of their level.
  private static let pauseMin = Interval.milliseconds(100)

  /// Enough for a decoder to be about as loud as it should be.
  private static let ticksBeforeLook = 2

  init(media: ParticipantMedia, settings: AudioSettings) throws {
    self.media = media
    // Noise is suppressed in one channel only.
    let channelCount = settings.noiseSuppression ? 1 : settings.channelCount
    bandwidth = BandwidthDetector(channelCount: channelCount)
    strip = VoiceStrip(inputChannelCount: channelCount, outputChannelCount: settings.channelCount)
    if settings.mode == .speech { normalizer = LoudnessNormalizer(channelCount: channelCount) }
    if settings.noiseSuppression { suppressor = NoiseSuppressor() }
    contribution = [Int32](repeating: 0, count: AudioFormat.samplesPerTick * settings.channelCount)
    receiver = try OpusReceiver(channelCount: channelCount)
    policy = ListeningPolicy(number: media.number)
    samples = [Int16](repeating: 0, count: AudioFormat.samplesPerTick * channelCount)
  }

  /// Asks for the memory of voices whose turn comes soon: of one some way ahead for what lies in it, of the next for what it leads to.
  static func prefetch(_ voices: [Voice], after index: Int) {
    if index &+ 3 < voices.count {
      Prefetch.memory(at: Prefetch.object(index &+ 3, in: voices), byteCount: tickByteCount)
    }
    guard index &+ 1 < voices.count else { return }
    voices[index &+ 1].media.audio.prefetch()
    voices[index &+ 1].buffer.prefetch()
  }

  /// Takes in what came, and decodes what is due at `due` if it is to be listened to.
  func advance(to due: Instant, tick: Int64) {
    collect()
    if let absorbed, due - absorbed > Self.runUpMax { preroll.clear() }
    absorbed = nil
    let carried = buffer.carriedSamples
    buffer.pull(at: due, into: &steps)
    keepWithPicture(carried: carried, at: due)
    noteStatedLevel()
    if media.isSilenced {
      gate.close()
      leave(carried: carried)
      level = 127
    } else {
      switch policy.judge(stated: stated, gate: gate, tick: tick, at: due) {
      case .leave:
        leave(carried: carried)
        level = stated ?? 127
      case .decode:
        decode(carried: carried)
        policy.compare(stated: stated, measured: level, at: due)
      case .look:
        decode(carried: carried, after: Self.ticksBeforeLook)
        if !policy.compare(stated: stated, measured: level, at: due) { isDecoding = false }
      }
      gate.update(level: level, at: due)
      if isDecoding { normalize(at: due) }
    }
    if !isDecoding { meter.observe(level) }
    media.level.store(meter.smoothed, ordering: .relaxed)
  }

  /// Takes in what came while the room slept.
  ///
  /// - Returns: whether that is nothing, or a frame of a pause, for which no tick is needed.
  func absorb(at due: Instant, tick: Int64) -> Bool {
    let lastFrame = lastFrame
    guard let first = collect() else { return true }
    guard let stated = first.audioLevel, policy.leaves(stated: stated, gate: gate, tick: tick, at: due), let lastFrame,
      first.time - lastFrame >= Self.pauseMin, let (frame, count, playout) = buffer.absorb(at: due)
    else { return false }
    if let captured = frame.captureTime { tellPicture(captured, at: playout) }
    // Who speaks up now is decoded from here on.
    isDecoding = false
    preroll.clear()
    steps.append(.play(frame, sampleCount: count))
    preroll.keep(&steps, carried: 0)
    absorbed = due
    return true
  }

  /// Takes in what came.
  ///
  /// - Returns: the first of it.
  @discardableResult
  private func collect() -> EncodedFrame? {
    media.audio.collect(into: &frames)
    defer { frames.removeAll(keepingCapacity: true) }
    for frame in frames { buffer.insert(frame) }
    guard let last = frames.last else { return nil }
    source = last.source
    lastFrame = last.time
    return frames.first
  }

  /// Whether nothing waits to be played and he neither speaks nor did just before.
  var isAtRest: Bool {
    !buffer.isPlaying && buffer.count == 0 && !gate.isOpen && !media.speaking.load(ordering: .relaxed) && meter.smoothed > 50
  }

  /// There will be no ticks until something comes; what was before is no run-up to that.
  func sleep() { preroll.clear() }

  /// Tells the picture when the sound that belongs to it leaves, and waits for it where it is later than the sound.
  private func keepWithPicture(carried: Int, at due: Instant) {
    var ahead = carried
    for step in steps {
      switch step {
      case .play(let frame, _), .accelerate(let frame, _, _):
        guard let captured = frame.captureTime else { return }
        let wait = Interval.ticks(Int64(ahead), at: 48_000)
        return tellPicture(captured, at: due + wait)
      case .conceal(let count, _), .expand(let count), .silence(let count): ahead += count
      case .skip, .catchUp: break
      }
    }
  }

  private func tellPicture(_ captured: NTPTime, at time: Instant) {
    buffer.delayMin = media.video.soundPlayed(captured, at: time, delay: buffer.statistics.delay)
  }

  /// The level that goes with what this tick plays; that of a long packet holds for all its ticks.
  private func noteStatedLevel() {
    var loudest: UInt8?
    for step in steps {
      switch step {
      case .play(let frame, _), .accelerate(let frame, _, _):
        guard let level = frame.audioLevel else {
          stated = nil
          return
        }
        loudest = min(loudest ?? level, level)
      case .silence: loudest = min(loudest ?? 127, 127)
      case .conceal, .catchUp, .expand, .skip: break
      }
    }
    if let loudest { stated = loudest }
  }

  private func leave(carried: Int) {
    isDecoding = false
    buffer.measuredLevel = nil
    preroll.keep(&steps, carried: carried)
  }

  /// Makes `samples` what is due, with what was left undecoded just before as a run-up.
  ///
  /// - Parameter runUp: ticks of it.
  private func decode(carried: Int, after runUp: Int = Preroll.depth) {
    if !isDecoding {
      isDecoding = true
      receiver.reset()
      var isFirst = true
      preroll.drain(runUp) { tick in
        if tick.steps.isEmpty && isFirst { return }
        if isFirst { receiver.silence(tick.carried) }
        isFirst = false
        play(tick.steps)
      }
      if isFirst { receiver.silence(carried) }
    }
    play(steps)
    steps.removeAll(keepingCapacity: true)
    level = meter.measure(samples.span)
    buffer.measuredLevel = level
    let samples = samples
    bandwidth.observe(samples.span, power: meter.power)
  }

  private func play(_ steps: [PlayoutStep]) {
    for step in steps { receiver.carryOut(step) }
    var span = samples.mutableSpan
    _ = receiver.take(into: &span)
    suppressor?.process(&span)
    decodedTicks &+= 1
  }

  /// Follows his loudness while he speaks; what else is loud is left as it comes.
  private func normalize(at now: Instant) {
    let isSpeech = syllables.update(level: level, at: now)
    let samples = samples
    normalizer?.update(samples.span, isVoice: isSpeech && gate.isLoud)
  }

  /// He enters the mix with this tick: faded in.
  func enter() {
    strip.reset()
    share = AutoMixer.Share()
  }

  /// How loud he is to be but for the share of the mix he gets.
  private var gain: Gain { Gain(factor: Double(media.gain)) * (normalizer?.gain ?? .unity) }

  /// Takes part in the sharing of the mix's gain.
  func claim(_ mixer: inout AutoMixer) {
    let factor = gain.factor
    mixer.observe(meter.power * factor * factor, in: &share)
  }

  /// Makes `contribution` what the mix is to hear of this tick.
  ///
  /// - Parameters:
  ///   - isHeard: whether he stays in the mix; in his last tick he is faded out.
  ///   - mixer: says what share of the gain he has; nil for all of it.
  func render(isHeard: Bool, mixer: AutoMixer?, pan: Pan) {
    let whole = isHeard ? gain * (mixer?.gain(of: share) ?? .unity) : .zero
    var span = contribution.mutableSpan
    let samples = samples
    strip.render(samples.span, gain: whole, pan: pan, into: &span)
  }

  /// Whether his sound has frequencies from 8 kHz on.
  var isFullBand: Bool { bandwidth.isFullBand }

  /// Tells the statistics what was measured so far.
  func report() {
    media.noteAudio(.init(playout: buffer.statistics, ticksDecoded: decodedTicks))
  }
}
