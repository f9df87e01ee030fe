import EncodedMedia
import Timing

extension PlayoutBuffer {
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

  /// Takes the only frame that waits for played, where its sender pauses and nobody listens: so no tick is needed for it.
  ///
  /// - Returns: the frame, how many samples it lasts, and when it would have been played; nil where it is one of several.
  package mutating func absorb(at now: Instant) -> (frame: EncodedFrame, sampleCount: Int, due: Instant)? {
    guard phase == .waiting, queue.count == 1, let frame = queue.removeFirst() else { return nil }
    let delay = delay(of: frame.place, at: now)
    let wait = max(target(for: frame.place) - delay, .zero)
    noteDelay(delay + wait)
    if let next { countLost(frame.sequence &- next.sequence) }
    setNext(sequence: frame.sequence, position: frame.position)
    notePlayed(frame)
    return (frame.frame, frame.duration, now + wait)
  }

  private mutating func wait(until now: Instant, into steps: inout [PlayoutStep]) {
    guard !holdsForNewer(at: now), let first = queue.firstPlace, delay(of: first, at: now) >= target(for: first) else {
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

  /// Whether what came is so old that newer frames must be close behind: the network has just let go of what it held back.
  private mutating func holdsForNewer(at now: Instant) -> Bool {
    guard let newest, let last = queue.lastPlace, delay(of: last, at: now) > target + settings.excessMax else {
      heldSince = nil
      return false
    }
    let since = heldSince ?? now
    heldSince = since
    if now - since < Self.holdMax { return true }
    // Nothing newer is under way: the route has become longer.
    estimator.rebase(to: newest.transit)
    heldSince = nil
    return false
  }

  private mutating func play(at now: Instant, into steps: inout [PlayoutStep]) {
    guard let first = queue.firstPlace, let next else { return starve(into: &steps) }
    let lost = clamped(first.sequence &- next.sequence)
    let gap = clamped(first.position &- next.position)
    if lost > 0, gap > 0, underrun > 0 {
      // What was concealed while nothing was here stood for what is now known to be lost.
      let absorbed = min(gap, underrun)
      underrun = 0
      self.next = (next.sequence, next.position &+ Int64(absorbed))
      return
    }
    if gap >= FrameDuration.step, gap > Self.concealmentMax || lost == 0 || isPaused {
      // A pause of the sender, or a gap too long to be filled: start anew.
      phase = .waiting
      return
    }
    if lost > 0, gap >= FrameDuration.step {
      if let frame = queue.first { conceal(gap: gap, lost: lost, before: frame, into: &steps) }
      return
    }
    if lost > 0 {
      countLost(Int64(lost))
      setNext(sequence: first.sequence, position: first.position)
    } else if hasStandIn(first, at: now) {
      return catchUp(into: &steps)
    }
    var change = adjuster.change(
      delay: delay(of: first, at: now), target: estimator.target, wish: delayMin, carry: carry, duration: first.duration,
      isPause: pauses.isPause(level: queue.levelOfFirst(unlessStated: measuredLevel), at: now), at: now)
    // There is nothing to catch up with where packets themselves come late, until the estimator has learned of the longer route.
    if change < 0, !comesInTime { change = 0 }
    if change > 0 {
      steps.append(.expand(sampleCount: change))
      statistics.expandedSamples &+= change
      carry += change
      if carry >= Self.samplesPerTick { return }
    }
    playFirst(cutting: max(-change, 0), at: now, into: &steps)
  }

  /// Whether the frame came when its place had been filled already, though nearly all come in time and the one after it has. Then it
  /// is that one's turn: the stream goes on as though nothing had happened, rather than later by what was made up.
  private mutating func hasStandIn(_ first: FramePlace, at now: Instant) -> Bool {
    guard underrun >= first.duration, let second = queue.secondPlace, second.sequence == first.sequence &+ 1 else {
      return false
    }
    return second.position == first.end && delay(of: second, at: now) >= target(for: second)
  }

  private mutating func catchUp(into steps: inout [PlayoutStep]) {
    guard let late = queue.removeFirst() else { return }
    steps.append(.catchUp(late.frame, sampleCount: late.duration))
    statistics.late &+= 1
    underrun -= late.duration
    setNext(sequence: late.sequence &+ 1, position: late.place.end)
  }

  private var comesInTime: Bool {
    guard let newest, let base = estimator.base else { return true }
    return newest.transit - base <= target
  }

  private mutating func playFirst(cutting cut: Int, at now: Instant, into steps: inout [PlayoutStep]) {
    guard let first = queue.removeFirst() else { return }
    noteDelay(delay(of: first.place, at: now))
    if hasSkipped { steps.append(.skip) }
    hasSkipped = false
    if cut > 0 {
      steps.append(.accelerate(first.frame, sampleCount: first.duration, cut: cut))
      statistics.acceleratedSamples &+= cut
    } else {
      steps.append(.play(first.frame, sampleCount: first.duration))
    }
    carry += first.duration - cut
    notePlayed(first)
  }

  private mutating func notePlayed(_ frame: QueuedFrame) {
    statistics.played &+= 1
    setNext(sequence: frame.sequence &+ 1, position: frame.place.end)
    playedBits |= 1
    underrun = 0
    lastDuration = frame.duration
    isPaused = frame.frame.codec == .opus && frame.frame.payload.count <= 2
  }

  /// Fills one frame's worth of a gap before `first`.
  private mutating func conceal(gap: Int, lost: Int, before first: QueuedFrame, into steps: inout [PlayoutStep]) {
    guard let next else { return }
    let whole = gap / FrameDuration.step * FrameDuration.step
    let count = lost == 1 && whole <= 2 * lastDuration ? min(whole, FrameDuration.samplesMax) : min(whole, lastDuration)
    let isLast = count == whole
    steps.append(.conceal(sampleCount: count, following: isLast ? first.frame : nil))
    carry += count
    if isLast, first.holdsPrevious {
      statistics.recoveredFrames &+= 1
      statistics.concealedSamples &+= max(count - first.duration, 0)
    } else {
      statistics.concealedSamples &+= count
    }
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
  private mutating func delay(of frame: FramePlace, at now: Instant) -> Interval {
    guard let base = estimator.base else { return .zero }
    return now - Instant.zero + .ticks(Int64(carry), at: 48_000) - base - .ticks(frame.position, at: 48_000)
  }

  /// How late the frame must be for it and all others of its tick to be in time.
  private func target(for frame: FramePlace) -> Interval {
    target + DelayAdjuster.wait(ofFrames: frame.duration)
  }

  private mutating func noteDelay(_ delay: Interval) {
    statistics.delayMin = statistics.played == 0 ? delay : min(statistics.delayMin, delay)
    statistics.delayMax = max(statistics.delayMax, delay)
    statistics.delay = delay
  }

  /// Passes over the oldest frames when far more wait than the target asks for.
  private mutating func shedExcess(at now: Instant) {
    guard let first = queue.firstPlace, let last = queue.lastPlace else { return }
    let delay = delay(of: first, at: now)
    // The network held them back and let go of all at once; what waits for more than it holds is no burst but a longer route.
    let isBurst = { (limit: Interval, from: FramePlace) in .ticks(last.end &- from.position, at: 48_000) > limit }
    let hasStopped = underrun > 0 || phase == .waiting
    let limit = target + settings.excessMax
    // While the stream goes on, a delay that is no longer needed is brought down without a gap, unless it is beyond all bounds.
    let isCapped = delay > settings.delayMax + Self.capTolerance
    guard isCapped || hasStopped && delay > limit && isBurst(limit, first) else { return }
    while let second = queue.secondPlace,
      self.delay(of: second, at: now) >= target(for: second), isCapped || isBurst(target(for: second), second)
    {
      _ = queue.removeFirst()
      statistics.skipped &+= 1
    }
    if queue.firstPlace?.sequence != first.sequence { passOver() }
  }
}
