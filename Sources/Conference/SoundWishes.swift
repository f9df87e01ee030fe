import WebRTCTransport

/// How a receiver wants his sound, as far as his offer says so: `b=` (RFC 8866), `a=ptime`, `a=maxptime`, and the parameters of Opus
/// (RFC 7587).
package struct SoundWishes: Hashable, Sendable {
  /// Bits per second of Opus alone at most; nil where he does not say.
  package var bitsPerSecondMax: Int?
  /// Bits per second with all headers at most; nil where he does not say.
  package var wireBitsPerSecondMax: Int?
  /// Milliseconds a packet lasts at least, and at most.
  package var packetTimes = 20...120
  /// What is above half of it he does not play, in Hz.
  package var playbackRateMax = 48_000
  package var prefersMono = false
  /// Whether packets are to come in silence too.
  package var prefersContinuous = false
  /// Whether he makes use of the copies that in-band redundancy sends.
  package var usesInBandFEC = true

  package init() {}

  init(_ setup: PeerSetup) {
    guard let line = setup.soundLine else { return }
    let opus = setup.opusPreferences
    bitsPerSecondMax = [opus.bitsPerSecondMax, line.sendLimit.payload].compactMap { $0 }.min()
    let share = setup.sendCodec(.video) == nil ? 1 : PeerSetup.soundShare
    let ofAll = setup.bitsPerSecondMax.all.map { Int(Double($0) * share) }
    wireBitsPerSecondMax = [line.sendLimit.onWire, ofAll].compactMap { $0 }.min()
    let longest = AudioOutputSettings.ptimes.last { $0 * 1_000 <= line.maxPacketTimeMicroseconds } ?? 20
    packetTimes =
      (AudioOutputSettings.ptimes.last { $0 * 1_000 <= line.packetTimeMicroseconds && $0 <= longest } ?? 20)...longest
    playbackRateMax = opus.playbackRateMax ?? 48_000
    prefersMono = opus.prefersMono
    prefersContinuous = opus.prefersContinuous
    usesInBandFEC = opus.usesInBandFEC
  }

  /// Rates that an output is brought down to: few, so that receivers of about the same wish share an encode.
  private static let rates = [
    6_000, 8_000, 10_000, 12_000, 16_000, 20_000, 24_000, 32_000, 40_000, 48_000, 64_000, 96_000, 128_000, 192_000,
  ]
  /// Those that Opus codes up to half of (RFC 6716 section 2.1.3).
  private static let playbackRates = [8_000, 12_000, 16_000, 24_000, 48_000]
  /// Rather than below this, packets become longer.
  private static let comfortableRate = 16_000

  /// How he is given an output of the room.
  func rendition(of output: AudioOutputSettings) -> SoundRendition {
    var rendition = SoundRendition(output)
    rendition.output.ptime = min(max(output.ptime, packetTimes.lowerBound), packetTimes.upperBound)
    if let limit = wireBitsPerSecondMax { fit(&rendition.output, limit) }
    if let limit = bitsPerSecondMax { Self.lower(&rendition.output.bitrate, to: limit) }
    rendition.playbackRateMax = Self.playbackRates.last { $0 <= playbackRateMax } ?? 8_000
    rendition.isMono = prefersMono
    rendition.isContinuous = prefersContinuous
    return rendition
  }

  /// Brings an output below what may be on the wire: by longer packets before it sounds poor, then by fewer bits.
  private func fit(_ output: inout AudioOutputSettings, _ limit: Int) {
    let wanted = min(output.bitrate, Self.comfortableRate)
    for ptime in AudioOutputSettings.ptimes where ptime > output.ptime && ptime <= packetTimes.upperBound {
      if limit - RenditionChoice.headerRate(ptime: output.ptime) >= wanted { break }
      output.ptime = ptime
    }
    Self.lower(&output.bitrate, to: limit - RenditionChoice.headerRate(ptime: output.ptime))
  }

  private static func lower(_ bitrate: inout Int, to limit: Int) {
    guard bitrate > limit else { return }
    bitrate = rates.last { $0 <= limit } ?? 6_000
  }
}
