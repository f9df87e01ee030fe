import Bytes
import EncodedMedia
import ICE
import RTP
import RTPStreams
import SecureTransport
import Timing

/// One peer's transport, without a socket and without a clock: datagrams and times go in, datagrams and events come out.
///
///     datagram ─▶ DatagramKind ─▶ STUN ─▶ ICEAgent ──────────────▶ answers; the path media takes
///                      │
///                      ├─ from a checked path ─▶ DTLSConnection ─▶ keys, once the fingerprint is right
///                      └─ from a checked path ─▶ SRTPReceiver ─▶ IncomingStreams ─▶ frames
///                                                              └▶ RTCP ─▶ OutgoingStream: retransmissions, keyframes
///     frame ─▶ OutgoingStream ─▶ SRTPSender ─▶ datagrams
///
/// Serves either side: a server answers checks (`lite`), a client makes them. Total: whatever a datagram holds, the worst that
/// happens is that it is counted and dropped.
///
/// What is asked of a session many times a second counts as changing it, though it does not: then it is asked where it lies, while a
/// getter that only reads would be handed a copy of all its kilobytes.
public struct PeerSession: ~Copyable {
  /// What outgoing RTP packets may be long at most, their SRTP tag included: fits IPv6's least MTU with its headers.
  public static let packetSizeMax = 1200

  /// The wall clock when the monotonic clock was zero; sender reports are stamped by it.
  let wallClockAtZero: NTPTime
  // What sending needs comes first and together: `Endpoint` asks for this part of a session's memory ahead of its turn.
  private var hasEnded = false
  private var isEstablished = false
  private var isAnnounced = false
  /// Where media is sent; nil while the peer is not connected. What ICE and DTLS say together, set down whenever either may have changed,
  /// because it is asked for each packet.
  private(set) var mediaPath: TransportPath?
  var sender: SRTPSender?
  private var senderMemory: SRTPMemory?
  var counts = PeerStatistics()
  var path = PathControl()
  var outgoing: OutgoingStreams
  // So does what receiving needs.
  var receiver: SRTPReceiver?
  private var receiverMemory: SRTPMemory?
  var incoming: IncomingStreams
  var arrivals: TransportFeedbackRecorder?
  var audioPool = FrameBufferPool(capacity: 72, bytesReserved: 512)
  var ice: ICEAgent
  private(set) var setup: PeerSetup
  /// What `mediaPath` was when there was one.
  private var lastMediaPath: TransportPath?
  let dtls: DTLSConnection
  var schedule: RTCPSchedule
  var videoPool = FrameBufferPool(capacity: 34, bytesReserved: 16_384)
  var random: SessionRandom

  /// - Parameters:
  ///   - wallClockAtZero: the time of day when `Instant` counted zero.
  ///   - seed: for what must vary but need not be secret: report intervals, first sequence numbers, timestamps.
  /// - Throws: where OpenSSL has no memory for another connection.
  public init(_ setup: PeerSetup, wallClockAtZero: NTPTime, seed: UInt64, at now: Instant) throws(DTLSSetupError) {
    self.setup = setup
    self.wallClockAtZero = wallClockAtZero
    random = SessionRandom(seed: seed)
    ice = ICEAgent(setup, at: now, using: &random)
    dtls = try DTLSConnection(
      role: setup.dtlsRole, certificate: setup.certificate, expected: setup.remoteFingerprint, profiles: setup.srtpProfiles)
    incoming = IncomingStreams(setup.session)
    outgoing = OutgoingStreams(setup.session, using: &random)
    path.limit(pictures: setup.bitsPerSecondMax.pictures, all: setup.bitsPerSecondMax.all)
    schedule = RTCPSchedule(start: now, using: &random)
    if setup.session.media.contains(where: { $0.feedback.contains(.transportCC) }) { arrivals = TransportFeedbackRecorder() }
  }

  /// Where its parts lie, about: a line of the cache more or less does no harm.
  private enum Place {
    static let counts = 16 &+ MemoryLayout<TransportPath?>.stride &+ 8 &+ MemoryLayout<SRTPMemory?>.stride
    static let path = counts &+ MemoryLayout<PeerStatistics>.stride
    static let outgoing = path &+ MemoryLayout<PathControl>.stride
    static let receiving = outgoing &+ MemoryLayout<OutgoingStreams>.stride
    /// From the beginning to what is counted for each packet.
    static let countingByteCount = counts &+ 32
    static let receivingByteCount = 256
  }

  /// Asks for what lies in a session at an address and is needed to send it a frame.
  static func prefetch(at session: UnsafeRawPointer, toSend kind: MediaKind) {
    Prefetch.memory(at: session, byteCount: Place.countingByteCount)
    PathControl.prefetch(at: session + Place.path, toSend: kind)
    OutgoingStreams.prefetch(at: session + Place.outgoing, toSend: kind)
  }

  /// Asks for what lies in a session at an address and is needed to take in a media packet.
  static func prefetchToReceive(at session: UnsafeRawPointer) {
    Prefetch.memory(at: session, byteCount: Place.countingByteCount)
    Prefetch.memory(at: session + Place.receiving, byteCount: Place.receivingByteCount)
  }

