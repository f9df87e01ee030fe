import EncodedMedia
import Timing

/// Decides when each frame of one incoming audio stream is played.
///
///     insert(_:) ──▶ queue, in order ──▶ pull(at:into:) every 20 ms ──▶ steps
///                 └▶ arrival times ──▶ DelayEstimator: target
///
///     waiting ──first frame is due──▶ playing ──pause of the sender, or nothing for 200 ms──▶ waiting
///
/// A frame is due once it is `target` older than the fastest packet would be. How long frames wait in truth is measured as each is
/// played; the difference is made up by stretching time, 5 to 10 ms at a time. In want of frames the delay grows by what is
/// concealed, unless it turns out that frames were lost rather than late, or late by chance as hardly ever: then those are decoded
/// unheard, and the stream goes on as though nothing had happened. Where far more than that comes at once, after the
/// network held it back, all but the newest is passed over. Lengths may be anything from 2.5 to 120 ms: what a frame lasts beyond
/// its tick is carried into the next.
///
/// Frames that come a second time, as with RED (RFC 2198), are ordinary frames: whichever copy is first is played.
///
/// What is asked at each tick counts as changing the buffer, though it does not: so it is asked where it lies, and nothing is copied.
package struct PlayoutBuffer: ~Copyable {
  enum Phase { case waiting, playing }

  package internal(set) var statistics = PlayoutStatistics()
  let settings: PlayoutSettings
  var estimator: DelayEstimator
  var queue: FrameQueue
  private var unwrapper = TimestampUnwrapper()
  /// The frame that came last.
  private(set) var newest: (sequence: Int64, position: Int64, transit: Interval)?
  var phase = Phase.waiting
  /// The sequence number and the position in samples at 48 kHz that follow what was played last; nil before anything was.
  var next: (sequence: Int64, position: Int64)?
  /// Which of the 64 sequence numbers before `next` were played; the lowest bit is the nearest.
  var playedBits: UInt64 = 0
  /// Samples handed out beyond the tick they were handed out in.
  var carry = 0
  /// Samples concealed since the last frame while nothing was here to play.
  var underrun = 0
  var lastDuration = PlayoutBuffer.samplesPerTick
  var isPaused = false
  var hasSkipped = false
  private var lateInSuccession = 0
  private var sources = SourceSwitch()
  /// The highest sequence number that came; nil before the first.
  private var highest: Int64?
  var adjuster = DelayAdjuster()
  var pauses = PauseDetector()
  /// Since when playing waits for newer frames than have come.
  var heldSince: Instant?

  static let samplesPerTick = 960
  /// 200 ms: concealment has faded to nothing by then.
  static let concealmentMax = 9_600
  /// What a delay may be beyond the greatest aimed for: two ticks, since frames come in whole ones.
  static let capTolerance = Interval.milliseconds(40)
  /// How long frames that are old are put off for newer ones.
  static let holdMax = Interval.milliseconds(50)
  /// A step of transit this large is a new stream, or one that stood still.
  private static let jump = Interval.seconds(2)
  private static let jumpHeld = Interval.seconds(10)

  private static let lateMax = 50

  package init(settings: PlayoutSettings = PlayoutSettings()) {
    self.settings = settings
    estimator = DelayEstimator(settings: settings)
    queue = FrameQueue(capacity: settings.capacity)
    statistics.target = estimator.target
  }

  /// Forgets the stream, as when its SSRC changes; the counters stay.
  package mutating func reset() {
    estimator.reset()
    queue.removeAll()
    unwrapper = TimestampUnwrapper()
    newest = nil
    heldSince = nil
    phase = .waiting
    next = nil
    playedBits = 0
    underrun = 0
    isPaused = false
    hasSkipped = true
    lateInSuccession = 0
    highest = nil
    statistics.target = target
  }

  /// Samples a channel handed out beyond the last tick pulled, which a receiver that begins to listen now has not got.
  package var carriedSamples: Int { mutating get { carry } }
  /// How loud the last tick was as decoded, in -dBov, by whoever decodes: for senders who do not state levels; nil where nobody does.
  package var measuredLevel: UInt8?
  /// What to wait at least beyond the least transit, whatever the network does: for a picture that comes later than its sound.
  package var delayMin = Interval.zero {
    didSet {
      delayMin = min(delayMin, settings.delayMax)
      statistics.target = target
    }
  }
  /// What to wait beyond the least transit.
  var target: Interval { max(estimator.target, delayMin) }
  /// How many frames wait.
  package var count: Int { mutating get { queue.count } }
  /// Whether the stream is being played rather than waited for.
  package var isPlaying: Bool { mutating get { phase == .playing } }

  /// A tick will be asked for soon: asks for the memory of what it plays.
  package mutating func prefetch() { queue.prefetch() }

  // MARK: Frames coming in

  /// Takes a frame that came at `frame.time`; one of another SSRC begins a new stream at once.
  package mutating func insert(_ frame: EncodedFrame) {
    guard let duration = FrameDuration.samples(of: frame) else {
      statistics.malformed &+= 1
      return
    }
    switch sources.judge(frame.source, at: frame.time) {
    case .same: break
    case .changed: startAnew()
    case .former:
      statistics.late &+= 1
      return
    }
    if hasJumped(frame) { startAnew() }
    if let next, frame.sequence < next.sequence, wasPlayed(frame.sequence, next.sequence) {
      statistics.duplicates &+= 1
      return countBehind()
    }
    let position = unwrapper.unwrap(frame.timestamp) &* Int64(48_000 / frame.codec.clockRate)
    let waiting = QueuedFrame(frame: frame, position: position, duration: duration)
    if let next, frame.sequence < next.sequence {
      observe(waiting)
      statistics.late &+= 1
      return countBehind()
    }
    guard queue.insert(waiting) else {
      statistics.duplicates &+= 1
      return
    }
    observe(waiting)
    statistics.inserted &+= 1
    lateInSuccession = 0
    if queue.count > settings.capacity { overflow() }
  }

  private mutating func observe(_ frame: QueuedFrame) {
    let arrival = frame.frame.time
    let transit = arrival - Instant.zero - .ticks(frame.position, at: 48_000)
    newest = (frame.sequence, frame.position, transit)
    estimator.observe(transit: transit, arrival: arrival)
    if let base = estimator.base { statistics.latenessMax = max(statistics.latenessMax, transit - base) }
    if let highest, frame.sequence > highest &+ 1, frame.holdsPrevious {
      // The redundancy in a frame is a late copy of the one before it, and worth waiting for as much as a late packet.
      estimator.observe(transit: transit + .ticks(Int64(frame.duration), at: 48_000), arrival: arrival)
    }
    highest = max(highest ?? frame.sequence, frame.sequence)
    statistics.target = target
  }

  private mutating func startAnew() {
    statistics.resets &+= 1
    reset()
  }

  /// Whether the frame cannot belong to the stream as it was.
  private mutating func hasJumped(_ frame: EncodedFrame) -> Bool {
    if let next, abs(clamped(frame.sequence &- next.sequence)) > 3_000 { return true }
    // One that comes far too late is just that.
    guard let newest, frame.sequence >= next?.sequence ?? .min else { return false }
    var unwrapper = unwrapper
    let position = unwrapper.unwrap(frame.timestamp) &* Int64(48_000 / frame.codec.clockRate)
    let change = frame.time - Instant.zero - .ticks(position, at: 48_000) - newest.transit
    // What goes on where it stopped was held back, however long that took.
    let steps = clamped(frame.sequence &- newest.sequence)
    let samples = clamped(position &- newest.position)
    if steps > 0, samples > 0, samples <= steps * FrameDuration.samplesMax { return change > Self.jumpHeld }
    return change > Self.jump || change < -Self.jump
  }

  private func wasPlayed(_ sequence: Int64, _ nextSequence: Int64) -> Bool {
    let distance = clamped(nextSequence &- 1 &- sequence)
    return distance < 64 && playedBits >> UInt64(distance) & 1 == 1
  }

  /// Nothing but old numbers for so long: the sender counts anew from a little lower.
  private mutating func countBehind() {
    lateInSuccession += 1
    if lateInSuccession >= Self.lateMax { startAnew() }
  }

  private mutating func overflow() {
    _ = queue.removeFirst()
    statistics.overflowed &+= 1
    passOver()
  }

  // MARK: Bookkeeping

  /// Goes on with what is now the first frame.
  mutating func passOver() {
    guard let first = queue.firstPlace, next != nil else { return }
    setNext(sequence: first.sequence, position: first.position)
    hasSkipped = true
  }

  mutating func setNext(sequence: Int64, position: Int64) {
    let step = next.map { clamped(sequence &- $0.sequence) } ?? 64
    playedBits = step >= 0 && step < 64 ? playedBits << UInt64(step) : 0
    next = (sequence, position)
  }

  mutating func countLost(_ count: Int64) {
    if count > 0 { statistics.lost &+= Int(truncatingIfNeeded: count) }
  }

  /// Differences of numbers from the wire, held to where sums of them cannot overflow.
  func clamped(_ difference: Int64) -> Int { Int(min(max(difference, -(1 << 40)), 1 << 40)) }
}

extension QueuedFrame {
  /// In -dBov.
  ///
  /// - Parameter measured: how loud it was just before; nil where nobody has listened.
  func level(unlessStated measured: UInt8?) -> UInt8 {
    // What takes so few bytes is comfort noise at most.
    frame.audioLevel ?? measured ?? (frame.payload.count * 960 <= 12 * duration ? 127 : 0)
  }

  /// Whether the frame before it can be decoded from this one.
  var holdsPrevious: Bool {
    let bytes = frame.payload.bytes
    return frame.codec == .opus && OpusRedundancy.isPresent(in: bytes.span, sampleCount: duration)
  }
}
