import EncodedMedia
import RawMedia

/// One incoming Opus stream turned into 20 ms ticks of audio, whatever lengths its packets have.
///
/// Holds the decoder and the samples decoded but not yet taken. Its methods mirror the steps of a playout buffer, one for each;
/// all allocate nothing. Where a packet cannot be decoded, concealment of its length takes its place.
package struct OpusReceiver: ~Copyable {
  package let channelCount: Int
  /// Packets that could not be decoded.
  package private(set) var malformedCount = 0
  private let decoder: OpusDecoder
  private var queue: SampleQueue
  private var scratch: [Int16]
  /// Whether what was queued last is sound, so that silence is to be faded to.
  private var hasSounded = false

  /// 5 ms: how long a cut is faded over.
  private static let fadeSamples = 240

  /// - Parameter channelCount: 1 or 2, what is to come out.
  package init(channelCount: Int) throws(CodecError) {
    decoder = try OpusDecoder(channelCount: channelCount)
    self.channelCount = channelCount
    // What one tick leaves over, less than 20 ms rounded up to 2.5, and a packet of 120 ms behind it.
    queue = SampleQueue(capacity: 2 * OpusDecoder.samplesPerPacketMax, fadeCount: Self.fadeSamples, channelCount: channelCount)
    scratch = [Int16](repeating: 0, count: OpusDecoder.samplesPerPacketMax * channelCount)
  }

  /// Decodes a frame.
  ///
  /// - Parameters:
  ///   - sampleCount: samples a channel the frame is known to last, concealed where it cannot be decoded.
  ///   - cut: samples a channel to leave out of its end, so as to play sooner; what follows is faded in.
  package mutating func play(_ frame: EncodedFrame, sampleCount: Int, cutting cut: Int = 0) {
    let bytes = frame.payload.bytes
    let decoder = decoder
    var room = scratch.mutableSpan
    guard let count = try? decoder.decode(bytes.span, into: &room) else {
      malformedCount &+= 1
      return conceal(sampleCount)
    }
    queue.append(scratch, count: count, cutting: cut)
    hasSounded = true
  }

  /// Fills a gap of `sampleCount` samples a channel: from the redundancy in the frame that follows it, else by extrapolation.
  package mutating func conceal(_ sampleCount: Int, following: EncodedFrame? = nil) {
    let decoder = decoder
    var room = scratch.mutableSpan
    var count: Int?
    if let following {
      let bytes = following.payload.bytes
      count = try? decoder.recover(sampleCount, from: bytes.span, into: &room)
    } else {
      count = try? decoder.conceal(sampleCount, into: &room)
    }
    guard let count else { return silence(sampleCount) }
    queue.append(scratch, count: count, cutting: 0)
    hasSounded = true
  }

  /// Frames were passed over: what follows does not continue what was heard, and is faded in.
  package mutating func skip() {
    let decoder = decoder
    var room = scratch.mutableSpan
    guard let count = try? decoder.conceal(Self.fadeSamples, into: &room) else { return }
    queue.append(scratch, count: count, cutting: count)
  }

  /// Nobody speaks, or nothing is known of it: silence, into which what was heard before fades.
  package mutating func silence(_ sampleCount: Int) {
    if hasSounded { skip() }
    hasSounded = false
    queue.appendSilence(min(sampleCount, OpusDecoder.samplesPerPacketMax))
  }

  /// Takes the next samples; what is missing is silence.
  ///
  /// - Parameter samples: 960 for each channel, interleaved.
  /// - Returns: whether any of them is more than silence.
  package mutating func take(into samples: inout MutableSpan<Int16>) -> Bool { queue.take(into: &samples) }

  /// Forgets the stream so far, as after its SSRC changed or it was not listened to for a while.
  package mutating func reset() {
    decoder.reset()
    queue.removeAll()
    hasSounded = false
  }
}
