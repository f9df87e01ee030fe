import Timing

/// Learns from when packets come how long playout must wait for them.
///
/// Each packet's transit is its arrival less its media time; only differences mean anything, for the two clocks have nothing in
/// common. The least transit of the last seconds is the base, which follows drifting clocks and changing routes; what a packet
/// takes beyond it is its jitter. The target is what nearly all packets of the last five seconds would have come within: it rises
/// with the second packet that is late, and is forgotten after five seconds of calm.
struct DelayEstimator {
  private let settings: PlayoutSettings
  private let bucketCount: Int
  /// Packets by jitter, `bucketWidth` each, of every slot of the window one behind the other; and of all slots together.
  private var slots: [UInt16]
  private var totals: [Int]
  private var total = 0
  /// No bucket beyond this holds anything.
  private var bucketMax = 0
  private var slot = 0
  private var slotStart = Instant.zero
  private var observed = 0
  /// What comes within 10 ms is one event, which counts once and by its latest packet: those that queued behind it tell nothing
  /// more. So one blackout is not waited for ever after, and two within five seconds are.
  private var eventStart = Instant.zero
  private var eventBucket: Int?
  /// Peaks that return, as where a radio looks for other stations every few seconds, are waited for until they have failed to
  /// return for twice the time between them: for as long as the lesser of the last two, since one alone is chance.
  private var peak: (time: Instant, jitter: Interval)?
  private var recurring: (until: Instant, jitter: Interval)?
  /// The least transits of this window and the one before.
  private var windowMin: Interval?
  private var windowMinBefore: Interval?
  private var windowStart = Instant.zero
  /// The same without peaks.
  private var usual: Interval
  /// What to wait beyond the base.
  private(set) var target: Interval

  private static let bucketWidth = Interval.milliseconds(5)
  private static let slotCount = 10
  /// Slots end with the first packet after so long: a pause of the sender ages what was learned by one slot only.
  private static let slotLength = Interval.milliseconds(500)
  private static let event = Interval.milliseconds(10)
  private static let window = Interval.seconds(2)
  /// A peak is later than is waited for otherwise by this.
  private static let peakMin = Interval.milliseconds(20)
  private static let peakIntervalMin = Interval.milliseconds(500)
  private static let peakIntervalMax = Interval.seconds(4)
  /// A base rising by more is a longer route, and what was learned about jitter moves with it.
  private static let routeChange = Interval.milliseconds(20)
  /// Events before they are believed rather than the initial delay.
  private static let observedMin = 25

  init(settings: PlayoutSettings) {
    self.settings = settings
    bucketCount = min(max(Int(settings.delayMax.nanoseconds / Self.bucketWidth.nanoseconds), 1), 1000)
    slots = [UInt16](repeating: 0, count: bucketCount * Self.slotCount)
    totals = [Int](repeating: 0, count: bucketCount)
    target = settings.delayInitial
    usual = target
  }

  /// The least transit of the last two to four seconds; nil before the first packet.
  var base: Interval? {
    guard let windowMin else { return windowMinBefore }
    return windowMinBefore.map { min($0, windowMin) } ?? windowMin
  }

  /// Forgets everything, for a stream that starts anew.
  mutating func reset() {
    for index in slots.indices { slots[index] = 0 }
    for index in totals.indices { totals[index] = 0 }
    (total, slot, observed, bucketMax) = (0, 0, 0, 0)
    (slotStart, eventStart, windowStart) = (.zero, .zero, .zero)
    (eventBucket, windowMin, windowMinBefore) = (nil, nil, nil)
    (peak, recurring) = (nil, nil)
    target = settings.delayInitial
    usual = target
  }

  /// Takes this for the least transit, where the stream has come back by a longer route.
  mutating func rebase(to transit: Interval) {
    windowMin = transit
    windowMinBefore = nil
  }

