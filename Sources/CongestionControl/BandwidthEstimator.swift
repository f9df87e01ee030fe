import Bytes
import RTP
import Timing

/// How much more than on average a path takes for a moment.
public enum PathHeadroom: Hashable, Sendable {
  case none, some, ample
}

/// What one receiver's path carries, from whatever its receiver tells: arrival times (transport-cc), REMB, loss.
///
///     packetSent ─▶ SentPacketHistory ◀─ transport-cc
///                         ├─▶ PacketGrouping ─▶ OveruseDetector ─▶ RateControl ─┐
///                         ├─▶ AcknowledgedBitrate ─────────────────▲            ├─▶ least of them: estimate ─▶ target
///                         ├─▶ ProbeMeasurement ────────────────────┘            │
///     receiver reports ───┴─▶ LossControl ──────────────────────────────────────┤
///     REMB ─────▶ ReceiverMaximum ──────────────────────────────────────────────┘
///
/// Follows draft-ietf-rmcat-gcc-02. Without transport-cc, loss and REMB alone bound a rate that rises by 8 % a second. Feedback is the
/// peer's word: whatever it says, the answers stay within the bounds.
///
/// What is asked with each feedback counts as changing the estimator: so it is asked where it lies, and nothing is copied.
public struct BandwidthEstimator: Sendable {
  /// Bits per second.
  public struct Bounds: Hashable, Sendable {
    public var minimum: Int
    public var start: Int
    public var maximum: Int

    public init(minimum: Int = 20_000, start: Int = 300_000, maximum: Int = 20_000_000) {
      self.minimum = min(max(minimum, 5_000), 1_000_000_000)
      self.maximum = min(max(maximum, self.minimum), 1_000_000_000)
      self.start = min(max(start, self.minimum), self.maximum)
    }
  }

  /// What the parts think; bit rates per second.
  public struct Statistics: Sendable {
    /// As `targetBitsPerSecond` and `estimatedBitsPerSecond`.
    public var target: Int
    public var estimate: Int
    /// By how queues grow.
    public var delayBased: Int
    /// Nil while loss bounds nothing.
    public var lossBased: Int?
    /// Nil where the receiver told none that bounds what is sent.
    public var receiverMaximum: Int?
    /// Nil before half a second of transport-cc.
    public var acknowledged: Int?
    /// What the path was seen to carry when it was full; nil before it was.
    public var linkCapacity: Int?
    public var usage: PathUsage
    public var state: RateControlState
    /// 0 to 1.
    public var fractionLost: Double
    public var queueDelay: Interval
    public var roundTripTime: Interval
    public var isApplicationLimited: Bool
    public var probesSent: Int
    public var probesMeasured: Int
    /// Whether the receiver told anything yet, and of the first probe if there is one: before, all is a guess.
    public var isInformed: Bool
  }

  /// What the sender would send if it fitted, in bits per second: the reason to probe. 0 for content with what is known.
  public var wantedBitsPerSecond = 0

  /// Of a path that told of its packets nothing is heard for so long, at least, before less is sent.
  private static let silenceMax = Interval.milliseconds(1_000)
  private static let openingMax = Interval.seconds(3)
  /// What a key frame may wait on a path that carries the rest.
  private static let keyframeQueue = Interval.milliseconds(80)
  /// Where the packets that came last waited less, none wait any more, whatever made those before them late.
  private static let noQueue = Interval.milliseconds(10)
  /// A path is clear that has carried so much, in bits per second, without more of a queue for so long.
  private static let clearBitsPerSecondMin = 500_000.0
  private static let clearQueueMax = Interval.milliseconds(25)
  private static let clearAfter = Interval.seconds(15)
  /// Below so many bits per second a key frame takes half a second or more.
  private static let thinBelow = 150_000.0
  /// So long after it was full a path is taken to have little more than what is known.
  private static let fullFor = Interval.seconds(10)
  /// Of what comes through a queue, so much more makes it ours.
  private static let outrunning = 1.5
  /// Of what comes through a queue, so much is less: it drains.
  private static let underrunning = 0.9
  private static let restAfter = Interval.seconds(3)
  /// Who sends less than this share of what he may waits for room for more at once.
  private static let betweenSteps = 0.7
  private static let ownQueueMin = Interval.milliseconds(40)
  /// How long less is sent so that a queue drains: at least, since what was sent before may still arrive; at most, since then it is not
  /// ours, or its base has changed.
  private static let drainTimes = Interval.milliseconds(1_500)...Interval.seconds(4)

