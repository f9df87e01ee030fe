import Bytes
import EncodedMedia
import Timing

/// The header of one RTP packet (RFC 3550 section 5.1) and where its parts lie in the packet's bytes.
///
/// Holds no bytes: whoever asks for CSRCs, extensions or the payload brings the packet along.
public struct RTPHeader: Sendable {
  public var marker: Bool
  /// 0 to 127.
  public var payloadType: UInt8
  public var sequenceNumber: SequenceNumber
  public var timestamp: RTPTimestamp
  public var ssrc: SSRC
  /// CSRCs in the header: 0 to 15.
  public private(set) var contributorCount: Int
  /// The "defined by profile" field of the header extension; nil where there is none.
  public private(set) var extensionProfile: UInt16?
  /// Where the header extension's elements lie, without their profile and length fields.
  public private(set) var extensionRange: Range<Int>
  /// Where the payload lies, without padding.
  public private(set) var payloadRange: Range<Int>

  /// Bytes of a header without CSRCs and extensions.
  public static let fixedSize = 12

  /// The header of a packet whose payload is plaintext.
  ///
  /// - Returns: nil for another version than 2, a packet shorter than its header says, or padding longer than the payload.
  public init?(parsing packet: Span<UInt8>) {
    var reader = ByteReader(packet)
    guard let first = reader.readUInt8(), first >> 6 == 2, let second = reader.readUInt8(),
      let sequence = reader.readUInt16(), let timestamp = reader.readUInt32(), let ssrc = reader.readUInt32()
    else { return nil }
    self.marker = second & 0x80 != 0
    self.payloadType = second & 0x7F
    self.sequenceNumber = SequenceNumber(sequence)
    self.timestamp = RTPTimestamp(timestamp)
    self.ssrc = SSRC(ssrc)
    self.contributorCount = Int(first & 0x0F)
    guard reader.skip(contributorCount &* 4) else { return nil }

    self.extensionProfile = nil
    self.extensionRange = reader.offset..<reader.offset
    if first & 0x10 != 0 {
      guard let profile = reader.readUInt16(), let words = reader.readUInt16() else { return nil }
      let start = reader.offset
      guard reader.skip(Int(words) &* 4) else { return nil }
      self.extensionProfile = profile
      self.extensionRange = start..<reader.offset
    }

    var end = packet.count
    if first & 0x20 != 0 {
      guard reader.remaining >= 1 else { return nil }
      let padding = Int(packet[packet.count &- 1])
      guard padding >= 1, padding <= reader.remaining else { return nil }
      end = end &- padding
    }
    self.payloadRange = reader.offset..<end
  }

  /// One CSRC of the packet this header was parsed from; nil where `index` is not below `contributorCount`.
  public func contributor(_ index: Int, in packet: Span<UInt8>) -> SSRC? {
    guard index >= 0, index < contributorCount else { return nil }
    return packet.bigEndianUInt32(at: Self.fixedSize &+ index &* 4).map { SSRC($0) }
  }

  /// Writes a header at the start of a packet.
  ///
  /// - Parameters:
  ///   - contributors: the CSRC list; their levels are written too where `map` knows the extension of RFC 6465.
  ///   - extensions: those values are written which are there and which `map` has an id for.
  /// - Returns: the header's length; nil where it does not fit.
  @_lifetime(packet: copy packet)
  public static func write(
    marker: Bool, payloadType: UInt8, sequenceNumber: SequenceNumber, timestamp: RTPTimestamp, ssrc: SSRC,
    contributors: ContributorList = .init(), extensions: HeaderExtensions = .init(), map: HeaderExtensionMap = .init(),
    into packet: inout MutableSpan<UInt8>
  ) -> Int? {
    let start = fixedSize &+ contributors.count &* 4
    guard start <= packet.count else { return nil }
    packet[0] = 0x80 | UInt8(truncatingIfNeeded: contributors.count)
    packet[1] = (marker ? 0x80 : 0) | payloadType & 0x7F
    packet.setBigEndian(sequenceNumber.rawValue, at: 2)
    packet.setBigEndian(timestamp.rawValue, at: 4)
    packet.setBigEndian(ssrc.rawValue, at: 8)
    for index in 0..<contributors.count {
      packet.setBigEndian(contributors[index].source.rawValue, at: fixedSize &+ index &* 4)
    }
    guard let size = extensions.write(map: map, contributors: contributors, into: &packet, at: start) else { return nil }
    if size > 0 { packet[0] |= 0x10 }
    return start &+ size
  }
}
