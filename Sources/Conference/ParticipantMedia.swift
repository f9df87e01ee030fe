import EncodedMedia
import Playout
import RawMedia
import Synchronization
import Timing
import WebRTCTransport

/// What the threads share about one participant: frames on their way in, what the control side set, what the loops measured.
///
///     network loop ──frames──▶ audio, video ──▶ mix and canvases
///     control      ──muted, gain───────────────▶ mix and canvases
///     control      ◀─speaking, level, counts──── mix, network loop
package final class ParticipantMedia: PeerObserver, Sendable {
  /// What the control side needs to be told at once.
  package enum Event: Sendable, Equatable {
    case connected
    case ended(PeerEndReason)
    /// He is sent the pictures of another output of his ladder; nil for sound alone.
    case pictureSwitched(OutputID?)
  }

  /// Names the participant in mixes and layouts; never used twice in one server.
  package let number: UInt32
  /// Audio frames not yet in the playout buffer: 1.2 s of 20 ms frames, should the mix be late.
  let audio = Mailbox<EncodedFrame>(capacity: 64)
  package let video: VideoSource

  /// Whether he is to be heard and seen at all; what comes of others is dropped as it comes.
  private let onStage = Atomic<Bool>(true)
  package let audioMuted = Atomic<Bool>(false)
  package let videoMuted = Atomic<Bool>(false)
  private let gainBits = Atomic<UInt32>(Float(1).bitPattern)

  package let speaking = Atomic<Bool>(false)
  /// dBov below full scale: 0 loudest, 127 silence.
  package let level = Atomic<UInt8>(127)

  private let attention = Mutex(Attention())
  private let panBits = Atomic<UInt32>(0)
  private let place = Mutex(Place())
  private let measured = Mutex(PeerStatistics())
  private let audioCounts = Mutex(AudioCounts())
  private let streams = Mutex(Streams())
  private let requestKeyframe: @Sendable (StreamID) -> Void
  private let layersChanged: @Sendable (StreamID, UInt8) -> Void
  private let keyframeNeeded: @Sendable (OutputID) -> Void
  private let receiversChanged: @Sendable (OutputID, Int) -> Void
  private let report: @Sendable (Event) -> Void

  /// What the mix measured of the participant's audio.
  package struct AudioCounts: Sendable {
    package var playout = PlayoutStatistics()
    /// Ticks decoded, the run-ups included; a stream under the gate is not.
    package var ticksDecoded = 0
  }

  /// Which of the peer's streams are taken: of each kind the first that came, and of a picture's layers the largest.
  private struct Streams {
    var audio: UInt8?
    var video: UInt8?
    var layers = LayerChoice()
    /// What was told last of how many temporal layers are decoded.
    private var toldLayers: (stream: UInt8, count: UInt8) = (0, .max)

    mutating func judge(_ frame: inout EncodedFrame, _ stream: StreamID) -> LayerChoice.Verdict {
      switch stream.kind {
      case .audio:
        if audio == nil { audio = stream.media }
        return audio == stream.media ? .take : .drop
      case .video:
        if video == nil { video = stream.media }
        return video == stream.media ? layers.judge(&frame, of: stream.layer) : .drop
      }
    }

    /// How many temporal layers are decoded of the stream that a base frame just judged is of, if that has changed.
    mutating func takeLayerNews(of frame: EncodedFrame, _ stream: StreamID) -> UInt8? {
      guard stream.kind == .video, stream.media == video, stream.layer == layers.current, frame.temporal?.layer == 0 else {
        return nil
      }
      let count = layers.temporalLayersWanted
      guard toldLayers != (stream.layer, count) else { return nil }
      toldLayers = (stream.layer, count)
      return count
    }
  }

  package init(
    number: UInt32, video: VideoSource, requestKeyframe: @escaping @Sendable (StreamID) -> Void = { _ in },
    layersChanged: @escaping @Sendable (StreamID, UInt8) -> Void = { _, _ in },
    keyframeNeeded: @escaping @Sendable (OutputID) -> Void,
    receiversChanged: @escaping @Sendable (OutputID, Int) -> Void = { _, _ in }, report: @escaping @Sendable (Event) -> Void
  ) {
    self.number = number
    self.video = video
    self.requestKeyframe = requestKeyframe
    self.layersChanged = layersChanged
    self.keyframeNeeded = keyframeNeeded
    self.receiversChanged = receiversChanged
    self.report = report
  }

  /// Linear gain in the mix.
  package var gain: Float {
    get { Float(bitPattern: gainBits.load(ordering: .relaxed)) }
    set { gainBits.store(newValue.bitPattern, ordering: .relaxed) }
  }

  private struct Place {
    var slot: SlotReference?
    /// Who said so.
    var canvas: ObjectIdentifier?
  }

  /// The slot the participant is shown in; nil while in none.
  package var slot: SlotReference? { place.withLock { $0.slot } }

  /// Where the participant's picture is, -1 left to 1 right.
  package var pan: Float {
    get { Float(bitPattern: panBits.load(ordering: .relaxed)) }
    set { panBits.store(newValue.bitPattern, ordering: .relaxed) }
  }

  /// A canvas shows him in this slot, and says so for all.
  func noteSlot(_ slot: SlotReference?, pan: Float, by canvas: ObjectIdentifier) {
    place.withLock { $0 = Place(slot: slot, canvas: canvas) }
    self.pan = pan
  }

  /// A canvas says no longer where he is; another may have said so already.
  func forgetSlot(by canvas: ObjectIdentifier) {
    place.withLock { place in
      guard place.canvas == canvas else { return }
      place = Place()
      pan = 0
    }
  }

  /// A canvas shows him in a tile of so many pixels; 0 where it does not.
  func attend(_ canvas: ObjectIdentifier, pixels: Int, at now: Instant) {
    settleAttention(at: now) { $0.note(pixels, by: canvas) }
  }

  /// Nobody makes a picture that he could be seen on.
  package func decideAttention(at now: Instant) {
    settleAttention(at: now) { $0.decide() }
  }

  /// What is not seen is not decoded; what is seen, in the size it is seen in.
  /// All under one lock: of two canvases that change it at once the later must not be overruled by what the earlier had read.
  private func settleAttention(at now: Instant, _ change: (inout Attention) -> Void = { _ in }) {
    attention.withLock { attention in
      change(&attention)
      let pixels = attention.pixels
      streams.withLock { $0.layers.wantedPixels = pixels > 0 ? pixels : nil }
      video.setWatched(attention.isWatched && isOnStage && !videoMuted.load(ordering: .relaxed), at: now)
    }
  }

  package var isOnStage: Bool { onStage.load(ordering: .relaxed) }

  /// Takes up what he sends, or no longer.
  package func setOnStage(_ isOn: Bool, at now: Instant) {
    guard onStage.exchange(isOn, ordering: .relaxed) != isOn else { return }
    if !isOn { video.pictures.clear() }
    settleAttention(at: now)
  }

  /// Whether nothing of his sound goes into the mix.
  var isSilenced: Bool { audioMuted.load(ordering: .relaxed) || !isOnStage }

  /// Shows his picture no longer, or again.
  ///
  /// - Returns: whether that is a change.
  @discardableResult
  package func setVideoMuted(_ muted: Bool, at now: Instant) -> Bool {
    guard videoMuted.exchange(muted, ordering: .relaxed) != muted else { return false }
    if muted { video.pictures.clear() }
    settleAttention(at: now)
    return true
  }

  package var statistics: PeerStatistics { measured.withLock { $0 } }
  package var audioStatistics: AudioCounts { audioCounts.withLock { $0 } }
  func noteAudio(_ counts: AudioCounts) { audioCounts.withLock { $0 = counts } }

  // MARK: On the network loop's thread

  package func peerDidConnect(_ peer: PeerID) { report(.connected) }

  package func peer(_ peer: PeerID, didReceive frame: EncodedFrame, on stream: StreamID) {
    guard isOnStage else { return }
    var frame = frame
    let (verdict, layers) = streams.withLock { streams in
      (streams.judge(&frame, stream), streams.takeLayerNews(of: frame, stream))
    }
    if verdict.requests { requestKeyframe(stream) }
    if let layers { layersChanged(stream, layers) }
    guard verdict.takes else { return }
    switch stream.kind {
    case .audio: audio.post(frame)
    case .video: if !videoMuted.load(ordering: .relaxed) { video.receive(frame) }
    }
  }

  package func peer(_ peer: PeerID, needsKeyframeOf output: OutputID) { keyframeNeeded(output) }
  package func peer(_ peer: PeerID, isReceiver: Bool, of output: OutputID) { receiversChanged(output, isReceiver ? 1 : -1) }
  package func peer(_ peer: PeerID, didSwitchTo output: OutputID?) { report(.pictureSwitched(output)) }
  package func peerDidEnd(_ peer: PeerID, _ reason: PeerEndReason) { report(.ended(reason)) }
  package func peer(_ peer: PeerID, didMeasure statistics: PeerStatistics) { measured.withLock { $0 = statistics } }

  /// The stream whose keyframes the video decoder needs; nil before any video came.
  package var videoStream: StreamID? {
    streams.withLock { streams in
      streams.video.map { StreamID(media: $0, kind: .video, layer: streams.layers.current ?? 0) }
    }
  }
}