  // First what each packet that is sent goes through: its sender asks for this memory ahead of its turn.
  private var history: SentPacketHistory
  private var sending = SendingRate()
  /// When transport-wide feedback was heard last, or its silence answered.
  private var lastHeard: Instant?
  private let bounds: Bounds
  private var grouping = PacketGrouping()
  private var detector = OveruseDetector()
  private var acknowledged = AcknowledgedBitrate()
  private var rate: RateControl
  private var loss: LossControl
  private var probes = ProbeSchedule()
  private var measurement = ProbeMeasurement()
  private var queue = QueueDelay()
  private var bottleneck = BottleneckRate()
  private var receiverMaximum = ReceiverMaximum()
  private var roundTripTime = Interval.milliseconds(100)
  private var hasTransportFeedback = false
  /// Whether the path was opened and nothing told yet what it carries: the first probe that does is believed whatever was assumed.
  public private(set) var isUnsure = false
  private var openedAt: Instant?
  /// Whether less was sent because nothing was heard, and nothing has been since.
  private var isSilent = false
  private var lastReport: Instant?
  private var probesSent = 0
  /// Until when what is heard may tell of the last probe.
  private var probeEcho: Instant?
  /// Probes that were answered.
  public private(set) var probesMeasured = 0

  /// - Parameter historyCapacity: packets remembered until feedback tells of them; 16 bytes each.
  public init(_ bounds: Bounds = Bounds(), historyCapacity: Int = 1024) {
    self.bounds = bounds
    history = SentPacketHistory(capacity: historyCapacity)
    rate = RateControl(start: Double(bounds.start), bounds: Double(bounds.minimum)...Double(bounds.maximum))
    loss = LossControl(minimum: Double(bounds.minimum))
  }

  // MARK: Answers

  /// What the path carries over time, in bits per second, headers included: what a choice of rung goes by.
  public var estimatedBitsPerSecond: Int { mutating get { clampedInt(estimate) } }

  /// What may be sent now: less than the estimate while a queue drains that our own sending built.
  public var targetBitsPerSecond: Int { mutating get { clampedInt(target) } }

  // Inlined, or it would be handed a copy of the estimator.
  @inline(__always) private var target: Double { max(estimate * drainFactor, Double(bounds.minimum)) }

  /// How much faster than on average what comes at once may leave: clearly faster where the path carries all that is sent and no packet
  /// waits on it; hardly faster on thin lines, where sound would wait behind a picture, and where it was full of late, or what leaves
  /// at once fills it anew.
  public mutating func headroom(at now: Instant) -> PathHeadroom {
    guard !queue.isShared else { return .some }
    if estimate < Self.thinBelow { return .none }
    if let full = rate.lastDecrease, now - full < Self.fullFor { return .none }
    return isClear(at: now) ? .ample : .some
  }

  private mutating func isClear(at now: Instant) -> Bool {
    guard hasTransportFeedback, detector.usage != .over, !queue.isShared, queue.current <= Self.clearQueueMax,
      loss.fractionLost < 0.005, estimate >= Self.clearBitsPerSecondMin
    else { return false }
    return rate.lastDecrease.map { now - $0 >= Self.clearAfter } ?? true
  }

  public var statistics: Statistics {
    Statistics(
      target: clampedInt(target), estimate: clampedInt(estimate), delayBased: clampedInt(rate.bitsPerSecond),
      lossBased: loss.limit.isFinite ? clampedInt(loss.limit) : nil, receiverMaximum: receiverMaximum.limit.map(clampedInt),
      acknowledged: acknowledged.bitsPerSecond.map(clampedInt), linkCapacity: rate.capacity.estimate.map(clampedInt),
      usage: detector.usage, state: rate.state, fractionLost: loss.fractionLost, queueDelay: queue.current,
      roundTripTime: roundTripTime, isApplicationLimited: sending.isApplicationLimited, probesSent: probesSent,
      probesMeasured: probesMeasured,
      isInformed: !isUnsure && (hasTransportFeedback || lastReport != nil || receiverMaximum.isKnown))
  }

