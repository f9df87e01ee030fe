import Bytes
import EncodedMedia
import ICE
import SecureTransport
import Timing

/// Everything that happens on one port shared by all peers, without the socket: finds the peer a datagram is meant for, keeps
/// their deadlines, and sends each output's frames to all who receive it.
///
///     datagram ─▶ known path? ───────────────▶ PeerSession
///              └▶ STUN with a known fragment ─▶ PeerSession ─ check authenticated ─▶ the path is known from now on
///
/// Total: a datagram nobody is meant by is counted and dropped, without an answer.
public struct Endpoint: ~Copyable {
  /// What a driver asks of the endpoint; in the words of `PeerTransport`.
  public enum Command: Sendable {
    // A setup is kilobytes' worth of description: with it in place, commands for every frame would be as large.
    indirect case add(PeerID, PeerSetup, any PeerObserver)
    indirect case update(PeerID, PeerSetup)
    case remove(PeerID)
    case subscribe(PeerID, MediaKind, OutputID?)
    case subscribeToLadder(PeerID, VideoLadder)
    case send(EncodedFrame, OutputID)
    /// Pictures of the output were lost before they came here: it goes on with a keyframe.
    case interrupt(OutputID)
    case requestKeyframe(PeerID, StreamID)
    case want(PeerID, StreamID, temporalLayers: UInt8)
    /// Another endpoint's peer would have the path; see `PathRegistry`.
    case yield(TransportPath)
  }

  final class Peer {
    let id: PeerID
    let observer: any PeerObserver
    /// When a datagram last came on a path known to be his.
    var lastHeard = Instant(nanoseconds: .min)
    /// The deadline this peer last put into the heap.
    var scheduled: Instant?
    /// Our fragments that lead here; two while an ICE restart is under way and until the next one.
    var fragments: [UfragKey] = []
    /// Paths that lead here.
    var paths: [TransportPath] = []
    var audio: OutputID?
    /// Of frames of sound that left together with pictures, the last he was sent; see `sendTogether`.
    var lastJoint: UInt64 = 0
    // Unchecked at run time that nobody else changes these two meanwhile: neither knows of peers or of the endpoint, so nothing asked of
    // them leads back here, and each packet of each peer would pay for the check.
    @exclusivity(unchecked) var pictures: PictureReception?
    /// Last, so that what sending needs lies together.
    @exclusivity(unchecked) var session: PeerSession

    /// Bytes before the pictures and before the session, about.
    private static let headByteCount = 96
    private static let sessionOffset = headByteCount &+ MemoryLayout<PictureReception?>.stride

    /// Asks for what lies in a peer at an address and is needed to send him a frame: how many hold him, and for pictures which he gets.
    static func prefetch(at peer: UnsafeRawPointer, toSend kind: MediaKind) {
      Prefetch.memory(at: peer, byteCount: kind == .audio ? 16 : headByteCount &+ PictureReception.judgingByteCount)
      PeerSession.prefetch(at: peer + sessionOffset, toSend: kind)
    }

    /// Asks for what lies in a peer at an address and is needed to take in a datagram.
    static func prefetchToReceive(at peer: UnsafeRawPointer) {
      Prefetch.memory(at: peer, byteCount: sessionOffset)
      PeerSession.prefetchToReceive(at: peer + sessionOffset)
    }

    init(id: PeerID, observer: any PeerObserver, session: consuming PeerSession) {
      self.id = id
      self.observer = observer
      self.session = session
    }
  }

  /// One output: who receives it and how its frames are cut.
  final class Output {
    /// One who receives it, and which rung of his ladder it is; 0 for sound.
    struct Receiver {
      let peer: Peer
      var rung: Int
    }

    var packetizer = OutputPacketizer()
    var receivers: [Receiver] = []
    /// For newcomers; empty where the output is sound.
    var recent = RecentPictures()
    /// When a keyframe was last asked for on behalf of those who wait for their first.
    var lastRequest: Instant?
    /// Of sound: when it is due.
    var cadence = SoundCadence()
    /// Of pictures: the sound that most of the receivers get.
    var companion: OutputID?
    /// A picture that waits for sound to leave with.
    var held: HeldPicture?

