internal import CLinux
import ICE

/// Takes TCP connections for ICE (RFC 6544, passive candidates), without blocking.
public final class TCPListener {
  /// For `EventQueue`.
  public let descriptor: Int32
  public let localAddress: TransportAddress
  /// Whether the last `accept` failed for want of descriptors or memory: connections may still wait, and the listener stays ready.
  public private(set) var lacksDescriptors = false

  /// - Parameter address: port 0 has the kernel choose one.
  public init(bind address: TransportAddress) throws(SocketError) {
    let descriptor = shim_open_socket(address.addressFamily, 1)
    guard descriptor >= 0 else { throw SocketError(opening: "TCP", at: address) }
    // For TCP the option only lets a restarted server have its port while old connections linger; two listeners still collide.
    _ = shim_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    guard let bound = bindSocket(descriptor, to: address), listen(descriptor, 128) == 0 else {
      let error = SocketError(opening: "TCP", at: address)
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
    self.localAddress = bound
  }

  deinit { close(descriptor) }

  /// The next connection that waits; nil where none does, or the process has no descriptors left.
  public func accept() -> TCPConnection? {
    var storage = sockaddr_storage()
    lacksDescriptors = false
    while true {
      let accepted = shim_accept(descriptor, &storage)
      if accepted >= 0 {
        if let remote = TransportAddress(&storage) { return TCPConnection(descriptor: accepted, remote: remote) }
        close(accepted)
        continue
      }
      switch shim_errno() {
      case EINTR, ECONNABORTED: continue
      case EMFILE, ENFILE, ENOBUFS, ENOMEM:
        lacksDescriptors = true
        return nil
      default: return nil
      }
    }
  }
}