  /// When `handleTimeout` has something to do; nil while nothing is sent.
  public var nextDeadline: Instant? {
    mutating get {
      let isAnswerDue = hasTransportFeedback && history.outstandingBytes > 0
      let silence = isAnswerDue ? (lastHeard ?? history.lastSentAt).map { $0 + silenceMax } : nil
      guard wantsMore, let probe = probes.nextDeadline else { return silence }
      return min(probe, silence ?? probe)
    }
  }

  /// Whether it is worth asking what the path carries.
  private var wantsMore: Bool {
    mutating get { wantedBitsPerSecond > 0 && (isUnsure || worthKnowing > estimate) }
  }

  /// How much the path is asked for, in bits per second. The first answer decides: it is to leave a margin above the least that would do.
  private var worthKnowing: Double {
    mutating get {
      let wanted = Double(wantedBitsPerSecond)
      return isUnsure ? wanted * 1.5 : probes.worthKnowing(estimate: estimate, wanted: wanted)
    }
  }

  private var silenceMax: Interval { max(Self.silenceMax, roundTripTime * 3) }

  private var estimate: Double {
    let lowest = min(rate.bitsPerSecond, loss.limit, receiverMaximum.limit ?? .infinity)
    return min(max(lowest, Double(bounds.minimum)), Double(bounds.maximum))
  }

  /// Below 1 while packets wait on the way after a fall of the rate.
  private var drainFactor: Double {
    guard isDraining else { return 1 }
    return min(max(1 - (queue.current.seconds - 0.04) * 2, 0.4), 0.85)
  }
  /// Whether less is sent than the path carries, so that a queue drains that our own sending built.
  public private(set) var isDraining = false
  /// Whether packets wait on the way that our own sending put there: what is lost then was too much.
  public var hasOwnQueue: Bool { mutating get { isDraining && queue.current >= Self.ownQueueMin } }

  // MARK: Events

  /// Packets can be sent, and they are numbered: asks what the path carries before anything else fills it. After three seconds without
  /// an answer it is as any other path.
  public mutating func open(at now: Instant) {
    guard !hasTransportFeedback, openedAt == nil else { return }
    openedAt = now
    isUnsure = true
    probes.begin(at: now)
  }

  private mutating func endOpening(at now: Instant) { isUnsure = isOpening(at: now) }

  private func isOpening(at now: Instant) -> Bool { isUnsure && openedAt.map { now - $0 <= Self.openingMax } ?? false }

  /// What is sent takes another way to the receiver from now on: delay, loss and what was known to fit were those of the way before. The
  /// rate stays until the new way tells otherwise, and is asked at once whether it carries more; where it fell because the old way had
  /// gone silent, the new one is begun with as at first.
  public mutating func pathChanged(at now: Instant) {
    history.forget()
    grouping = PacketGrouping()
    detector = OveruseDetector()
    queue = QueueDelay()
    bottleneck = BottleneckRate()
    measurement = ProbeMeasurement()
    acknowledged.reset()
    rate = RateControl(
      start: isSilent ? max(estimate, Double(bounds.start)) : estimate,
      bounds: Double(bounds.minimum)...Double(bounds.maximum))
    loss = LossControl(minimum: Double(bounds.minimum))
    probes = ProbeSchedule()
    if hasTransportFeedback || isUnsure { probes.begin(at: now) }
    if isSilent { (isUnsure, openedAt) = (true, now) }
    (isDraining, probeEcho, lastHeard, isSilent) = (false, nil, now, false)
  }

  /// What is sent needs so much: where nothing is known of the path yet, it is taken to carry that.
  public mutating func assume(_ bitsPerSecond: Int) {
    guard !hasTransportFeedback, lastReport == nil else { return }
    rate.assume(Double(bitsPerSecond))
  }

