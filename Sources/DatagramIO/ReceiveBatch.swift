internal import CLinux
import ICE
import WebRTCTransport

/// The datagrams of one `recvmmsg`: one block of memory, used again for each batch.
public final class ReceiveBatch {
  /// Datagrams at most.
  public static let capacity = 64
  /// Bytes a datagram may have; longer ones are dropped, as no packet of WebRTC's is.
  public static let slotByteCount = 2048

  /// Datagrams of the last batch, those dropped included.
  public private(set) var count = 0
  /// Datagrams dropped since the start for being longer than a slot.
  public private(set) var truncated = 0

  private static let nameLength = socklen_t(MemoryLayout<sockaddr_storage>.size)
  private let messages: UnsafeMutablePointer<mmsghdr>
  private let vectors: UnsafeMutablePointer<iovec>
  private let names: UnsafeMutablePointer<sockaddr_storage>
  private let bytes: UnsafeMutablePointer<UInt8>

  public init() {
    messages = .allocate(capacity: Self.capacity)
    vectors = .allocate(capacity: Self.capacity)
    names = .allocate(capacity: Self.capacity)
    bytes = .allocate(capacity: Self.capacity * Self.slotByteCount)
    messages.initialize(repeating: mmsghdr(), count: Self.capacity)
    names.initialize(repeating: sockaddr_storage(), count: Self.capacity)
    bytes.initialize(repeating: 0, count: Self.capacity * Self.slotByteCount)
    for slot in 0..<Self.capacity {
      (vectors + slot).initialize(to: iovec(iov_base: bytes + slot * Self.slotByteCount, iov_len: Self.slotByteCount))
      messages[slot].msg_hdr.msg_name = UnsafeMutableRawPointer(names + slot)
      messages[slot].msg_hdr.msg_namelen = Self.nameLength
      messages[slot].msg_hdr.msg_iov = vectors + slot
      messages[slot].msg_hdr.msg_iovlen = 1
    }
  }

  deinit {
    messages.deallocate()
    vectors.deallocate()
    names.deallocate()
    bytes.deallocate()
  }

  /// Takes what waits at `socket`, up to `capacity` datagrams, in place of the last batch.
  ///
  /// - Returns: how many came; 0 where none waits. An error the network caused for an earlier datagram (ICMP) counts as none.
  public func receive(from socket: UDPSocket) -> Int {
    for slot in 0..<count {
      // The kernel wrote over these.
      messages[slot].msg_hdr.msg_namelen = Self.nameLength
      messages[slot].msg_hdr.msg_flags = 0
    }
    var received: Int32
    repeat {
      received = shim_receive_batch(socket.descriptor, messages, UInt32(Self.capacity))
    } while received < 0 && shim_errno() == EINTR
    count = max(0, Int(received))
    for slot in 0..<count where isTruncated(slot) { truncated &+= 1 }
    return count
  }

  /// Hands out each datagram of the last batch with its sender; the bytes may be changed in place.
  ///
  /// - Parameter expect: told of each sender at each distance from his datagram's turn, so that memory can be asked for.
  public func forEach(
    _ body: (inout MutableSpan<UInt8>, TransportAddress) -> Void, expect: (TransportAddress, PeerDistance) -> Void = { _, _ in }
  ) {
    for distance in PeerDistance.allCases {
      for slot in 0..<min(count, distance.rawValue) { tell(expect, of: slot, distance) }
    }
    for slot in 0..<count {
      for distance in PeerDistance.allCases { tell(expect, of: slot &+ distance.rawValue, distance) }
      guard !isTruncated(slot), let sender = TransportAddress(names + slot) else { continue }
      let length = min(Int(messages[slot].msg_len), Self.slotByteCount)
      var span = UnsafeMutableBufferPointer(start: bytes + slot * Self.slotByteCount, count: length).mutableSpan
      body(&span, sender)
    }
  }

  private func tell(_ expect: (TransportAddress, PeerDistance) -> Void, of slot: Int, _ distance: PeerDistance) {
    guard slot < count, let sender = TransportAddress(names + slot) else { return }
    expect(sender, distance)
  }

  private func isTruncated(_ slot: Int) -> Bool { messages[slot].msg_hdr.msg_flags & Int32(MSG_TRUNC) != 0 }
}