  /// Asks for memory that sending a frame of this kind needs beyond the session's own.
  mutating func prefetchForSending(_ kind: MediaKind) {
    senderMemory?.prefetch()
    path.estimator.prefetch()
    if kind == .audio { outgoing.audio?.prefetch() } else { outgoing.video?.prefetch() }
  }

  /// Asks for memory that taking in a datagram needs beyond the session's own: of media, or of feedback where the peer only watches.
  mutating func prefetchForReceiving() {
    guard !incoming.entries.isEmpty else {
      receiverMemory?.prefetchForRTCP()
      return path.estimator.prefetchToReceive()
    }
    receiverMemory?.prefetch()
    incoming.prefetch()
    arrivals?.prefetch()
    audioPool.prefetch()
  }

  /// Whether media can be sent now.
  public var isConnected: Bool { mediaPath != nil }
  /// Whether an authenticated check came from there of late.
  public mutating func isValidated(_ path: TransportPath) -> Bool { path == mediaPath || ice.isValidated(path) }
  public var selectedPath: TransportPath? { ice.selectedPath }
  var localFragments: [UfragKey] { mutating get { ice.localFragments } }
  /// Whether this side checks paths, rather than waiting for the peer to.
  public var makesChecks: Bool { setup.iceRole == .controlling }

  /// Takes one datagram, which it may overwrite.
  public mutating func receive(
    _ datagram: inout MutableSpan<UInt8>, from path: TransportPath, at now: Instant, into outputs: inout PeerOutputs
  ) {
    guard !hasEnded else { return }
    counts.packetsReceived &+= 1
    counts.bytesReceived &+= UInt64(datagram.count)
    switch DatagramKind(of: datagram.span) {
    case .stun:
      ice.receive(datagram.span, from: path, at: now, arena: &outputs.arena, outputs: &outputs.ice)
      carryOutICE(at: now, into: &outputs)
    case .dtls:
      // Before an authenticated check a ClientHello is anybody's: answering it would let a stranger in the peer's place.
      guard isValidated(path) else { return refuse() }
      dtls.receive(datagram.span, at: now, into: &outputs.dtls)
      carryOutDTLS(fallback: path, at: now, into: &outputs)
    case .rtp:
      guard isValidated(path) else { return refuse() }
      receiveRTP(&datagram, at: now, into: &outputs)
    case .rtcp:
      guard isValidated(path) else { return refuse() }
      receiveRTCP(&datagram, at: now, into: &outputs)
    case .turnChannel, .other: refuse()
    }
  }

  mutating func refuse() { counts.datagramsRefused &+= 1 }

  /// When `handleTimeout` wants to be called; nil where never.
  public var nextDeadline: Instant? {
    mutating get {
      guard !hasEnded else { return nil }
      var earliest = ice.nextDeadline ?? .distantFuture
      if let deadline = dtls.nextDeadline { earliest = min(earliest, deadline) }
      if isConnected {
        earliest = min(earliest, schedule.nextDeadline)
        if let deadline = path.nextDeadline { earliest = min(earliest, deadline) }
      }
      if let deadline = mediaDeadline { earliest = min(earliest, deadline) }
      return earliest == .distantFuture ? nil : earliest
    }
  }

  /// The part of `nextDeadline` that a media packet can bring nearer; nil where there is none.
  var mediaDeadline: Instant? {
    mutating get {
      guard isConnected else { return nil }
      guard let feedback = arrivals?.nextDeadline else { return incoming.nextDeadline }
      return incoming.nextDeadline.map { min($0, feedback) } ?? feedback
    }
  }

  /// The part of `nextDeadline` that reports and feedback can bring nearer; nil where there is none.
  var feedbackDeadline: Instant? {
    mutating get {
      guard isConnected, let path = path.nextDeadline else { return mediaDeadline }
      return mediaDeadline.map { min($0, path) } ?? path
    }
  }

  /// The part of `nextDeadline` that sending brings nearer; nil where nothing waits to be sent.
  var pacingDeadline: Instant? { mutating get { isConnected ? path.pacingDeadline : nil } }

  /// Does all that is due.
  public mutating func handleTimeout(at now: Instant, into outputs: inout PeerOutputs) {
    guard !hasEnded else { return }
    ice.handleTimeout(at: now, arena: &outputs.arena, outputs: &outputs.ice)
    carryOutICE(at: now, into: &outputs)
    dtls.handleTimeout(at: now, into: &outputs.dtls)
    carryOutDTLS(fallback: nil, at: now, into: &outputs)
    guard isConnected else { return }
    for index in incoming.entries.indices {
      guard let deadline = incoming.entries[index].stream.nextDeadline, deadline <= now else { continue }
      incoming.entries[index].stream.handleTimeout(at: now, pool: &videoPool, frames: &outputs.frames)
      tellFrames(of: index, into: &outputs)
    }
    sendFeedback(at: now, into: &outputs)
    sendReports(at: now, into: &outputs)
    guard let deadline = path.nextDeadline, deadline <= now else { return }
    path.handleTimeout(at: now)
    releasePaced(at: now, into: &outputs)
  }

