import Compositing
import EncodedMedia
import Layouts
import RawMedia
import RealTime
import Synchronization
import Timing
import WebRTCTransport

/// One composed picture: whoever is in the scene, laid out and drawn once a tick, then encoded once for each codec it is received in.
///
///     picture loop ─tick─▶ own serial queue: SceneBoard ▶ LayoutSolver ▶ Compositor ▶ VideoRendition… ─▶ PeerTransport
///
/// A tick that finds the last one still at work is left out and counted: pictures are late before they queue.
package final class Canvas: Ticking, PictureWork, @unchecked Sendable {
  // Unchecked: what is not immutable or atomic is touched on the serial queue alone, or in place in virtual time.

  package let settings: OutputSettings
  /// For whom alone it is made; nil for what everybody may see.
  let viewer: CanvasViewer?
  private let board: SceneBoard
  private let transport: any PeerTransport
  private let queue: MediaQueue?
  private let estimate: WorkEstimate
  /// When the newest tick was due: that of what is drawn next, however long it waited.
  private let newestTick = Atomic<Int64>(0)
  private let isBusy = Atomic<Bool>(false)
  private let skipped = Atomic<Int>(0)
  private let scaled = Atomic<Int>(0)
  private let shown = Mutex<Picture?>(nil)
  private let renditions = Mutex<[VideoRendition]>([])
  private let period: Interval
  private let shift = Atomic<Int64>(0)
  /// From one tick to the next, where time is short; else one.
  private let periods = Atomic<Int>(1)
  private let missed = Atomic<Int>(0)
  private let processorNanoseconds = Atomic<Int64>(0)
  private let tellsPlaces = Atomic<Bool>(true)

  private var compositor: Compositor
  private var solver: LayoutSolver
  private var solvedRevision = -1
  private var solvedFloor: UInt32?
  private var solvedTurn: Int64 = 0
  private var hasToldPlaces = false
  /// Where everybody is, as it was solved last.
  private var tiles: [Tile] = []
  /// How long tiles take to their new places; another layout is there at once.
  private var transition = Interval.zero
  /// Whether shared screens fill most of it.
  private var showsScreen = false
  private var phase: PhaseLock
  private var hasEnded = false
  /// Nobody receives any of its renditions now.
  private var isResting = false
  /// Those who were told how large they are shown.
  private var attended: [ParticipantMedia] = []
  /// Whose pictures the ticks are timed by, and the one of his that was drawn last.
  private var leader: UInt32?
  private var leaderPicture: ObjectIdentifier?

  package init(
    settings: OutputSettings, viewer: CanvasViewer? = nil, board: SceneBoard, resources: CanvasResources = CanvasResources(),
    transport: any PeerTransport, execution: VideoSource.Execution
  ) {
    self.settings = settings
    self.viewer = viewer
    self.board = board
    self.transport = transport
    period = .nanoseconds(1_000_000_000 / Int64(max(settings.fps, 1)))
    phase = PhaseLock(period: period)
    switch execution {
    case .serialQueue(let gate): queue = MediaQueue("canvas-\(settings.name)", behind: gate)
    case .inPlace: queue = nil
    }
    let pixels = Int64(settings.width) * Int64(settings.height)
    estimate = WorkEstimate(Self.nanosecondsPerPixel * pixels, first: Self.nanosecondsPerPixelFirst * pixels)
    compositor = Compositor(width: settings.width, height: settings.height, resources: resources)
    solver = LayoutSolver(board.current.layout, width: settings.width, height: settings.height)
  }

  /// What drawing and encoding a picture takes before any was measured, and the first with all that is made once for a size.
  private static let nanosecondsPerPixel: Int64 = 10
  private static let nanosecondsPerPixelFirst: Int64 = 30

  // MARK: From other threads

  /// To the next tick: the output's period, and a little more or less where that brings ticks closer behind the pictures they are for.
  package var tickPeriod: Interval {
    period * Int64(periods.load(ordering: .relaxed)) + .nanoseconds(shift.load(ordering: .relaxed))
  }
  /// Ticks left out because the one before was still at work.
  package var skippedTicks: Int { skipped.load(ordering: .relaxed) }
  /// Pixels that pictures were scaled to so far; what another canvas scaled for this one is counted there.
  package var scaledPixels: Int { scaled.load(ordering: .relaxed) }
  /// Those since this was asked last.
  func takeMissedTicks() -> Int { missed.exchange(0, ordering: .relaxed) }
  /// Nanoseconds of processor time that drawing and encoding took since this was asked last.
  func takeProcessorTime() -> Int64 { processorNanoseconds.exchange(0, ordering: .relaxed) }
  /// Draws only every so manieth picture from now on.
  package func setPeriods(_ count: Int) { periods.store(max(1, count), ordering: .relaxed) }
  package var encodedFrames: Int { renditions.withLock { $0.reduce(0) { $0 + $1.encodedFrames } } }
  /// The picture sent last; nil before the first.
  package var lastPicture: Picture? { shown.withLock { $0 } }

  /// What the canvas is encoded to, one for each codec.
  package var outputs: [Codec: OutputID] {
    renditions.withLock { Dictionary($0.map { ($0.codec, $0.output) }, uniquingKeysWith: { first, _ in first }) }
  }

  /// Encodes to another codec as well from the next tick on.
  ///
  /// - Parameter isOnDemand: only while `receiversChanged` says that somebody receives it.
  package func add(_ codec: Codec, as output: OutputID, isOnDemand: Bool = false) {
    let rendition = VideoRendition(
      output: output, codec: codec, settings: settings, isOnDemand: isOnDemand, transport: transport)
    renditions.withLock { $0.append(rendition) }
  }

  /// The renditions as rungs of receivers' ladders.
  package var rungs: [Codec: VideoLadder.Rung] {
    renditions.withLock { Dictionary($0.map { ($0.codec, $0.rung) }, uniquingKeysWith: { first, _ in first }) }
  }

  /// So many more receive an output of this canvas, or fewer.
  package func receiversChanged(of output: OutputID, by count: Int) {
    renditions.withLock { renditions in
      for rendition in renditions where rendition.output == output { rendition.receiversChanged(by: count) }
    }
  }

  /// Encodes to a codec no longer.
  package func remove(_ codec: Codec) { renditions.withLock { $0.removeAll { $0.codec == codec } } }

  /// Somebody cannot go on without a keyframe of this output.
  package func requestKeyframe(_ output: OutputID) {
    renditions.withLock { renditions in
      for rendition in renditions where rendition.output == output { rendition.requestKeyframe() }
    }
  }

  /// Whether the slots people have on this canvas are those the room tells of, and their voices come from there.
  package func tellPlaces(_ tells: Bool) { tellsPlaces.store(tells, ordering: .relaxed) }

  package func tick(_ index: Int64, due: Instant) {
    guard let queue else { return draw(at: due) }
    newestTick.store(due.nanoseconds, ordering: .relaxed)
    guard !isBusy.exchange(true, ordering: .acquiringAndReleasing) else {
      skipped.add(1, ordering: .relaxed)
      missed.add(1, ordering: .relaxed)
      return
    }
    queue.submit(self)
  }

  package var expectedTime: Int64 { estimate.value }
  package var isOutput: Bool { true }

  /// Draws and sends the picture of the newest tick.
  package func work() {
    let begun = ProcessorTime.ofThread()
    let before = encodedFrames
    draw(at: Instant(nanoseconds: newestTick.load(ordering: .relaxed)))
    let taken = ProcessorTime.ofThread() - begun
    processorNanoseconds.add(taken, ordering: .relaxed)
    // A picture in which nothing has changed is no measure.
    if encodedFrames > before { estimate.note(taken) }
    isBusy.store(false, ordering: .releasing)
  }

  /// The canvas ticks no more: nobody is seen on it any longer.
  package func end(at now: Instant) {
    guard let queue else { return leaveAll(at: now) }
    queue.async { [self] in leaveAll(at: now) }
  }

  /// Draws the scene as it is now without sending it, for a snapshot of what nobody receives.
  package func drawOnce(at now: Instant) -> Picture { compose(at: now).picture }

  /// Whether everybody in a tile who is sending a picture has a new one; what a snapshot waits for.
  package func isComplete(at now: Instant) -> Bool {
    _ = settle(at: now)
    return !attended.contains { !$0.videoMuted.load(ordering: .relaxed) && $0.video.pictures.isAwaited(at: now) }
  }

  // MARK: On the canvas's thread

  private func draw(at due: Instant) {
    // The loop may have been about to tick when it was told to stop.
    guard !hasEnded else { return }
    let renditions = renditions.withLock { $0 }
    for rendition in renditions where !rendition.isWanted { rendition.rest() }
    guard renditions.isEmpty || renditions.contains(where: \.isWanted) else { return rest(at: due) }
    if isResting {
      isResting = false
      solvedRevision = -1
    }
    let composition = compose(at: due)
    shown.withLock { $0 = composition.picture }
    for rendition in renditions where rendition.isWanted { rendition.send(composition, isScreen: showsScreen, at: due) }
  }

  /// Nobody is seen here; where people would be is still told.
  private func rest(at now: Instant) {
    if !isResting {
      isResting = true
      solvedRevision = -1
      shown.withLock { $0 = nil }
    }
    _ = settle(at: now)
  }

  /// The scene as it is now, with everybody in his place.
  private func settle(at now: Instant) -> SceneBoard.Scene {
    let scene = board.current
    let floor = board.floor
    let turn = solver.template.turn(at: now)
    let isNew = scene.revision != solvedRevision || floor != solvedFloor || turn != solvedTurn
    if isNew { solve(scene, floor: floor, at: now) }
    let tells = tellsPlaces.load(ordering: .relaxed)
    if tells ? isNew || !hasToldPlaces : hasToldPlaces {
      hasToldPlaces = tells
      for person in scene.people { tellPlace(of: person, tells) }
    }
    return scene
  }

  private func compose(at now: Instant) -> Composition {
    let scene = settle(at: now)
    var participants: [String: SceneParticipant] = [:]
    var age: Interval?
    for person in scene.people {
      let media = person.media
      let latest = media.videoMuted.load(ordering: .relaxed) ? nil : media.video.pictures.picture(at: now)
      participants[Self.key(person.number)] = person.look(latest)
      guard person.number == leader, let latest else { continue }
      let picture = ObjectIdentifier(latest.shown.picture)
      if picture != leaderPicture { age = latest.age }
      leaderPicture = picture
    }
    phase.observe(age: age)
    shift.store(phase.shift.nanoseconds, ordering: .relaxed)
    let composition = compositor.compose(
      Scene(tiles: tiles, participants: participants, layout: solver.template, transition: transition), at: now)
    scaled.store(compositor.pixelsScaled, ordering: .relaxed)
    return composition
  }

  private func solve(_ scene: SceneBoard.Scene, floor: UInt32?, at now: Instant) {
    solvedRevision = scene.revision
    solvedFloor = floor
    let template = scene.layout(of: settings.name)
    transition = template == solver.template ? .milliseconds(Int64(template.transitionMilliseconds)) : .zero
    solver.template = template
    solvedTurn = template.turn(at: now)
    let people = scene.people.map { $0.person(hasFloor: $0.number == floor) }
    let viewerID = viewer.map { Self.key($0.number) }
    solver.arrange(
      people, excluding: viewer?.selfView == .hidden ? Set([viewerID].compactMap { $0 }) : [], turn: Int(solvedTurn),
      viewer: viewerID)
    tiles = solver.tiles(width: settings.width, height: settings.height)
    attend(scene, floor: floor, at: now)
  }

  /// Says where somebody is shown and heard, or that this canvas says it no longer.
  private func tellPlace(of person: SceneBoard.Person, _ tells: Bool) {
    guard tells else { return person.media.forgetSlot(by: ObjectIdentifier(self)) }
    let slot = solver.slot(of: Self.key(person.number))
    person.media.noteSlot(
      slot.map { slot in slot.id.map { .id($0) } ?? .index(slot.index) }, pan: Float(slot?.audioPan ?? 0),
      by: ObjectIdentifier(self))
  }

  /// Tells everybody how large he is shown, and finds whose pictures the ticks follow: who holds the floor, else who is largest.
  private func attend(_ scene: SceneBoard.Scene, floor: UInt32?, at now: Instant) {
    var pixels: [String: Int] = [:]
    for tile in tiles where !isResting {
      guard case .person(let id) = tile.content else { continue }
      pixels[id] = max(pixels[id] ?? 0, tile.rectangle.width * tile.rectangle.height)
    }
    let gone = attended.filter { media in !scene.people.contains { $0.media === media } }
    for media in gone { media.attend(ObjectIdentifier(self), pixels: 0, at: now) }
    for person in scene.people {
      person.media.attend(ObjectIdentifier(self), pixels: pixels[Self.key(person.number)] ?? 0, at: now)
    }
    let screens = scene.people.filter(\.sharesScreen).reduce(0) { $0 + (pixels[Self.key($1.number)] ?? 0) }
    showsScreen = screens * 2 > settings.width * settings.height
    attended = scene.people.map(\.media).filter { pixels[Self.key($0.number)] != nil }
    let seen = scene.people.filter { $0.sendsVideo && pixels[Self.key($0.number)] != nil }
    leader =
      seen.first { $0.number == floor }?.number
      ?? seen.max { (pixels[Self.key($0.number)] ?? 0) < (pixels[Self.key($1.number)] ?? 0) }?.number
    leaderPicture = nil
  }

  private func leaveAll(at now: Instant) {
    hasEnded = true
    for media in attended { media.attend(ObjectIdentifier(self), pixels: 0, at: now) }
    attended.removeAll()
    for person in board.current.people { person.media.forgetSlot(by: ObjectIdentifier(self)) }
  }

  static func key(_ number: UInt32) -> String { String(number) }
}
