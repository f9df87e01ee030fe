import Timing

/// What the pacer lets go.
public enum PacerRelease: Hashable, Sendable {
  /// A packet that was enqueued, and the probe it is part of; 0 for none.
  case packet(PacedPacket, cluster: UInt8)
  /// Padding of about so many bytes for a probe, where no media waits: a sent packet again as RTX, or RTP padding.
  case padding(size: Int, cluster: UInt8)
}

/// Spreads what is sent to one receiver over time, so that a key frame does not fill the queues of its path.
///
///     passes  ─────────────────── at once, where nothing waits and little was sent ahead of the rate
///     enqueue ─▶ audio ──────────▶ at once
///             ─▶ retransmissions ─▶ at 1.05 to 2.5 times the target, by the path's headroom, in bursts of 5 ms ─▶ pop
///             ─▶ video ──────────▶
///                padding ─────────▶ only as part of a probe, at the probe's rate
///
/// Asking for the next deadline counts as changing the pacer: so it is asked where it lies, and nothing is copied.
///
/// Packets are handles with a size. Full, it refuses; so that a frame is refused before it has sequence numbers, its owner asks
/// `admits` first.
public struct Pacer: Sendable {
  /// What the pacer keeps at most.
  public struct Limits: Hashable, Sendable {
    /// Video is admitted while what waits leaves within this time.
    public var queueTimeMax: Interval
    /// Retransmissions are admitted while what waits leaves within this time: later they are of no use, and keep pictures from leaving.
    public var retransmissionTimeMax: Interval
    /// Packets of each kind that may wait.
    public var audioPacketsMax: Int
    public var retransmissionPacketsMax: Int
    public var videoPacketsMax: Int
    /// Bytes of all of them together; sound is taken beyond.
    public var bytesMax: Int

    public init(
      queueTimeMax: Interval = .milliseconds(400), retransmissionTimeMax: Interval = .milliseconds(250),
      audioPacketsMax: Int = 32, retransmissionPacketsMax: Int = 128,
      videoPacketsMax: Int = 512, bytesMax: Int = 512 * 1024
    ) {
      self.queueTimeMax = queueTimeMax
      self.retransmissionTimeMax = retransmissionTimeMax
      self.audioPacketsMax = audioPacketsMax
      self.retransmissionPacketsMax = retransmissionPacketsMax
      self.videoPacketsMax = videoPacketsMax
      self.bytesMax = bytesMax
    }
  }

  /// What happened so far.
  public struct Counters: Hashable, Sendable {
    /// Enqueued packets that left, and packets that found their queue full.
    public var released = 0
    public var refused = 0
    /// Bytes of padding asked for, where a probe had no media to send.
    public var paddingBytes = 0
  }

  /// What leaves in a second, as a multiple of the target: on a path that has room to spare a large picture is not made to wait for
  /// room that is there.
  private static func factor(_ headroom: PathHeadroom) -> Double {
    switch headroom {
    case .none: 1.05
    case .some: 1.25
    case .ample: 2.5
    }
  }
  private static let burst = 0.005
  /// Seconds of the rate that may leave ahead of it without waiting: most frames do, so that no timer is set for them.
  private static let passingBurst = 0.040
  private static let paddingSizes = 50...1_100
  private static let probeTimeMax = Interval.milliseconds(500)

  fileprivate struct Probe: Sendable {
    let request: ProbeRequest
    /// Bytes of each packet of padding.
    let paddingSize: Int
    let startedAt: Instant
    var bytes = 0
    var packets = 0
  }

  // First what sound goes through, then what pictures do.
  private var probe: Probe?
  private var bitsPerSecond: Double
  /// Bits sent ahead of the rate.
  private var debt = 0.0
  private var debtAt = Instant.zero
  private var isResting = false
  private var audio: PacketRing
  private var retransmissions: PacketRing
  private var video: PacketRing
  public private(set) var counters = Counters()
  private let limits: Limits

  /// Bytes from its beginning that `passedAudio` goes through.
  package static let probingByteCount = MemoryLayout<Probe?>.size

