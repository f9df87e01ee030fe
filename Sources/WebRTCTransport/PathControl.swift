import Bytes
import CongestionControl
import EncodedMedia
import RTP
import RTPStreams
import Timing

/// How fast one peer is sent: what his path is thought to carry, and the pictures that wait for their turn.
///
/// What is asked for each packet counts as changing it, as in `PeerSession`.
struct PathControl {
  /// A frame whose packets wait in the pacer. It gets its numbers when the first of them leaves, so that until then it can be dropped
  /// without a gap.
  struct WaitingFrame {
    let frame: PacketizedFrame
    let continuesSource: Bool
    var outgoing: OutgoingFrame?
    var next = 0
  }

  /// IP and UDP around each datagram: at low rates as much as what is in it.
  static let datagramOverhead = 28
  /// Of a packet besides its payload, about.
  static let packetOverhead = datagramOverhead + 44
  /// What is wanted for sound at least, so that an estimate that fell is raised again though no picture is sent.
  private static let soundBitsPerSecond = 100_000
  /// Sound is counted over so long: at first, to know soon what is left for pictures, two packets at least; then a second.
  private static let soundWindows = Interval.milliseconds(200)...Interval.seconds(1)

  /// Pictures on a path that did not answer leave no faster.
  private static let unsureBitsPerSecond = 100_000

  // First what each packet that is sent goes through, in the estimator to its beginning: see `prefetch`.
  /// Whether pictures are paced; without rates to weigh they leave as they come.
  private(set) var isPaced = false
  /// Whether the next frame of pictures is of another source.
  var changesSource = false
  private var hasNews = false
  private var soundSince: Instant?
  private var soundBytes = 0
  private var soundWindow = Self.soundWindows.lowerBound
  /// What sound takes, in bits per second; measured.
  private(set) var soundRate = 0
  /// Sent of pictures and what repairs them, headers included.
  private(set) var pictureBytesSent = 0
  private var parity = ParityShare()
  private(set) var waiting: [WaitingFrame] = []
  var pacer = Pacer(targetBitsPerSecond: 300_000)
  var estimator = BandwidthEstimator()
  /// The rate that pictures are paced by at least; 0 for none.
  private var floor = 0
  /// What `pop` released, kept so that nothing is allocated.
  var released: [PacerRelease] = []
  private var probesMeasured = 0
  /// What the peer wants to be sent at most (`b=`), in bits per second: of pictures, and of everything.
  private var picturesMax = Int.max
  private var allMax = Int.max
  private var copyRoom = CopyRoom()
  /// What the least of the pictures takes that the peer can be given, in bits per second; 0 for none.
  private var leastPicture = 0

  /// Asks for what lies in a path's control at an address and is needed to send a packet: of the pacer, sound asks for a probe alone.
  static func prefetch(at control: UnsafeRawPointer, toSend kind: MediaKind) {
    let pacer = MemoryLayout<PathControl>.offset(of: \.pacer) ?? 0
    Prefetch.memory(at: control, byteCount: pacer &+ (kind == .audio ? Pacer.probingByteCount : MemoryLayout<Pacer>.stride))
    Prefetch.memory(at: control + (pacer &+ MemoryLayout<Pacer>.stride), byteCount: BandwidthEstimator.sendingByteCount)
  }

  // MARK: Answers

  /// What the path carries besides the sound, in bits per second.
  var pictureEstimate: Int { mutating get { pictures(of: estimator.estimatedBitsPerSecond) } }

  /// What the peer takes of pictures besides the sound, in bits per second, whatever its path carries.
  var pictureMaximum: Int { mutating get { pictures(of: .max) } }

  /// What is left for pictures of so many bits per second, besides their parity and within what the peer wants.
  private mutating func pictures(of bitsPerSecond: Int) -> Int {
    parity.protected(in: min(max(min(bitsPerSecond, allMax) &- soundRate, 0), picturesMax))
  }

  /// When something waits to be sent; nil where nothing does.
  var pacingDeadline: Instant? { mutating get { isPaced ? pacer.nextDeadline : nil } }

  var nextDeadline: Instant? {
    mutating get {
      guard let pacing = pacingDeadline else { return estimator.nextDeadline }
      return estimator.nextDeadline.map { min($0, pacing) } ?? pacing
    }
  }

