import Timing

/// Measures what probes find: bits per second sent and received over the packets of each cluster.
struct ProbeMeasurement: Sendable {
  fileprivate struct Cluster: Sendable {
    let id: UInt8
    let packetsNeeded: Int
    let packetsSent: Int
    let bytesNeeded: Int
    let startedAt: Instant
    var count = 0
    /// Of its packets, those that feedback called lost.
    var lostCount = 0
    var bytes = 0
    var firstSent = Instant(nanoseconds: .max)
    var lastSent = Instant(nanoseconds: .min)
    var lastSentSize = 0
    var firstArrival = Instant(nanoseconds: .max)
    var lastArrival = Instant(nanoseconds: .min)
    var firstArrivalSize = 0
  }

  private static let clustersMax = 4
  private static let ageMax = Interval.seconds(3)
  /// What comes so much slower than it was sent filled a queue: then what was lost of it says nothing more.
  private static let overflowing = 0.4
  private static let spanMax = Interval.seconds(1)
  private var clusters: [Cluster] = []

  mutating func begin(_ probe: ProbeRequest, at now: Instant) {
    clusters.removeAll { now - $0.startedAt > Self.ageMax || $0.id == probe.cluster }
    if clusters.count == Self.clustersMax { clusters.removeFirst() }
    clusters.append(
      Cluster(
        id: probe.cluster, packetsNeeded: probe.packetsMin * 4 / 5, packetsSent: probe.packetsMin,
        bytesNeeded: probe.bytes * 4 / 5, startedAt: now))
  }

  /// - Returns: the rate found, once enough of the cluster's packets came.
  mutating func add(_ result: PacketResult) -> Double? {
    guard result.cluster != 0, let index = clusters.firstIndex(where: { $0.id == result.cluster }) else { return nil }
    clusters[index].add(result)
    let cluster = clusters[index]
    let isWhole = cluster.count >= cluster.packetsNeeded && cluster.bytes >= cluster.bytesNeeded
    guard isWhole || cluster.hasOverflowed else { return nil }
    let (sending, receiving) = (cluster.lastSent - cluster.firstSent, cluster.lastArrival - cluster.firstArrival)
    guard sending > .zero, receiving > .zero, sending < Self.spanMax, receiving < Self.spanMax else { return nil }
    let sent = Double(cluster.bytes - cluster.lastSentSize) * 8 / sending.seconds
    let received = Double(cluster.bytes - cluster.firstArrivalSize) * 8 / receiving.seconds
    // Packets that come far faster than they were sent were held back on the way: they tell nothing.
    guard received < 2 * sent, isWhole || received < Self.overflowing * sent else { return nil }
    return received < 0.9 * sent ? 0.95 * received : min(sent, received)
  }
}

extension ProbeMeasurement.Cluster {
  /// Whether all is told of its packets, and half of them came.
  fileprivate var hasOverflowed: Bool { count &+ lostCount >= packetsSent && count >= 3 }

  fileprivate mutating func add(_ result: PacketResult) {
    guard let arrival = result.arrival else {
      lostCount &+= 1
      return
    }
    if result.wasReportedLost { lostCount &-= 1 }
    count &+= 1
    bytes &+= result.size
    firstSent = min(firstSent, result.sentAt)
    if result.sentAt >= lastSent { (lastSent, lastSentSize) = (result.sentAt, result.size) }
    if arrival < firstArrival { (firstArrival, firstArrivalSize) = (arrival, result.size) }
    lastArrival = max(lastArrival, arrival)
  }
}
