import Timing

/// Whether a receiver's pictures are sent with parity: where he loses packets and is so far away that what he asks for again comes
/// late (RFC 5109; elsewhere retransmissions cost less and repair all).
struct ProtectionPolicy: Sendable {
  private static let roundTripTimes = Interval.milliseconds(150)...Interval.milliseconds(200)
  private static let losses = 0.005...0.01
  private static let calmReportsNeeded = 5
  /// The least of so many round trips counts: a queue that a slower line leaves is no distance, and parity would feed it.
  private static let roundTripsMin = 3

  private(set) var isNeeded = false
  /// Share of packets lost, 0 to 1: follows rises at once and falls slowly.
  private var loss = 0.0
  private var calmReports = 0
  private var recentRoundTrips: [Interval] = []

  /// Packets of parity for a run of packets: losses come alone mostly, and more than one of those under the same parity are not repaired.
  var parityCount: Int { loss < 0.02 ? 1 : loss < 0.06 ? 2 : 3 }

  /// - Parameters:
  ///   - fractionLost: between the last two reports, 0 to 1.
  ///   - roundTripTime: nil where it is not known yet.
  mutating func receive(fractionLost: Double, roundTripTime: Interval?) {
    loss = max(fractionLost, 0.8 * loss + 0.2 * fractionLost)
    guard let roundTripTime else { return }
    if recentRoundTrips.count == Self.roundTripsMin { recentRoundTrips.removeFirst() }
    recentRoundTrips.append(roundTripTime)
    let distance = recentRoundTrips.count == Self.roundTripsMin ? recentRoundTrips.min() ?? .zero : .zero
    guard isNeeded else {
      isNeeded = loss >= Self.losses.upperBound && distance > Self.roundTripTimes.upperBound
      return
    }
    guard loss < Self.losses.lowerBound || distance < Self.roundTripTimes.lowerBound else {
      calmReports = 0
      return
    }
    calmReports += 1
    guard calmReports >= Self.calmReportsNeeded else { return }
    (isNeeded, calmReports) = (false, 0)
  }
}
