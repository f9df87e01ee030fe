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
/// played; the difference is made up by expanding or cutting 20 ms at a time, preferably where it is quiet, and by passing over
/// frames where it is large. In want of frames the delay grows by what is concealed, unless it turns out that frames were lost
/// rather than late. Lengths may be anything from 2.5 to 120 ms: what a frame lasts beyond its tick is carried into the next.
package struct PlayoutBuffer: ~Copyable {
  private enum Phase { case waiting, playing }

  package private(set) var statistics = PlayoutStatistics()
  private let settings: PlayoutSettings
  private var estimator: DelayEstimator
  private var queue: FrameQueue
  private var unwrapper = TimestampUnwrapper()
  private var lastTransit: Interval?
  private var phase = Phase.waiting
  /// The sequence number and the position in samples at 48 kHz that follow what was played last; nil before anything was.
  private var next: (sequence: Int64, position: Int64)?
  /// Which of the 64 sequence numbers before `next` were played; the lowest bit is the nearest.
  private var playedBits: UInt64 = 0
  /// Samples handed out beyond the tick they were handed out in.
  private var carry = 0
  /// Samples concealed since the last frame while nothing was here to play.
  private var underrun = 0
  private var lastDuration = PlayoutBuffer.samplesPerTick
  private var isPaused = false
  private var hasSkipped = false
  private var lateInSuccession = 0
  private var adjustment = AdjustmentPacer()

  static let samplesPerTick = 960
  /// 200 ms: concealment has faded to nothing by then.
  private static let concealmentMax = 9_600
  /// A step of transit this large is a new stream, or one that stood still.
  private static let jump = Interval.seconds(2)

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
    lastTransit = nil
    phase = .waiting
    next = nil
    playedBits = 0
    underrun = 0
    isPaused = false
    hasSkipped = true
    lateInSuccession = 0
    statistics.target = estimator.target
  }

  /// Samples a channel handed out beyond the last tick pulled, which a receiver that begins to listen now has not got.
  package var carriedSamples: Int { carry }
  /// How many frames wait.
  package var count: Int { queue.count }
  /// Whether the stream is being played rather than waited for.
  package var isPlaying: Bool { phase == .playing }

  // MARK: Frames coming in

  /// Takes a frame that came at `frame.time`.
  package mutating func insert(_ frame: EncodedFrame) {
    guard let duration = FrameDuration.samples(of: frame) else {
      statistics.malformed &+= 1
      return
    }
    if hasJumped(frame) {
      statistics.resets &+= 1
      reset()
    }
    let position = unwrapper.unwrap(frame.timestamp) &* Int64(48_000 / frame.codec.clockRate)
    let transit = frame.time - Instant.zero - .ticks(position, at: 48_000)
    lastTransit = transit
    estimator.observe(transit: transit, arrival: frame.time)
    statistics.target = estimator.target
    if let next, frame.sequence < next.sequence { return countBehind(frame.sequence, next.sequence) }
    guard queue.insert(QueuedFrame(frame: frame, position: position, duration: duration)) else {
      statistics.duplicates &+= 1
      return
    }
    statistics.inserted &+= 1
    lateInSuccession = 0
    if queue.count > settings.capacity { overflow() }
  }

  /// Whether the frame cannot belong to the stream as it was.
  private func hasJumped(_ frame: EncodedFrame) -> Bool {
    if let next, abs(clamped(frame.sequence &- next.sequence)) > 3_000 { return true }
    guard let lastTransit else { return false }
    var unwrapper = unwrapper
    let position = unwrapper.unwrap(frame.timestamp) &* Int64(48_000 / frame.codec.clockRate)
    let change = frame.time - Instant.zero - .ticks(position, at: 48_000) - lastTransit
    return change > Self.jump || change < -Self.jump
  }

  private mutating func countBehind(_ sequence: Int64, _ nextSequence: Int64) {
    let distance = clamped(nextSequence &- 1 &- sequence)
    if distance < 64, playedBits >> UInt64(distance) & 1 == 1 { statistics.duplicates &+= 1 } else { statistics.late &+= 1 }
    lateInSuccession += 1
    // Nothing but old numbers for so long: the sender counts anew from a little lower.
    if lateInSuccession >= Self.lateMax {
      statistics.resets &+= 1
      reset()
    }
  }

  private mutating func overflow() {
    _ = queue.removeFirst()
    statistics.overflowed &+= 1
    passOver()
  }

  // MARK: Ticks going out

  /// Appends the steps that fill the next 20 ms; none where what was handed out before lasts through them.
  ///
  /// - Parameter now: when this tick is played; 20 ms after the tick before.
  package mutating func pull(at now: Instant, into steps: inout [PlayoutStep]) {
    shedExcess(at: now)
    // Each round hands out at least 2.5 ms, changes the phase, or takes a frame from the queue.
    while carry < Self.samplesPerTick {
      switch phase {
      case .waiting: wait(until: now, into: &steps)
      case .playing: play(at: now, into: &steps)
      }
    }
    carry -= Self.samplesPerTick
  }

  private mutating func wait(until now: Instant, into steps: inout [PlayoutStep]) {
    guard let first = queue.first, delay(of: first, at: now) >= estimator.target else {
      let count = Self.samplesPerTick - carry
      steps.append(.silence(sampleCount: count))
      carry += count
      return
    }
    if let next { countLost(first.sequence &- next.sequence) }
    setNext(sequence: first.sequence, position: first.position)
    underrun = 0
    phase = .playing
  }

  private mutating func play(at now: Instant, into steps: inout [PlayoutStep]) {
    guard let first = queue.first, let next else { return starve(into: &steps) }
    let lost = clamped(first.sequence &- next.sequence)
    let gap = clamped(first.position &- next.position)
    if lost > 0, gap > 0, underrun > 0 {
      // What was concealed while nothing was here stood for what is now known to be lost.
      let absorbed = min(gap, underrun)
      underrun = 0
      self.next = (next.sequence, next.position &+ Int64(absorbed))
      return
    }
    if gap >= FrameDuration.step, gap > Self.concealmentMax || lost == 0 {
      // A pause of the sender, or a gap too long to be filled: start anew.
      phase = .waiting
      return
    }
    if lost > 0, gap >= FrameDuration.step { return conceal(gap: gap, lost: lost, before: first, into: &steps) }
    if lost > 0 {
      countLost(Int64(lost))
      setNext(sequence: first.sequence, position: first.position)
    }
    if expands(before: first, at: now) {
      steps.append(.expand(sampleCount: Self.samplesPerTick))
      statistics.expandedSamples &+= Self.samplesPerTick
      carry += Self.samplesPerTick
      return
    }
    playFirst(at: now, into: &steps)
  }

  private mutating func playFirst(at now: Instant, into steps: inout [PlayoutStep]) {
    guard let first = queue.first else { return }
    let cut = cut(from: first, at: now)
    statistics.delay = delay(of: first, at: now)
    _ = queue.removeFirst()
    if hasSkipped { steps.append(.skip) }
    hasSkipped = false
    if cut > 0 {
      steps.append(.accelerate(first.frame, sampleCount: first.duration, cut: cut))
      statistics.acceleratedSamples &+= cut
    } else {
      steps.append(.play(first.frame, sampleCount: first.duration))
    }
    carry += first.duration - cut
    statistics.played &+= 1
    setNext(sequence: first.sequence &+ 1, position: first.end)
    playedBits |= 1
    underrun = 0
    lastDuration = first.duration
    isPaused = first.frame.codec == .opus && first.frame.payload.count <= 2
  }

  /// Fills one frame's worth of a gap before `first`.
  private mutating func conceal(gap: Int, lost: Int, before first: QueuedFrame, into steps: inout [PlayoutStep]) {
    guard let next else { return }
    let whole = gap / FrameDuration.step * FrameDuration.step
    let count = lost == 1 && whole <= 2 * lastDuration ? min(whole, FrameDuration.samplesMax) : min(whole, lastDuration)
    let isLast = count == whole
    steps.append(.conceal(sampleCount: count, following: isLast ? first.frame : nil))
    carry += count
    statistics.concealedSamples &+= count
    let sequence = isLast ? first.sequence : next.sequence &+ 1
    countLost(sequence &- next.sequence)
    setNext(sequence: sequence, position: isLast ? first.position : next.position &+ Int64(count))
  }

  /// Nothing is here though something should be played.
  private mutating func starve(into steps: inout [PlayoutStep]) {
    guard !isPaused, underrun < Self.concealmentMax else {
      phase = .waiting
      return
    }
    let count = Self.samplesPerTick - carry
    steps.append(.conceal(sampleCount: count, following: nil))
    carry += count
    underrun += count
    statistics.underrunSamples &+= count
  }

  // MARK: Delay

  /// How much later than the fastest packet would allow the frame is played, were it put behind what is handed out already.
  private func delay(of frame: QueuedFrame, at now: Instant) -> Interval {
    guard let base = estimator.base else { return .zero }
    return now - Instant.zero + .ticks(Int64(carry), at: 48_000) - base - .ticks(frame.position, at: 48_000)
  }

  /// Passes over the oldest frames when far more wait than the target asks for, as after the network held them back.
  private mutating func shedExcess(at now: Instant) {
    guard let first = queue.first, let last = queue.last else { return }
    let limit = estimator.target + settings.excessMax
    guard delay(of: first, at: now) > limit, Interval.ticks(last.end &- first.position, at: 48_000) > limit else { return }
    while let second = queue.second,
      delay(of: second, at: now) >= estimator.target,
      Interval.ticks(last.end &- second.position, at: 48_000) >= estimator.target
    {
      _ = queue.removeFirst()
      statistics.skipped &+= 1
    }
    passOver()
  }

  /// Goes on with what is now the first frame.
  private mutating func passOver() {
    guard let first = queue.first, next != nil else { return }
    setNext(sequence: first.sequence, position: first.position)
    hasSkipped = true
  }

  private mutating func expands(before first: QueuedFrame, at now: Instant) -> Bool {
    let lack = estimator.target - delay(of: first, at: now)
    return adjustment.allows(lack, beyond: .milliseconds(10), isQuiet: first.isQuiet, at: now)
  }

  /// How many samples of the frame to leave out; 0 mostly.
  private mutating func cut(from first: QueuedFrame, at now: Instant) -> Int {
    // Catching up needs something to catch up with: a longer route looks like excess until the estimator has learned of it.
    guard let second = queue.second, second.position == first.end else { return 0 }
    let excess = delay(of: first, at: now) - estimator.target
    guard adjustment.allows(excess, beyond: .milliseconds(25), isQuiet: first.isQuiet, at: now) else { return 0 }
    return min(first.duration, Self.samplesPerTick)
  }

  // MARK: Bookkeeping

  private mutating func setNext(sequence: Int64, position: Int64) {
    let step = next.map { clamped(sequence &- $0.sequence) } ?? 64
    playedBits = step >= 0 && step < 64 ? playedBits << UInt64(step) : 0
    next = (sequence, position)
  }

  private mutating func countLost(_ count: Int64) {
    if count > 0 { statistics.lost &+= Int(truncatingIfNeeded: count) }
  }

  /// Differences of numbers from the wire, held to where sums of them cannot overflow.
  private func clamped(_ difference: Int64) -> Int { Int(min(max(difference, -(1 << 40)), 1 << 40)) }
}

extension QueuedFrame {
  /// Whether the frame is silent enough that nobody hears 20 ms more or less of it.
  fileprivate var isQuiet: Bool {
    if let level = frame.audioLevel { return level >= 50 }
    return frame.payload.count * 960 <= 12 * duration
  }
}
