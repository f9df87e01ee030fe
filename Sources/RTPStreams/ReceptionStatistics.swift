import EncodedMedia
import RTP
import Timing

/// What reception reports say of one source (RFC 3550 sections 6.4.1, A.3 and A.8), and its sender's clock.
public struct ReceptionStatistics: Sendable {
  /// Packets received since the start, without duplicates and retransmissions.
  public private(set) var packetCount: Int64 = 0
  /// Their payload bytes.
  public private(set) var octetCount: Int64 = 0
  /// Interarrival jitter in ticks of the RTP clock, and as a time.
  public var jitter: UInt32 { UInt32(truncatingIfNeeded: scaledJitter >> 4) }
  public var jitterTime: Interval { .ticks(Int64(jitter), at: clockRate) }
  /// Packets that should have come and did not, at the last report.
  public private(set) var lostCount: Int64 = 0

  /// Ticks a second of the timestamps that come now.
  private var clockRate: Int64
  /// Sixteen times the jitter, as in RFC 3550 A.8.
  private var scaledJitter: Int64 = 0
  private var lastTransit: UInt32?
  private var expectedPrior: Int64 = 0
  private var receivedPrior: Int64 = 0
  private var receivedSinceRestart: Int64 = 0

  /// The newest sender report, and when it came.
  public private(set) var senderReport: (report: SenderReport, arrival: Instant)?
  /// Whether it counts by the clock that packets do now.
  private var reportsThisClock = true

  init(clockRate: Int) { self.clockRate = Int64(clockRate) }

  /// The packets from now on count by a clock of so many ticks a second: the sender may take up another codec at any time (RFC 7160).
  mutating func setClockRate(_ rate: Int) {
    guard rate != Int(clockRate) else { return }
    clockRate = Int64(rate)
    (scaledJitter, lastTransit) = (0, nil)
    // A report that came before the first packet is of its clock.
    if packetCount > 0 { reportsThisClock = false }
  }

  mutating func receive(_ timestamp: RTPTimestamp, size: Int, at now: Instant) {
    packetCount &+= 1
    receivedSinceRestart &+= 1
    octetCount &+= Int64(size)
    let ticks = Interval(nanoseconds: now.nanoseconds).ticks(at: clockRate)
    let transit = UInt32(truncatingIfNeeded: ticks) &- timestamp.rawValue
    if let lastTransit {
      let difference = Int64(Int32(bitPattern: transit &- lastTransit).magnitude)
      // A step of more than ten seconds is a new timeline, no jitter.
      if difference < clockRate &* 10 { scaledJitter &+= difference &- ((scaledJitter &+ 8) >> 4) }
    }
    lastTransit = transit
  }

  /// The source begins anew with the packet received next: what was expected before no longer counts.
  mutating func restart() {
    expectedPrior = 0
    receivedPrior = 0
    receivedSinceRestart = 0
    lastTransit = nil
  }

  mutating func receive(_ report: SenderReport, at now: Instant) { (senderReport, reportsThisClock) = ((report, now), true) }

  /// The block of the next report, which starts a new interval of `fractionLost`.
  mutating func report(on source: SSRC, _ sequence: ReceivedSequence, at now: Instant) -> ReportBlock? {
    guard let highest = sequence.highest else { return nil }
    let expected = highest &- sequence.lowest &+ 1
    lostCount = expected &- receivedSinceRestart
    let expectedInterval = expected &- expectedPrior
    let lostInterval = expectedInterval &- (receivedSinceRestart &- receivedPrior)
    expectedPrior = expected
    receivedPrior = receivedSinceRestart
    let fraction = expectedInterval > 0 && lostInterval > 0 ? min((lostInterval << 8) / expectedInterval, 255) : 0
    return ReportBlock(
      source: source, fractionLost: UInt8(truncatingIfNeeded: fraction),
      cumulativeLost: Int32(truncatingIfNeeded: min(max(lostCount, -0x80_0000), 0x7F_FFFF)),
      extendedHighestSequence: UInt32(truncatingIfNeeded: highest), jitter: jitter,
      lastSenderReport: senderReport?.report.ntp.compact ?? 0,
      delaySinceLastSenderReport: senderReport.map { Self.compact(now - $0.arrival) } ?? 0)
  }

  /// In 1/65536 s.
  private static func compact(_ interval: Interval) -> UInt32 {
    UInt32(truncatingIfNeeded: max(interval, .zero).ticks(at: 65_536))
  }

  /// When the sender sampled what it stamped `timestamp`, by its own wall clock; nil before its first report, and before the first
  /// after it took up a codec with another clock.
  public func wallClock(of timestamp: RTPTimestamp) -> NTPTime? {
    guard reportsThisClock else { return nil }
    return senderReport.map { $0.report.ntp + .ticks(Int64(timestamp.distance(from: $0.report.timestamp)), at: clockRate) }
  }
}
