import Timing

/// What the delay gradient says of the path.
public enum PathUsage: Sendable {
  case normal
  /// Queues grow.
  case over
  /// Queues drain.
  case under
}

/// Finds growing queues by the slope of a line through the accumulated changes of delay, against a threshold that adapts to what
/// the path does on its own (draft-ietf-rmcat-gcc-02 sections 4.2 to 4.4, with a least-squares line in place of the Kalman filter).
struct OveruseDetector: Sendable {
  private static let window = 20
  private static let smoothing = 0.9
  private static let gain = 4.0
  private static let deltasMax = 60
  private static let thresholds = 6.0...600.0
  private static let riseRate = 0.0087
  /// Slow, so that the waves a TCP flow makes keep the threshold up: with the 0.039 that is common, a line shared with one is lost
  /// to it, and with the draft's 0.00018 our own queues are noticed late.
  private static let fallRate = 0.001
  /// How long a slope has to stay above the threshold.
  private static let overuseTime = 10.0

  private(set) var usage = PathUsage.normal
  /// In milliseconds, compared with the slope times the number of deltas and a gain.
  private(set) var threshold = 12.5
  /// When groups arrived and the delay accumulated by then, in milliseconds, four to a vector; in place, since every receiver's path has
  /// them and none is often asked.
  private var times: [5 of SIMD4<Double>] = .init(repeating: .zero)
  private var delays: [5 of SIMD4<Double>] = .init(repeating: .zero)
  private var sampleCount = 0
  /// Where the next one goes, which is the oldest once there is a window full of them.
  private var nextSample = 0
  private var firstArrival: Instant?
  private var accumulated = 0.0
  private var smoothed = 0.0
  private var deltaCount = 0
  private var previousSlope = 0.0
  private var timeOver = 0.0
  private var overCount = 0
  private var lastUpdate: Instant?

  mutating func add(_ delta: GroupDelta, at now: Instant) {
    let first = firstArrival ?? delta.arrival
    firstArrival = first
    let change = min(max((delta.arrived - delta.sent).milliseconds, -3_000), 3_000)
    deltaCount = min(deltaCount &+ 1, 1_000)
    accumulated += change
    smoothed = Self.smoothing * smoothed + (1 - Self.smoothing) * accumulated
    times[nextSample / 4][nextSample % 4] = (delta.arrival - first).milliseconds
    delays[nextSample / 4][nextSample % 4] = smoothed
    nextSample = nextSample &+ 1 < Self.window ? nextSample &+ 1 : 0
    sampleCount = min(sampleCount &+ 1, Self.window)
    let slope = sampleCount == Self.window ? line() ?? previousSlope : 0
    detect(slope, Double(max((delta.sent).milliseconds, 0)), at: now)
    previousSlope = slope
  }

  /// The least-squares slope of delay over arrival time through a window full of samples; nil where all arrived at once.
  private mutating func line() -> Double? {
    var (time, delay) = (SIMD4<Double>.zero, SIMD4<Double>.zero)
    for index in times.indices {
      time += times[index]
      delay += delays[index]
    }
    let (meanTime, meanDelay) = (time.sum() / Double(Self.window), delay.sum() / Double(Self.window))
    var (products, squares) = (SIMD4<Double>.zero, SIMD4<Double>.zero)
    for index in times.indices {
      let apart = times[index] - meanTime
      products += apart * (delays[index] - meanDelay)
      squares += apart * apart
    }
    let (numerator, denominator) = (products.sum(), squares.sum())
    return denominator > 0 ? numerator / denominator : nil
  }

  private mutating func detect(_ slope: Double, _ sentMilliseconds: Double, at now: Instant) {
    guard deltaCount > 1 else { return }
    let trend = Double(min(deltaCount, Self.deltasMax)) * slope * Self.gain
    if trend > threshold {
      timeOver = overCount == 0 ? sentMilliseconds / 2 : timeOver + sentMilliseconds
      overCount &+= 1
      if timeOver > Self.overuseTime, overCount > 1, slope >= previousSlope {
        (timeOver, overCount, usage) = (0, 0, .over)
      }
    } else {
      (timeOver, overCount) = (0, 0)
      usage = trend < -threshold ? .under : .normal
    }
    adapt(to: trend.magnitude, at: now)
  }

  private mutating func adapt(to trend: Double, at now: Instant) {
    defer { lastUpdate = now }
    // A sudden wave, such as a route change or a burst of other traffic, does not teach the threshold.
    guard let lastUpdate, trend <= threshold + 15 else { return }
    let rate = trend < threshold ? Self.fallRate : Self.riseRate
    threshold += rate * (trend - threshold) * min(max((now - lastUpdate).milliseconds, 0), 100)
    threshold = min(max(threshold, Self.thresholds.lowerBound), Self.thresholds.upperBound)
  }
}