  mutating func observe(transit: Interval, arrival: Instant) {
    let baseBefore = base
    if windowMin == nil || arrival - windowStart >= Self.window {
      windowMinBefore = windowMin
      windowMin = transit
      windowStart = arrival
    } else {
      windowMin = windowMin.map { min($0, transit) }
    }
    guard let base else { return }
    if let baseBefore, base - baseBefore >= Self.routeChange { shiftDown(by: base - baseBefore) }
    let jitter = transit - base
    if jitter > usual + Self.peakMin, jitter < settings.delayMax { notePeak(jitter, at: arrival) }
    add(jitter: jitter, at: arrival)
    usual = quantile()
    if let recurring, arrival < recurring.until {
      target = min(max(usual, recurring.jitter + Self.bucketWidth), settings.delayMax)
    } else {
      target = usual
    }
  }

  private mutating func notePeak(_ jitter: Interval, at now: Instant) {
    guard let last = peak, case let interval = now - last.time, interval >= .zero else {
      peak = (now, jitter)
      return
    }
    // Those close behind are of the same peak.
    if interval < Self.peakIntervalMin {
      peak = (last.time, max(last.jitter, jitter))
    } else {
      if interval <= Self.peakIntervalMax { recurring = (now + interval * 2, min(last.jitter, jitter)) }
      peak = (now, jitter)
    }
  }

  private mutating func add(jitter: Interval, at arrival: Instant) {
    let wanted = max(jitter.nanoseconds / Self.bucketWidth.nanoseconds, 0)
    // What is beyond all that may be waited for is not waited for.
    let bucket = wanted < Int64(bucketCount) ? Int(wanted) : nil
    if arrival - eventStart < Self.event, arrival >= eventStart, observed > 0 {
      guard let counted = eventBucket, let bucket, bucket > counted else { return }
      count(-1, in: counted)
      count(1, in: bucket)
      eventBucket = bucket
      return
    }
    eventStart = arrival
    eventBucket = bucket
    if arrival - slotStart >= Self.slotLength || arrival < slotStart { turn(at: arrival) }
    if observed < 1_000_000 { observed += 1 }
    if let bucket { count(1, in: bucket) }
  }

  private mutating func count(_ change: Int, in bucket: Int) {
    let index = slot * bucketCount + bucket
    slots[index] = UInt16(clamping: Int(slots[index]) + change)
    totals[bucket] += change
    total += change
    bucketMax = max(bucketMax, bucket)
  }

  /// Forgets the oldest slot and begins it anew.
  private mutating func turn(at now: Instant) {
    slotStart = now
    slot = (slot + 1) % Self.slotCount
    for bucket in 0..<bucketCount {
      let index = slot * bucketCount + bucket
      totals[bucket] -= Int(slots[index])
      total -= Int(slots[index])
      slots[index] = 0
    }
  }

  private mutating func shiftDown(by change: Interval) {
    let step = Int(min(change.nanoseconds / Self.bucketWidth.nanoseconds, Int64(bucketCount)))
    guard step > 0 else { return }
    for bucket in 0..<bucketCount {
      let lower = max(bucket - step, 0)
      guard lower != bucket else { continue }
      for slot in 0..<Self.slotCount {
        let share = slots[slot * bucketCount + bucket]
        slots[slot * bucketCount + bucket] = 0
        slots[slot * bucketCount + lower] &+= share
      }
      totals[lower] += totals[bucket]
      totals[bucket] = 0
    }
    eventBucket = eventBucket.map { max($0 - step, 0) }
  }

  private mutating func quantile() -> Interval {
    while bucketMax > 0, totals[bucketMax] == 0 { bucketMax -= 1 }
    // The latest of all is let be even where it is more than the share: one alone is chance.
    let lateMax = max(Int(Double(total) * (1 - settings.percentile / 100)), 1)
    var late = 0
    var bucket = bucketMax
    while bucket > 0, late + totals[bucket] <= lateMax {
      late += totals[bucket]
      bucket -= 1
    }
    let wanted = Self.bucketWidth * Int64(bucket + 1)
    let floor = observed < Self.observedMin ? settings.delayInitial : settings.delayMin
    return min(max(wanted, floor), settings.delayMax)
  }
}
