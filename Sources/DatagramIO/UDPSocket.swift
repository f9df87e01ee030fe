internal import CLinux
import ICE

/// A bound UDP socket that never blocks.
///
/// The port is nobody else's, unless it is shared on purpose: SO_REUSEADDR stays off, so that a second server on it fails at its start
/// instead of taking packets.
public final class UDPSocket {
  /// For `EventQueue`.
  public let descriptor: Int32
  /// Where it is bound, with the port the kernel chose where 0 was asked for.
  public let localAddress: TransportAddress
  /// Whether the kernel still cuts runs of packets into datagrams for us (UDP_SEGMENT); false for good once it refused before it ever
  /// did.
  public private(set) var segmentsInKernel = true
  /// Whether it ever cut a run: where it refuses one after that, it is the path to that destination which has none cut.
  private var hasSegmented = false

  /// - Parameters:
  ///   - address: port 0 has the kernel choose one.
  ///   - bufferBytes: wanted in each direction; the kernel may give less.
  public convenience init(bind address: TransportAddress, bufferBytes: Int32 = 4 << 20) throws(SocketError) {
    try self.init(bind: address, bufferBytes: bufferBytes, isShared: false)
  }

  /// - Parameter isShared: whether the port is that of a socket which shares it already.
  init(bind address: TransportAddress, bufferBytes: Int32 = 4 << 20, isShared: Bool) throws(SocketError) {
    let descriptor = shim_open_socket(address.addressFamily, 0)
    guard descriptor >= 0 else { throw SocketError(opening: "UDP", at: address) }
    if isShared { _ = shim_set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
    for (forced, plain) in [(SO_RCVBUFFORCE, SO_RCVBUF), (SO_SNDBUFFORCE, SO_SNDBUF)] {
      // Beyond the system's limit only with privileges; without them as much as there is.
      if shim_set_option(descriptor, SOL_SOCKET, forced, bufferBytes) != 0 {
        _ = shim_set_option(descriptor, SOL_SOCKET, plain, bufferBytes)
      }
    }
    guard let bound = bindSocket(descriptor, to: address) else {
      let error = SocketError(opening: "UDP", at: address)
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
    self.localAddress = bound
  }

  deinit { close(descriptor) }

  /// Lets further sockets have the same port, if they ask for it: the kernel spreads what comes over all of them.
  func share() { _ = shim_set_option(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }

  /// Has every packet cost its own pass through the kernel from now on, as where the kernel cannot cut them.
  public func disableSegmentation() { segmentsInKernel = false }

  /// The kernel cut a run.
  func noteSegmented() { hasSegmented = true }

  /// The kernel does not cut a run, for a reason that may be its own or the path's: a device without checksums, a policy of IPsec.
  func noteNotSegmented() { if !hasSegmented { disableSegmentation() } }
}

/// Binds, and answers where; nil, with `errno` set, where that failed.
func bindSocket(_ descriptor: Int32, to address: TransportAddress) -> TransportAddress? {
  if address.family == .ipv6, shim_set_option(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) != 0 { return nil }
  var storage = sockaddr_storage()
  guard let count = address.write(to: &storage, family: address.family), shim_bind(descriptor, &storage, count) == 0,
    shim_local_address(descriptor, &storage) == 0
  else { return nil }
  return TransportAddress(&storage)
}
