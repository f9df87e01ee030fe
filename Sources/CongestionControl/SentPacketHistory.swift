import Bytes
import RTP
import Timing

/// What feedback said of one packet that was sent.
public struct PacketResult: Hashable, Sendable {
  /// The extended transport-wide sequence number.
  public var sequence: Int64
  public var sentAt: Instant
  /// On the receiver's clock, which has an origin of its own; nil for a packet that did not come.
  public var arrival: Instant?
  /// Bytes of the datagram.
  public var size: Int
  /// The probe it was part of; 0 for none.
  public var cluster: UInt8
  /// Whether earlier feedback had told it lost.
  public var wasReportedLost: Bool
}

/// When packets with transport-wide sequence numbers were sent, until feedback tells how they fared
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01).
///
/// A ring of 16 bytes a packet, made with the first one. It grows up to its capacity while what it would forget may still be told of: one
/// that is longer than it has to be takes caches from other receivers.
public struct SentPacketHistory: Sendable {
  private struct Entry: Sendable {
    var sentAt = Instant.zero
    /// All bytes sent before this packet; wraps.
    var bytesBefore: UInt32 = 0
    var size: UInt16 = 0
    var cluster: UInt8 = 0
    var state = State.unknown
  }

  private enum State: UInt8, Sendable {
    case unknown, lost, received
  }

  /// The receiver's 24-bit reference time counts steps of 64 ms.
  private static let referencePeriod: Int64 = (1 << 24) * 64_000_000

  private static let entriesAtFirst: Int64 = 64
  /// What feedback told of, and was sent so long ago, is of no more use.
  private static let usefulFor = Interval.seconds(1)

  private var entries: [Entry] = []
  /// The ring's length less one; below zero before the first packet.
  private var mask: Int64 = -1
  private var unwrapper = SequenceUnwrapper()
  private var first: Int64 = 0
  private var end: Int64 = 0
  private var bytesSent: UInt32 = 0
  private var bytesSettled: UInt32 = 0
  private var settled: Int64 = -1
  private var reference: Int64?
  private let capacity: Int64

  /// - Parameter capacity: packets kept at most; rounded up to a power of two, 16 to 32768.
  public init(capacity: Int = 1024) {
    var size: Int64 = 16
    while size < min(Int64(clamping: capacity), 32_768) { size <<= 1 }
    self.capacity = size
  }

  /// Bytes sent after the last packet that feedback told of.
  public var outstandingBytes: Int { Int(bytesSent &- bytesSettled) }

  /// The packets that are remembered: the first one's number and how many follow on it.
  var kept: (first: SequenceNumber, count: Int) {
    (SequenceNumber(UInt16(truncatingIfNeeded: first)), Int(end &- first))
  }

  /// When the last packet was sent; nil before.
  public private(set) var lastSentAt: Instant?

  /// Nothing is to be learned any more of what was sent until now.
  mutating func forget() {
    first = end
    settled = end &- 1
    bytesSettled = bytesSent
  }

  /// Asks for the memory that `record` is about to change for the few packets of a picture.
  mutating func prefetch() {
    Prefetch.element(Int(end & mask), of: entries, hasHead: true)
    Prefetch.element(Int((end &+ 4) & mask), of: entries)
  }

  /// Asks for the memory of packets that feedback is about to tell of.
  mutating func prefetchToMatch() {
    let packets = min(max(end &- settled, 0), 16)
    for step in stride(from: 0, to: packets, by: 4) { Prefetch.element(Int((settled &+ 1 &+ step) & mask), of: entries) }
  }

  /// A packet is being sent. Numbers count on by one; a jump forgets what was between.
  ///
  /// - Parameter size: bytes of the datagram.
  public mutating func record(_ number: UInt16, size: Int, cluster: UInt8 = 0, at now: Instant) {
    let sequence = unwrapper.unwrap(SequenceNumber(number))
    guard lastSentAt == nil || sequence >= end else { return }
    if lastSentAt == nil { (first, end, settled) = (sequence, sequence, sequence &- 1) }
    if sequence &- first > mask { makeRoom(for: sequence, at: now) }
    if sequence &- end > mask { first = sequence }
    var skipped = max(end, first)
    while skipped < sequence {
      entries[Int(skipped & mask)] = Entry(sentAt: now, state: .received)
      skipped &+= 1
    }
    entries[Int(sequence & mask)] = Entry(
      sentAt: now, bytesBefore: bytesSent, size: UInt16(clamping: size), cluster: cluster)
    bytesSent &+= UInt32(UInt16(clamping: size))
    end = sequence &+ 1
    first = max(first, end &- mask &- 1)
    lastSentAt = now
  }

  /// Lengthens the ring while it is full of what may still be told of.
  private mutating func makeRoom(for sequence: Int64, at now: Instant) {
    var length = mask &+ 1
    while length < capacity, length == 0 || sequence &- first >= length && isUseful(sequence &- length, at: now) {
      length = max(length &* 2, min(Self.entriesAtFirst, capacity))
    }
    guard length > mask &+ 1 else { return }
    let (before, beforeMask) = (entries, mask)
    entries = Array(repeating: Entry(), count: Int(length))
    mask = length &- 1
    for kept in first..<end { entries[Int(kept & mask)] = before[Int(kept & beforeMask)] }
  }

  private func isUseful(_ sequence: Int64, at now: Instant) -> Bool {
    sequence > settled || sequence >= first && now - entries[Int(sequence & mask)].sentAt < Self.usefulFor
  }

  /// What feedback newly says of one packet; nil where it was never sent, is forgotten or told of already.
  ///
  /// - Parameter shift: what `unwrap` answered for this feedback.
  public mutating func match(_ status: TransportPacketStatus, shift: Interval) -> PacketResult? {
    guard lastSentAt != nil else { return nil }
    let behind = SequenceNumber(UInt16(truncatingIfNeeded: end)).distance(from: status.sequenceNumber)
    let sequence = end &- Int64(behind)
    guard sequence >= first, sequence < end else { return nil }
    let index = Int(sequence & mask)
    let entry = entries[index]
    if sequence > settled {
      settled = sequence
      bytesSettled = entry.bytesBefore &+ UInt32(entry.size)
    }
    guard entry.state != .received, status.arrival != nil || entry.state == .unknown else { return nil }
    entries[index].state = status.arrival == nil ? .lost : .received
    return PacketResult(
      sequence: sequence, sentAt: entry.sentAt, arrival: status.arrival.map { Instant.zero + ($0 + shift) },
      size: Int(entry.size), cluster: entry.cluster, wasReportedLost: entry.state == .lost)
  }

  /// What is added to a feedback packet's times so that they count on where its reference wraps; to be asked once for each, in order.
  public mutating func unwrap(_ time: Interval) -> Interval {
    let period = Self.referencePeriod
    guard let last = reference else {
      reference = time.nanoseconds
      return .zero
    }
    var step = (time.nanoseconds &- last) % period
    if step > period / 2 { step &-= period }
    if step < -period / 2 { step &+= period }
    let extended = last &+ step
    reference = extended
    return .nanoseconds(extended &- time.nanoseconds)
  }
}
