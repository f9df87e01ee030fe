import Timing

/// Bounds the rate by loss: down where more than a tenth is lost, up again where less than a fiftieth is, else as it was
/// (draft-ietf-rmcat-gcc-02 section 6). So random loss of a few percent costs nothing.
///
/// Loss that stays as high when less is sent is the line's own: less would not help, so it is taken off before the rest is judged.
struct LossControl: Sendable {
  private static let high = 0.10
  private static let low = 0.02
  private static let packetsMin = 20
  /// A line with few packets is judged by fewer of them after so long.
  private static let windowMax = Interval.milliseconds(2_500)

  private static let doubtAfter = Interval.seconds(3)

  /// What was sent and lost before less was sent, and since.
  private struct Trial {
    let sent: Double
    let limit: Double
    /// At most, while as much is sent.
    var loss: Double
    let since: Instant
    var received = 0
    var lost = 0
    var sentSum = 0.0

    /// By how much less has to be sent, and of how many packets known what became of them.
    static let lower = 0.85
    static let packetsMin = 60
    static let lossMax = 0.3
    static let lengthMax = Interval.seconds(30)
  }

  /// Bits per second; infinite while loss is no reason for a bound.
  private(set) var limit = Double.infinity
  /// The share lost in the last window, 0 to 1.
  private(set) var fractionLost = 0.0
  /// The share that is lost however little is sent, 0 to 0.25.
  private(set) var inherent = 0.0
  private let minimum: Double
  private var received = 0
  private var lost = 0
  private var windowStart: Instant?
  private var lastDecrease: Instant?
  private var trial: Trial?
  /// Since when more is lost than the line's own share and a tenth.
  private var excessSince: Instant?
  /// Over about the last hundred packets.
  private var average = 0.0

  init(minimum: Double) { self.minimum = minimum }

  /// Whether so little is lost that more may be asked of the path.
  var isCalm: Bool { fractionLost < inherent + Self.high }

  /// Counts packets that transport-wide feedback told of.
  ///
  /// - Parameter sent: bits per second that leave.
  mutating func count(
    received newlyReceived: Int, lost newlyLost: Int, sent: Double, target: Double, roundTripTime: Interval, at now: Instant
  ) {
    received &+= newlyReceived
    lost = max(lost &+ newlyLost, 0)
    let start = windowStart ?? now
    windowStart = start
    let (elapsed, count) = (now - start, received &+ lost)
    guard elapsed >= .milliseconds(250), count >= Self.packetsMin || elapsed >= Self.windowMax, count > 0 else { return }
    let fraction = Double(lost) / Double(count)
    average += (fraction - average) * min(Double(count) / 100, 1)
    if average < inherent / 2 { inherent = average }
    doubt(at: now)
    // Of few packets that many are lost by chance.
    let chance = (Self.high * (1 - Self.high) / Double(count)).squareRoot()
    judge(fraction, chance, over: elapsed, target: target, roundTripTime: roundTripTime, sent: sent, at: now)
    compare(count, sent: sent, at: now)
    (received, lost, windowStart) = (0, 0, now)
  }

  /// What is lost beyond the line's own share, and goes on, was not the line's own either.
  private mutating func doubt(at now: Instant) {
    guard inherent > 0, average > inherent + Self.high else { return excessSince = nil }
    let since = excessSince ?? now
    excessSince = since
    if now - since >= Self.doubtAfter { (inherent, trial, excessSince) = (0, nil, nil) }
  }

  /// A share lost over some time, as a receiver report says.
  mutating func report(_ fraction: Double, over elapsed: Interval, target: Double, roundTripTime: Interval, at now: Instant) {
    judge(fraction, 0, over: elapsed, target: target, roundTripTime: roundTripTime, sent: nil, at: now)
  }

  private mutating func judge(
    _ fraction: Double, _ chance: Double, over elapsed: Interval, target: Double, roundTripTime: Interval, sent: Double?,
    at now: Instant
  ) {
    fractionLost = min(max(fraction, 0), 1)
    if fractionLost > inherent + Self.high + chance {
      guard lastDecrease.map({ now - $0 >= roundTripTime + .milliseconds(300) }) ?? true else { return }
      let before = min(limit, target)
      if let sent, trial == nil, fractionLost < Trial.lossMax {
        trial = Trial(sent: sent, limit: before, loss: max(average, Self.high), since: now)
      }
      limit = max(before * (1 - 0.5 * (fractionLost - inherent)), minimum)
      lastDecrease = now
    } else if fractionLost < inherent + Self.low, limit.isFinite {
      limit += max(limit * 0.08, 4_000) * min(max(elapsed.seconds, 0), 2)
      // So far above the rest it bounds nothing.
      if limit > 4 * max(target, 1_000_000) { limit = .infinity }
    }
  }

  /// Sees whether less is lost since less is sent: all that is above what a full path lets through, if it is full.
  private mutating func compare(_ count: Int, sent: Double, at now: Instant) {
    guard var trial else { return }
    guard now - trial.since < Trial.lengthMax, trial.loss < Trial.lossMax else { return self.trial = nil }
    guard sent <= Trial.lower * trial.sent else {
      // The first window had only begun to be lost.
      self.trial?.loss = max(trial.loss, average, fractionLost)
      return
    }
    guard sent > 0 else { return }
    trial.received &+= received
    trial.lost &+= lost
    trial.sentSum += sent * Double(count)
    self.trial = trial
    let all = trial.received &+ trial.lost
    guard all >= Trial.packetsMin else { return }
    self.trial = nil
    let loss = Double(trial.lost) / Double(all)
    let ofFullPath = max(1 - (1 - trial.loss) * trial.sent * Double(all) / trial.sentSum, 0)
    guard loss > (trial.loss + ofFullPath) / 2 else { return }
    inherent = min(loss, 0.25)
    limit = max(limit, trial.limit)
  }

  /// Nothing was sent for long: what the last window lost tells nothing any more.
  mutating func rest() { fractionLost = min(fractionLost, inherent) }

  mutating func probed(_ rate: Double) { limit = max(limit, rate) }
}
