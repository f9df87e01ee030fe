import Codecs
import Compositing
import EncodedMedia
import RawMedia
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
  /// Whether it is encoded only while `receivers` says that somebody receives it.
  private let isOnDemand: Bool
  private let receivers = Atomic<Int>(0)
  private let wantsKeyframe = Atomic<Bool>(true)
  private let encoded = Atomic<Int>(0)
  private var encoder: VideoEncoder?
  private var pool = FrameBufferPool(capacity: 34, bytesReserved: 32_768)
  private var lastKeyframe: Instant?
  private var lastFrame: Instant?
  /// What changed since the last frame; nil where that is not known.
  private var damage: [DamageRectangle]?
  /// Times the picture that stands now has been encoded again.
  private var refinements = 0

  /// How soon after a keyframe the next may come, whoever asks.
  private static let keyframeSpacing = Interval.seconds(1)
  /// A picture that stands still is encoded again so often, and so many times, until it is as good as the bit rate allows.
  private static let refinementInterval = Interval.milliseconds(150)
  private static let refinementsMax = 20
  /// Then so seldom: for whoever lost the end of the last frame and has nothing to notice it by.
  private static let heartbeat = Interval.seconds(2)

  init(
    output: OutputID, codec: Codec, settings: OutputSettings, isOnDemand: Bool = false, transport: any PeerTransport
  ) {
    self.output = output
    self.codec = codec
    self.settings = settings
    self.isOnDemand = isOnDemand
    self.transport = transport
  }

  /// What it takes, whole and with fewer temporal layers.
  var rung: VideoLadder.Rung {
    VideoLadder.Rung(
      output, bitsPerSecond: settings.bitrate, framesPerSecond: Double(settings.fps),
      shares: VideoEncoder.shares(of: codec, temporalLayers: temporalLayers))
  }

  /// As many as leave pictures worth looking at: three make 30, 15 and 7.5 a second of one encoding; with H.264 two make 30 and 15.
  private var temporalLayers: Int { settings.fps > 20 ? 3 : settings.fps > 1 ? 2 : 1 }

  /// So many more receive it, or fewer.
  func receiversChanged(by count: Int) { receivers.wrappingAdd(count, ordering: .relaxed) }
  var isWanted: Bool { !isOnDemand || receivers.load(ordering: .relaxed) > 0 }

  /// Nobody receives it: the encoder is let go, and begins anew with a keyframe.
  func rest() {
    guard encoder != nil else { return }
    encoder = nil
    (lastKeyframe, lastFrame) = (nil, nil)
    wantsKeyframe.store(true, ordering: .relaxed)
  }

  var encodedFrames: Int { encoded.load(ordering: .relaxed) }

  /// Somebody cannot go on without a keyframe. Merged: one comes soon, however many ask.
  func requestKeyframe() { wantsKeyframe.store(true, ordering: .relaxed) }

  /// Sends what the canvas shows at `due`, unless its receivers have it.
  ///
  /// - Parameter isScreen: whether most of it is a shared screen.
  func send(_ composition: Composition, isScreen: Bool, at due: Instant) {
    let asKeyframe = takeKeyframeRequest(at: due)
    if composition.changed { refinements = 0 }
    guard composition.changed || asKeyframe || isRefinementDue(at: due) else { return }
    if !composition.changed { refinements += 1 }
    damage? += composition.damage.map { DamageRectangle(x: $0.x, y: $0.y, width: $0.width, height: $0.height) }
    encode(composition.picture, isScreen: isScreen, at: due, asKeyframe: asKeyframe)
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

  private func encode(_ picture: Picture, isScreen: Bool, at due: Instant, asKeyframe: Bool) {
    if encoder == nil {
      encoder = try? VideoEncoder(
        codec: codec, width: settings.width, height: settings.height,
        settings: .init(
          bitsPerSecond: settings.bitrate, framesPerSecond: settings.fps, isScreen: isScreen, temporalLayers: temporalLayers,
          // A third of a second of the rate, but never so small that nothing is seen.
          keyframeSizeMaxPercent: min(max(settings.fps * 30, 200), 900)))
    }
    guard let encoder else { return }
    try? encoder.setScreen(isScreen)
    var outcome: VideoEncoder.Outcome?
    let payload = pool.make { bytes in
      outcome = try? encoder.encode(picture, at: due, asKeyframe: asKeyframe, damage: damage, into: &bytes)
    }
    damage = outcome == nil ? nil : []
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
        isKeyframe: outcome.isKeyframe, time: due, temporal: outcome.temporal), to: output)
  }
}
