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

  /// Loss from which on so many copies are sent, and below which, for some reports, one less is.
  private static let begins = [0.03, 0.12]
  private static let ends = [0.015, 0.06]
  private static let calmReportsNeeded = 3

  /// - Parameter fractionLost: between the last two reports.
  mutating func receive(fractionLost: Double) {
    loss = max(fractionLost, 0.7 * loss + 0.3 * fractionLost)
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
