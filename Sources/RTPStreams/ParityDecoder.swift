import Bytes
import EncodedMedia
import RTP
import Timing

/// Finds packets that were lost by the parity over them (RFC 5109): of those a packet of parity covers, one that has not come.
///
/// Keeps the last packets that came in blocks and the parity that is not used up, both bounded; what it is given is the peer's word.
struct ParityDecoder: Sendable {
  private struct Packet: Sendable {
    /// Its extended sequence number; `none` in a place that was not used yet.
    var number = Self.none
    var bytes: [UInt8] = []

    static let none = Int64.min
  }
  private struct Parity: Sendable {
    let base: Int64
    let header: ParityHeader
    let bytes: [UInt8]
  }

  private static let packetsMax = 128
  private static let parityMax = 32
  private static let packetSizeMax = 2_048

  /// A ring, whose places are filled again and again: that of a number is its remainder.
  private var packets: [Packet] = Array(repeating: Packet(), count: Self.packetsMax)
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
    let place = place(number)
    packets[place].number = number
    packets[place].bytes.removeAll(keepingCapacity: true)
    packets[place].bytes.append(contentsOf: packet.extracting(0..<block))
    packets[place].bytes.append(contentsOf: packet.extracting((block &+ 1)..<packet.count))
    packets[place].bytes[1] = packet[1] & 0x80 | payloadType & 0x7F
    highest = max(highest, number)
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
    bytes.append(contentsOf: payload.extracting(header.size..<(header.size &+ header.protectedLength)))
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
      packets[place(missing.number)] = Packet(number: missing.number, bytes: bytes)
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
      guard packets[place(number)].number != number else { continue }
      (count, last) = (count &+ 1, number)
    }
    return count == 0 ? nil : (count, last)
  }

  private func packet(_ number: Int64, by parity: Parity, _ source: SSRC) -> [UInt8]? {
    var (header, bytes) = (parity.header, parity.bytes)
    for offset in 0..<ParityHeader.coverageMax where parity.header.covers(offset) {
      let other = parity.base &+ Int64(offset)
      let packet = packets[place(other)]
      guard other != number, packet.number == other else { continue }
      let start = RTPHeader.fixedSize
      header.combine(packet.bytes.span, second: packet.bytes[1], length: packet.bytes.count &- start)
      bytes.formExclusiveOr(packet.bytes.span.extracting(start..<packet.bytes.count))
    }
    guard Int(header.length) <= bytes.count else { return nil }
    var result = [UInt8](repeating: 0, count: RTPHeader.fixedSize)
    result.reserveCapacity(RTPHeader.fixedSize &+ Int(header.length))
    var head = result.mutableSpan
    head[0] = 0x80 | header.first
    head[1] = header.second
    head.setBigEndian(UInt16(truncatingIfNeeded: number), at: 2)
    head.setBigEndian(header.timestamp, at: 4)
    head.setBigEndian(source.rawValue, at: 8)
    result.append(contentsOf: bytes.span.extracting(0..<Int(header.length)))
    return result
  }
}
