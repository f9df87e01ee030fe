import EncodedMedia
import RTP
import Timing

/// The packets of one video stream between arrival and assembly: a ring by sequence number over cells of bytes.
///
/// Cells are made as they are needed, up to a limit, and used again; a stream that loses nothing needs as many as its largest frame.
struct PacketStore: Sendable {
  /// What the first packet of a frame of VP8 tells of it.
  struct FrameStart: Sendable {
    var position: TemporalPosition?
    var picture: UInt16?
    /// What numbers of pictures wrap by.
    var pictureMask: UInt16
  }

  /// What assembly needs to know of a packet without looking at its bytes.
  struct Packet: Sendable {
    var sequence: Int64
    var timestamp: RTPTimestamp
    var marker: Bool
    var codec: Codec
    /// A keyframe begins in this packet or, for H.264, is told of by it.
    var announcesKeyframe = false
    /// VP8: nil where no frame begins.
    var start: FrameStart?
    /// VP8: bytes of the payload descriptor; 0 where it cannot be read.
    var descriptorLength: UInt8 = 0
    var rotation: Rotation?
    var arrival: Instant
    /// Bytes of payload; 0 for padding only.
    var size: Int
    /// Bytes of the dependency descriptor; 0 where there is none.
    fileprivate(set) var descriptorSize = 0
    fileprivate(set) var cell = -1
  }

  /// Packets kept: a power of two, so that a number's place is its low bits.
  static let capacity: Int64 = 1024
  /// The longest payload taken, with what the header says of its dependencies; no datagram of a path with the usual 1500 bytes
  /// has more.
  static let cellSize = 1500

  private var ring: [Packet?] = Array(repeating: nil, count: Int(capacity))
  private var bytes: [UInt8] = []
  private var freeCells: [Int] = []
  private(set) var count = 0

  /// The packet with a number; nil where it is not there.
  subscript(sequence: Int64) -> Packet? {
    guard let packet = ring[Int(sequence & (Self.capacity &- 1))], packet.sequence == sequence else { return nil }
    return packet
  }

  /// Keeps a packet, in place of one `capacity` numbers older.
  ///
  /// - Returns: the packet as it is kept; nil for one that is too long.
  mutating func insert(_ packet: Packet, _ payload: Span<UInt8>, _ descriptor: Span<UInt8>) -> Packet? {
    guard payload.count &+ descriptor.count <= Self.cellSize else { return nil }
    let place = Int(packet.sequence & (Self.capacity &- 1))
    release(place)
    var packet = packet
    packet.size = payload.count
    if payload.count > 0 {
      if freeCells.isEmpty { grow() }
      packet.cell = freeCells.removeLast()
      var all = bytes.mutableSpan
      all.copy(payload, at: packet.cell &* Self.cellSize)
      all.copy(descriptor, at: packet.cell &* Self.cellSize &+ payload.count)
      packet.descriptorSize = descriptor.count
    }
    ring[place] = packet
    count &+= 1
    return packet
  }

  mutating func remove(_ range: Range<Int64>) {
    for sequence in range.clamped(to: (range.upperBound &- Self.capacity)..<range.upperBound) {
      let place = Int(sequence & (Self.capacity &- 1))
      if ring[place]?.sequence == sequence { release(place) }
    }
  }

  mutating func removeAll() {
    for place in ring.indices { release(place) }
  }

  /// The payload of a packet that `insert` or the ring answered.
  @_lifetime(borrow self)
  func payload(of packet: Packet) -> Span<UInt8> {
    guard packet.size > 0, packet.cell >= 0 else { return bytes.span.extracting(0..<0) }
    let start = packet.cell &* Self.cellSize
    return bytes.span.extracting(start..<(start &+ packet.size))
  }

  /// The payload of a packet of VP8 behind its descriptor.
  @_lifetime(borrow self)
  func data(of packet: Packet) -> Span<UInt8> {
    let payload = payload(of: packet)
    return payload.extracting(min(Int(packet.descriptorLength), payload.count)..<payload.count)
  }

  /// The dependency descriptor of a packet that `insert` or the ring answered; empty where it has none.
  @_lifetime(borrow self)
  func descriptor(of packet: Packet) -> Span<UInt8> {
    guard packet.descriptorSize > 0, packet.cell >= 0 else { return bytes.span.extracting(0..<0) }
    let start = packet.cell &* Self.cellSize &+ packet.size
    return bytes.span.extracting(start..<(start &+ packet.descriptorSize))
  }

  private mutating func release(_ place: Int) {
    guard let packet = ring[place] else { return }
    if packet.cell >= 0 { freeCells.append(packet.cell) }
    ring[place] = nil
    count &-= 1
  }

  /// Doubles the cells; there are never more than packets in the ring.
  private mutating func grow() {
    let cells = bytes.count / Self.cellSize
    let more = max(cells, 8)
    bytes.append(contentsOf: repeatElement(0, count: more &* Self.cellSize))
    freeCells.append(contentsOf: cells..<(cells &+ more))
  }
}
