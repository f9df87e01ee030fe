import Bytes
import EncodedMedia
import RTP
import Timing

/// Remembers when packets with transport-wide sequence numbers came, and tells their sender
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01).
public struct TransportFeedbackRecorder: Sendable {
  /// Between two feedback packets; the more, the less comes, so that feedback takes about a twentieth of what it tells of.
  public static let intervals = Interval.milliseconds(100)...Interval.milliseconds(250)
  /// Bits of a feedback packet, about, with all headers.
  private static let feedbackBits = 544.0
  /// Packets kept that no feedback told of yet; older ones are forgotten.
  public static let capacity = 1024
  /// With so many packets to tell of, feedback is due at once.
  public static let enough = 256

  /// How far behind what was told of a number may be and still count as late.
  private static let lateMax: Int64 = 8192

  private var unwrapper = SequenceUnwrapper()
  /// Of the packets from `base` on, in order; `distantFuture` for those that have not come.
  private var arrivals: [Instant] = []
  private var base: Int64 = 0
  private var feedbackCount: UInt8 = 0
  private var lastMedia = SSRC(0)
  private var interval = Self.intervals.lowerBound
  /// Bits that came since the last feedback, and when that was.
  private var bitsReceived = 0.0
  private var lastFeedback: Instant?
  /// When feedback on what has come is due; nil where there is nothing to tell.
  public private(set) var nextDeadline: Instant?

  public init() {}

  /// A packet came. One that was told of already, or is older than what is kept, is passed over.
  ///
  /// - Parameter size: bytes of the datagram.
  public mutating func receive(_ sequenceNumber: UInt16, of media: SSRC, size: Int, at now: Instant) {
    bitsReceived += Double(size) * 8
    let isFirst = unwrapper.highest == nil
    // Who only watches sends no media: room is made with the first packet.
    if isFirst { arrivals.reserveCapacity(Self.capacity) }
    var sequence = unwrapper.unwrap(SequenceNumber(sequenceNumber))
    if isFirst { base = sequence }
    if sequence < base &- Self.lateMax {
      // Nothing is that late: the sender counts anew.
      unwrapper = SequenceUnwrapper()
      sequence = unwrapper.unwrap(SequenceNumber(sequenceNumber))
      base = sequence
      arrivals.removeAll(keepingCapacity: true)
    }
    guard sequence >= base else { return }
    lastMedia = media
    let excess = sequence &- base &+ 1 &- Int64(Self.capacity)
    if excess > 0 {
      arrivals.removeFirst(Int(min(excess, Int64(arrivals.count))))
      base = base &+ excess
    }
    let index = Int(sequence &- base)
    while arrivals.count <= index { arrivals.append(.distantFuture) }
    if arrivals[index] == .distantFuture { arrivals[index] = now }
    if arrivals.count >= Self.enough {
      nextDeadline = min(nextDeadline ?? now, now)
    } else if nextDeadline == nil {
      nextDeadline = now + interval
    }
  }

  /// Asks for the memory that the next packet changes.
  package mutating func prefetch() {
    arrivals.withUnsafeBytes { bytes in
      if let base = bytes.baseAddress { Prefetch.memory(at: base + bytes.count, byteCount: 1) }
    }
  }

  /// Writes the feedback that is due, in as many packets as it takes.
  ///
  /// What does not fit in the datagram stays for the next.
  @_lifetime(writer: copy writer)
  public mutating func writeDue(sender: SSRC, at now: Instant, into writer: inout RTCPWriter) {
    guard let deadline = nextDeadline, now >= deadline else { return }
    var told = 0
    var number = feedbackCount
    while told < arrivals.count {
      let waiting = arrivals.span.extracting(told..<arrivals.count)
      let count = writer.transportFeedback(
        sender: sender, media: lastMedia, base: SequenceNumber(UInt16(truncatingIfNeeded: base &+ Int64(told))),
        feedbackCount: number, arrivals: waiting)
      guard count > 0 else { break }
      told &+= count
      number &+= 1
    }
    feedbackCount = number
    arrivals.removeFirst(told)
    base = base &+ Int64(told)
    adaptInterval(at: now)
    nextDeadline = arrivals.isEmpty ? nil : now + interval
  }

  private mutating func adaptInterval(at now: Instant) {
    if let lastFeedback, now > lastFeedback, bitsReceived > 0 {
      let wanted = Self.feedbackBits / 0.05 * (now - lastFeedback).seconds / bitsReceived
      interval = min(max(.nanoseconds(Int64(min(wanted, 1) * 1e9)), Self.intervals.lowerBound), Self.intervals.upperBound)
    }
    (lastFeedback, bitsReceived) = (now, 0)
  }
}
