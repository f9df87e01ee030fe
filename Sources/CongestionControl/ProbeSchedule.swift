import Timing

/// A burst that the estimator wants sent, of media where there is some and padding (RTX of sent packets) where not.
public struct ProbeRequest: Hashable, Sendable {
  /// Marks the burst's packets; 1 to 255.
  public var cluster: UInt8
  public var bitsPerSecond: Int
  /// Bytes to be sent, and into how many packets at least.
  public var bytes: Int
  public var packetsMin: Int

  public init(cluster: UInt8, bitsPerSecond: Int, bytes: Int, packetsMin: Int) {
    self.cluster = cluster
    self.bitsPerSecond = bitsPerSecond
    self.bytes = bytes
    self.packetsMin = packetsMin
  }
}

/// When a path is asked whether it carries more: at the start, and while the sender wants more than is known to fit.
///
/// A probe that succeeds is followed by a larger one at once; one that fails, by the next after a wait that doubles.
struct ProbeSchedule: Sendable {
  enum Purpose: Sendable {
    /// Nothing is known yet: what was lost on the way, or word of it, is sent again.
    case opening
    /// More is wanted than is known to fit.
    case more
    /// All that is wanted fits, and a key frame is to leave at once.
    case keyframes
  }

  private static let firstFactors = [3.0, 6.0]
  private static let factor = 2.0
  private static let waits = Interval.seconds(3)...Interval.seconds(6)
  private static let resultWait = Interval.seconds(1)
  /// What a receiver takes to tell, and its reports are apart.
  private static let feedbackWait = Interval.milliseconds(250)
  private static let gainMin = 1.05
  private static let duration = 0.020
  /// On a path that carries no more than is known.
  private static let durationMax = 0.150
  private static let bytesMin = 300...1_200
  private static let packetsMin = 6
  /// A key frame may leave so many times faster than all that is wanted does on average.
  private static let keyframeMargin = 2.5
  /// That much is asked for so often without success: a short probe is easily measured wrong.
  private static let keyframeTriesMax = 3
  private static let keyframeTryWait = Interval.milliseconds(500)

  private(set) var nextDeadline: Instant?
  private var nextCluster: UInt8 = 1
  private var factorsLeft = Self.firstFactors
  private var wait = Self.waits.lowerBound
  /// The rate of the probe that is under way, and what it is for.
  private var expected: Double?
  private var purpose = Purpose.opening
  private var keyframeTriesLeft = Self.keyframeTriesMax

  /// The path is open: asks for the first probes.
  mutating func begin(at now: Instant) { if nextDeadline == nil { nextDeadline = now } }

  /// What it is worth to ask for, in bits per second: what is wanted, and where that fits, what lets a key frame leave at once. The
  /// latter not for long, or padding would never end on a path that has no more.
  func worthKnowing(estimate: Double, wanted: Double) -> Double {
    estimate >= wanted && keyframeTriesLeft > 0 ? wanted * Self.keyframeMargin : wanted
  }

  /// - Parameters:
  ///   - estimate: bits per second known to fit.
  ///   - worth: what is asked for at most.
  ///   - isCalm: whether the path has room and more is worth knowing; else the probe waits.
  ///   - roundTripTime: no answer comes sooner.
  mutating func takeDue(
    _ purpose: Purpose, estimate: Double, worth: Double, isCalm: Bool, roundTripTime: Interval, at now: Instant
  ) -> ProbeRequest? {
    guard let deadline = nextDeadline, now >= deadline else { return nil }
    if expected != nil, purpose != .opening { failed(at: now) }
    guard let deadline = nextDeadline, now >= deadline else { return nil }
    guard isCalm else {
      nextDeadline = now + .milliseconds(500)
      return nil
    }
    let factor = factorsLeft.isEmpty ? Self.factor : factorsLeft.removeFirst()
    let rate = min(estimate * factor, worth * 1.1)
    expected = rate
    self.purpose = purpose
    nextDeadline = now + max(Self.resultWait, roundTripTime * 3 / 2 + Self.feedbackWait)
    defer { nextCluster = nextCluster == 255 ? 1 : nextCluster + 1 }
    // On a thin line less says as much, and sound waits less behind it.
    let bytesMin = min(Self.bytesMin.upperBound, max(clampedInt(estimate * Self.durationMax / 8), Self.bytesMin.lowerBound))
    return ProbeRequest(
      cluster: nextCluster, bitsPerSecond: clampedInt(rate), bytes: max(clampedInt(rate * Self.duration / 8), bytesMin),
      packetsMin: Self.packetsMin)
  }

  /// A probe was measured: more is worth asking for where it found about what it asked for, and more than was known.
  mutating func measured(_ rate: Double, estimate: Double, at now: Instant) {
    guard let expected else { return }
    guard rate >= max(0.7 * expected, Self.gainMin * estimate) else { return failed(at: now) }
    self.expected = nil
    wait = Self.waits.lowerBound
    nextDeadline = now + .milliseconds(250)
  }

  /// Queues grew or packets were lost: the path is asked later.
  mutating func congested(at now: Instant) {
    factorsLeft = []
    keyframeTriesLeft = 0
    expected = nil
    nextDeadline = max(nextDeadline ?? now, now + Self.waits.lowerBound)
  }

  private mutating func failed(at now: Instant) {
    expected = nil
    if purpose == .keyframes {
      keyframeTriesLeft &-= 1
      nextDeadline = now + Self.keyframeTryWait
      return
    }
    factorsLeft = []
    nextDeadline = now + wait
    wait = min(wait * 2, Self.waits.upperBound)
  }
}

/// The nearest whole number from 0 to 10^12, whatever the value.
func clampedInt(_ value: Double) -> Int { value.isNaN ? 0 : Int(min(max(value, 0), 1e12)) }
