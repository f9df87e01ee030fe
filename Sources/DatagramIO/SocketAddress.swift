internal import CLinux
import ICE

extension TransportAddress {
  /// Nil where the kernel tells of neither IPv4 nor IPv6.
  init?(_ storage: UnsafePointer<sockaddr_storage>) {
    let address = shim_read_address(storage)
    switch address.family {
    case AF_INET: self.init(ipv4: UInt32(truncatingIfNeeded: address.low), port: address.port)
    case AF_INET6: self.init(ipv6High: address.high, low: address.low, port: address.port)
    default: return nil
    }
  }

  /// Writes the address as a socket of `family` takes it, an IPv4 address in its mapped form on an IPv6 socket.
  ///
  /// - Returns: how many bytes of `storage` count; nil for an IPv6 address on an IPv4 socket.
  func write(to storage: UnsafeMutablePointer<sockaddr_storage>, family socketFamily: Family) -> socklen_t? {
    switch (socketFamily, family) {
    case (.ipv4, .ipv4): shim_write_address(.init(family: AF_INET, high: 0, low: low, port: port), storage)
    case (.ipv6, .ipv4):
      shim_write_address(.init(family: AF_INET6, high: 0, low: 0xFFFF_0000_0000 | low, port: port), storage)
    case (.ipv6, .ipv6): shim_write_address(.init(family: AF_INET6, high: high, low: low, port: port), storage)
    case (.ipv4, .ipv6): nil
    }
  }

  var addressFamily: Int32 { family == .ipv4 ? AF_INET : AF_INET6 }
}

/// Why a socket cannot be opened: a sentence that says what to do.
public struct SocketError: Error, CustomStringConvertible, Sendable {
  public let description: String

  init(_ description: String) { self.description = description }

  /// What `errno` means for somebody who asked for `address`.
  init(opening transport: String, at address: TransportAddress, code: Int32 = shim_errno()) {
    let what = "cannot open \(transport) \(address)"
    switch code {
    case EADDRINUSE: description = "\(what): another program uses this port; end it or choose another port"
    case EADDRNOTAVAIL: description = "\(what): this machine has no such address; choose one of its own"
    case EACCES, EPERM: description = "\(what): not allowed; ports below 1024 need privileges"
    case EAFNOSUPPORT: description = "\(what): this machine has no \(address.family == .ipv6 ? "IPv6" : "IPv4")"
    case EMFILE, ENFILE: description = "\(what): too many open files; raise the limit (ulimit -n)"
    default: description = "\(what): \(String(cString: strerror(code)))"
    }
  }
}