  /// - Parameter targetBitsPerSecond: the estimator's; told anew by `setTarget`.
  public init(targetBitsPerSecond: Int, limits: Limits = Limits()) {
    self.limits = limits
    audio = PacketRing(capacity: limits.audioPacketsMax)
    retransmissions = PacketRing(capacity: limits.retransmissionPacketsMax)
    video = PacketRing(capacity: limits.videoPacketsMax)
    bitsPerSecond = Self.rate(targetBitsPerSecond, Self.factor(.some))
  }

  private static func rate(_ target: Int, _ factor: Double) -> Double {
    Double(min(max(target, 5_000), 1_000_000_000)) * factor
  }

  // MARK: Answers

  /// Bytes that leave at a target within the time that video may wait, on a path that has no room to spare.
  public static func bytesAdmitted(targetBitsPerSecond: Int) -> Int {
    Int(rate(targetBitsPerSecond, factor(.some)) * Limits().queueTimeMax.seconds / 8)
  }

  public var isEmpty: Bool { audio.count == 0 && retransmissions.count == 0 && video.count == 0 }

  /// Bytes that wait.
  public var queuedBytes: Int { audio.bytes &+ retransmissions.bytes &+ video.bytes }

  /// How long what waits takes to leave at the present rate.
  public var queueTime: Interval {
    .nanoseconds(Int64(min(Double(retransmissions.bytes &+ video.bytes) * 8 / bitsPerSecond, 3_600) * 1e9))
  }

  /// Whether a frame of video has room: within its time in the queue, or any where nothing waits.
  public func admits(bytes: Int, packets: Int) -> Bool {
    guard packets <= limits.videoPacketsMax &- video.count, bytes <= limits.bytesMax &- queuedBytes else { return false }
    return queueTime <= limits.queueTimeMax
  }

  /// When `pop` has something to release; nil while nothing waits.
  public var nextDeadline: Instant? {
    mutating get {
      if audio.count > 0 { return debtAt }
      if let probe { return probe.nextDeadline }
      guard video.count > 0 || retransmissions.count > 0 else { return nil }
      guard isResting, debt > 0 else { return debtAt }
      return debtAt + .nanoseconds(Int64(min(debt / bitsPerSecond, 60) * 1e9) &+ 1)
    }
  }

  // MARK: Events

  /// The estimator's target changed.
  ///
  /// - Parameter headroom: of the path, as the estimator says.
  public mutating func setTarget(_ targetBitsPerSecond: Int, headroom: PathHeadroom = .some, at now: Instant) {
    settle(at: now)
    bitsPerSecond = Self.rate(targetBitsPerSecond, Self.factor(headroom))
  }

  /// Takes the budget for what its owner then sends itself, all of it now, without a place in a queue.
  ///
  /// - Parameter bytes: of the datagrams; more than one where they belong together.
  /// - Returns: false, with nothing taken, where something waits, a probe is under way or too much was sent already.
  public mutating func passes(bytes: Int, at now: Instant) -> Bool {
    guard video.count == 0, retransmissions.count == 0, audio.count == 0, probe == nil else { return false }
    settle(at: now)
    let bits = Double(max(bytes, 0)) * 8
    guard debt + bits <= bitsPerSecond * Self.passingBurst || debt <= 0 && bytes <= Self.paddingSizes.upperBound else {
      return false
    }
    debt += bits
    return true
  }

  /// Counts sound that its owner sent at once, whatever the budget.
  ///
  /// - Returns: the probe it is part of; 0 for none.
  public mutating func passedAudio(bytes: Int) -> UInt8 {
    guard probe != nil else { return 0 }
    // What leaves during a probe is part of it, or its rate would be measured without.
    probe?.bytes &+= bytes
    probe?.packets &+= 1
    return probe?.request.cluster ?? 0
  }

  /// Forgets video that waits, but for the first packets of it, and what was to be sent again of video before.
  public mutating func removeVideo(keepingFirst count: Int) {
    while video.count > max(count, 0) { video.removeLast() }
    while retransmissions.count > 0 { retransmissions.removeLast() }
  }

