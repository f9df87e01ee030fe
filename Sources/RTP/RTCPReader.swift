import Bytes
import EncodedMedia
import Timing

/// Reads the packets of one decrypted RTCP datagram, compound (RFC 3550 section 6.1) or reduced-size (RFC 5506).
///
/// Types this stack does not know and packets shorter than their type needs are passed over; a length beyond the datagram ends it.
public struct RTCPReader: ~Escapable {
  private var reader: ByteReader

  @_lifetime(copy datagram)
  public init(_ datagram: Span<UInt8>) { self.reader = ByteReader(datagram) }

  /// The next packet that is understood; nil at the end.
  @_lifetime(copy self)
  public mutating func next() -> RTCPPacket? {
    while let first = reader.readUInt8() {
      guard first >> 6 == 2, let type = reader.readUInt8(), let words = reader.readUInt16(),
        let body = reader.readBytes(Int(words) &* 4)
      else {
        _ = reader.skip(reader.remaining)
        return nil
      }
      var end = body.count
      if first & 0x20 != 0 {
        guard end > 0, case let padding = Int(body[end &- 1]), padding >= 1, padding <= end else { continue }
        end = end &- padding
      }
      if let packet = Self.packet(type: type, count: Int(first & 0x1F), body.extracting(0..<end)) { return packet }
    }
    return nil
  }

  @_lifetime(copy body)
  private static func packet(type: UInt8, count: Int, _ body: Span<UInt8>) -> RTCPPacket? {
    switch (type, count) {
    case (RTCPType.senderReport, _): return senderReport(count: count, body)
    case (RTCPType.receiverReport, _):
      var reader = ByteReader(body)
      guard let sender = reader.readUInt32(), let blocks = reader.readBytes(count &* ReportBlock.size) else { return nil }
      return .receiverReport(sender: SSRC(sender), ReportBlocks(blocks))
    case (RTCPType.sourceDescription, _): return .sourceDescription(SourceDescriptions(body))
    case (RTCPType.goodbye, _):
      guard count &* 4 <= body.count else { return nil }
      return .goodbye(SourceList(body.extracting(0..<(count &* 4))))
    case (RTCPType.transportFeedback, RTCPType.nack):
      guard let media = body.bigEndianUInt32(at: 4) else { return nil }
      return .nack(media: SSRC(media), LostPackets(body.extracting(8..<body.count)))
    case (RTCPType.transportFeedback, RTCPType.transportWide):
      guard let feedback = TransportFeedback(body) else { return nil }
      return .transportFeedback(feedback)
    case (RTCPType.payloadFeedback, RTCPType.pictureLoss):
      guard let media = body.bigEndianUInt32(at: 4) else { return nil }
      return .pictureLossIndication(media: SSRC(media))
    case (RTCPType.payloadFeedback, RTCPType.fullIntra):
      guard body.count >= 8 else { return nil }
      return .fullIntraRequest(FullIntraRequests(body.extracting(8..<body.count)))
    case (RTCPType.payloadFeedback, RTCPType.applicationLayer): return maximumBitrate(body)
    default: return nil
    }
  }

  @_lifetime(copy body)
  private static func senderReport(count: Int, _ body: Span<UInt8>) -> RTCPPacket? {
    var reader = ByteReader(body)
    guard let sender = reader.readUInt32(), let ntp = reader.readUInt64(), let timestamp = reader.readUInt32(),
      let packets = reader.readUInt32(), let octets = reader.readUInt32(),
      let blocks = reader.readBytes(count &* ReportBlock.size)
    else { return nil }
    let report = SenderReport(
      sender: SSRC(sender), ntp: NTPTime(rawValue: ntp), timestamp: RTPTimestamp(timestamp), packetCount: packets,
      octetCount: octets)
    return .senderReport(report, ReportBlocks(blocks))
  }

  @_lifetime(copy body)
  private static func maximumBitrate(_ body: Span<UInt8>) -> RTCPPacket? {
    var reader = ByteReader(body)
    guard reader.skip(8), reader.readUInt32() == RTCPType.maximumBitrateName, let count = reader.readUInt8(),
      let coded = reader.readUInt24(), let sources = reader.readBytes(Int(count) &* 4)
    else { return nil }
    // Eighteen bits shifted by up to 63: what does not fit in 64 bits is more than any path carries.
    let mantissa = UInt64(coded & 0x3FFFF)
    let exponent = UInt64(coded >> 18)
    let bits = mantissa << exponent
    return .receiverEstimatedMaximumBitrate(
      bitsPerSecond: bits >> exponent == mantissa ? bits : .max, SourceList(sources))
  }
}

/// Packet types and feedback message types of RTCP.
enum RTCPType {
  static let senderReport: UInt8 = 200
  static let receiverReport: UInt8 = 201
  static let sourceDescription: UInt8 = 202
  static let goodbye: UInt8 = 203
  static let transportFeedback: UInt8 = 205
  static let payloadFeedback: UInt8 = 206

  static let nack = 1
  static let transportWide = 15
  static let pictureLoss = 1
  static let fullIntra = 4
  static let applicationLayer = 15

  /// "REMB".
  static let maximumBitrateName: UInt32 = 0x5245_4D42
}