    /// It is another rung of a receiver's ladder from now on.
    func place(_ peer: Peer, onRung rung: Int) {
      for index in receivers.indices where receivers[index].peer === peer { receivers[index].rung = rung }
    }

    func takeHeld() -> HeldPicture? {
      defer { held = nil }
      return held
    }

    /// Asks for the memory of receivers whose turn comes soon: of one some way ahead for what lies in it, of a nearer one for
    /// what it leads to.
    func prefetch(after index: Int, _ kind: MediaKind) {
      if index &+ 6 < receivers.count {
        Peer.prefetch(at: Prefetch.object(index &+ 6, in: receivers), toSend: kind)
      }
      if index &+ 2 < receivers.count { receivers[index &+ 2].peer.session.prefetchForSending(kind) }
    }
  }

  /// How often a keyframe is asked for while receivers wait for one.
  static let keyframePatience = Interval.seconds(1)

  /// What one peer may have to send of what waited for its turn: some milliseconds of a very fast line.
  private static let timeoutRoom = 1 << 17

  /// Paths one peer may be reached by; an honest one has a handful.
  private static let pathsPerPeerMax = 16

  var peers: [PeerID: Peer] = [:]
  private var byFragment: [UfragKey: Peer] = [:]
  private var byPath: PathTable<Peer>
  private let registry: (any PathRegistry)?
  var outputs: [OutputID: Output] = [:]
  /// Pictures wait for sound where so many receive them: below, what is saved is not worth a millisecond.
  package var audienceMin = 200
  /// Outputs with a picture that waits for sound.
  var held: [OutputID] = []
  /// Frames of sound that were waited for.
  var jointFrames: UInt64 = 0
  private var deadlines = DeadlineHeap()
  private var nextMeasurement: Instant?
  private let wallClockAtZero: NTPTime
  private var seed: UInt64

  /// When a picture last came, or was handed over to be sent; nil before the first.
  package private(set) var lastPicture: Instant?

  /// Datagrams no peer was meant by.
  public private(set) var strayDatagrams: UInt64 = 0

  /// - Parameters:
  ///   - wallClockAtZero: the time of day when `Instant` counted zero.
  ///   - seed: for what must vary but need not be secret.
  ///   - registry: of the endpoints that share the port with this one; nil where none does.
  public init(wallClockAtZero: NTPTime, seed: UInt64, registry: (any PathRegistry)? = nil) {
    self.wallClockAtZero = wallClockAtZero
    self.seed = seed
    self.registry = registry
    byPath = PathTable(seed: seed)
  }

  public var peerCount: Int { peers.count }

  /// How much is kept for the peers there are: fragments, paths, outputs with receivers and deadlines, out-of-date ones included.
  public var bookkeeping: (fragments: Int, paths: Int, outputs: Int, deadlines: Int) {
    (byFragment.count, byPath.count, outputs.count, deadlines.count)
  }

  // MARK: Datagrams

  /// A datagram from there comes soon: asks for the memory of the peer that is meant.
  ///
  /// - Parameter distance: each as it comes nearer, since what lies in the next place is known only by what lies in the one before.
  package mutating func expect(from path: TransportPath, _ distance: PeerDistance) {
    switch distance {
    case .far: byPath.prefetch(path)
    case .middle: if let peer = byPath.memory(path) { Peer.prefetchToReceive(at: peer) }
    case .near: byPath[path]?.session.prefetchForReceiving()
    }
  }

