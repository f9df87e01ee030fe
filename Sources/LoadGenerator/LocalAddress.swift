import Glibc
import ICE

/// From where this machine reaches another.
package enum LocalAddress {
  /// An address to bind sockets to that are to reach the host of `origin`, with port 0.
  package static func facing(_ origin: String) throws(LoadError) -> TransportAddress {
    let host = host(of: origin)
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "9", &hints, &list) == 0, let first = list else {
      throw LoadError("The host '\(host)' is not known.")
    }
    defer { freeaddrinfo(list) }
    let descriptor = socket(first.pointee.ai_family, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    // Nothing is sent: connecting only has the kernel choose the way.
    guard descriptor >= 0, connect(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0,
      let address = name(of: descriptor)
    else { throw LoadError("There is no way to the host '\(host)'.") }
    return address
  }

  private static func host(of origin: String) -> String {
    let authority = origin.split(separator: "/").last.map(String.init) ?? ""
    if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
    return String(authority.prefix { $0 != ":" })
  }

  private static func name(of descriptor: Int32) -> TransportAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &storage) { storage in
      storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> TransportAddress? in
        guard getsockname(descriptor, address, &length) == 0 else { return nil }
        return value(UnsafeRawPointer(address))
      }
    }
  }

  private static func value(_ address: UnsafeRawPointer) -> TransportAddress? {
    switch Int32(address.load(as: sockaddr.self).sa_family) {
    case AF_INET: return TransportAddress(ipv4: UInt32(bigEndian: address.load(as: sockaddr_in.self).sin_addr.s_addr), port: 0)
    case AF_INET6:
      let bytes = address.load(as: sockaddr_in6.self).sin6_addr
      return withUnsafeBytes(of: bytes) { bytes in
        TransportAddress(
          ipv6High: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
          low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)), port: 0)
      }
    default: return nil
    }
  }
}
