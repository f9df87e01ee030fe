/// Whether the server takes newcomers: by what they will cost, and not while pictures have to give way.
package struct AdmissionControl: Sendable {
  /// The part of the processors up to which newcomers are taken, above 0 to 1.
  private let shareMax: Double
  /// Processors used of late, and what those will use who came since.
  private var used = 0.0
  private var expected = 0.0
  private var allowance = Double.infinity
  /// Refuses until there is clearly room again.
  package private(set) var isFull = false
  package private(set) var refusedCount = 0
  package private(set) var model = CostModel()

  /// Once full, this part of the limit has to be free again.
  private static let slack = 0.1

  package init(shareMax: Double) { self.shareMax = shareMax }

  /// Processor time used of late, as a part of what may be used.
  package var share: Double { allowance > 0 && allowance < .infinity ? used / allowance : 0 }

  /// Takes in what was measured; about once a second.
  ///
  /// - Parameter isShort: whether pictures had to wait so that a quota was not used up.
  package mutating func observe(
    _ use: CostModel.Use, _ census: CostModel.Census, allowance: Double, isShort: Bool = false
  ) {
    model.learn(use, census)
    self.allowance = allowance
    used += 0.3 * (use.total - used)
    expected *= 0.7
    isFull = hasLimit && (isShort || used + expected > shareMax * allowance * (isFull ? 1 - Self.slack : 1))
  }

  /// With all of the processors to use only late ticks tell that it is too much.
  private var hasLimit: Bool { shareMax < 1 }

  /// While half of it is free, and where there is no limit, nobody is refused for what he is thought to cost.
  private var isHalfFree: Bool { !hasLimit || used + expected < shareMax * allowance / 2 }

  /// Whether what is remembered keeps nobody out: while it does it has to be measured on, or it would for ever.
  package var isAtRest: Bool { !isFull && isHalfFree }

  /// Whether one may come in who will cost so much. He may still be refused for other reasons.
  package mutating func admits(_ cost: Double, at level: VideoLevel) -> Bool {
    guard !isFull, !level.refusesNewcomers, isHalfFree || used + expected + cost <= shareMax * allowance else {
      refusedCount += 1
      return false
    }
    return true
  }

  /// Counts one who came in, until he is measured.
  package mutating func expect(_ cost: Double) { expected += cost }
}