  /// Whether so much leaves within a time that does no harm if it is sent in one go.
  mutating func hasRoom(forBurst bytes: Int) -> Bool {
    guard isPaced else { return true }
    return bytes <= Pacer.bytesAdmitted(targetBitsPerSecond: pace(of: estimator.targetBitsPerSecond)) && waiting.isEmpty
  }

  func addStatistics(to statistics: inout PeerStatistics) {
    let path = estimator.statistics
    statistics.hasEstimate = path.isInformed
    statistics.isPathAsked = isUnsure
    statistics.estimatedBitsPerSecond = min(path.estimate, allMax)
    statistics.pathQueueDelay = path.queueDelay
    statistics.probesSent = path.probesSent
    statistics.pacingQueueTime = isPaced ? pacer.queueTime : .zero
  }

  // MARK: Settings

  /// Paces pictures from now on.
  ///
  /// - Parameter floor: bits per second at least, where more may not be dropped; 0 for none.
  mutating func pace(floor: Int, at now: Instant) {
    isPaced = true
    self.floor = floor
    setPace(at: now)
  }

  /// Another rate that pictures are paced by at least.
  mutating func setFloor(_ bitsPerSecond: Int, at now: Instant) {
    guard isPaced, bitsPerSecond != floor else { return }
    floor = bitsPerSecond
    setPace(at: now)
  }

  /// Sends no more than the peer wants (`b=`), in bits per second; nil for as much as the path carries.
  mutating func limit(pictures: Int?, all: Int?) {
    let before = (picturesMax, allMax)
    picturesMax = max(pictures ?? .max, 0)
    allMax = max(all ?? .max, 0)
    if before != (picturesMax, allMax) { hasNews = true }
  }

  private mutating func setPace(at now: Instant) {
    // Asked once: with hundreds of receivers it lies where no cache holds it.
    let target = estimator.targetBitsPerSecond
    let pace = pace(of: target)
    // What the peer limits is what comes at a time, too.
    let isLimited = isUnsure || picturesMax < target &- soundRate || allMax < target
    pacer.setTarget(pace, headroom: isLimited ? .none : estimator.headroom(at: now), at: now)
  }

  /// What pictures may take of what the path carries: what is left beside the sound, which waits for nothing.
  private mutating func pace(of target: Int) -> Int {
    max(pictures(of: isUnsure ? min(target, Self.unsureBitsPerSecond) : target), floor)
  }

  /// Whether it is soon told what the path carries, if anything is.
  var isUnsure: Bool { isPaced && estimator.isUnsure }

  /// What sound takes is another from now on.
  mutating func soundWillChange() { (soundSince, soundBytes) = (nil, 0) }

  /// Sends pictures as they come.
  mutating func stopPacing() {
    isPaced = false
    leastPicture = 0
    estimator.wantedBitsPerSecond = 0
  }

  /// What would be sent of pictures if it fitted.
  ///
  /// - Parameter least: what the least of them takes.
  mutating func want(_ bitsPerSecond: Int, least: Int) {
    leastPicture = least
    let whole = min(parity.whole(of: bitsPerSecond), picturesMax)
    estimator.wantedBitsPerSecond = min(max(whole &+ soundRate, Self.soundBitsPerSecond), allMax)
  }

  // MARK: Events

  /// A datagram with media leaves.
  mutating func sent(_ number: UInt16?, size: Int, cluster: UInt8, isSound: Bool, at now: Instant) {
    let size = size &+ Self.datagramOverhead
    if isSound {
      countSound(size, at: now)
    } else {
      pictureBytesSent &+= size
      parity.countPicture(size)
    }
    if let number {
      estimator.packetSent(number, size: size, cluster: cluster, at: now)
    } else {
      estimator.packetSentUnnumbered(size: size, at: now)
    }
  }

  /// The datagram that has just left was parity, which is sent at once, beside the pace of pictures.
  mutating func sentParity(size: Int) { parity.count(size &+ Self.datagramOverhead) }

  private mutating func countSound(_ size: Int, at now: Instant) {
    guard let since = soundSince else {
      (soundSince, soundBytes, soundWindow) = (now, 0, Self.soundWindows.lowerBound)
      return
    }
    soundBytes &+= size
    guard now - since >= soundWindow else { return }
    soundRate = Int(Double(soundBytes) * 8 / (now - since).seconds)
    (soundSince, soundBytes, soundWindow) = (now, 0, Self.soundWindows.upperBound)
  }