  /// Takes one datagram, which it may overwrite.
  ///
  /// - Returns: whether a peer was meant by it; where none was it is as it came.
  @discardableResult public mutating func receive(
    _ datagram: inout MutableSpan<UInt8>, from path: TransportPath, at now: Instant, into outputs: inout PeerOutputs
  ) -> Bool {
    let kind = DatagramKind(of: datagram.span)
    guard kind != .stun else { return receiveCheck(&datagram, from: path, at: now, into: &outputs) }
    guard let peer = byPath[path] else {
      strayDatagrams &+= 1
      return false
    }
    peer.lastHeard = now
    peer.session.receive(&datagram, from: path, at: now, into: &outputs)
    tellEvents(of: peer, &outputs)
    // Media and feedback move no more than these; all else stands in the heap since it was last moved.
    switch kind {
    case .rtp: schedule(peer, peer.session.mediaDeadline)
    case .rtcp:
      adaptPictures(of: peer, at: now)
      schedule(peer, peer.session.feedbackDeadline)
    default: schedule(peer)
    }
    return true
  }

  /// Whether a path is a peer's: an authenticated check came from there.
  public mutating func isKnown(_ path: TransportPath) -> Bool { byPath[path] != nil }

  private mutating func receiveCheck(
    _ datagram: inout MutableSpan<UInt8>, from path: TransportPath, at now: Instant, into outputs: inout PeerOutputs
  ) -> Bool {
    // A request names whom it means; the path may have belonged to somebody else before.
    let named = peekUsername(datagram.span)
    guard let peer = if let named { byFragment[named] } else { byPath[path] } else {
      strayDatagrams &+= 1
      return false
    }
    let wasConnected = peer.session.isConnected
    peer.session.receive(&datagram, from: path, at: now, into: &outputs)
    learn(path, of: peer, at: now)
    if byPath[path] === peer { peer.lastHeard = now }
    tellEvents(of: peer, &outputs)
    if !wasConnected, peer.session.isConnected { resumePictures(of: peer, at: now) }
    schedule(peer)
    return true
  }

  /// Who is heard no more for so long may have lost his address to another: a port is soon used again.
  private static let pathLifetime = Interval.seconds(3)

  /// Notes where a peer is reached once an authenticated check came from there. A path that another peer is heard on stays his:
  /// otherwise a participant could send checks in somebody else's name and cut him off.
  private mutating func learn(_ path: TransportPath, of peer: Peer, at now: Instant) {
    guard peer.session.isValidated(path), byPath[path] !== peer else { return }
    if let other = byPath[path], isInUse(path, of: other, at: now) { return }
    guard registry?.claim(path) != false else { return }
    byPath[path]?.paths.removeAll { $0 == path }
    byPath[path] = peer
    peer.paths.append(path)
    guard peer.paths.count > Self.pathsPerPeerMax else { return }
    let selected = peer.session.selectedPath
    guard let oldest = peer.paths.firstIndex(where: { $0 != selected && $0 != path }) else { return }
    forget(peer.paths.remove(at: oldest))
  }

  private func isInUse(_ path: TransportPath, of peer: Peer, at now: Instant) -> Bool {
    peer.session.isValidated(path) && now - peer.lastHeard < Self.pathLifetime
  }

  private mutating func forget(_ path: TransportPath) {
    byPath[path] = nil
    registry?.release(path)
  }

  /// Another endpoint behind the port would have a path that was claimed here: it may, unless the peer is still heard on it.
  private mutating func yield(_ path: TransportPath, at now: Instant) {
    guard let peer = byPath[path], !isInUse(path, of: peer, at: now) else { return }
    peer.paths.removeAll { $0 == path }
    forget(path)
  }

  /// Notes where a peer that makes checks itself sends them: the answers name nobody.
  private mutating func expectAnswers(of peer: Peer, _ transmits: ArraySlice<PeerOutputs.Transmit>) {
    guard peer.session.makesChecks else { return }
    for transmit in transmits where byPath[transmit.path] == nil && peer.paths.count < Self.pathsPerPeerMax {
      guard registry?.claim(transmit.path) != false else { continue }
      byPath[transmit.path] = peer
      peer.paths.append(transmit.path)
    }
  }

  /// The TCP connection a path stood for has ended.
  public mutating func pathClosed(_ path: TransportPath, at now: Instant, into outputs: inout PeerOutputs) {
    guard let peer = byPath.remove(path) else { return }
    registry?.release(path)
    peer.paths.removeAll { $0 == path }
    peer.session.pathClosed(path, at: now, into: &outputs)
    tellEvents(of: peer, &outputs)
    schedule(peer)
  }

