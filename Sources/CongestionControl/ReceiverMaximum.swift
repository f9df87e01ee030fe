import Timing

/// What a receiver says it can be sent at most (REMB), taken for a bound where it tells of the path.
///
/// A receiver that estimates knows of its path only what arrives: it says what that was at first, then rises to half as much again at
/// most, by a twelfth a second. So while little is sent, as of a picture that hardly moves, it names little, whatever the path carries,
/// and when more is sent it is long in saying so. It tells of the path where it falls or leaps, to a little less than what arrives through
/// a queue that grows; where more is sent than it names and it does not rise; and where it names far more than is sent.
///
/// Source: draft-alvestrand-rmcat-remb-03; draft-ietf-rmcat-gcc-02, section 5.5 (a receiver's estimate is at most 1.5 of what it receives).
struct ReceiverMaximum: Sendable {
  /// A smaller fall is rounding, and a smaller leap, in a second, may be the rise that there is anyway.
  private static let fallMin = 0.97
  private static let leapMin = (factor: 1.15, added: 4_000.0)
  /// What is sent is counted with its headers, what a receiver names without: so much more, in bits per second, says nothing.
  private static let headersMax = 40_000.0
  private static let unevenness = 1.1
  /// What has not risen for so long does not follow what is sent.
  private static let riseWait = Interval.milliseconds(1_500)
  /// Above so much of what is sent, and so many bits per second, it cannot come from what is sent now.
  private static let explained = (factor: 2.0, added: 20_000.0)
  /// Below so much of what is named, more is tried by and by, since the receiver cannot name more.
  private static let limitedBelow = 0.75
  private static let growthPerSecond = 0.08
  private static let waits = Interval.seconds(8)...Interval.seconds(120)

  /// What is sent for so long without harm is taken to do none.
  private static let proof = 20.0
  /// So much more than that is a try.
  private static let tryFactor = 1.5

  /// Bits per second; nil while nothing bounds what is sent.
  private(set) var limit: Double?
  /// What it said last.
  private var told: Double?
  private var lastTold: Instant?
  private var rose: Instant?
  /// When it was last found to bound what is sent.
  private var boundAt: Instant?
  private var wait = Self.waits.lowerBound
  /// What bounded it before more was tried; nil while nothing more is.
  private var proven: Double?
  /// What was sent of late without harm, in bits per second.
  private var harmless: Double?

  /// Whether it said anything.
  var isKnown: Bool { told != nil }

  /// - Parameters:
  ///   - named: bits per second.
  ///   - sending: what is sent now, in bits per second, headers included; nil where that is not known yet.
  mutating func tell(_ named: Double, sending: Double?, at now: Instant) {
    let hasTurned = told.map { named < Self.fallMin * $0 || named > Self.leapMin.factor * $0 + Self.leapMin.added } ?? false
    let elapsed = min(lastTold.map { now - $0 } ?? .zero, .seconds(1)).seconds
    if told.map({ named > $0 }) ?? true { rose = now }
    (told, lastTold) = (named, now)
    guard let sending else { return }
    let before = harmless ?? sending
    harmless = sending < before ? sending : before + (sending - before) * elapsed / Self.proof
    let hasRisen = rose.map { now - $0 < Self.riseWait } ?? false
    let isExceeded = !hasRisen && sending > Self.unevenness * (named + Self.headersMax)
    if hasTurned || isExceeded {
      if proven != nil { wait = min(wait * 2, Self.waits.upperBound) }
      // A try that was too much says nothing against what was sent before.
      let wasTry = hasTurned && sending > Self.tryFactor * before
      bound(to: wasTry ? max(named, proven ?? before) : named, at: now)
    } else if let limit {
      grow(from: limit, named, isUsed: sending >= Self.limitedBelow * named, elapsed, at: now)
    } else if named > Self.explained.factor * sending + Self.explained.added {
      bound(to: named, at: now)
    }
  }

  private mutating func bound(to bitsPerSecond: Double, at now: Instant) {
    (limit, boundAt, proven) = (bitsPerSecond, now, nil)
  }

  private mutating func grow(from bound: Double, _ named: Double, isUsed: Bool, _ elapsed: Double, at now: Instant) {
    if isUsed || boundAt.map({ now - $0 < wait }) ?? false {
      limit = max(named, bound)
    } else {
      proven = proven ?? bound
      limit = max(bound * (1 + Self.growthPerSecond * elapsed), named)
    }
  }
}
