import Bytes
import EncodedMedia
import ICE
import SecureTransport

/// Where peer sessions put what they want sent and told; owned and emptied by the driver, so that nothing is allocated per packet.
public struct PeerOutputs: ~Copyable {
  /// One datagram to be sent: where it lies in `arena` and where it goes.
  public struct Transmit: Sendable {
    public var range: Range<Int>
    public var path: TransportPath
  }

  public var arena: PacketArena
  public var transmits: [Transmit] = []
  public var events: [PeerEvent] = []

  // What a session needs for the length of one call.
  var ice: [ICEOutput] = []
  var dtls = DTLSOutput()
  var frames: [EncodedFrame] = []

  /// - Parameter capacity: bytes of datagrams between two calls of `removeAll`; two large keyframes fit in the default.
  public init(capacity: Int = 1 << 20) {
    arena = PacketArena(capacity: capacity)
    transmits.reserveCapacity(1024)
  }

  /// Datagrams are sent off once there are so many bytes of them: what the kernel then copies is still in the core's own cache.
  static let burst = 1 << 17

  /// Whether a frame of so many bytes, with headers and tags, is to be added before what is here is sent off.
  func takes(_ byteCount: Int) -> Bool { arena.count < Self.burst && byteCount <= arena.room }

  /// Forgets the datagrams, once they are sent.
  public mutating func removeSent() {
    arena.removeAll()
    transmits.removeAll(keepingCapacity: true)
  }

  /// Forgets everything, once it is sent and told.
  public mutating func removeAll() {
    removeSent()
    events.removeAll(keepingCapacity: true)
  }

  /// Adds a datagram that stands somewhere else already.
  mutating func send(_ datagram: Span<UInt8>, to path: TransportPath) {
    let range = arena.append(capacity: datagram.count) { slot in
      slot.copy(datagram, at: 0)
      return datagram.count
    }
    if let range { transmits.append(Transmit(range: range, path: path)) }
  }
}

/// What happened at a peer.
public enum PeerEvent: Sendable {
  case connected
  case frame(EncodedFrame, StreamID)
  /// The peer lost track of what we send of this kind.
  case keyframeNeeded(MediaKind)
  /// Nothing more will come.
  case ended(PeerEndReason)
}