  // MARK: Time

  /// When `handleTimeout` wants to be called; nil where never.
  public var nextDeadline: Instant? {
    Self.earlier(Self.earlier(deadlines.first?.deadline, nextMeasurement), nextHeldEnd)
  }

  private static func earlier(_ one: Instant?, _ other: Instant?) -> Instant? {
    guard let one, let other else { return one ?? other }
    return min(one, other)
  }

  /// Does all that is due. `flush` is called where the outputs should be sent off before going on, and must empty them.
  public mutating func handleTimeout(
    at now: Instant, into outputs: inout PeerOutputs, flush: (inout PeerOutputs) -> Void = { _ in }
  ) {
    if !held.isEmpty { releaseOverdue(at: now, into: &outputs, flush: flush) }
    while let entry = deadlines.first, entry.deadline <= now {
      deadlines.removeFirst()
      guard let peer = peers[entry.peer], peer.scheduled == entry.deadline else { continue }
      peer.scheduled = nil
      if let deadline = peer.session.nextDeadline, deadline <= now {
        if outputs.arena.room < Self.timeoutRoom { flush(&outputs) }
        let sentBefore = outputs.queued.count
        peer.session.handleTimeout(at: now, into: &outputs)
        expectAnswers(of: peer, outputs.queued[min(sentBefore, outputs.queued.count)...])
        tellEvents(of: peer, &outputs)
      }
      if peer.pictures?.patienceEnd != nil {
        beginPictures(of: peer, at: now, into: &outputs, flush: flush)
      } else {
        adaptPictures(of: peer, at: now)
      }
      // Whatever is still due is a millisecond away at least: no peer can keep this loop for itself.
      schedule(peer, notBefore: now + .milliseconds(1))
    }
    measure(at: now)
  }

  mutating func schedule(_ peer: Peer, notBefore earliest: Instant = Instant(nanoseconds: .min)) {
    schedule(peer, peer.session.nextDeadline.map { max($0, earliest) })
    schedule(peer, peer.pictures?.patienceEnd)
    schedule(peer, peer.pictures?.choice.riseDeadline.map { max($0, earliest) })
  }

  mutating func schedule(_ peer: Peer, _ deadline: Instant?) {
    guard let deadline else { return }
    if let scheduled = peer.scheduled, scheduled <= deadline { return }
    peer.scheduled = deadline
    deadlines.insert(deadline, peer.id)
    if deadlines.count > 64 &+ 8 &* peers.count { deadlines.keep { peers[$0.peer]?.scheduled == $0.deadline } }
  }

  /// Tells every observer, once a second, what was measured.
  private mutating func measure(at now: Instant) {
    guard let due = nextMeasurement, now >= due else { return }
    nextMeasurement = peers.isEmpty ? nil : now + .seconds(1)
    for peer in peers.values { tellMeasurements(of: peer) }
  }

  func tellMeasurements(of peer: Peer) {
    var statistics = peer.session.statistics
    statistics.receivesPictures = peer.pictures != nil
    statistics.pictureOutput = peer.pictures?.forwardedOutput
    statistics.temporalLayers = peer.pictures?.forwardedLayers ?? 0
    statistics.framesRefused = peer.pictures?.framesRefused ?? 0
    peer.observer.peer(peer.id, didMeasure: statistics)
  }

  // MARK: Commands

