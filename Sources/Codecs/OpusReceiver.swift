import EncodedMedia
import RawMedia

/// One incoming Opus stream turned into 20 ms ticks of audio, whatever lengths its packets have.
///
/// Holds the decoder and the samples decoded but not yet taken. Its methods mirror the steps of a playout buffer, one for each;
/// all allocate nothing. Where a packet cannot be decoded, concealment of its length takes its place.
///
/// What a buffer asks to be taken out or put in is owed, and made good as samples are taken: by whole pitch periods where the
/// sound allows, by the exact amount where it is quiet, and in any case before it comes to 15 ms. So both count alike, though a
/// buffer counts in steps of 2.5 ms and voices do not.
package struct OpusReceiver: ~Copyable {
  package let channelCount: Int
  /// Packets that could not be decoded.
  package private(set) var malformedCount = 0
  private let decoder: OpusDecoder
  /// As the decoder was before it began to make up what had not come; made with the first such need.
  private var before: OpusDecoder?
  private var hasBefore = false
  private var queue: SampleQueue
  private var scratch: [Int16]
  /// Whether what was queued last is sound, so that silence is to be faded to.
  private var hasSounded = false
  private var stretcher: TimeStretcher

  /// Samples a channel more (or, below zero, fewer) than the steps carried out come to: -480 to about 960, mostly 0. They delay
  /// what is heard beyond what a playout buffer knows of.
  package private(set) var surplus = 0

  /// 10 ms: the most that may be owed, so that half a tick is left to make it from.
  private static let deficitMax = 480
  /// 5 ms: how long a cut is faded over.
  private static let fadeSamples = 240

  /// - Parameter channelCount: 1 or 2, what is to come out.
  package init(channelCount: Int) throws(CodecError) {
    decoder = try OpusDecoder(channelCount: channelCount)
    self.channelCount = channelCount
    // What one tick leaves over, less than 20 ms rounded up to 2.5, and a packet of 120 ms behind it.
    queue = SampleQueue(capacity: 2 * OpusDecoder.samplesPerPacketMax, fadeCount: Self.fadeSamples, channelCount: channelCount)
    stretcher = TimeStretcher(channelCount: channelCount)
    scratch = [Int16](repeating: 0, count: OpusDecoder.samplesPerPacketMax * channelCount)
  }

  /// Decodes a frame.
  ///
  /// - Parameters:
  ///   - sampleCount: samples a channel the frame is known to last, concealed where it cannot be decoded.
  ///   - cut: samples a channel to take out, of this frame or those around it, so as to play sooner.
  package mutating func play(_ frame: EncodedFrame, sampleCount: Int, cutting cut: Int = 0) {
    surplus += min(max(cut, 0), OpusDecoder.samplesPerPacketMax)
    let bytes = frame.payload.bytes
    let decoder = decoder
    var room = scratch.mutableSpan
    guard let count = try? decoder.decode(bytes.span, into: &room) else {
      malformedCount &+= 1
      return conceal(sampleCount)
    }
    hasBefore = false
    queue.append(scratch, count: count)
    hasSounded = true
  }

  /// A frame came after it had been concealed: it is decoded as if nothing had been made up, and not heard; what follows fades in
  /// over the continuation of what was made up.
  package mutating func catchUp(with frame: EncodedFrame, sampleCount: Int) {
    let decoder = decoder
    if hasBefore, let before {
      skip()
      decoder.copyState(of: before)
    }
    hasBefore = false
    let bytes = frame.payload.bytes
    var room = scratch.mutableSpan
    if (try? decoder.decode(bytes.span, into: &room)) != nil { return }
    _ = try? decoder.conceal(sampleCount, into: &room)
    malformedCount &+= 1
  }

  /// Puts in `sampleCount` samples a channel, at most 10 ms at a time, among those that wait and those that follow.
  package mutating func expand(_ sampleCount: Int) {
    let count = max(sampleCount, 0)
    guard surplus - count >= -Self.deficitMax else { return conceal(count) }
    surplus -= count
  }

  /// Fills a gap of `sampleCount` samples a channel: from the redundancy in the frame that follows it, else by extrapolation.
  package mutating func conceal(_ sampleCount: Int, following: EncodedFrame? = nil) {
    if following == nil { keepState() }
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
    queue.append(scratch, count: count)
    hasSounded = true
  }

  private mutating func keepState() {
    guard !hasBefore else { return }
    if before == nil { before = try? OpusDecoder(channelCount: channelCount) }
    before?.copyState(of: decoder)
    hasBefore = before != nil
  }

  /// Frames were passed over: what follows does not continue what was heard, and is faded in.
  package mutating func skip() {
    let decoder = decoder
    var room = scratch.mutableSpan
    guard let count = try? decoder.conceal(Self.fadeSamples, into: &room) else { return }
    queue.appendTail(scratch, count: count)
  }

  /// Nobody speaks, or nothing is known of it: silence, into which what was heard before fades.
  package mutating func silence(_ sampleCount: Int) {
    if hasSounded { skip() }
    hasSounded = false
    hasBefore = false
    // What is owed either way is made good here, where nobody hears it.
    let count = max(min(sampleCount, OpusDecoder.samplesPerPacketMax), 0)
    let length = max(count - surplus, 0)
    surplus -= count - length
    queue.appendSilence(length)
  }

  /// Takes the next samples; what is missing is silence.
  ///
  /// - Parameter samples: 960 for each channel, interleaved.
  /// - Returns: whether any of them is more than silence.
  package mutating func take(into samples: inout MutableSpan<Int16>) -> Bool {
    let due = samples.count / channelCount
    if surplus >= TimeStretcher.lags.lowerBound { shorten(leaving: due) }
    if surplus <= -TimeStretcher.lags.lowerBound || surplus < 0 && queue.frameCount < due { lengthen(to: due) }
    return queue.take(into: &samples)
  }

  /// Forgets the stream so far, as after its SSRC changed or it was not listened to for a while.
  package mutating func reset() {
    decoder.reset()
    hasBefore = false
    queue.removeAll()
    hasSounded = false
    surplus = 0
  }

  /// Takes one splice's worth of the surplus out, where the sound allows.
  private mutating func shorten(leaving due: Int) {
    let most = min(surplus, queue.frameCount - due, TimeStretcher.lags.upperBound)
    guard most >= TimeStretcher.lags.lowerBound,
      let splice = queue.findSplice(&stretcher, lags: TimeStretcher.lags.lowerBound...most), allows(splice, owed: surplus)
    else { return }
    queue.remove(splice, by: &stretcher)
    surplus -= splice.lag
  }

  /// Puts in what is owed, where the sound allows or nothing else is left to be taken.
  private mutating func lengthen(to due: Int) {
    var isForced = queue.frameCount < due
    repeat {
      // Where what is owed is less than a pitch period, a whole one: the rest is then a surplus.
      guard var splice = queue.findSplice(&stretcher, lags: TimeStretcher.lags), isForced || allows(splice, owed: -surplus)
      else {
        return
      }
      if splice.isQuiet { splice.lag = min(splice.lag, max(-surplus, TimeStretcher.lags.lowerBound)) }
      let count = queue.insert(splice, by: &stretcher)
      surplus += count
      isForced = count > 0 && queue.frameCount < due
    } while isForced
  }

  /// The more is owed, the less alike the two ends of a splice need be.
  private func allows(_ splice: TimeStretcher.Splice, owed: Int) -> Bool {
    if splice.isQuiet { return true }
    switch owed {
    case ..<360: return splice.similarity > 0.95
    case ..<600: return splice.similarity > 0.85
    case ..<720: return splice.similarity > 0.6
    default: return true
    }
  }
}
