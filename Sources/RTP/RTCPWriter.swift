import Bytes
import EncodedMedia
import Timing

/// Writes RTCP packets behind one another into one datagram: compound (RFC 3550 section 6.1) or reduced-size (RFC 5506).
///
/// A packet that does not fit is left out whole, and `overflowed` says so.
public struct RTCPWriter: ~Copyable, ~Escapable {
  private var writer: ByteWriter
  /// Whether a packet was left out for want of room.
  public private(set) var overflowed = false

  @_lifetime(copy bytes)
  public init(_ bytes: consuming MutableSpan<UInt8>) { self.writer = ByteWriter(bytes) }

  /// Bytes written so far.
  public var count: Int { writer.count }
  /// Bytes still free.
  public var room: Int { writer.room }

  /// Writes a packet's header for a body of `size` bytes, a multiple of 4; false where the packet does not fit.
  @_lifetime(self: copy self)
  private mutating func begin(_ type: UInt8, count: Int, size: Int) -> Bool {
    guard size &+ 4 <= writer.room, size <= 0xFFFF &* 4 else {
      overflowed = true
      return false
    }
    writer.write(0x80 | UInt8(truncatingIfNeeded: count & 0x1F))
    writer.write(type)
    writer.write(UInt16(truncatingIfNeeded: size / 4))
    return true
  }

  /// A sender report with the first 31 of `blocks`.
  @_lifetime(self: copy self)
  public mutating func senderReport(_ report: SenderReport, blocks: Span<ReportBlock>) {
    let count = min(blocks.count, 31)
    guard begin(RTCPType.senderReport, count: count, size: 24 &+ count &* ReportBlock.size) else { return }
    writer.write(report.sender.rawValue)
    writer.write(report.ntp.rawValue)
    writer.write(report.timestamp.rawValue)
    writer.write(report.packetCount)
    writer.write(report.octetCount)
    for index in 0..<count { write(blocks[index]) }
  }

  /// A receiver report with the first 31 of `blocks`.
  @_lifetime(self: copy self)
  public mutating func receiverReport(sender: SSRC, blocks: Span<ReportBlock>) {
    let count = min(blocks.count, 31)
    guard begin(RTCPType.receiverReport, count: count, size: 4 &+ count &* ReportBlock.size) else { return }
    writer.write(sender.rawValue)
    for index in 0..<count { write(blocks[index]) }
  }

  @_lifetime(self: copy self)
  private mutating func write(_ block: ReportBlock) {
    writer.write(block.source.rawValue)
    writer.write(block.fractionLost)
    writer.writeUInt24(UInt32(bitPattern: min(max(block.cumulativeLost, -0x80_0000), 0x7F_FFFF)))
    writer.write(block.extendedHighestSequence)
    writer.write(block.jitter)
    writer.write(block.lastSenderReport)
    writer.write(block.delaySinceLastSenderReport)
  }

  /// A source description with one chunk and its CNAME, of which the first 255 bytes count.
  @_lifetime(self: copy self)
  public mutating func canonicalName(_ name: Span<UInt8>, source: SSRC) {
    let length = min(name.count, 255)
    // Source, item header, text, and the zero that ends the items, filled up to a word.
    let size = (4 &+ 2 &+ length &+ 1 &+ 3) & ~3
    guard begin(RTCPType.sourceDescription, count: 1, size: size) else { return }
    let end = writer.count &+ size
    writer.write(source.rawValue)
    writer.write(1 as UInt8)
    writer.write(UInt8(truncatingIfNeeded: length))
    writer.write(name.extracting(0..<length))
    while writer.count < end { writer.write(0 as UInt8) }
  }

  @_lifetime(self: copy self)
  public mutating func goodbye(_ source: SSRC) {
    guard begin(RTCPType.goodbye, count: 1, size: 4) else { return }
    writer.write(source.rawValue)
  }

  /// A generic NACK.
  ///
  /// - Parameter lost: ascending; neighbours within 16 share one entry (RFC 4585 section 6.2.1).
  @_lifetime(self: copy self)
  public mutating func nack(sender: SSRC, media: SSRC, lost: Span<SequenceNumber>) {
    var entries = 0
    var index = 0
    while index < lost.count {
      _ = Self.nackEntry(lost, &index)
      entries &+= 1
    }
    guard entries > 0, begin(RTCPType.transportFeedback, count: RTCPType.nack, size: 8 &+ entries &* 4) else { return }
    writer.write(sender.rawValue)
    writer.write(media.rawValue)
    index = 0
    while index < lost.count {
      let entry = Self.nackEntry(lost, &index)
      writer.write(entry.first)
      writer.write(entry.following)
    }
  }

