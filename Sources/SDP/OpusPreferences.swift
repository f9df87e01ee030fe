/// How a receiver wants its Opus, as far as it says so in `a=fmtp` (RFC 7587 section 6.1).
public struct OpusPreferences: Hashable, Sendable {
  /// `maxaveragebitrate`, 6 000 to 510 000 bits per second; nil where it is not said. Other values are to be ignored.
  public var bitsPerSecondMax: Int?
  /// `maxplaybackrate`: what is above half of it is not played, 8 000 to 48 000 Hz; nil where it is not said.
  public var playbackRateMax: Int?
  /// `stereo=0`: a second channel is of no use. Where nothing is said, the sender decides: every receiver decodes both.
  public var prefersMono = false
  /// `usedtx=0`: packets are to come in silence too. Where nothing is said, the sender decides.
  public var prefersContinuous = false
  /// `useinbandfec=1`: copies of the frame before are made use of.
  public var usesInBandFEC = false

  public init() {}

  public init(_ parameters: FormatParameters) {
    bitsPerSecondMax = parameters.number("maxaveragebitrate").flatMap { (6_000...510_000).contains($0) ? $0 : nil }
    playbackRateMax = parameters.number("maxplaybackrate").flatMap { (8_000...48_000).contains($0) ? $0 : nil }
    prefersMono = parameters["stereo"] == "0"
    prefersContinuous = parameters["usedtx"] == "0"
    usesInBandFEC = parameters.flag("useinbandfec")
  }
}
