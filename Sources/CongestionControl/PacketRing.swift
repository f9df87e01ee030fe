/// A packet that waits to be sent: a name its owner knows it by, not its bytes.
public struct PacedPacket: Hashable, Sendable {
  public var handle: UInt64
  /// Bytes of the datagram.
  public var size: Int32
  public var priority: PacketPriority
}

/// In which order packets leave; the first ones first.
public enum PacketPriority: UInt8, Sendable {
  /// Leaves at once, whatever the budget.
  case audio
  case retransmission
  case video
}

/// A first-in, first-out queue of bounded length that grows in place.
struct PacketRing: Sendable {
  let capacity: Int
  private var slots: [PacedPacket] = []
  private var head = 0
  private(set) var count = 0
  private(set) var bytes = 0

  init(capacity: Int) { self.capacity = max(capacity, 1) }

  var first: PacedPacket? { count > 0 ? slots[head] : nil }

  /// - Returns: false where it is full.
  mutating func append(_ packet: PacedPacket) -> Bool {
    guard count < capacity else { return false }
    if count == slots.count { grow(filling: packet) }
    slots[(head &+ count) % slots.count] = packet
    count &+= 1
    bytes &+= Int(packet.size)
    return true
  }

  mutating func popFirst() -> PacedPacket? {
    guard let packet = first else { return nil }
    head = (head &+ 1) % slots.count
    count &-= 1
    bytes &-= Int(packet.size)
    return packet
  }

  mutating func removeLast() {
    guard count > 0 else { return }
    count &-= 1
    bytes &-= Int(slots[(head &+ count) % slots.count].size)
  }

  private mutating func grow(filling packet: PacedPacket) {
    var larger: [PacedPacket] = []
    let size = min(max(slots.count * 2, 16), capacity)
    larger.reserveCapacity(size)
    for index in 0..<count { larger.append(slots[(head &+ index) % slots.count]) }
    while larger.count < size { larger.append(packet) }
    (slots, head) = (larger, 0)
  }
}