  /// The entry that begins at `index`, which moves behind the numbers it stands for.
  private static func nackEntry(_ lost: Span<SequenceNumber>, _ index: inout Int) -> (first: UInt16, following: UInt16) {
    let first = lost[index]
    var following: UInt16 = 0
    index &+= 1
    while index < lost.count {
      let distance = lost[index].distance(from: first)
      guard distance >= 1, distance <= 16 else { break }
      following |= 1 << UInt16(truncatingIfNeeded: distance &- 1)
      index &+= 1
    }
    return (first.rawValue, following)
  }

  @_lifetime(self: copy self)
  public mutating func pictureLossIndication(sender: SSRC, media: SSRC) {
    guard begin(RTCPType.payloadFeedback, count: RTCPType.pictureLoss, size: 8) else { return }
    writer.write(sender.rawValue)
    writer.write(media.rawValue)
  }

  /// - Parameter number: one more for each new request, the same for a repeated one.
  @_lifetime(self: copy self)
  public mutating func fullIntraRequest(sender: SSRC, media: SSRC, number: UInt8) {
    guard begin(RTCPType.payloadFeedback, count: RTCPType.fullIntra, size: 16) else { return }
    writer.write(sender.rawValue)
    writer.write(0 as UInt32)
    writer.write(media.rawValue)
    writer.write(UInt32(number) << 24)
  }

  /// What the path carries, rounded down to 18 significant bits, for the first 255 of `sources`.
  @_lifetime(self: copy self)
  public mutating func receiverEstimatedMaximumBitrate(sender: SSRC, bitsPerSecond: UInt64, sources: Span<SSRC>) {
    let count = min(sources.count, 255)
    guard begin(RTCPType.payloadFeedback, count: RTCPType.applicationLayer, size: 16 &+ count &* 4) else { return }
    let exponent = max(0, 64 &- bitsPerSecond.leadingZeroBitCount &- 18)
    writer.write(sender.rawValue)
    writer.write(0 as UInt32)
    writer.write(RTCPType.maximumBitrateName)
    writer.write(UInt8(truncatingIfNeeded: count))
    writer.writeUInt24(UInt32(exponent) << 18 | UInt32(truncatingIfNeeded: bitsPerSecond >> UInt64(exponent)))
    for index in 0..<count { writer.write(sources[index].rawValue) }
  }

  /// Transport-wide feedback on as many of the packets from `base` on as one packet can tell of.
  ///
  /// - Parameters:
  ///   - arrivals: of each packet from `base` on; `distantFuture` for one that has not come.
  ///   - feedbackCount: one more for each feedback packet.
  /// - Returns: how many of `arrivals` it tells of; 0 where nothing was written.
  @_lifetime(self: copy self)
  public mutating func transportFeedback(
    sender: SSRC, media: SSRC, base: SequenceNumber, feedbackCount: UInt8, arrivals: Span<Instant>
  ) -> Int {
    guard let plan = TransportFeedbackPlan(arrivals, room: writer.room) else {
      if arrivals.count > 0 { overflowed = true }
      return 0
    }
    let end = writer.count &+ 4 &+ plan.size
    guard begin(RTCPType.transportFeedback, count: RTCPType.transportWide, size: plan.size) else { return 0 }
    writer.write(sender.rawValue)
    writer.write(media.rawValue)
    writer.write(base.rawValue)
    writer.write(UInt16(truncatingIfNeeded: plan.count))
    writer.writeUInt24(UInt32(truncatingIfNeeded: plan.reference))
    writer.write(feedbackCount)
    var index = 0
    while index < plan.count { writer.write(plan.chunk(arrivals, &index)) }
    var ticks = plan.reference &* 256
    for index in 0..<plan.count {
      let delta = TransportFeedbackPlan.ticks(arrivals[index], since: &ticks)
      switch TransportFeedbackPlan.symbol(delta) {
      case 1: writer.write(UInt8(truncatingIfNeeded: delta ?? 0))
      case 2: writer.write(UInt16(truncatingIfNeeded: delta ?? 0))
      default: break
      }
    }
    while writer.count < end { writer.write(0 as UInt8) }
    return plan.count
  }
}
