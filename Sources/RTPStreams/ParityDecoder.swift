import Bytes
import EncodedMedia
import RTP
import Timing

/// Finds packets that were lost by the parity over them (RFC 5109): of those a packet of parity covers, one that has not come.
///
/// Keeps the last packets that came in blocks and the parity that is not used up, both bounded; what it is given is the peer's word.
struct ParityDecoder: Sendable {
  private struct Packet: Sendable {
    let number: Int64
    let bytes: [UInt8]
  }
  private struct Parity: Sendable {
    let base: Int64
    let header: ParityHeader
    let bytes: [UInt8]
  }

  private static let packetsMax = 128
  private static let parityMax = 32
  private static let packetSizeMax = 2_048

  /// Rings: the place of a number is its remainder.
  private var packets: [Packet?] = Array(repeating: nil, count: Self.packetsMax)
  private var parities: [Parity] = []
  private var highest = Int64.min

  /// A packet came in a block.
  ///
  /// - Parameters:
  ///   - number: its extended sequence number.
  ///   - block: where the block's header lies.
  ///   - payloadType: of what is in the block.
  mutating func receive(_ packet: Span<UInt8>, number: Int64, block: Int, payloadType: UInt8) {
    guard packet.count > block, block >= RTPHeader.fixedSize, packet.count <= Self.packetSizeMax else { return }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(packet.count)
    for index in 0..<block { bytes.append(packet[index]) }
    for index in (block &+ 1)..<packet.count { bytes.append(packet[index]) }
    bytes[1] = bytes[1] & 0x80 | payloadType & 0x7F
    keep(Packet(number: number, bytes: bytes))
  }

  private mutating func keep(_ packet: Packet) {
    highest = max(highest, packet.number)
    packets[place(packet.number)] = packet
  }

  private func place(_ number: Int64) -> Int { Int(number & Int64(Self.packetsMax &- 1)) }

  /// Parity came.
  ///
  /// - Parameters:
  ///   - payload: behind the block's header.
  ///   - number: the extended sequence number of the packet it came in.
  /// - Returns: false for what is none.
  mutating func receiveParity(_ payload: Span<UInt8>, number: Int64) -> Bool {
    guard let header = ParityHeader(parsing: payload) else { return false }
    let behind = SequenceNumber(UInt16(truncatingIfNeeded: number)).distance(from: header.base)
    guard behind > 0, behind < Self.packetsMax, header.protectedLength <= Self.packetSizeMax else { return false }
    var bytes: [UInt8] = []
    let start = header.size
    bytes.reserveCapacity(header.protectedLength)
    for index in start..<(start &+ header.protectedLength) { bytes.append(payload[index]) }
    if parities.count == Self.parityMax { parities.removeFirst() }
    parities.append(Parity(base: number &- Int64(behind), header: header, bytes: bytes))
    highest = max(highest, number)
    return true
  }

  /// A packet that can be made of what came; nil where there is none any more.
  ///
  /// - Parameter source: whose the packets are.
  mutating func recover(_ source: SSRC) -> [UInt8]? {
    var found: [UInt8]?
    // Backwards, since what is of no use any more is taken out.
    for index in parities.indices.reversed() where found == nil {
      let parity = parities[index]
      guard let missing = missing(of: parity) else {
        parities.remove(at: index)
        continue
      }
      guard missing.count == 1 else { continue }
      parities.remove(at: index)
      guard let bytes = packet(missing.number, by: parity, source) else { continue }
      keep(Packet(number: missing.number, bytes: bytes))
      found = bytes
    }
    return found
  }

  /// How many of those covered have not come, and the last of them; nil where none is missing or it is too late for them.
  private func missing(of parity: Parity) -> (count: Int, number: Int64)? {
    guard highest &- parity.base < Int64(Self.packetsMax) else { return nil }
    var (count, last) = (0, parity.base)
    for offset in 0..<ParityHeader.coverageMax where parity.header.covers(offset) {
      let number = parity.base &+ Int64(offset)
      guard packets[place(number)]?.number != number else { continue }
      (count, last) = (count &+ 1, number)
    }
    return count == 0 ? nil : (count, last)
  }

  private func packet(_ number: Int64, by parity: Parity, _ source: SSRC) -> [UInt8]? {
    var (header, bytes) = (parity.header, parity.bytes)
    for offset in 0..<ParityHeader.coverageMax where parity.header.covers(offset) {
      let other = parity.base &+ Int64(offset)
      guard other != number, let packet = packets[place(other)], packet.number == other else { continue }
      let start = RTPHeader.fixedSize
      header.first ^= packet.bytes[0] & 0x3F
      header.second ^= packet.bytes[1]
      header.timestamp ^= packet.bytes.span.bigEndianUInt32(at: 4) ?? 0
      header.length ^= UInt16(truncatingIfNeeded: packet.bytes.count &- start)
      for index in 0..<min(packet.bytes.count &- start, bytes.count) { bytes[index] ^= packet.bytes[start &+ index] }
    }
    guard Int(header.length) <= bytes.count else { return nil }
    var result = [0x80 | header.first, header.second]
    for value in [UInt32(UInt16(truncatingIfNeeded: number)), header.timestamp, source.rawValue] {
      let isNumber = result.count == 2
      for shift in (isNumber ? [8, 0] : [24, 16, 8, 0]) as [UInt32] { result.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
    result += bytes[0..<Int(header.length)]
    return result
  }
}