  /// Carries out a command. `flush` is called where the outputs should be sent off before going on, and must empty them.
  public mutating func execute(
    _ command: Command, at now: Instant, into outputs: inout PeerOutputs, flush: (inout PeerOutputs) -> Void
  ) {
    switch command {
    case .add(let id, let setup, let observer): add(id, setup, observer, at: now, into: &outputs)
    case .update(let id, let setup):
      guard let peer = peers[id] else { return }
      peer.session.update(setup, at: now)
      register(peer)
      schedule(peer)
    case .remove(let id): remove(id, at: now, into: &outputs)
    case .subscribe(let id, .audio, let output): subscribeToSound(id, output)
    case .subscribe(let id, .video, let output):
      subscribe(id, to: output.map { VideoLadder($0) }, at: now, into: &outputs, flush: flush)
    case .subscribeToLadder(let id, let ladder): subscribe(id, to: ladder, at: now, into: &outputs, flush: flush)
    case .send(let frame, let output):
      if frame.codec.kind == .video { lastPicture = now }
      send(frame, output, at: now, into: &outputs, flush: flush)
    case .interrupt(let output): interrupt(output, at: now, into: &outputs, flush: flush)
    case .requestKeyframe(let id, let stream):
      guard let peer = peers[id] else { return }
      peer.session.requestKeyframe(stream, at: now, into: &outputs)
      schedule(peer)
    case .want(let id, let stream, let layers): peers[id]?.session.want(stream, temporalLayers: layers)
    case .yield(let path): yield(path, at: now)
    }
  }

  private mutating func add(
    _ id: PeerID, _ setup: PeerSetup, _ observer: any PeerObserver, at now: Instant, into outputs: inout PeerOutputs
  ) {
    precondition(peers[id] == nil, "a peer's id is never used again while the peer is there")
    seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    do {
      let session = try PeerSession(setup, wallClockAtZero: wallClockAtZero, seed: seed, at: now)
      let peer = Peer(id: id, observer: observer, session: session)
      peers[id] = peer
      register(peer)
      if nextMeasurement == nil { nextMeasurement = now + .seconds(1) }
      schedule(peer)
    } catch {
      observer.peerDidEnd(id, .handshakeFailed(error.description))
    }
  }

  /// Lets the fragments in force lead to the peer, and none from restarts that are settled.
  private mutating func register(_ peer: Peer) {
    let inForce = peer.session.localFragments
    for fragment in peer.fragments where !inForce.contains(fragment) && byFragment[fragment] === peer {
      byFragment[fragment] = nil
      registry?.release(fragment)
    }
    for fragment in inForce where byFragment[fragment] == nil { byFragment[fragment] = peer }
    peer.fragments = inForce
  }

  private mutating func remove(_ id: PeerID, at now: Instant, into outputs: inout PeerOutputs) {
    guard let peer = peers.removeValue(forKey: id) else { return }
    peer.session.close(at: now, into: &outputs)
    outputs.events.removeAll(keepingCapacity: true)
    for fragment in peer.fragments where byFragment[fragment] === peer { byFragment[fragment] = nil }
    for path in peer.paths where byPath[path] === peer { forget(path) }
    if let output = peer.audio { leave(output, peer) }
    for output in peer.pictures?.joined ?? [] { leave(output, peer) }
  }

  /// Says goodbye to every peer and forgets them all: whoever drives the endpoint is about to stop.
  ///
  /// - Parameter flush: as for `execute`.
  public mutating func removeAll(at now: Instant, into outputs: inout PeerOutputs, flush: (inout PeerOutputs) -> Void) {
    for id in Array(peers.keys) {
      if outputs.arena.room < 4 * PeerSession.packetSizeMax { flush(&outputs) }
      remove(id, at: now, into: &outputs)
    }
  }

  // MARK: Events

  private mutating func tellEvents(of peer: Peer, _ outputs: inout PeerOutputs) {
    guard !outputs.events.isEmpty else { return }
    // Taken from the end, so that each is moved and none copied; mostly there is one.
    outputs.events.reverse()
    while let event = outputs.events.popLast() {
      switch event {
      case .connected: peer.observer.peerDidConnect(peer.id)
      case .frame(let frame, let stream):
        if stream.kind == .video { lastPicture = frame.time }
        peer.observer.peer(peer.id, didReceive: frame, on: stream)
      case .keyframeNeeded:
        if let output = peer.pictures?.forwardedOutput ?? peer.pictures?.awaitedOutput {
          peer.observer.peer(peer.id, needsKeyframeOf: output)
        }
      case .ended(let reason): peer.observer.peerDidEnd(peer.id, reason)
      }
    }
  }
}
