import AudioMixing
import Codecs
import EncodedMedia
import RawMedia
import Timing
import WebRTCTransport

/// Turns one distinct mix into packets: limiter, Opus, and next to nothing while it is silent.
final class MixEncoder {
  let output: OutputID
  /// Ticks a packet lasts.
  let ticksPerPacket: Int
  private let encoder: OpusEncoder
  private var limiter: Limiter
  /// One tick before and one packet after the limiter.
  private var mix: [Int32]
  private var limited: [Int16]
  private var tick: [Int16]
  private var pool = FrameBufferPool(capacity: 80, bytesReserved: OpusEncoder.packetSizeMax)
  private var silentTicks = 0
  private let mayCarryFEC: Bool
  private let isSpeech: Bool
  private let isContinuous: Bool
  /// What is sent while the encoder rests: the first byte of a packet, with nothing behind it (RFC 6716 section 3.1).
  private var pause: FrameBuffer?

  /// From which rate on the waveform is coded.
  private static let waveformBitsMin = 16_000
  /// After so much silence the encoder rests. Only for silence that lasts: by itself, libopus takes music and steady tones for
  /// pauses too, and a pause between words is better heard through than begun anew after.
  private static let ticksUntilRest = 50
  /// While it rests, a packet every 480 ms says that the stream is there: a multiple of every packet's length.
  private static let ticksBetweenPauses: Int64 = 24

  /// - Parameters:
  ///   - output: where its packets go.
  ///   - rendition: its `ptime` a number of ticks that `OpusEncoder.canPacketLast` allows.
  init(output: OutputID, rendition: SoundRendition, channelCount: Int, mode: AudioSettings.Mode) throws {
    self.output = output
    let settings = rendition.output
    ticksPerPacket = settings.ptime / AudioFormat.millisecondsPerTick
    // Not as for a microphone: what is mixed has passed a talker's own encoder, whose filter need not come twice.
    encoder = try OpusEncoder(
      channelCount: channelCount, application: .music,
      settings: .init(
        bitsPerSecond: settings.bitrate, playbackRateMax: rendition.playbackRateMax, isMono: rendition.isMono))
    isContinuous = rendition.isContinuous
    isSpeech = mode == .speech
    mayCarryFEC = settings.fec
    limiter = Limiter(channelCount: channelCount)
    let tickCount = AudioFormat.samplesPerTick * channelCount
    mix = [Int32](repeating: 0, count: tickCount)
    tick = [Int16](repeating: 0, count: tickCount)
    limited = [Int16](repeating: 0, count: tickCount * ticksPerPacket)
    adaptToLoss()
  }

  /// Share of packets, in percent, that receivers lose who are sent no copies (RFC 2198).
  var lossPercent = 0 { didSet { if lossPercent != oldValue { adaptToLoss() } } }

  /// Whether anybody in the mix has frequencies from 8 kHz on: bits for bands that are empty are better spent on the others.
  var isFullBand: Bool {
    get { encoder.settings.isFullBand }
    set {
      encoder.settings.isFullBand = newValue
      adaptToLoss()
    }
  }

  /// In-band redundancy only where something is lost, for it takes its share of the bits. Without it, coding the waveform keeps
  /// more of sound that was coded before: at 32 kb/s in wide band PESQ-WB falls by 0.13 where the voice's model loses 0.35, in a
  /// third of the time.
  private func adaptToLoss() {
    let hasFEC = mayCarryFEC && lossPercent > 0
    var settings = encoder.settings
    settings.hasFEC = hasFEC
    settings.expectedLossPercent =
      hasFEC
      ? OpusEncoder.expectedLoss(
        covering: lossPercent, bitsPerSecond: settings.bitsPerSecond, isFullBand: settings.isFullBand) : 0
    if hasFEC {
      settings.model = .voice
    } else if settings.bitsPerSecond >= Self.waveformBitsMin {
      settings.model = .waveform
    } else {
      settings.model = isSpeech ? .voice : .automatic
    }
    encoder.settings = settings
  }

  /// Whether a packet ends with this tick. All encoders of one length end theirs together.
  func endsPacket(_ tick: Int64) -> Bool { (tick &+ 1) % Int64(ticksPerPacket) == 0 }