  /// A packet wants to be sent.
  ///
  /// - Parameters:
  ///   - handle: what its owner finds it by when `pop` names it.
  ///   - size: bytes of the datagram, 1 to 65535.
  /// - Returns: false where its queue is full.
  public mutating func enqueue(_ handle: UInt64, _ priority: PacketPriority, size: Int, at now: Instant) -> Bool {
    let packet = PacedPacket(handle: handle, size: Int32(min(max(size, 1), 65_535)), priority: priority)
    guard queuedBytes &+ Int(packet.size) <= limits.bytesMax || priority == .audio else {
      counters.refused &+= 1
      return false
    }
    settle(at: now)
    let isTaken =
      switch priority {
      case .audio: audio.append(packet)
      case .retransmission: queueTime <= limits.retransmissionTimeMax && retransmissions.append(packet)
      case .video: video.append(packet)
      }
    if !isTaken { counters.refused &+= 1 }
    return isTaken
  }

  /// The estimator wants a probe sent, in place of one that is under way.
  ///
  /// - Parameter paddingSizeMax: bytes that a packet of padding can have now. Smaller ones are so many more: what is asked for and not
  ///   sent would make the probe another.
  public mutating func begin(_ request: ProbeRequest, paddingSizeMax: Int = .max, at now: Instant) {
    settle(at: now)
    let sizes = Self.paddingSizes
    let size = min(request.bytes / max(request.packetsMin, 1), paddingSizeMax)
    probe = Probe(request: request, paddingSize: min(max(size, sizes.lowerBound), sizes.upperBound), startedAt: now)
  }

  /// Appends what is due, in the order it is to be sent.
  public mutating func pop(at now: Instant, into released: inout [PacerRelease]) {
    guard probe != nil || !isEmpty else { return }
    settle(at: now)
    while let packet = audio.popFirst() {
      // What leaves during a probe is part of it, or its rate would be measured without.
      release(packet, cluster: probe?.request.cluster ?? 0, into: &released)
      probe?.bytes &+= Int(packet.size)
      probe?.packets &+= 1
    }
    if probe != nil { popProbe(at: now, into: &released) }
    guard probe == nil else { return }
    if isResting, debt <= 0 { isResting = false }
    while !isResting, let packet = retransmissions.popFirst() ?? video.popFirst() {
      release(packet, cluster: 0, into: &released)
      debt += Double(packet.size) * 8
      if debt >= bitsPerSecond * Self.burst { isResting = true }
    }
  }

  /// Forgets all that waits, and a probe: the receiver is gone or on hold. Numbers given to its packets are never sent.
  public mutating func removeAll() { self = Pacer(limits: limits, rate: bitsPerSecond, counters: counters, at: debtAt) }

  private init(limits: Limits, rate: Double, counters: Counters, at now: Instant) {
    self.init(targetBitsPerSecond: 0, limits: limits)
    (bitsPerSecond, self.counters, debtAt) = (rate, counters, now)
  }

  // MARK: Budget

  private mutating func settle(at now: Instant) {
    guard now > debtAt else { return }
    debt = max(debt - (now - debtAt).seconds * bitsPerSecond, 0)
    debtAt = now
  }

  private mutating func release(_ packet: PacedPacket, cluster: UInt8, into released: inout [PacerRelease]) {
    counters.released &+= 1
    released.append(.packet(packet, cluster: cluster))
  }

  private mutating func popProbe(at now: Instant, into released: inout [PacerRelease]) {
    guard var probe else { return }
    if now - probe.startedAt > Self.probeTimeMax { self.probe = nil }
    while self.probe != nil, now >= probe.nextDeadline {
      let size: Int
      // What the first packet is preceded by is not part of the probe, so that its size says nothing of the path: a large one would leave
      // those after it too few for their time.
      if probe.packets > 0, let packet = retransmissions.popFirst() ?? video.popFirst() {
        release(packet, cluster: probe.request.cluster, into: &released)
        size = Int(packet.size)
      } else {
        size = probe.paddingSize
        counters.paddingBytes &+= size
        released.append(.padding(size: size, cluster: probe.request.cluster))
      }
      debt += Double(size) * 8
      probe.bytes &+= size
      probe.packets &+= 1
      let isDone = probe.bytes >= probe.request.bytes && probe.packets >= probe.request.packetsMin
      self.probe = isDone ? nil : probe
    }
  }
}

extension Pacer.Probe {
  /// When the probe's next packet leaves, so that all of them leave at its rate.
  fileprivate var nextDeadline: Instant {
    startedAt + .nanoseconds(Int64(min(Double(bytes) * 8 / Double(max(request.bitsPerSecond, 1)), 60) * 1e9))
  }
}
