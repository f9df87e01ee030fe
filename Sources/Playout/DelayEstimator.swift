import Timing

/// Learns from when packets come how long playout must wait for them.
///
/// Each packet's transit is its arrival less its media time; only differences mean anything, for the two clocks have nothing in
/// common. The least transit of the last seconds is the base, which follows drifting clocks and changing routes; what a packet
/// takes beyond it is its jitter. A forgetting histogram of jitter gives the target: a burst of late packets raises it within
/// some tenths of a second, and it takes tens of seconds to come down again.
struct DelayEstimator {
  private let settings: PlayoutSettings
  /// Shares of packets by jitter, `bucketWidth` each; they add up to one.
  private var histogram: [Float]
  private var observed = 0
  /// The least transits of this window and the one before.
  private var windowMin: Interval?
  private var windowMinBefore: Interval?
  private var windowStart = Instant.zero
  private var burstStart = Instant.zero
  private var burstCount = 0
  /// What to wait beyond the base.
  private(set) var target: Interval

  private static let bucketWidth = Interval.milliseconds(5)
  private static let window = Interval.seconds(2)
  /// What is kept of the histogram at each packet: a time constant of 12 seconds at 20 ms a packet.
  private static let memory: Float = 0.9983
  /// A base rising by more is a longer route, and what was learned about jitter moves with it.
  private static let routeChange = Interval.milliseconds(20)
  /// Of what comes within 20 ms only the first few count, which were held back longest: a single blackout, whose packets all come
  /// at its end, is not to be waited for ever after, but those that return every few seconds are.
  private static let burst = Interval.milliseconds(20)
  private static let burstCountMax = 5
  /// Packets before the histogram is believed rather than the initial delay.
  private static let observedMin = 25

  init(settings: PlayoutSettings) {
    self.settings = settings
    let buckets = Int(settings.delayMax.nanoseconds / Self.bucketWidth.nanoseconds) + 1
    histogram = [Float](repeating: 0, count: min(max(buckets, 1), 1000))
    target = settings.delayInitial
  }

  /// The least transit of the last two to four seconds; nil before the first packet.
  var base: Interval? {
    guard let windowMin else { return windowMinBefore }
    return windowMinBefore.map { min($0, windowMin) } ?? windowMin
  }

  /// Forgets everything, for a stream that starts anew.
  mutating func reset() { self = DelayEstimator(settings: settings) }

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
    if arrival - burstStart >= Self.burst || arrival < burstStart {
      burstStart = arrival
      burstCount = 0
    }
    burstCount += 1
    guard burstCount <= Self.burstCountMax else { return }
    add(jitter: transit - base)
    target = quantile()
  }

  private mutating func add(jitter: Interval) {
    let bucket = min(max(Int(jitter.nanoseconds / Self.bucketWidth.nanoseconds), 0), histogram.count - 1)
    // The first packets weigh alike, so that nothing but what came counts.
    let kept = min(Self.memory, Float(observed) / Float(observed + 1))
    for index in histogram.indices { histogram[index] *= kept }
    histogram[bucket] += 1 - kept
    if observed < 1_000_000 { observed += 1 }
  }

  private mutating func shiftDown(by change: Interval) {
    let step = min(Int(change.nanoseconds / Self.bucketWidth.nanoseconds), histogram.count)
    guard step > 0 else { return }
    for index in histogram.indices {
      let share = histogram[index]
      histogram[index] = 0
      histogram[max(index - step, 0)] += share
    }
  }

  private func quantile() -> Interval {
    let late = 1 - Float(settings.percentile) / 100
    var beyond: Float = 0
    var bucket = histogram.count - 1
    while bucket > 0, beyond + histogram[bucket] <= late {
      beyond += histogram[bucket]
      bucket -= 1
    }
    let wanted = Self.bucketWidth * Int64(bucket + 1)
    let floor = observed < Self.observedMin ? settings.delayInitial : settings.delayMin
    return min(max(wanted, floor), settings.delayMax)
  }
}