  /// A packet with a transport-wide sequence number is being sent.
  ///
  /// - Parameters:
  ///   - size: bytes of the datagram.
  ///   - cluster: the probe it is part of; 0 for none.
  public mutating func packetSent(_ number: UInt16, size: Int, cluster: UInt8 = 0, at now: Instant) {
    if history.outstandingBytes == 0 { lastHeard = now }
    history.record(number, size: size, cluster: cluster, at: now)
    countSent(size, at: now)
  }

  /// A packet without such a number is being sent.
  ///
  /// - Parameter size: bytes of the datagram.
  public mutating func packetSentUnnumbered(size: Int, at now: Instant) { countSent(size, at: now) }

  private mutating func countSent(_ size: Int, at now: Instant) {
    if sending.sent(size, at: now) { sending.judge(target: estimate, at: now) }
  }

  /// Bytes from the estimator's beginning that `packetSent` goes through.
  package static let sendingByteCount =
    MemoryLayout<SentPacketHistory>.stride &+ MemoryLayout<SendingRate>.stride &+ MemoryLayout<Instant?>.stride

  /// A packet will be sent soon: asks for the memory that it is noted in.
  package mutating func prefetch() { history.prefetch() }

  /// Feedback will come soon: asks for the memory that it is weighed in.
  package mutating func prefetchToReceive() {
    withUnsafeBytes(of: &self) { bytes in
      if let base = bytes.baseAddress { Prefetch.memory(at: base, byteCount: bytes.count) }
    }
    history.prefetchToMatch()
  }

  /// Transport-wide feedback came.
  ///
  /// - Parameter statusesMax: how many of its statuses are looked at, at most. Those of packets that are forgotten, or were never sent,
  ///   are stepped over and do not count.
  /// - Returns: how many were looked at.
  @discardableResult
  public mutating func receive(
    _ feedback: borrowing TransportFeedback, statusesMax: Int = .max, at now: Instant
  ) -> Int {
    let shift = history.unwrap(feedback.referenceTime)
    let kept = history.kept
    var packets = feedback.packets(from: kept.first, count: kept.count)
    var news = News()
    var statusCount = 0
    while statusCount < statusesMax, let status = packets.next() {
      statusCount &+= 1
      if let result = history.match(status, shift: shift) { take(result, into: &news, at: now) }
    }
    if news.received > 0 || news.reportedLost > 0 { weigh(news, at: now) }
    return statusCount
  }

  /// Takes in what a feedback packet told that is new.
  private mutating func weigh(_ news: News, at now: Instant) {
    if !hasTransportFeedback {
      hasTransportFeedback = true
      probes.begin(at: now)
    }
    lastHeard = now
    isSilent = false
    endOpening(at: now)
    learn(news, at: now)
  }

  /// What one feedback packet says, taken together.
  private struct News {
    var received = 0
    var reportedLost = 0
    /// Packets that came after all.
    var found = 0
    var shortest: Interval?
    var probed: Double?
    var isOver = false
  }

  private mutating func take(_ result: PacketResult, into news: inout News, at now: Instant) {
    let probed = measurement.add(result)
    news.probed = probed ?? news.probed
    guard let arrival = result.arrival else {
      news.reportedLost &+= 1
      return
    }
    news.received &+= 1
    if result.wasReportedLost { news.found &+= 1 }
    news.shortest = min(news.shortest ?? .seconds(60), now - result.sentAt)
    acknowledged.add(result.size, arrival: arrival, isApplicationLimited: sending.isApplicationLimited)
    let waited = queue.add(sent: result.sentAt, arrival: arrival)
    bottleneck.add(result.size, arrival: arrival, waited: waited, at: now)
    // A probe builds a queue on purpose, for a moment: it is measured, not taken for overuse.
    if result.cluster == 0, let delta = grouping.add(sent: result.sentAt, arrival: arrival) {
      detector.add(delta, at: now)
      news.isOver = news.isOver || detector.usage == .over
    }
  }

