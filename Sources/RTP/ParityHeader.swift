import Bytes
public import Timing

/// The head of a packet of parity with one level of protection (RFC 5109 section 7.3 and 7.4): which packets it covers, and the
/// exclusive or of what their headers say.
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     |E|L|P|X|  CC   |M| PT recovery |            SN base            |
///     |                          TS recovery                          |
///     |        length recovery        |       protection length       |
///     |             mask              |       32 bits more if L       |
///
/// What follows is the exclusive or of the packets from their CSRCs on, each filled up with zeros.
public struct ParityHeader: Hashable, Sendable {
  /// Of P, X and CC: the lower six bits of the packets' first bytes.
  public var first: UInt8 = 0
  /// Of M and the payload type: the packets' second bytes.
  public var second: UInt8 = 0
  public var timestamp: UInt32 = 0
  /// Of the bytes behind the fixed header.
  public var length: UInt16 = 0
  /// The lowest number covered.
  public var base = SequenceNumber(0)
  /// Bit n, from the least significant, stands for the packet n after `base`; 48 bits.
  public private(set) var mask: UInt64 = 0
  /// Bytes of each packet that are covered, behind its fixed header.
  public var protectedLength = 0

  /// So many numbers one packet covers at most, from its base on.
  public static let coverageMax = 48
  /// The longest head there is.
  public static let sizeMax = 18

  public init() {}

  /// Bytes the head takes.
  public var size: Int { mask >> 16 == 0 ? 14 : Self.sizeMax }
  public var coveredCount: Int { mask.nonzeroBitCount }

  /// Whether the packet so many after `base` is covered.
  public func covers(_ offset: Int) -> Bool { (0..<Self.coverageMax).contains(offset) && mask >> UInt64(offset) & 1 == 1 }

  /// - Parameter offset: from `base`; one out of range is not covered.
  public mutating func cover(_ offset: Int) {
    if (0..<Self.coverageMax).contains(offset) { mask |= 1 << UInt64(offset) }
  }

  /// Takes a packet into the exclusive or, or out of it again.
  ///
  /// - Parameters:
  ///   - packet: begins with a fixed header, else nothing is changed.
  ///   - second: what stands for its second byte: M and the payload type of what is protected.
  ///   - length: bytes behind its fixed header.
  public mutating func combine(_ packet: Span<UInt8>, second: UInt8, length: Int) {
    guard packet.count >= RTPHeader.fixedSize else { return }
    first ^= packet[0] & 0x3F
    self.second ^= second
    timestamp ^= packet.bigEndianUInt32(at: 4) ?? 0
    self.length ^= UInt16(truncatingIfNeeded: length)
  }

  /// - Returns: nil where the bytes end early, no packet is covered, or less is there than is said to be protected.
  public init?(parsing payload: Span<UInt8>) {
    var reader = ByteReader(payload)
    guard let first = reader.readUInt8(), let second = reader.readUInt8(), let base = reader.readUInt16(),
      let timestamp = reader.readUInt32(), let length = reader.readUInt16(), let protected = reader.readUInt16(),
      let near = reader.readUInt16()
    else { return nil }
    var bits = UInt64(near) << 32
    if first & 0x40 != 0 {
      guard let far = reader.readUInt32() else { return nil }
      bits |= UInt64(far)
    }
    guard bits != 0, reader.remaining >= Int(protected) else { return nil }
    self.first = first & 0x3F
    self.second = second
    self.timestamp = timestamp
    self.length = length
    self.base = SequenceNumber(base)
    mask = Self.reversed(bits)
    protectedLength = Int(protected)
  }

  /// Writes the head.
  ///
  /// - Returns: the offset behind it; nil where it does not fit.
  @_lifetime(packet: copy packet)
  public func write(into packet: inout MutableSpan<UInt8>, at offset: Int) -> Int? {
    guard offset >= 0, offset &+ size <= packet.count, let protected = UInt16(exactly: protectedLength) else { return nil }
    let bits = Self.reversed(mask)
    let isLong = size == Self.sizeMax
    packet[offset] = first & 0x3F | (isLong ? 0x40 : 0)
    packet[offset &+ 1] = second
    packet.setBigEndian(base.rawValue, at: offset &+ 2)
    packet.setBigEndian(timestamp, at: offset &+ 4)
    packet.setBigEndian(length, at: offset &+ 8)
    packet.setBigEndian(protected, at: offset &+ 10)
    packet.setBigEndian(UInt16(truncatingIfNeeded: bits >> 32), at: offset &+ 12)
    if isLong { packet.setBigEndian(UInt32(truncatingIfNeeded: bits), at: offset &+ 14) }
    return offset &+ size
  }

  /// 48 bits the other way round: on the wire the first packet's is the most significant.
  private static func reversed(_ bits: UInt64) -> UInt64 {
    var result: UInt64 = 0
    for bit in 0..<UInt64(coverageMax) where bits >> bit & 1 == 1 { result |= 1 << (UInt64(coverageMax) - 1 - bit) }
    return result
  }
}
