import Codecs
import Compositing
import EncodedMedia
import Synchronization
import Timing
import WebRTCTransport

/// One encoding of a canvas: a codec for all who receive it. Encoded once a tick however many they are, and not at all while nothing
/// changes.
final class VideoRendition: @unchecked Sendable {
  // Unchecked: what is not immutable or atomic belongs to the canvas's thread.

  let output: OutputID
  let codec: Codec
  private let settings: OutputSettings
  private let transport: any PeerTransport
  private let wantsKeyframe = Atomic<Bool>(true)
  private let encoded = Atomic<Int>(0)
  private var encoder: VideoEncoder?
  private var pool = FrameBufferPool(capacity: 34, bytesReserved: 32_768)
  private var lastKeyframe: Instant?
  private var lastFrame: Instant?
  /// Times the picture that stands now has been encoded again.
  private var refinements = 0

  /// How soon after a keyframe the next may come, whoever asks.
  private static let keyframeSpacing = Interval.seconds(1)
  /// A picture that stands still is encoded again so often, and so many times, until it is as good as the bit rate allows.
  private static let refinementInterval = Interval.milliseconds(150)
  private static let refinementsMax = 20
  /// Then so seldom: for whoever lost the end of the last frame and has nothing to notice it by.
  private static let heartbeat = Interval.seconds(2)

  init(output: OutputID, codec: Codec, settings: OutputSettings, transport: any PeerTransport) {
    self.output = output
    self.codec = codec
    self.settings = settings
    self.transport = transport
  }

  var encodedFrames: Int { encoded.load(ordering: .relaxed) }

  /// Somebody cannot go on without a keyframe. Merged: one comes soon, however many ask.
  func requestKeyframe() { wantsKeyframe.store(true, ordering: .relaxed) }

  /// Sends what the canvas shows at `due`, unless its receivers have it.
  func send(_ composition: Composition, at due: Instant) {
    let asKeyframe = takeKeyframeRequest(at: due)
    if composition.changed { refinements = 0 }
    guard composition.changed || asKeyframe || isRefinementDue(at: due) else { return }
    if !composition.changed { refinements += 1 }
    encode(composition, at: due, asKeyframe: asKeyframe)
  }

  private func isRefinementDue(at now: Instant) -> Bool {
    guard let lastFrame else { return true }
    return now - lastFrame >= (refinements < Self.refinementsMax ? Self.refinementInterval : Self.heartbeat)
  }

  private func takeKeyframeRequest(at now: Instant) -> Bool {
    guard wantsKeyframe.load(ordering: .relaxed) else { return false }
    if let lastKeyframe, now - lastKeyframe < Self.keyframeSpacing { return false }
    wantsKeyframe.store(false, ordering: .relaxed)
    lastKeyframe = now
    return true
  }

  private func encode(_ composition: Composition, at due: Instant, asKeyframe: Bool) {
    if encoder == nil {
      encoder = try? VideoEncoder(
        codec: codec, width: settings.width, height: settings.height,
        settings: .init(bitsPerSecond: settings.bitrate, framesPerSecond: settings.fps))
    }
    guard let encoder else { return }
    var outcome: VideoEncoder.Outcome?
    let payload = pool.make { bytes in
      outcome = try? encoder.encode(composition.picture, at: due, asKeyframe: asKeyframe, into: &bytes)
    }
    guard let outcome, outcome.byteCount > 0 else {
      if asKeyframe { requestKeyframe() }
      return
    }
    lastFrame = due
    encoded.add(1, ordering: .relaxed)
    transport.send(
      EncodedFrame(
        codec: codec, payload: payload,
        timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: (due - .zero).ticks(at: Int64(codec.clockRate)))),
        isKeyframe: outcome.isKeyframe, time: due), to: output)
  }
}
