import Codecs
import EncodedMedia
import Playout
import RawMedia
import RealTime
import Synchronization
import Timing

/// One incoming picture stream: frames wait in a bounded mailbox, are decoded one after another on a serial queue, and the
/// pictures stand where canvases look for them.
///
///     network loop ─receive─▶ Mailbox ─work, serial queue─▶ VideoDecoder ─▶ LipSync ─▶ PictureQueue ◀─look─ canvases
///
/// A decoder that cannot keep up loses frames, asks for a keyframe and shows nothing broken; it delays nobody.
package final class VideoSource: PictureWork {
  /// Where decoding happens.
  package enum Execution: Sendable {
    /// On a queue of its own, one for each stream or canvas, behind this gate.
    case serialQueue(PictureGate)
    /// In the caller's thread, for conferences in virtual time.
    case inPlace
  }

  package let pictures = PictureQueue()
  /// Holds pictures until their sound is there; told of the sound by the mix.
  private let lipSync = Mutex(LipSync())
  private let mailbox = Mailbox<EncodedFrame>(capacity: 30)
  private let isDraining = Atomic<Bool>(false)
  private let isWatched = Atomic<Bool>(true)
  private let takesStills = Atomic<Bool>(false)
  private let queue: MediaQueue?
  /// For one frame that builds on others, and for one that does not; before any was decoded, of 640x360.
  private let estimate = WorkEstimate(1_000_000)
  private let keyframeEstimate = WorkEstimate(5_000_000)
  /// Whether frames that build on others are passed over. Set by who holds `decoding`.
  private let awaitsKeyframe = Atomic<Bool>(true)
  private let decoding: Mutex<Decoding>
  private let requestKeyframe: @Sendable () -> Void
  /// So many are decoded before others have their turn.
  private static let framesPerPiece = 4
  private let counts = Counts()

  /// What only the one who decodes touches.
  private struct Decoding: ~Copyable {
    var decoder: VideoDecoder?
    /// As many as may wait, be shown and be predicted from.
    var pool = PicturePool(capacity: 22)
    var frames: [EncodedFrame] = []
    /// Frames lost in the mailbox, as far as they have been noticed.
    var dropped = 0
  }

  /// Counters that the control side reads while the decoder counts.
  final class Counts: Sendable {
    let decoded = Atomic<Int>(0)
    let processorNanoseconds = Atomic<Int64>(0)
    let failed = Atomic<Int>(0)
    let width = Atomic<Int>(0)
    let height = Atomic<Int>(0)
  }

  /// - Parameter requestKeyframe: asks the sender; called from the decoding thread, as often as frames arrive that cannot be
  ///   decoded. The transport throttles.
  package init(execution: Execution, requestKeyframe: @escaping @Sendable () -> Void) {
    self.requestKeyframe = requestKeyframe
    switch execution {
    case .serialQueue(let gate): queue = MediaQueue("video-decoding", behind: gate)
    case .inPlace: queue = nil
    }
    decoding = Mutex(Decoding())
  }

  package var decodedCount: Int { counts.decoded.load(ordering: .relaxed) }
  /// Nanoseconds of processor time that decoding took since this was asked last.
  func takeProcessorTime() -> Int64 { counts.processorNanoseconds.exchange(0, ordering: .relaxed) }
  package var failedCount: Int { counts.failed.load(ordering: .relaxed) + mailbox.dropped }
  /// Size of the newest picture in pixels; nil before the first.
  var pictureSize: (width: Int, height: Int)? {
    let (width, height) = (counts.width.load(ordering: .relaxed), counts.height.load(ordering: .relaxed))
    return width > 0 && height > 0 ? (width, height) : nil
  }

  /// Takes a frame from the network; returns at once.
  package func receive(_ frame: EncodedFrame) {
    pictures.noteFrame(at: frame.time)
    guard isWatched.load(ordering: .relaxed) else { return }
    if takesStills.load(ordering: .relaxed), !frame.isKeyframe { return }
    mailbox.post(frame)
    submit()
  }

  private func submit() {
    guard let queue else { return work() }
    guard !isDraining.exchange(true, ordering: .acquiringAndReleasing) else { return }
    queue.submit(self)
  }

  /// Says whether anybody sees the stream. What nobody sees is not decoded; seen again, it shows its last picture until the keyframe
  /// comes that it asks for.
  package func setWatched(_ watched: Bool, at now: Instant) {
    guard isWatched.exchange(watched, ordering: .relaxed) != watched, watched else { return }
    pictures.watch(from: now)
    decoding.withLock { _ in awaitsKeyframe.store(true, ordering: .relaxed) }
    requestKeyframe()
  }

  /// Decodes keyframes alone, as many as `askForStill` is called, or everything again from the next one on.
  package func setTakesStills(_ stills: Bool) {
    guard takesStills.exchange(stills, ordering: .relaxed) != stills else { return }
    // What waits leads to nothing: the frames that build on it are not taken any more.
    decoding.withLock { _ in awaitsKeyframe.store(true, ordering: .relaxed) }
    if !stills { askForStill() }
  }

  /// Has a keyframe be sent, if anybody sees the stream.
  package func askForStill() { if isWatched.load(ordering: .relaxed) { requestKeyframe() } }

  /// Sound of the same sender leaves the mix.
  ///
  /// - Parameters: captured, now, delay: as `LipSync.played` has them.
  /// - Returns: the least delay playout should have; zero before the first picture.
  func soundPlayed(_ captured: NTPTime, at now: Instant, delay: Interval) -> Interval {
    guard decodedCount > 0 else { return .zero }
    return lipSync.withLock { $0.played(captured, at: now, delay: delay) }
  }

  package var expectedTime: Int64 {
    var isPassedOver = awaitsKeyframe.load(ordering: .relaxed)
    return mailbox.weight(ofOldest: Self.framesPerPiece) { frame in
      if frame.isKeyframe { isPassedOver = false }
      return isPassedOver ? 0 : frame.isKeyframe ? keyframeEstimate.value : estimate.value
    }
  }
  package var isOutput: Bool { false }

  /// Decodes the oldest of what waits in the mailbox.
  package func work() {
    isDraining.store(false, ordering: .releasing)
    decoding.withLock { decoding in
      mailbox.collect(into: &decoding.frames, atMost: Self.framesPerPiece)
      let dropped = mailbox.dropped
      if dropped != decoding.dropped {
        // The oldest went: what is left builds on something that was never decoded.
        decoding.dropped = dropped
        awaitsKeyframe.store(true, ordering: .relaxed)
      }
      var begun = ProcessorTime.ofThread()
      for frame in decoding.frames {
        let isDecoded = decode(frame, &decoding)
        let now = ProcessorTime.ofThread()
        counts.processorNanoseconds.add(now - begun, ordering: .relaxed)
        if isDecoded { note(now - begun, of: frame) }
        begun = now
      }
      decoding.frames.removeAll(keepingCapacity: true)
    }
    if mailbox.count > 0 { submit() }
  }

  private func note(_ taken: Int64, of frame: EncodedFrame) {
    if frame.isKeyframe { keyframeEstimate.note(taken) } else { estimate.note(taken) }
  }

  /// - Returns: whether it came to that.
  private func decode(_ frame: EncodedFrame, _ decoding: inout Decoding) -> Bool {
    if frame.followsGap { awaitsKeyframe.store(true, ordering: .relaxed) }
    if awaitsKeyframe.load(ordering: .relaxed), !frame.isKeyframe {
      requestKeyframe()
      return false
    }
    do {
      if decoding.decoder?.codec != frame.codec { decoding.decoder = try VideoDecoder(codec: frame.codec) }
      guard let decoder = decoding.decoder else { return false }
      awaitsKeyframe.store(false, ordering: .relaxed)
      guard let picture = try decoder.decode(frame, pool: &decoding.pool) else { return true }
      counts.decoded.add(1, ordering: .relaxed)
      counts.width.store(picture.width, ordering: .relaxed)
      counts.height.store(picture.height, ordering: .relaxed)
      let due = frame.captureTime.map { captured in lipSync.withLock { $0.decoded(captured, at: frame.time) } }
      pictures.put(.init(picture: picture, rotation: frame.rotation, due: due ?? frame.time))
      return true
    } catch {
      counts.failed.add(1, ordering: .relaxed)
      awaitsKeyframe.store(true, ordering: .relaxed)
      requestKeyframe()
      return false
    }
  }
}
