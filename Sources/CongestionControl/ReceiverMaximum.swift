import Timing

/// What a receiver says it can be sent at most (REMB), taken for a bound where it tells of the path.
///
/// A receiver that estimates knows of its path only what arrives: it says what that was at first, then rises to half as much again at
/// most. So while little is sent, as of a picture that hardly moves, it names little, whatever the path carries. It tells of the path
/// where it falls, where more is sent than it names, and where it names far more than is sent.
///
/// Source: draft-alvestrand-rmcat-remb-03; draft-ietf-rmcat-gcc-02, section 5.5 (a receiver's estimate is at most 1.5 of what it receives).
struct ReceiverMaximum: Sendable {
  /// A smaller fall is rounding.
  private static let fallMin = 0.97
  /// What is sent is counted with its headers, what a receiver names without: so much more, in bits per second, says nothing.
  private static let headersMax = 40_000.0
  private static let unevenness = 1.1
  /// Above so much of what is sent, and so many bits per second, it cannot come from what is sent now.
  private static let explained = (factor: 2.0, added: 20_000.0)
  /// Below so much of what is named, more is tried by and by, since the receiver cannot name more.
  private static let limitedBelow = 0.75
  private static let growthPerSecond = 0.08
  private static let waits = Interval.seconds(8)...Interval.seconds(120)

  /// Bits per second; nil while nothing bounds what is sent.
  private(set) var limit: Double?
  /// What it said last.
  private var told: Double?
  private var lastTold: Instant?
  private var fell: Instant?
  private var wait = Self.waits.lowerBound
  private var hasGrown = false

  /// Whether it said anything.
  var isKnown: Bool { told != nil }

  /// - Parameters:
  ///   - named: bits per second.
  ///   - sending: what is sent now, in bits per second, headers included; nil where that is not known yet.
  mutating func tell(_ named: Double, sending: Double?, at now: Instant) {
    let hasFallen = told.map { named < Self.fallMin * $0 } ?? false
    let elapsed = min(lastTold.map { now - $0 } ?? .zero, .seconds(1))
    (told, lastTold) = (named, now)
    guard let sending else { return }
    let isExceeded = sending > Self.unevenness * (named + Self.headersMax)
    guard !hasFallen, !isExceeded else {
      if hasGrown { wait = min(wait * 2, Self.waits.upperBound) }
      (limit, fell, hasGrown) = (named, now, false)
      return
    }
    guard let bound = limit else {
      if named > Self.explained.factor * sending + Self.explained.added { limit = named }
      return
    }
    guard sending < Self.limitedBelow * named, fell.map({ now - $0 >= wait }) ?? true else {
      limit = max(named, hasGrown ? bound : 0)
      return
    }
    limit = max(bound * (1 + Self.growthPerSecond * elapsed.seconds), named)
    hasGrown = true
  }
}