  /// The TCP connection a path stood for has ended: nothing more is sent there.
  public mutating func pathClosed(_ path: TransportPath, at now: Instant, into outputs: inout PeerOutputs) {
    guard !hasEnded else { return }
    ice.pathClosed(path, at: now, outputs: &outputs.ice)
    carryOutICE(at: now, into: &outputs)
  }

  /// Takes a new negotiation: other lines, trickled candidates, an ICE restart.
  public mutating func update(_ setup: PeerSetup, at now: Instant) {
    ice.update(from: self.setup, to: setup, at: now)
    incoming.update(setup.session)
    outgoing.update(setup.session, using: &random)
    path.limit(pictures: setup.bitsPerSecondMax.pictures, all: setup.bitsPerSecondMax.all)
    self.setup = setup
    settleMediaPath(at: now)
  }

  /// Says goodbye: RTCP BYE and DTLS close_notify.
  public mutating func close(at now: Instant, into outputs: inout PeerOutputs) {
    guard !hasEnded else { return }
    if isConnected { sendGoodbye(at: now, into: &outputs) }
    dtls.close(into: &outputs.dtls)
    carryOutDTLS(fallback: nil, at: now, into: &outputs)
    hasEnded = true
    settleMediaPath(at: now)
  }

  public var statistics: PeerStatistics {
    mutating get {
      var statistics = counts
      statistics.datagramsRefused &+= UInt64(ice.rejectedCount)
      for entry in incoming.entries {
        statistics.packetsLost &+= UInt64(max(0, entry.stream.statistics.lostCount))
        statistics.retransmissionsRequested &+= UInt64(entry.stream.counters.packetsRequested)
        statistics.keyframesRequested &+= UInt64(entry.stream.counters.keyframesRequested)
        if entry.id.kind == .audio {
          statistics.audioJitter = entry.stream.statistics.jitterTime
        }
      }
      outgoing.addStatistics(to: &statistics)
      path.addStatistics(to: &statistics)
      return statistics
    }
  }

  // MARK: What ICE and DTLS want

  private mutating func settleMediaPath(at now: Instant) {
    mediaPath = isEstablished && !hasEnded ? ice.selectedPath : nil
    guard let mediaPath, mediaPath != lastMediaPath else { return }
    if let lastMediaPath, !mediaPath.isLike(lastMediaPath) { path.moved(at: now) }
    lastMediaPath = mediaPath
  }

  private mutating func carryOutICE(at now: Instant, into outputs: inout PeerOutputs) {
    settleMediaPath(at: now)
    guard !outputs.ice.isEmpty else { return }
    for output in outputs.ice {
      switch output {
      case .send(let range, let path): outputs.send(range, to: path)
      case .connected, .pathChanged:
        dtls.start(at: now, into: &outputs.dtls)
        carryOutDTLS(fallback: nil, at: now, into: &outputs)
        announce(into: &outputs)
      case .disconnected: break
      case .failed: end(isEstablished ? .connectivityLost : .neverConnected, at: now, into: &outputs)
      }
    }
    outputs.ice.removeAll(keepingCapacity: true)
  }

  private mutating func carryOutDTLS(fallback path: TransportPath?, at now: Instant, into outputs: inout PeerOutputs) {
    if let path = ice.selectedPath ?? path {
      for datagram in outputs.dtls.datagrams { outputs.send(datagram.span, to: path) }
    }
    let events = outputs.dtls.events
    outputs.dtls.removeAll()
    for event in events {
      switch event {
      case .connected(let keys): establish(keys, at: now, into: &outputs)
      case .failed(let reason): end(.handshakeFailed(reason.description), at: now, into: &outputs)
      case .closed: end(.closed, at: now, into: &outputs)
      }
    }
  }

  private mutating func establish(_ keys: SRTPKeys, at now: Instant, into outputs: inout PeerOutputs) {
    do {
      let receiver = try SRTPReceiver(keys)
      self.receiver = receiver
      receiverMemory = receiver.memory
      let sender = try SRTPSender(keys)
      self.sender = sender
      senderMemory = sender.memory
      isEstablished = true
      settleMediaPath(at: now)
      announce(into: &outputs)
    } catch {
      end(.handshakeFailed(error.description), at: now, into: &outputs)
    }
  }

  /// Tells that media can flow, once. A browser may finish DTLS on a checked path before it nominates one.
  private mutating func announce(into outputs: inout PeerOutputs) {
    guard isConnected, !isAnnounced else { return }
    isAnnounced = true
    outputs.events.append(.connected)
  }

  private mutating func end(_ reason: PeerEndReason, at now: Instant, into outputs: inout PeerOutputs) {
    guard !hasEnded else { return }
    hasEnded = true
    settleMediaPath(at: now)
    outputs.events.append(.ended(reason))
  }
}

/// The numbers a session makes up that need not be secret (SplitMix64, Steele et al. 2014).
struct SessionRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
