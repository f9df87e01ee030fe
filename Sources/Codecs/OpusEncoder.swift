import COpus
import RawMedia

/// Encodes 48 kHz audio to Opus packets (RFC 6716) of 20, 40, 60 or 120 ms.
///
/// Not to be used by two threads at once. Encoding allocates nothing once the caller's buffer has grown.
package final class OpusEncoder: @unchecked Sendable {
  // Unchecked because of the C handle, which may move between threads but not be shared by them.

  /// What may change while encoding.
  package struct Settings: Hashable, Sendable {
    /// Target in bits per second; held to 6000...510000.
    package var bitsPerSecond: Int
    /// 0 (least work) to 10.
    package var complexity: Int
    /// Adds a coarse copy of each frame to the packet after it, when loss is expected and the bit rate allows.
    package var hasFEC: Bool
    /// 0 to 100: how much redundancy to spend.
    package var expectedLossPercent: Int
    /// How sound is coded.
    package var model: Model
    /// Whether frequencies from 8 kHz on are coded, where the rate allows.
    package var isFullBand: Bool
    /// Falls silent in silence: such frames are answered with `.discontinuous` but for one in 400 ms.
    package var hasDTX: Bool
    /// What is above half of it is left out: 8 000 to 48 000 Hz.
    package var playbackRateMax: Int
    /// Whether two channels are sent as one.
    package var isMono: Bool

    package init(
      bitsPerSecond: Int = 32_000, complexity: Int = 5, hasFEC: Bool = true, expectedLossPercent: Int = 5,
      model: Model = .automatic, isFullBand: Bool = true, hasDTX: Bool = false,
      playbackRateMax: Int = 48_000, isMono: Bool = false
    ) {
      self.bitsPerSecond = bitsPerSecond
      self.complexity = complexity
      self.hasFEC = hasFEC
      self.expectedLossPercent = expectedLossPercent
      self.model = model
      self.isFullBand = isFullBand
      self.hasDTX = hasDTX
      self.playbackRateMax = playbackRateMax
      self.isMono = isMono
    }
  }

  package enum Model: Hashable, Sendable {
    /// As libopus judges.
    case automatic
    /// A model of the voice and what it leaves (SILK, RFC 6716 section 4.2), with in-band redundancy where that is wanted.
    case voice
    /// The waveform (CELT, section 4.3), with each frame as many bits as it is worth. Keeps more of what was coded before, takes a
    /// third of the time, and there is no in-band redundancy in it.
    case waveform
  }

  /// What to tell the encoder of a loss that is to be covered by in-band redundancy, for it sizes the copies by that.
  ///
  /// More than this takes more from the sound than copies give back, at any loss up to 30 % (PESQ-WB of read speech at 32 kb/s: in
  /// wide band with 1 % lost 4.29 told 5 %, 4.21 told 10 %; with 20 % lost 2.91 told 10 %, 2.78 told 20 %). In full band libopus makes
  /// none told 5 %.
  ///
  /// - Parameter percent: of packets, as reported.
  package static func expectedLoss(covering percent: Int, bitsPerSecond: Int, isFullBand: Bool) -> Int {
    // At lower rates libopus makes none told 5 % in wide band either.
    if bitsPerSecond < 32_000 { return min(max(percent, 10), 30) }
    return isFullBand ? 10 : min(max(percent / 2, 5), 10)
  }

  /// What the encoder is tuned for.
  package enum Application: Hashable, Sendable {
    /// Speech from a microphone: what is too low for a voice is taken out.
    case speech
    /// Everything, as it is.
    case music
  }

  /// What became of a frame.
  package enum Outcome: Hashable, Sendable {
    /// A packet of so many bytes was appended.
    case packet(byteCount: Int)
    /// Silence under DTX: nothing was appended and nothing is to be sent. The RTP timestamp goes on, the sequence number does not.
    case discontinuous
  }

  package let channelCount: Int
  /// Takes effect with the next frame.
  package var settings: Settings { didSet { if settings != oldValue { apply() } } }
  private let handle: OpaquePointer

  /// What a packet is held to, so that it goes into one datagram with its headers; more would be needed from 440 kb/s on at
  /// 20 ms, and from 73 kb/s on at 120 ms.
  package static let packetSizeMax = 1100
  /// Whether a packet may last so many ticks of 20 ms (RFC 6716 section 3.1 and 3.2.5).
  package static func canPacketLast(ticks: Int) -> Bool {
    switch ticks {
    case 1, 2, 3, 6: true
    default: false
    }
  }

  /// - Parameter channelCount: 1 or 2, interleaved.
  package init(
    channelCount: Int, application: Application = .speech, settings: Settings = Settings()
  ) throws(CodecError) {
    guard channelCount == 1 || channelCount == 2 else { throw .wrongSize }
    var status: Int32 = 0
    let rate = Int32(AudioFormat.sampleRate)
    let tuning = application == .speech ? OPUS_APPLICATION_VOIP : OPUS_APPLICATION_AUDIO
    guard let handle = opus_encoder_create(rate, Int32(channelCount), tuning, &status), status == OPUS_OK
    else { throw .unavailable(.opusEncoder) }
    self.handle = handle
    self.channelCount = channelCount
    self.settings = settings
    apply()
  }

  deinit { opus_encoder_destroy(handle) }

  /// By how many samples decoded audio lags behind what went in (312 at 48 kHz).
  package var lookaheadSamples: Int {
    var samples: Int32 = 0
    return tutti_opus_get_lookahead(handle, &samples) == OPUS_OK ? Int(samples) : 0
  }

  /// Encodes what goes into one packet and appends it.
  ///
  /// - Parameter samples: 960 for each channel, interleaved, times a number of ticks that `canPacketLast` allows.
  /// - Throws: `wrongSize` for any other count.
  package func encode(_ samples: Span<Int16>, into bytes: inout [UInt8]) throws(CodecError) -> Outcome {
    let ticks = samples.count / (AudioFormat.samplesPerTick * channelCount)
    guard Self.canPacketLast(ticks: ticks), samples.count == ticks * AudioFormat.samplesPerTick * channelCount else {
      throw .wrongSize
    }
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: Self.packetSizeMax))
    let count = samples.withUnsafeBufferPointer { input in
      bytes.withUnsafeMutableBufferPointer { output -> Int in
        guard let base = output.baseAddress, let source = input.baseAddress else { return -1 }
        let frameSize = Int32(ticks * AudioFormat.samplesPerTick)
        return Int(opus_encode(handle, source, frameSize, base + start, Int32(Self.packetSizeMax)))
      }
    }
    let isSent = count > 2 || (count > 0 && !settings.hasDTX)
    bytes.removeLast(Self.packetSizeMax - (isSent ? count : 0))
    if count < 0 { throw .unavailable(.opusEncoder) }
    return isSent ? .packet(byteCount: count) : .discontinuous
  }

  /// Forgets what was encoded before, as when the encoder is given to another mix.
  package func reset() {
    _ = tutti_opus_reset_encoder(handle)
    apply()
  }

  private func apply() {
    // All values are held to what the library takes, so that none of these can fail.
    _ = tutti_opus_set_bitrate(handle, Int32(min(max(targetBits, 6_000), 510_000)))
    _ = tutti_opus_set_vbr_constraint(handle, settings.model == .waveform ? 0 : 1)
    _ = tutti_opus_set_max_bandwidth(handle, bandwidthMax)
    _ = tutti_opus_set_force_channels(handle, settings.isMono ? 1 : OPUS_AUTO)
    _ = tutti_opus_set_complexity(handle, Int32(min(max(settings.complexity, 0), 10)))
    _ = tutti_opus_set_inband_fec(handle, settings.hasFEC ? 1 : 0)
    _ = tutti_opus_set_packet_loss(handle, Int32(min(max(settings.expectedLossPercent, 0), 100)))
    _ = tutti_opus_set_signal(handle, signal)
    _ = tutti_opus_set_dtx(handle, settings.hasDTX ? 1 : 0)
  }

  private var bandwidthMax: Int32 {
    switch settings.playbackRateMax {
    case ..<12_000: OPUS_BANDWIDTH_NARROWBAND
    case ..<16_000: OPUS_BANDWIDTH_MEDIUMBAND
    case ..<24_000: OPUS_BANDWIDTH_WIDEBAND
    case _ where !settings.isFullBand: OPUS_BANDWIDTH_WIDEBAND
    case ..<48_000: OPUS_BANDWIDTH_SUPERWIDEBAND
    default: OPUS_BANDWIDTH_FULLBAND
    }
  }

  private var signal: Int32 {
    switch settings.model {
    case .automatic: OPUS_AUTO
    case .voice: OPUS_SIGNAL_VOICE
    case .waveform: OPUS_SIGNAL_MUSIC
    }
  }

  /// Without its constraint libopus spends more on speech than it is told, at these rates 6 % in wide band and 14 % in full.
  private var targetBits: Int {
    guard settings.model == .waveform, settings.bitsPerSecond <= 64_000 else { return settings.bitsPerSecond }
    return settings.bitsPerSecond * (settings.isFullBand ? 88 : 95) / 100
  }
}
