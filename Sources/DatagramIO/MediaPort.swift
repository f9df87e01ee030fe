internal import CLinux
import ICE

/// The sockets media comes in by: of each address one for UDP and, where it is accepted, one for TCP.
struct MediaPort {
  let socket: UDPSocket
  /// Of several loops on one port the first listens.
  let listener: TCPListener?

  /// A number the kernel chose for UDP may be somebody else's for TCP: then another is asked for.
  private static let choicesMax = 8

  /// Opens a port at each address, once for each of so many loops; the kernel hands a datagram to one of these by the addresses it
  /// came from and went to (SO_REUSEPORT).
  ///
  /// The first of an address is bound as if it were the only one: a second server on the port fails at its start.
  static func open(_ addresses: [TransportAddress], acceptsTCP: Bool, loops: Int) throws(SocketError) -> [[MediaPort]] {
    var ports: [[MediaPort]] = Array(repeating: [], count: max(loops, 1))
    for address in addresses {
      let first = try open(address, acceptsTCP: acceptsTCP)
      ports[0].append(first)
      guard loops > 1 else { continue }
      first.socket.share()
      for index in 1..<loops {
        ports[index].append(MediaPort(socket: try UDPSocket(bind: first.socket.localAddress, isShared: true), listener: nil))
      }
    }
    return ports
  }

  private static func open(_ address: TransportAddress, acceptsTCP: Bool) throws(SocketError) -> MediaPort {
    for _ in 1..<(address.port == 0 ? choicesMax : 1) {
      let socket = try UDPSocket(bind: address)
      guard acceptsTCP else { return MediaPort(socket: socket, listener: nil) }
      if let listener = try? TCPListener(bind: socket.localAddress) { return MediaPort(socket: socket, listener: listener) }
    }
    let socket = try UDPSocket(bind: address)
    return MediaPort(socket: socket, listener: acceptsTCP ? try TCPListener(bind: socket.localAddress) : nil)
  }
}
