import Bytes
import RTP
import Timing

/// Makes packets of parity over those a stream sends (RFC 5109).
///
/// A run of packets has one to three of parity, each over every second or third packet of the run, so that a short burst is repaired
/// whole. Runs end with frames, since parity is numbered like the packets: after some packets or some frames, whichever is first, so
/// that a repair waits for neither long.
struct ParityEncoder: Sendable {
  /// The exclusive or of packets.
  struct Sum: Sendable {
    fileprivate(set) var header = ParityHeader()
    /// Of what is behind the fixed headers.
    fileprivate(set) var bytes: [UInt8] = []
  }

  /// In a long frame the next run begins after so many: parity covers at most 48 numbers.
  private static let packetsMax = 24
  private static let packetsWanted = 8
  private static let framesMax = 3
  /// What a keyframe of a hundred packets needs; what is above goes without.
  private static let dueMax = 12

  private var sums: [Sum] = []
  private var due: [Sum] = []
  private var packets = 0
  private var frames = 0

  /// Whether parity is to be sent before the next frame.
  var hasDue: Bool { !due.isEmpty }

  /// Takes in a packet that is sent in a block of its own (RFC 2198).
  ///
  /// - Parameters:
  ///   - block: where the block's header lies, which is not covered.
  ///   - payloadType: of what is in the block.
  ///   - parityCount: for a run that begins, 1 to 3.
  mutating func add(_ packet: Span<UInt8>, block: Int, payloadType: UInt8, number: SequenceNumber, parityCount: Int) {
    guard packet.count > block, block >= RTPHeader.fixedSize else { return }
    if packets == Self.packetsMax { endRun() }
    if sums.isEmpty {
      sums = Array(repeating: Sum(), count: min(max(parityCount, 1), 3))
      for index in sums.indices { sums[index].header.base = number }
    }
    sums[packets % sums.count].add(packet, block: block, payloadType: payloadType, number: number)
    packets &+= 1
  }

  /// A frame's last packet was added.
  mutating func endFrame() {
    frames &+= 1
    if packets >= Self.packetsWanted || frames >= Self.framesMax { endRun() }
  }

  private mutating func endRun() {
    for sum in sums where sum.header.coveredCount > 0 && due.count < Self.dueMax { due.append(sum) }
    sums = []
    (packets, frames) = (0, 0)
  }

  /// The next packet of parity to be sent; nil where none is due.
  mutating func take() -> Sum? { due.isEmpty ? nil : due.removeFirst() }
}

extension ParityEncoder.Sum {
  fileprivate mutating func add(_ packet: Span<UInt8>, block: Int, payloadType: UInt8, number: SequenceNumber) {
    let start = RTPHeader.fixedSize
    let count = packet.count &- start &- 1
    header.combine(packet, second: packet[1] & 0x80 | payloadType & 0x7F, length: count)
    header.cover(Int(number.distance(from: header.base)))
    if bytes.count < count { bytes.append(contentsOf: repeatElement(0, count: count &- bytes.count)) }
    bytes.formExclusiveOr(packet.extracting(start..<block))
    bytes.formExclusiveOr(packet.extracting((block &+ 1)..<packet.count), at: block &- start)
    header.protectedLength = bytes.count
  }
}

extension Array where Element == UInt8 {
  /// The exclusive or with some bytes, as far as both go.
  ///
  /// - Parameter offset: where the first of them meets this, 0 or more.
  mutating func formExclusiveOr(_ other: Span<UInt8>, at offset: Int = 0) {
    let count = Swift.min(other.count, self.count &- offset)
    guard offset >= 0, count > 0 else { return }
    var own = mutableSpan
    for index in 0..<count { own[offset &+ index] ^= other[index] }
  }
}
