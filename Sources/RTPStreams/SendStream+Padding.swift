import Bytes
import EncodedMedia
import RTP
import Timing

/// What is sent to probe a path with.
extension SendStream {
  /// Bytes that one packet of padding alone may have: their count is in the last of them.
  private static let paddingSizes = 1...255
  /// So many of the last frames are looked through for a packet of the right size.
  private static let framesSearched = 8

  /// Bytes that `writePadding` writes at most: as long as what was sent of late is, since only that can be sent again.
  public var paddingSizeMax: Int {
    (0..<Self.framesSearched).reduce(Self.paddingSizes.upperBound) { max($0, history.last($1)?.payloadSize(0) ?? 0) }
  }

  /// Writes padding to probe a path with, in the stream of retransmissions: a packet that the receiver has as if it had asked for it
  /// (RFC 4588), which looks like media; where none is about as long, a packet of padding alone (RFC 3550 section 5.1).
  ///
  /// - Parameters:
  ///   - size: bytes wanted.
  ///   - transportSequenceNumber, sendTime: as for `write`.
  /// - Returns: its length, with at least `tagSize` bytes of the span behind it; nil without a source of retransmissions, before any
  ///   codec of the stream's kind was negotiated, or where it does not fit.
  @_lifetime(packet: copy packet)
  public mutating func writePadding(
    _ size: Int, transportSequenceNumber: UInt16? = nil, sendTime: UInt32? = nil, into packet: inout MutableSpan<UInt8>
  ) -> Int? {
    guard let source = configuration.retransmissionSource else { return nil }
    let sent = frameSent(near: size)
    guard let media = sent?.payloadType ?? negotiated.payloadType,
      let payloadType = configuration.payloadTypes.retransmission(of: media)
    else { return nil }
    let sequence = SequenceNumber(nextRetransmissionSequence)
    let extensions = extensions(
      transportSequenceNumber, sendTime, level: sent?.frame.audioLevel, identifies: sent?.identifies ?? true)
    let length: Int?
    if let sent, Self.isAbout(size, sent.payloadSize(0)) {
      length = Self.write(
        0, of: sent, ssrc: source, payloadType: payloadType, sequence: sequence,
        original: SequenceNumber(UInt16(truncatingIfNeeded: sent.firstSequence)), extensions: extensions,
        map: configuration.extensionMap, into: &packet)
    } else {
      length = RTPHeader.write(
        marker: false, payloadType: payloadType, sequenceNumber: sequence,
        timestamp: sent?.timestamp ?? RTPTimestamp(timestampOffset), ssrc: source, extensions: extensions,
        map: configuration.extensionMap, into: &packet
      ).flatMap { Self.appendPadding(size, at: $0, into: &packet) }
    }
    guard let length else { return nil }
    nextRetransmissionSequence &+= 1
    counters.paddingPackets &+= 1
    return length
  }

  /// Whether a packet sent is not much longer than what is wanted, where padding alone can be that long, nor much shorter than that.
  private static func isAbout(_ size: Int, _ sent: Int) -> Bool {
    sent >= min(size, paddingSizes.upperBound) / 2 && (size > paddingSizes.upperBound || sent <= size &+ size / 2)
  }

  /// Of the last frames the one whose packets are nearest in size; all of a frame's are of one length but for the last.
  private mutating func frameSent(near size: Int) -> OutgoingFrame? {
    var found: OutgoingFrame?
    for number in 0..<Self.framesSearched {
      guard let frame = history.last(number) else { break }
      let isNearer = found.map { abs(frame.payloadSize(0) &- size) < abs($0.payloadSize(0) &- size) } ?? true
      if isNearer { found = frame }
    }
    return found
  }

  /// Sets the padding bit and writes zeros, the last of them their count (RFC 3550 section 5.1).
  ///
  /// - Returns: the packet's length with them; nil where that does not fit.
  @_lifetime(packet: copy packet)
  static func appendPadding(_ size: Int, at start: Int, into packet: inout MutableSpan<UInt8>) -> Int? {
    let count = min(max(size, paddingSizes.lowerBound), paddingSizes.upperBound)
    guard start &+ count &+ tagSize <= packet.count else { return nil }
    packet[0] |= 0x20
    for index in start..<(start &+ count) { packet[index] = 0 }
    packet[start &+ count &- 1] = UInt8(truncatingIfNeeded: count)
    return start &+ count
  }
}
