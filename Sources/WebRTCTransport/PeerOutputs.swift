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
  public var events: [PeerEvent] = []

  /// What is to be sent, in order. To look at it seals it: until then packets in `arena` may be plain.
  public var transmits: [Transmit] {
    mutating get {
      seal()
      return queued
    }
  }
  private(set) var queued: [Transmit] = []
  /// Packets among them that are not sealed yet.
  private var unsealed: SRTPBatch

  // What a session needs for the length of one call.
  var ice: [ICEOutput] = []
  var dtls = DTLSOutput()
  var frames: [EncodedFrame] = []

  /// - Parameter capacity: bytes of datagrams between two calls of `removeAll`; two large keyframes fit in the default.
  public init(capacity: Int = 1 << 20) { self.init(capacity: capacity, library: .fastest) }

  package init(capacity: Int = 1 << 20, library: CipherLibrary) {
    arena = PacketArena(capacity: capacity)
    unsealed = SRTPBatch(library: library)
    queued.reserveCapacity(1024)
  }

  /// Datagrams are sent off once there are so many bytes of them: what the kernel then copies is still in the core's own cache.
  static let burst = 1 << 17

  /// Whether a frame of so many bytes, with headers and tags, is to be added before what is here is sent off.
  func takes(_ byteCount: Int) -> Bool { arena.count < Self.burst && byteCount <= arena.room }

  /// Forgets the datagrams, once they are sent.
  public mutating func removeSent() {
    unsealed.removeAll()
    arena.removeAll()
    queued.removeAll(keepingCapacity: true)
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
    if let range { send(range, to: path) }
  }

  /// Adds a datagram that stands in `arena`.
  mutating func send(_ range: Range<Int>, to path: TransportPath) { queued.append(Transmit(range: range, path: path)) }

  /// Writes an RTP packet into `arena` which is sealed with others at the latest when it is to be sent.
  ///
  /// - Parameters:
  ///   - capacity: the most bytes it takes with its tag.
  ///   - isAgain: whether it is one that was sent before, bit for bit.
  /// - Returns: where it lies; nil where there is no room, `write` gives it up or it cannot be protected.
  mutating func appendRTP(
    capacity: Int, from sender: SRTPSender, isAgain: Bool = false, _ write: (inout MutableSpan<UInt8>) -> Int?
  ) -> Range<Int>? {
    if unsealed.isFull { seal() }
    let start = arena.count
    return arena.append(capacity: capacity) { packet in
      guard let length = write(&packet) else { return nil }
      return try? sender.protectRTP(&packet, length: length, isAgain: isAgain, at: start, with: &unsealed)
    }
  }

  private mutating func seal() {
    guard unsealed.count > 0 else { return }
    arena.withUnsafeBytes { unsealed.seal($0) }
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
