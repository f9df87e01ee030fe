/// How many copies of earlier frames a receiver's audio carries (RFC 2198), by what he reports to lose.
///
/// A copy costs as much as the sound itself, so there is none while little is lost. Up at the first report of loss, down one at a
/// time after some that are calm.
struct RedundancyPolicy: Sendable {
  /// 0 to 2.
  private(set) var copies = 0
  /// Share of packets lost, 0 to 1: follows rises at once and falls slowly.
  private(set) var loss = 0.0
  private var calmReports = 0
  /// What the share of the last packets is reckoned from: reports of a few packets say little each.
  private var expected = 0.0
  private var lost = 0.0
  private static let packetsWanted = 50.0
  /// Packets of which nothing was lost, before anything is known.
  private static let packetsAssumed = 25.0

  /// Loss from which on so many copies are sent, and below which, for some reports, one less is.
  private static let begins = [0.03, 0.12]
  private static let ends = [0.015, 0.06]
  private static let calmReportsNeeded = 3

  /// - Parameters:
  ///   - fractionLost: between the last two reports.
  ///   - packets: so many were sent between them.
  mutating func receive(fractionLost: Double, of packets: Int) {
    let packets = Double(min(max(packets, 1), 10_000))
    let kept = min(max(Self.packetsWanted - packets, 0) / max(expected, 1), 1)
    expected = expected * kept + packets
    lost = lost * kept + packets * fractionLost
    let fraction = lost / max(expected, Self.packetsAssumed)
    loss = max(fraction, 0.7 * loss + 0.3 * fraction)
    while copies < Self.begins.count, loss >= Self.begins[copies] { copies += 1 }
    guard copies > 0, loss < Self.ends[copies - 1] else {
      calmReports = 0
      return
    }
    calmReports += 1
    guard calmReports >= Self.calmReportsNeeded else { return }
    copies -= 1
    calmReports = 0
  }
}