  /// How many copies of earlier frames sound may carry: any where nobody asks what the path carries.
  ///
  /// - Parameter loss: share of it that is lost, 0 to 1.
  mutating func copiesMax(_ sound: SendCounters, loss: Double, at now: Instant) -> Int {
    guard isPaced else { return 2 }
    let estimate = min(estimator.estimatedBitsPerSecond, allMax)
    copyRoom.update(sound, loss: loss, estimate: estimate, leastPicture: parity.whole(of: leastPicture), at: now)
    return copyRoom.copiesMax
  }

  /// What is sent goes over another network from now on.
  mutating func moved(at now: Instant) {
    estimator.pathChanged(at: now)
    learned(at: now)
  }

  /// The peer told when packets came.
  ///
  /// - Returns: how many statuses were looked at, of `statusesMax` at most.
  mutating func receive(_ feedback: borrowing TransportFeedback, statusesMax: Int, at now: Instant) -> Int {
    defer { learned(at: now) }
    return estimator.receive(feedback, statusesMax: statusesMax, at: now)
  }

  /// The peer reported what it lost.
  mutating func receiveReport(fractionLost: Double, roundTripTime: Interval?, at now: Instant) {
    estimator.receiveReport(fractionLost: fractionLost, roundTripTime: roundTripTime, at: now)
    learned(at: now)
  }

  /// The peer told the most it can be sent, of everything or of pictures alone.
  mutating func receiveMaximumBitrate(_ bitsPerSecond: UInt64, includesSound: Bool, at now: Instant) {
    let (all, isHuge) = bitsPerSecond.addingReportingOverflow(includesSound ? 0 : UInt64(clamping: soundRate))
    estimator.receiveMaximumBitrate(isHuge ? .max : all, at: now)
    learned(at: now)
  }

  /// Time has come on.
  mutating func handleTimeout(at now: Instant) {
    estimator.handleTimeout(at: now)
    learned(at: now)
  }

  private mutating func learned(at now: Instant) {
    hasNews = true
    if isPaced { setPace(at: now) }
  }

  /// Whether the estimate may be another than when this was asked last, and whether a probe has just measured it.
  mutating func takeNews() -> (isNew: Bool, wasProbed: Bool) {
    guard hasNews else { return (false, false) }
    hasNews = false
    let measured = estimator.probesMeasured
    defer { probesMeasured = measured }
    return (true, measured != probesMeasured)
  }

  // MARK: Pictures that wait

  /// - Returns: false where there is no room for the frame.
  mutating func enqueue(_ frame: PacketizedFrame, size: Int, at now: Instant) -> Bool {
    guard pacer.admits(bytes: size, packets: frame.ranges.count) else { return false }
    for range in frame.ranges {
      _ = pacer.enqueue(0, .video, size: range.count &+ Self.packetOverhead, at: now)
    }
    waiting.append(WaitingFrame(frame: frame, continuesSource: !changesSource))
    changesSource = false
    return true
  }

  /// Forgets the frames of which nothing was sent yet.
  mutating func removeUnsent() {
    guard let first = waiting.first else { return pacer.removeVideo(keepingFirst: 0) }
    let begun = first.outgoing == nil ? 0 : 1
    for frame in waiting.dropFirst(begun) where !frame.continuesSource { changesSource = true }
    waiting.removeLast(waiting.count &- begun)
    pacer.removeVideo(keepingFirst: begun == 0 ? 0 : first.frame.ranges.count &- first.next)
  }

  /// Forgets all that waits.
  mutating func removeAll() {
    waiting.removeAll(keepingCapacity: true)
    pacer.removeAll()
  }

  /// Notes that the first frame that waits has its numbers.
  mutating func began(_ outgoing: OutgoingFrame) {
    if !waiting.isEmpty { waiting[0].outgoing = outgoing }
  }

  /// Notes that the next packet of the first frame that waits is gone.
  mutating func advance() {
    guard let first = waiting.first else { return }
    if first.next &+ 1 >= first.frame.ranges.count {
      waiting.removeFirst()
    } else {
      waiting[0].next &+= 1
    }
  }
}
