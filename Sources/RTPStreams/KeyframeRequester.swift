import Timing

/// When to ask a sender for a keyframe: at once, then at growing intervals until one comes.
public struct KeyframeRequester: Sendable {
  /// Between the first two requests; doubles up to `intervalMax`.
  public static let intervalMin = Interval.milliseconds(500)
  public static let intervalMax = Interval.seconds(2)

  /// Whether a keyframe is wanted that has not come.
  public private(set) var isWanted = false
  private var interval = Self.intervalMin
  private var lastRequest: Instant?
  /// Requests for the keyframe that is wanted now.
  private var requestCount = 0

  public init() {}

  /// Wants nothing yet, and keeps its distance from the last request of another.
  public init(after previous: KeyframeRequester) { lastRequest = previous.lastRequest }

  /// A keyframe is wanted. Told again while one is wanted already, it changes nothing.
  public mutating func request() {
    guard !isWanted else { return }
    isWanted = true
    interval = Self.intervalMin
    requestCount = 0
  }

  /// A keyframe came.
  public mutating func keyframeArrived() { isWanted = false }

  /// When the next request may be sent; nil where none is wanted.
  public var nextDeadline: Instant? {
    guard isWanted else { return nil }
    return lastRequest.map { $0 + interval } ?? Instant(nanoseconds: .min)
  }

  /// Whether to send a request now, which counts as sent.
  public mutating func takeDue(at now: Instant) -> Bool {
    guard isWanted else { return false }
    if let lastRequest, now < lastRequest + interval { return false }
    if requestCount > 0 { interval = min(interval * 2, Self.intervalMax) }
    requestCount &+= 1
    lastRequest = now
    return true
  }
}
