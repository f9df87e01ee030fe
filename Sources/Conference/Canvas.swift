import Codecs
import Compositing
import Dispatch
import EncodedMedia
import Layouts
import RawMedia
import Synchronization
import Timing
import WebRTCTransport

/// One composed picture and its encoding: whoever is in the scene, laid out, drawn and encoded once a tick for all who receive it.
///
///     picture loop ─tick─▶ own serial queue: SceneBoard ▶ LayoutSolver ▶ Compositor ▶ VP8Encoder ─▶ PeerTransport
///
/// A tick that finds the last one still at work is left out and counted: pictures are late before they queue.
package final class Canvas: Ticking, @unchecked Sendable {
  // Unchecked: what is not immutable or atomic is touched on the serial queue alone, or in place in virtual time.

  package let output: OutputID
  package let settings: OutputSettings
  /// Who is left out: the one this canvas is made for.
  let excluded: UInt32?
  package let tickPeriod: Interval
  private let board: SceneBoard
  private let transport: any PeerTransport
  private let queue: DispatchQueue?
  private let isBusy = Atomic<Bool>(false)
  private let wantsKeyframe = Atomic<Bool>(true)
  private let skipped = Atomic<Int>(0)
  private let encoded = Atomic<Int>(0)
  private let shown = Mutex<Picture?>(nil)

  private var compositor: Compositor
  private var solver: LayoutSolver
  private var solvedRevision = -1
  private var solvedFloor: UInt32?
  private var encoder: VP8Encoder?
  private var pool = FrameBufferPool(capacity: 34, bytesReserved: 32_768)
  private var lastKeyframe: Instant?
  private var lastFrame: Instant?

  /// How soon after a keyframe the next may come, whoever asks.
  private static let keyframeSpacing = Interval.milliseconds(500)
  /// A picture that does not change is encoded again after so long, so that its quality still grows and receivers see a live stream.
  private static let refreshInterval = Interval.milliseconds(500)
  /// A picture that has not changed for so long is marked, then replaced by its placeholder.
  static let frozenAfter = Interval.seconds(1)
  static let replacedAfter = Interval.seconds(5)

  package init(
    output: OutputID, settings: OutputSettings, excluded: UInt32?, board: SceneBoard, transport: any PeerTransport,
    execution: VideoSource.Execution
  ) {
    self.output = output
    self.settings = settings
    self.excluded = excluded
    self.board = board
    self.transport = transport
    tickPeriod = .nanoseconds(1_000_000_000 / Int64(max(settings.fps, 1)))
    queue = execution == .serialQueue ? MediaQueue.serial("canvas-\(settings.name)") : nil
    compositor = Compositor(width: settings.width, height: settings.height)
    solver = LayoutSolver(board.current.layout)
  }

  /// Ticks left out because the one before was still at work; frames encoded.
  package var skippedTicks: Int { skipped.load(ordering: .relaxed) }
  package var encodedFrames: Int { encoded.load(ordering: .relaxed) }

  /// Somebody cannot go on without a keyframe. Merged: one comes soon, however many ask.
  package func requestKeyframe() { wantsKeyframe.store(true, ordering: .relaxed) }

  /// The picture sent last; nil before the first.
  package var lastPicture: Picture? { shown.withLock { $0 } }

  package func tick(_ index: Int64, due: Instant) {
    guard let queue else { return draw(at: due) }
    guard !isBusy.exchange(true, ordering: .acquiringAndReleasing) else {
      skipped.add(1, ordering: .relaxed)
      return
    }
    queue.async { [self] in
      draw(at: due)
      isBusy.store(false, ordering: .releasing)
    }
  }

  /// Draws the scene as it is now without sending it, for a snapshot of what nobody receives.
  func drawOnce(at now: Instant) -> Picture { compose(at: now).picture }

  private func draw(at due: Instant) {
    let composition = compose(at: due)
    shown.withLock { $0 = composition.picture }
    let asKeyframe = takeKeyframeRequest(at: due)
    let isDue = lastFrame.map { due - $0 >= Self.refreshInterval } ?? true
    guard composition.changed || asKeyframe || isDue else { return }
    encode(composition.picture, at: due, asKeyframe: asKeyframe)
  }

  private func takeKeyframeRequest(at now: Instant) -> Bool {
    guard wantsKeyframe.load(ordering: .relaxed) else { return false }
    if let lastKeyframe, now - lastKeyframe < Self.keyframeSpacing { return false }
    wantsKeyframe.store(false, ordering: .relaxed)
    lastKeyframe = now
    return true
  }

  private func encode(_ picture: Picture, at due: Instant, asKeyframe: Bool) {
    if encoder == nil {
      encoder = try? VP8Encoder(
        width: settings.width, height: settings.height,
        settings: .init(bitsPerSecond: settings.bitrate, framesPerSecond: settings.fps))
    }
    guard let encoder else { return }
    var outcome: VP8Encoder.Outcome?
    let payload = pool.make { bytes in
      outcome = try? encoder.encode(picture, at: due, asKeyframe: asKeyframe, into: &bytes)
    }
    guard let outcome, outcome.byteCount > 0 else {
      if asKeyframe { requestKeyframe() }
      return
    }
    lastFrame = due
    encoded.add(1, ordering: .relaxed)
    transport.send(
      EncodedFrame(
        codec: .vp8, payload: payload,
        timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: (due - .zero).ticks(at: Int64(Codec.vp8.clockRate)))),
        isKeyframe: outcome.isKeyframe, time: due), to: output)
  }

  // MARK: The scene

  private func compose(at now: Instant) -> Composition {
    let scene = board.current
    let floor = board.floor
    if scene.revision != solvedRevision || floor != solvedFloor { solve(scene, floor: floor) }
    var participants: [String: SceneParticipant] = [:]
    for person in scene.people { participants[Self.key(person.number)] = look(of: person, at: now) }
    return compositor.compose(
      Scene(
        tiles: solver.tiles(width: settings.width, height: settings.height), participants: participants,
        background: solver.template.background.color))
  }

  private func solve(_ scene: SceneBoard.Scene, floor: UInt32?) {
    solvedRevision = scene.revision
    solvedFloor = floor
    solver.template = scene.layoutsByOutput[settings.name] ?? scene.layout
    let people = scene.people.map { person in
      LayoutPerson(
        id: Self.key(person.number), role: person.role, hasFloor: person.number == floor, sendsVideo: person.sendsVideo,
        pinnedSlot: person.pin.map { pin in
          switch pin {
          case .id(let id): id
          case .index(let index): String(index)
          }
        })
    }
    solver.arrange(people, excluding: excluded.map { [Self.key($0)] } ?? [])
    guard excluded == nil else { return }
    for person in scene.people {
      let slot = solver.slot(of: Self.key(person.number))
      person.media.slot = slot.map { slot in slot.id.map { .id($0) } ?? .index(slot.index) }
      person.media.pan = Float(slot?.audioPan ?? 0)
    }
  }

  private func look(of person: SceneBoard.Person, at now: Instant) -> SceneParticipant {
    let media = person.media
    var participant = SceneParticipant(
      name: person.name, role: person.role, isSpeaking: media.speaking.load(ordering: .relaxed),
      isMuted: media.audioMuted.load(ordering: .relaxed))
    guard !media.videoMuted.load(ordering: .relaxed), let latest = media.video.latest.current else { return participant }
    let age = now - latest.time
    guard age < Self.replacedAfter else { return participant }
    participant.picture = latest.picture
    participant.rotationDegrees = Int(latest.rotation.rawValue) * 90
    participant.isFrozen = age > Self.frozenAfter
    return participant
  }

  private static func key(_ number: UInt32) -> String { String(number) }
}
