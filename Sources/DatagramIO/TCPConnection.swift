internal import CLinux
import ICE

/// A TCP connection that never blocks: bytes in and out, framing is ICE's.
///
/// What the kernel does not take is kept up to a limit; a peer that reads too slowly for it loses the connection, since media that
/// waits this long is of no use.
public final class TCPConnection {
  /// What a read found.
  public enum ReadResult: Sendable, Equatable {
    case bytes(Int)
    case nothingYet
    /// The peer closed, or the connection broke.
    case closed
  }

  /// Bytes kept for a slow peer.
  public static let writeBufferByteCount = 256 << 10

  /// For `EventQueue`.
  public let descriptor: Int32
  public let remoteAddress: TransportAddress
  /// True once nothing more can be read or written; the owner lets go of the connection then.
  public private(set) var isClosed = false
  private var waiting: [UInt8] = []
  /// Bytes of `waiting` the kernel already has.
  private var taken = 0

  init(descriptor: Int32, remote: TransportAddress) {
    self.descriptor = descriptor
    remoteAddress = remote
    _ = shim_set_option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
  }

  /// Begins to connect; the connection is there once it is writable without having failed.
  public init(connectingTo address: TransportAddress) throws(SocketError) {
    descriptor = shim_open_socket(address.addressFamily, 1)
    guard descriptor >= 0 else { throw SocketError(opening: "TCP to", at: address) }
    remoteAddress = address
    _ = shim_set_option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    var storage = sockaddr_storage()
    guard let count = address.write(to: &storage, family: address.family),
      shim_connect(descriptor, &storage, count) == 0 || shim_errno() == EINPROGRESS
    else { throw SocketError(opening: "TCP to", at: address) }
  }

  deinit { CLinux.close(descriptor) }

  /// Whether to watch for `.writable`, and call `flush` then.
  public var wantsToWrite: Bool { !isClosed && taken < waiting.count }

  /// Reads what has come into `buffer`, which is not empty.
  public func read(into buffer: inout MutableSpan<UInt8>) -> ReadResult {
    guard !isClosed else { return .closed }
    let count = buffer.withUnsafeMutableBytes { bytes in
      var count: Int
      repeat { count = recv(descriptor, bytes.baseAddress, bytes.count, 0) } while count < 0 && shim_errno() == EINTR
      return count
    }
    if count > 0 { return .bytes(count) }
    if count < 0, shim_errno() == EAGAIN { return .nothingYet }
    close()
    return .closed
  }

  /// Writes all of `bytes`, now or later.
  ///
  /// - Returns: false where the connection is closed, or was closed now because too much waits.
  @discardableResult public func write(_ bytes: Span<UInt8>) -> Bool {
    guard !isClosed else { return false }
    let accepted = wantsToWrite ? 0 : bytes.withUnsafeBytes(send)
    guard let accepted else { return false }
    guard accepted < bytes.count else { return true }
    guard waiting.count &- taken &+ bytes.count &- accepted <= Self.writeBufferByteCount else {
      close()
      return false
    }
    forgetTaken()
    bytes.extracting(accepted...).withUnsafeBufferPointer { waiting.append(contentsOf: $0) }
    return true
  }

  /// Writes what waits, as far as the kernel takes it.
  public func flush() {
    guard wantsToWrite else { return }
    let accepted = waiting.withUnsafeBytes { send(UnsafeRawBufferPointer(rebasing: $0[taken...])) }
    taken &+= accepted ?? 0
    if taken == waiting.count { forgetTaken() }
  }

  /// Ends the connection; the descriptor is closed when the object goes, so its number cannot be another's while it is still watched.
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    waiting = []
    taken = 0
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  /// Moves what the kernel has not taken to the front.
  private func forgetTaken() {
    guard taken > 0 else { return }
    waiting.removeFirst(taken)
    taken = 0
  }

  /// How many bytes the kernel took, 0 where it takes none now; nil, and closed, where the connection broke.
  private func send(_ bytes: UnsafeRawBufferPointer) -> Int? {
    while true {
      let count = CLinux.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
      if count >= 0 { return count }
      switch shim_errno() {
      case EINTR: continue
      case EAGAIN, ENOTCONN: return 0
      default:
        close()
        return nil
      }
    }
  }
}
