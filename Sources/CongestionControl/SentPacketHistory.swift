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
/// A ring of 16 bytes a packet, made with the first one; older packets are forgotten.
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

  private let mask: Int64
  private var entries: [Entry] = []
  private var unwrapper = SequenceUnwrapper()
  private var first: Int64 = 0
  private var end: Int64 = 0
  private var bytesSent: UInt32 = 0
  private var bytesSettled: UInt32 = 0
  private var settled: Int64 = -1
  private var reference: Int64?

  /// - Parameter capacity: packets kept; rounded up to a power of two, 16 to 32768.
  public init(capacity: Int = 1024) {
    var size: Int64 = 16
    while size < min(Int64(clamping: capacity), 32_768) { size <<= 1 }
    mask = size &- 1
  }

  /// Bytes sent after the last packet that feedback told of.
  public var outstandingBytes: Int { Int(bytesSent &- bytesSettled) }

  /// When the last packet was sent; nil before.
  public private(set) var lastSentAt: Instant?

  /// Asks for the memory that `record` is about to change.
  func prefetch() {
    let place = Int(end & mask)
    guard place < entries.count else { return }
    Prefetch.element(place, of: entries, hasHead: true)
  }

  /// A packet is being sent. Numbers count on by one; a jump forgets what was between.
  ///
  /// - Parameter size: bytes of the datagram.
  public mutating func record(_ number: UInt16, size: Int, cluster: UInt8 = 0, at now: Instant) {
    if entries.isEmpty { entries = Array(repeating: Entry(), count: Int(mask &+ 1)) }
    let sequence = unwrapper.unwrap(SequenceNumber(number))
    guard lastSentAt == nil || sequence >= end else { return }
    if lastSentAt == nil { (first, end, settled) = (sequence, sequence, sequence &- 1) }
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

  /// Appends what feedback newly says, in order of sequence numbers. Numbers that were never sent, are forgotten or told of already
  /// are passed over.
  public mutating func match(_ feedback: borrowing TransportFeedback, into results: inout [PacketResult]) {
    guard lastSentAt != nil else { return }
    let shift = unwrapReference(feedback.referenceTime)
    var packets = feedback.packets()
    while let status = packets.next() {
      let behind = SequenceNumber(UInt16(truncatingIfNeeded: end)).distance(from: status.sequenceNumber)
      let sequence = end &- Int64(behind)
      guard sequence >= first, sequence < end else { continue }
      let index = Int(sequence & mask)
      let entry = entries[index]
      if sequence > settled {
        settled = sequence
        bytesSettled = entry.bytesBefore &+ UInt32(entry.size)
      }
      guard entry.state != .received, status.arrival != nil || entry.state == .unknown else { continue }
      entries[index].state = status.arrival == nil ? .lost : .received
      results.append(
        PacketResult(
          sequence: sequence, sentAt: entry.sentAt,
          arrival: status.arrival.map { Instant(nanoseconds: $0.nanoseconds &+ shift) }, size: Int(entry.size),
          cluster: entry.cluster, wasReportedLost: entry.state == .lost))
    }
  }

  /// What is added to the feedback's times so that they count on where the reference wraps.
  private mutating func unwrapReference(_ time: Interval) -> Int64 {
    let period = Self.referencePeriod
    guard let last = reference else {
      reference = time.nanoseconds
      return 0
    }
    var step = (time.nanoseconds &- last) % period
    if step > period / 2 { step &-= period }
    if step < -period / 2 { step &+= period }
    let extended = last &+ step
    reference = extended
    return extended &- time.nanoseconds
  }
}