  private mutating func learn(_ news: News, at now: Instant) {
    let (lost, probed) = (news.reportedLost &- news.found, news.probed)
    if let shortest = news.shortest { roundTripTime = max((roundTripTime * 7 + shortest) / 8, .milliseconds(1)) }
    let through = bottleneck.bitsPerSecond(at: now)
    queue.finish(isDraining: through.map { sending.bitsPerSecond < Self.underrunning * $0 } ?? true, at: now)
    loss.count(
      received: news.received, lost: lost, sent: sending.bitsPerSecond, target: estimate, roundTripTime: roundTripTime, at: now)
    let usage: PathUsage = news.isOver || isOverwhelmed() ? .over : detector.usage
    // Where others fill the queue it grows and shrinks whatever is done here: what tells then is that it overflows.
    // So does what follows a probe tell of the probe.
    let isExpected = isShared(at: now) && lost <= 0 || (probeEcho.map { now < $0 } ?? false) && !isOverwhelmed()
    control(usage == .over && isExpected ? .normal : usage, probed, at: now)
  }

  /// Whether others keep the queue full: not where what we send is plainly more than what comes of it through the queue.
  private mutating func isShared(at now: Instant) -> Bool {
    guard queue.isShared else { return false }
    return bottleneck.bitsPerSecond(at: now).map { sending.bitsPerSecond < Self.outrunning * $0 } ?? true
  }

  /// What arrives now: by the last sample alone where a long queue shows that the path has become slower.
  private var arriving: Double? {
    guard let smooth = acknowledged.bitsPerSecond, let latest = acknowledged.latest else { return acknowledged.bitsPerSecond }
    return queue.current > .milliseconds(80) && !queue.isShared ? min(smooth, latest) : smooth
  }

  /// Whether more is allowed than arrives while a long queue stands: a full queue grows no more, and its delay no longer tells.
  private mutating func isOverwhelmed() -> Bool {
    guard let latest = acknowledged.latest, !sending.isApplicationLimited, !queue.isShared else { return false }
    return queue.current > .milliseconds(150) && estimate * drainFactor > 1.2 * latest
  }

  /// What the path delivered of late: what came through a queue. With a short one no less than what arrived anyway, since uneven
  /// delays make a short measurement a rough one.
  private mutating func delivered(at now: Instant) -> Double? {
    let measured = bottleneck.bitsPerSecond(at: now)
    guard queue.current < Self.keyframeQueue, let arrived = acknowledged.bitsPerSecond else { return measured }
    return measured.map { max($0, min(arrived, rate.capacity.estimate ?? 0)) } ?? arrived
  }

  private mutating func control(_ usage: PathUsage, _ probed: Double?, at now: Instant) {
    if let probed {
      probesMeasured &+= 1
      probes.measured(probed, estimate: estimate, at: now)
      if usage != .over && probed > estimate || isUnsure {
        if probed > rate.bitsPerSecond || isUnsure { rate.probed(probed, at: now) }
        loss.probed(probed)
        // What arrived before the rise says nothing of what may.
        acknowledged.reset()
      }
      isUnsure = false
    }
    let before = rate.lastDecrease
    // Where little was sent before, what arrived tells of the sender, and a key frame's short queue is no reason yet.
    let wasLimited = sending.wasApplicationLimited(at: now)
    let queueMin = wasLimited ? Self.keyframeQueue : Self.noQueue
    let usage: PathUsage = usage == .over && queue.current < queueMin ? .normal : usage
    let isShared = isShared(at: now)
    let delivered = isShared ? nil : delivered(at: now)
    if usage != .over || probed == nil {
      rate.update(
        usage, acknowledged: usage == .over ? arriving : acknowledged.bitsPerSecond,
        delivered: delivered, roundTripTime: roundTripTime,
        isApplicationLimited: usage == .over ? wasLimited : sending.isApplicationLimited, isShared: isShared, at: now)
    }
    if rate.lastDecrease != before {
      isUnsure = false
      probes.congested(at: now)
      isDraining = true
    }
    // A queue that others fill does not drain because we send less.
    if isShared { isDraining = false }
    let passed = rate.lastDecrease.map { now - $0 } ?? Self.drainTimes.upperBound
    if passed >= (queue.current < Self.ownQueueMin ? Self.drainTimes.lowerBound : Self.drainTimes.upperBound) {
      isDraining = false
    }
  }