  /// Encodes what the receivers heard just before from another encoder, and sends nothing: the predictor of this one then starts
  /// where their decoders are.
  ///
  /// - Parameter tick: the one that ends the packet to be encoded next.
  func prime(from history: borrowing MixHistory, endingAt tick: Int64, without excluded: MixHistory.SlotSet) {
    limiter.reset()
    encoder.reset()
    limit(history, tick &- Int64(ticksPerPacket), excluded, at: 0)
    let samples = Array(limited[0..<self.tick.count])
    _ = pool.make { bytes in _ = try? encoder.encode(samples.span, into: &bytes) }
    silentTicks = 0
  }

  /// Whether it was silent for so long that it sends nothing but a pause now and then.
  var isResting: Bool { silentTicks > Self.ticksUntilRest && pause != nil && !isContinuous }

  /// The next tick after one that is to be encoded; while it rests, those between would send nothing.
  func nextDue(after tick: Int64) -> Int64 {
    guard isResting else { return tick &+ 1 }
    let past = (tick &+ 2 &+ pauseOffset) % Self.ticksBetweenPauses
    return tick &+ 1 &+ (past == 0 ? 0 : Self.ticksBetweenPauses - past)
  }

  /// So many ticks were left out in which it rested.
  func rest(ticks: Int64) { silentTicks = silentTicks &+ Int(ticks) }

  /// Not all outputs of a server at once.
  private var pauseOffset: Int64 { Int64(output.rawValue % 4) * 6 }

  /// Goes on from where another encoder is, whose last packet the receivers heard just before: nothing of the change is heard.
  func `continue`(after other: MixEncoder) {
    limiter.resume(from: other.limiter)
    encoder.reset()
    let samples = Array(other.limited.suffix(tick.count))
    _ = pool.make { bytes in _ = try? encoder.encode(samples.span, into: &bytes) }
    // Silence as long as the other's, but for the one packet that the pause is made of.
    silentTicks = min(other.silentTicks, Self.ticksUntilRest - ticksPerPacket)
  }

  /// The packet that ends with a tick; nil where silence needs none.
  ///
  /// - Parameters:
  ///   - tick: counts 20 ms periods; the timestamp follows from it, so that all mixes share one clock.
  ///   - due: the instant of the tick.
  ///   - isSilent: whether nobody is in the mix.
  func encode(
    _ history: borrowing MixHistory, endingAt tick: Int64, without excluded: MixHistory.SlotSet, isSilent: Bool, due: Instant,
    contributors: ContributorList
  ) -> EncodedFrame? {
    silentTicks = isSilent ? silentTicks &+ ticksPerPacket : 0
    guard let packet = packet(history, endingAt: tick, without: excluded) else { return nil }
    let before = Int64(ticksPerPacket &- 1)
    return EncodedFrame(
      codec: .opus, payload: packet,
      timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: (tick &- before) &* Int64(AudioFormat.samplesPerTick))),
      time: due - .milliseconds(before * Int64(AudioFormat.millisecondsPerTick)), contributors: contributors)
  }

  private func packet(
    _ history: borrowing MixHistory, endingAt tick: Int64, without excluded: MixHistory.SlotSet
  ) -> FrameBuffer? {
    if isResting, let pause {
      let isFirst = silentTicks - ticksPerPacket <= Self.ticksUntilRest
      return isFirst || (tick &+ 1 &+ pauseOffset) % Self.ticksBetweenPauses == 0 ? pause : nil
    }
    for index in 0..<ticksPerPacket {
      limit(history, tick &- Int64(ticksPerPacket &- 1 &- index), excluded, at: index)
    }
    var isSent = false
    let samples = limited
    let packet = pool.make { bytes in
      isSent = (try? encoder.encode(samples.span, into: &bytes)).map { $0 != .discontinuous } ?? false
    }
    guard isSent else { return nil }
    if silentTicks <= Self.ticksUntilRest, silentTicks + ticksPerPacket > Self.ticksUntilRest {
      pause = packet.bytes.first.map { FrameBuffer([$0 & 0b1111_1100]) }
    }
    return packet
  }

  private func limit(_ history: borrowing MixHistory, _ tick: Int64, _ excluded: MixHistory.SlotSet, at index: Int) {
    var room = mix.mutableSpan
    history.mix(of: tick, without: excluded, into: &room)
    var samples = self.tick.mutableSpan
    limiter.process(mix.span, into: &samples)
    let start = index * self.tick.count
    for offset in self.tick.indices { limited[start + offset] = self.tick[offset] }
  }
}
