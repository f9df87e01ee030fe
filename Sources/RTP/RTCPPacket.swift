import Bytes
import EncodedMedia
import Timing

/// One packet of a compound or reduced-size RTCP datagram, as views of its bytes.
public enum RTCPPacket: ~Escapable {
  /// RFC 3550 section 6.4.1.
  case senderReport(SenderReport, ReportBlocks)
  /// RFC 3550 section 6.4.2.
  case receiverReport(sender: SSRC, ReportBlocks)
  /// RFC 3550 section 6.5.
  case sourceDescription(SourceDescriptions)
  /// RFC 3550 section 6.6.
  case goodbye(SourceList)
  /// RFC 4585 section 6.2.1.
  case nack(media: SSRC, LostPackets)
  /// RFC 4585 section 6.3.1.
  case pictureLossIndication(media: SSRC)
  /// RFC 5104 section 4.3.1.
  case fullIntraRequest(FullIntraRequests)
  /// draft-alvestrand-rmcat-remb-03: what the receiver thinks the path carries, for the sources listed.
  case receiverEstimatedMaximumBitrate(bitsPerSecond: UInt64, SourceList)
  /// draft-holmer-rmcat-transport-wide-cc-extensions-01.
  case transportFeedback(TransportFeedback)
}

/// The sender's part of a sender report (RFC 3550 section 6.4.1).
public struct SenderReport: Hashable, Sendable {
  public var sender: SSRC
  /// The wall clock when the report was sent.
  public var ntp: NTPTime
  /// The same instant on the stream's media clock.
  public var timestamp: RTPTimestamp
  public var packetCount: UInt32
  public var octetCount: UInt32

  public init(sender: SSRC, ntp: NTPTime, timestamp: RTPTimestamp, packetCount: UInt32, octetCount: UInt32) {
    self.sender = sender
    self.ntp = ntp
    self.timestamp = timestamp
    self.packetCount = packetCount
    self.octetCount = octetCount
  }
}

/// What one receiver says about one source (RFC 3550 section 6.4.1).
public struct ReportBlock: Hashable, Sendable {
  public var source: SSRC
  /// Of the packets since the last report, in 1/256.
  public var fractionLost: UInt8
  /// Packets lost since the start, -2^23 to 2^23 - 1; duplicates make it negative.
  public var cumulativeLost: Int32
  public var extendedHighestSequence: UInt32
  /// In ticks of the source's RTP clock.
  public var jitter: UInt32
  /// The middle of the NTP time of the last sender report; 0 before the first.
  public var lastSenderReport: UInt32
  /// Since that report came, in 1/65536 s.
  public var delaySinceLastSenderReport: UInt32

  public init(
    source: SSRC, fractionLost: UInt8, cumulativeLost: Int32, extendedHighestSequence: UInt32, jitter: UInt32,
    lastSenderReport: UInt32, delaySinceLastSenderReport: UInt32
  ) {
    self.source = source
    self.fractionLost = fractionLost
    self.cumulativeLost = cumulativeLost
    self.extendedHighestSequence = extendedHighestSequence
    self.jitter = jitter
    self.lastSenderReport = lastSenderReport
    self.delaySinceLastSenderReport = delaySinceLastSenderReport
  }

  static let size = 24
}

/// The reception report blocks of a report: 0 to 31.
public struct ReportBlocks: ~Escapable {
  private let bytes: Span<UInt8>

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  public var count: Int { bytes.count / ReportBlock.size }

  /// - Returns: nil where `index` is not below `count`.
  public subscript(index: Int) -> ReportBlock? {
    guard index >= 0, index < count else { return nil }
    var reader = ByteReader(bytes.extracting((index &* ReportBlock.size)..<((index &+ 1) &* ReportBlock.size)))
    guard let source = reader.readUInt32(), let fraction = reader.readUInt8(), let lost = reader.readUInt24(),
      let highest = reader.readUInt32(), let jitter = reader.readUInt32(), let last = reader.readUInt32(),
      let delay = reader.readUInt32()
    else { return nil }
    return ReportBlock(
      source: SSRC(source), fractionLost: fraction, cumulativeLost: Int32(bitPattern: lost << 8) >> 8,
      extendedHighestSequence: highest, jitter: jitter, lastSenderReport: last, delaySinceLastSenderReport: delay)
  }
}

/// A list of sources, 4 bytes each.
public struct SourceList: ~Escapable {
  private let bytes: Span<UInt8>

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  public var count: Int { bytes.count / 4 }

  /// - Returns: nil where `index` is not below `count`.
  public subscript(index: Int) -> SSRC? {
    guard index >= 0, index < count else { return nil }
    return bytes.bigEndianUInt32(at: index &* 4).map { SSRC($0) }
  }

  public func contains(_ source: SSRC) -> Bool {
    for index in 0..<count where self[index] == source { return true }
    return false
  }
}

/// The sequence numbers a generic NACK asks for, read one after another.
public struct LostPackets: ~Escapable {
  private var reader: ByteReader
  private var first = SequenceNumber(0)
  /// Bit i stands for `first + i`; those still to be answered.
  private var pending: UInt32 = 0

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.reader = ByteReader(bytes) }

  /// The next number asked for; nil after the last.
  @_lifetime(self: copy self)
  public mutating func next() -> SequenceNumber? {
    if pending == 0 {
      guard let id = reader.readUInt16(), let following = reader.readUInt16() else { return nil }
      first = SequenceNumber(id)
      pending = UInt32(following) << 1 | 1
    }
    let step = pending.trailingZeroBitCount
    pending &= pending &- 1
    return first + step
  }
}

/// The entries of a Full Intra Request.
public struct FullIntraRequests: ~Escapable {
  private let bytes: Span<UInt8>

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  public var count: Int { bytes.count / 8 }

  /// Whom a keyframe is asked of, and the request's number, which is the same in repetitions; nil where `index` is not below `count`.
  public subscript(index: Int) -> (media: SSRC, number: UInt8)? {
    guard index >= 0, index < count, let media = bytes.bigEndianUInt32(at: index &* 8) else { return nil }
    return (SSRC(media), bytes[index &* 8 &+ 4])
  }
}

/// The chunks of a source description, of which only the CNAME is looked at.
public struct SourceDescriptions: ~Escapable {
  private var reader: ByteReader

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.reader = ByteReader(bytes) }

  /// The next source that has a CNAME; nil after the last and from where the chunks are malformed.
  @_lifetime(copy self)
  public mutating func next() -> CanonicalName? {
    while let source = reader.readUInt32() {
      var name: Span<UInt8>? = nil
      while let item = reader.readUInt8(), item != 0 {
        guard let length = reader.readUInt8(), let text = reader.readBytes(Int(length)) else { return nil }
        if item == 1 { name = text }
      }
      while reader.offset & 3 != 0, reader.skip(1) {}
      if let name { return CanonicalName(source: SSRC(source), bytes: name) }
    }
    return nil
  }
}

/// Who a source belongs to (RFC 3550 section 6.5.1).
public struct CanonicalName: ~Escapable {
  public let source: SSRC
  /// UTF-8, 0 to 255 bytes.
  public let bytes: Span<UInt8>

  @_lifetime(copy bytes)
  init(source: SSRC, bytes: Span<UInt8>) {
    self.source = source
    self.bytes = bytes
  }
}
