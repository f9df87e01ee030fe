import AudioMixing
import Codecs
import EncodedMedia
import RawMedia
import Timing
import WebRTCTransport

/// Turns one distinct mix into packets: limiter, Opus, and nothing at all while it is silent.
final class MixEncoder {
  let output: OutputID
  private let encoder: OpusEncoder
  private var limiter: Limiter
  private var limited: [Int16]
  private var pool = FrameBufferPool(capacity: 80, bytesReserved: OpusEncoder.packetSizeMax)
  private var silentTicks = 0

  /// After so much silence the encoder rests; its DTX frames come every 400 ms from then on.
  private static let ticksUntilRest = 50
  private static let ticksBetweenComfortFrames = 20

  init(output: OutputID, settings: AudioSettings) throws {
    self.output = output
    let channelCount = settings.stereo ? 2 : 1
    encoder = try OpusEncoder(
      channelCount: channelCount, settings: .init(bitsPerSecond: settings.bitrate, hasFEC: true, expectedLossPercent: 5))
    limiter = Limiter(channelCount: channelCount)
    limited = [Int16](repeating: 0, count: AudioFormat.samplesPerTick * channelCount)
  }

  /// Encodes a tick of what receivers heard until now from another encoder, and sends nothing: the predictor of this one then
  /// starts where the decoders are.
  func prime(with mix: Span<Int32>) {
    limiter.reset()
    encoder.reset()
    _ = encode(mix)
    silentTicks = 0
  }

  /// The tick as a frame to be sent; nil where silence needs none.
  ///
  /// - Parameters:
  ///   - tick: counts 20 ms periods; the timestamp follows from it, so that all mixes share one clock.
  ///   - isSilent: whether nobody is in the mix.
  func encode(
    _ mix: Span<Int32>, isSilent: Bool, tick: Int64, due: Instant, contributors: ContributorList
  ) -> EncodedFrame? {
    silentTicks = isSilent ? silentTicks + 1 : 0
    // Only for silence that lasts: by itself the encoder takes music and steady tones for pauses too, and a pause between words
    // is better heard through than begun anew after.
    encoder.settings.hasDTX = silentTicks > Self.ticksUntilRest
    if silentTicks > 2 * Self.ticksUntilRest, silentTicks % Self.ticksBetweenComfortFrames != 0 { return nil }
    guard let packet = encode(mix) else { return nil }
    return EncodedFrame(
      codec: .opus, payload: packet,
      timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: tick &* Int64(AudioFormat.samplesPerTick))), time: due,
      contributors: contributors)
  }

  /// The packet, or nil where discontinuous transmission leaves it out.
  private func encode(_ mix: Span<Int32>) -> FrameBuffer? {
    var room = limited.mutableSpan
    limiter.process(mix, into: &room)
    var isSent = false
    let samples = limited
    let packet = pool.make { bytes in
      isSent = (try? encoder.encode(samples.span, into: &bytes)).map { $0 != .discontinuous } ?? false
    }
    return isSent ? packet : nil
  }
}
