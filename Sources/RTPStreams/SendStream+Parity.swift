import Bytes
import EncodedMedia
import RTP
import Timing

/// Parity over the pictures of a receiver who loses packets far away.
extension SendStream {
  /// Whether parity was agreed on, and packets need not be the same when they are sent again.
  private var mayProtect: Bool {
    takesParity && tellsTime && configuration.payloadTypes.payloadType(of: .block) != nil
      && configuration.payloadTypes.payloadType(of: .parity) != nil
  }

  /// Whether what is sent is covered.
  public var isProtected: Bool { !parity.isEmpty }

  /// Begins or ends with the next frame, as the receiver's reports have it.
  mutating func settleProtection() {
    guard configuration.kind == .video, protection.isNeeded == parity.isEmpty else { return }
    if !parity.isEmpty { parity = [] } else if mayProtect { parity = [ParityEncoder()] }
  }

  /// Covers no pictures that are far apart: parity over three of them would come later than what is asked for again, and over one alone
  /// it takes as much as the picture.
  mutating func settleParity(before frame: PacketizedFrame) {
    guard !parity.isEmpty else { return }
    isTooSlowForParity = last.map { frame.time - $0.time > Self.parityFrameSpacingMax } ?? false
    if isTooSlowForParity { parity[0] = ParityEncoder() }
  }

  private static let parityFrameSpacingMax = Interval.milliseconds(250)

  mutating func cover(_ packet: Span<UInt8>, _ index: Int, of outgoing: OutgoingFrame) {
    guard !parity.isEmpty, let block = RTPHeader(parsing: packet)?.payloadRange.lowerBound else { return }
    let number = SequenceNumber(UInt16(truncatingIfNeeded: outgoing.firstSequence)) + index
    parity[0].add(
      packet, block: block, payloadType: outgoing.payloadType, number: number, parityCount: protection.parityCount)
    if index == outgoing.packetCount &- 1 { parity[0].endFrame() }
  }

  /// Whether `writeParity` has something to write: to be asked when a frame's last packet was written, before the next begins.
  ///
  /// Counts as changing the stream, or all of it would be copied for each frame of each receiver.
  public var hasParity: Bool { mutating get { !parity.isEmpty && parity[0].hasDue } }

  /// Writes the next packet of parity.
  ///
  /// - Parameters:
  ///   - transportSequenceNumber, sendTime: as for `write`.
  /// - Returns: its length, with at least `tagSize` bytes of the span behind it; nil where there is none or it does not fit.
  @_lifetime(packet: copy packet)
  public mutating func writeParity(
    transportSequenceNumber: UInt16? = nil, sendTime: UInt32? = nil, into packet: inout MutableSpan<UInt8>
  ) -> Int? {
    guard !parity.isEmpty, let sum = parity[0].take(), let block = configuration.payloadTypes.payloadType(of: .block),
      let payloadType = configuration.payloadTypes.payloadType(of: .parity), let last
    else { return nil }
    let start = RTPHeader.write(
      marker: false, payloadType: block, sequenceNumber: SequenceNumber(UInt16(truncatingIfNeeded: nextSequence)),
      timestamp: last.timestamp, ssrc: configuration.source,
      extensions: extensions(transportSequenceNumber, sendTime), map: configuration.extensionMap, into: &packet)
    guard let start, start < packet.count, let end = sum.header.write(into: &packet, at: start &+ 1),
      end &+ sum.bytes.count &+ Self.tagSize <= packet.count
    else { return nil }
    packet[start] = payloadType
    packet.copy(sum.bytes.span, at: end)
    nextSequence &+= 1
    counters.parityPackets &+= 1
    return end &+ sum.bytes.count
  }
}