  /// The receiver says what it thinks the path carries (REMB).
  public mutating func receiveMaximumBitrate(_ bitsPerSecond: UInt64, at now: Instant) {
    let named = max(Double(min(bitsPerSecond, 1_000_000_000)), Double(bounds.minimum))
    receiverMaximum.tell(named, sending: sending.isKnown ? sending.bitsPerSecond : nil, at: now)
  }

  /// The receiver reports loss and, where it can be told, the round trip.
  ///
  /// - Parameter fractionLost: of the packets since its last report, 0 to 1.
  public mutating func receiveReport(fractionLost: Double, roundTripTime reported: Interval?, at now: Instant) {
    guard !hasTransportFeedback else { return }
    endOpening(at: now)
    if let reported, reported > .zero, reported < .seconds(60) { roundTripTime = reported }
    let elapsed = min(lastReport.map { now - $0 } ?? .zero, .seconds(2))
    guard lastReport.map({ now - $0 >= .milliseconds(200) }) ?? true else { return }
    lastReport = now
    loss.report(fractionLost, over: elapsed, target: estimate, roundTripTime: roundTripTime, at: now)
    guard loss.fractionLost < 0.02 else { return rate.limit(to: estimate) }
    // What is known is what was sent without harm: a rate far above that is not raised further, unless the receiver watches its path
    // and would tell.
    let isUsed = sending.bitsPerSecond > 0.5 * estimate
    let isWatched = receiverMaximum.limit != nil || receiverMaximum.isKnown && estimate < Double(wantedBitsPerSecond)
    rate.update(
      .normal, acknowledged: nil, roundTripTime: roundTripTime, isApplicationLimited: !isUsed && !isWatched, at: now)
  }

  /// Time passed: falls where feedback stays away though packets are out.
  public mutating func handleTimeout(at now: Instant) {
    guard hasTransportFeedback, history.outstandingBytes > 0, let heard = lastHeard, now - heard >= silenceMax else { return }
    lastHeard = now
    isSilent = true
    // What is sent from now on is waited for anew: of who is sent nothing more, one loss counts once.
    history.forget()
    rate.limit(to: rate.bitsPerSecond / 2)
    probes.congested(at: now)
  }

  /// Nothing was sent for long: whatever waited on the path has left it.
  private mutating func forgetQueue(at now: Instant) {
    guard history.outstandingBytes == 0, let heard = lastHeard, now - heard >= Self.restAfter else { return }
    queue.rest()
    loss.rest()
    (grouping, detector, isDraining) = (PacketGrouping(), OveruseDetector(), false)
  }

  /// The probe to be sent now, by the pacer; nil where none is due.
  public mutating func takeProbe(at now: Instant) -> ProbeRequest? {
    forgetQueue(at: now)
    let worth = min(worthKnowing, receiverMaximum.limit ?? .infinity, Double(bounds.maximum))
    // A queue that others keep full tells nothing of what we may send. What fills its share of such a path grows without probes; what
    // comes in steps does not.
    let isSettled = rate.lastDecrease.map { now - $0 > Self.drainTimes.upperBound } ?? true
    let isBetweenSteps = isSettled && isShared(at: now) && sending.bitsPerSecond < Self.betweenSteps * estimate
    let isQueueCalm = isBetweenSteps || detector.usage != .over && queue.current < .milliseconds(100)
    let isCalm = isQueueCalm && !isDraining && loss.isCalm
    let fits = !isUnsure && estimate >= Double(wantedBitsPerSecond)
    let probe = probes.takeDue(
      fits ? .keyframes : isOpening(at: now) ? .opening : .more, estimate: estimate, worth: worth, isCalm: isCalm && wantsMore,
      roundTripTime: roundTripTime, at: now)
    guard let probe else { return nil }
    measurement.begin(probe, at: now)
    let length = Double(probe.bytes) * 8 / max(estimate, 1)
    probeEcho = now + roundTripTime + .nanoseconds(Int64(min(length, 1) * 1e9))
    probesSent &+= 1
    return probe
  }
}
