import Timing

/// The bit rate that arrived, by the receiver's clock: samples of 150 ms, each believed the less the more it differs.
struct AcknowledgedBitrate: Sendable {
  private static let firstWindow = Interval.milliseconds(500)
  private static let window = Interval.milliseconds(150)
  private static let rates = 1_000.0...1e10

  /// Bits per second; nil before the first half second.
  private(set) var bitsPerSecond: Double?
  /// The last sample alone, which tells of a fall sooner; nil before the first.
  private(set) var latest: Double?
  private var variance = 50.0
  private var windowStart: Instant?
  private var windowBytes = 0
  private var last: Instant?

  /// - Parameter isApplicationLimited: low samples then tell of the sender, not of the path, and are believed less.
  mutating func add(_ size: Int, arrival: Instant, isApplicationLimited: Bool) {
    if let last, arrival < last - .seconds(2) || arrival > last + .seconds(2) {
      (windowStart, windowBytes) = (nil, 0)
      self.last = nil
    }
    let time = max(arrival, last ?? arrival)
    last = time
    guard let start = windowStart else {
      (windowStart, windowBytes) = (time, size)
      return
    }
    let length = time - start
    guard length >= (bitsPerSecond == nil ? Self.firstWindow : Self.window) else {
      windowBytes &+= size
      return
    }
    let sample = Double(windowBytes) * 8 / length.seconds
    (windowStart, windowBytes) = (time, size)
    latest = min(max(sample, Self.rates.lowerBound), Self.rates.upperBound)
    update(sample, isApplicationLimited: isApplicationLimited)
  }

  private mutating func update(_ sample: Double, isApplicationLimited: Bool) {
    guard let estimate = bitsPerSecond else {
      bitsPerSecond = min(max(sample, Self.rates.lowerBound), Self.rates.upperBound)
      return
    }
    let (old, new) = (estimate / 1_000, sample / 1_000)
    let scale = isApplicationLimited && new < old ? 20.0 : 10.0
    let uncertainty = scale * (old - new).magnitude / max(old, 1)
    let (sampleVariance, predicted) = (uncertainty * uncertainty, variance + 5)
    let blended = (sampleVariance * old + predicted * new) / (sampleVariance + predicted)
    variance = sampleVariance * predicted / (sampleVariance + predicted)
    bitsPerSecond = min(max(blended * 1_000, Self.rates.lowerBound), Self.rates.upperBound)
  }

  /// Forgets what arrived so far.
  mutating func reset() { self = AcknowledgedBitrate() }
}
