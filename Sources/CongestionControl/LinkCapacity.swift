/// Where the path was found to be full lately, with its spread: close to it the rate rises in small steps
/// (draft-ietf-rmcat-gcc-02 section 5.5).
struct LinkCapacity: Sendable {
  private static let weight = 0.05

  /// In bits per second; nil where nothing is known.
  private(set) var estimate: Double?
  /// Variance relative to the estimate, in kb/s.
  private var deviation = 0.4

  var upperBound: Double { estimate.map { $0 + 3 * spread } ?? .infinity }
  var lowerBound: Double { estimate.map { max($0 - 3 * spread, 0) } ?? 0 }

  private var spread: Double { ((deviation * (estimate ?? 0) / 1_000).squareRoot()) * 1_000 }

  mutating func overused(at rate: Double) { update(rate, Self.weight) }
  mutating func probed(_ rate: Double) { update(rate, 0.5) }
  mutating func reset() { estimate = nil }

  private mutating func update(_ rate: Double, _ weight: Double) {
    let old = estimate ?? rate
    let new = (1 - weight) * old + weight * rate
    estimate = new
    let error = (new - rate) / 1_000
    deviation = (1 - weight) * deviation + weight * error * error / max(new / 1_000, 1)
    deviation = min(max(deviation, 0.4), 2.5)
  }
}
