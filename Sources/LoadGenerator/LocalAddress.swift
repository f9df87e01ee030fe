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
    guard getaddrinfo(host, "9", &hints, &list) == 0, list != nil else {
      throw LoadError("The host '\(host)' is not known.")
    }
    defer { freeaddrinfo(list) }
    // A name may stand for addresses of both kinds, of which this machine reaches one.
    var next = list
    while let entry = next {
      if let address = wayTo(entry.pointee) { return address }
      next = entry.pointee.ai_next
    }
    throw LoadError("There is no way to the host '\(host)'.")
  }

  /// An address to bind a socket to, in the place of one that reaches none of a server's candidates.
  ///
  /// - Returns: nil where the socket will do.
  /// - Throws: where this machine reaches none of them.
  package static func reaching(
    _ candidates: [ICECandidate], insteadOf bound: TransportAddress
  ) throws(LoadError) -> TransportAddress? {
    let remotes = candidates.filter { $0.transport == .udp }.sorted { $0.priority > $1.priority }.map(\.address)
    // What browsers may still learn by other ways is nothing a load is measured over.
    guard !remotes.isEmpty else {
      throw LoadError("The server's answer has no address for media over UDP; see its option --rtc.")
    }
    let ways = remotes.compactMap { remote in wayTo(remote).map { (remote.family, $0) } }
    if ways.contains(where: { $0.0 == bound.family }) { return nil }
    guard let way = ways.first else {
      let list = remotes.map(\.description).joined(separator: ", ")
      throw LoadError(
        "The server takes media at \(list), where this machine has no way to; give it another address with its option --rtc, or "
          + "name the one it is reached by with --announce.")
    }
    return way.1
  }

  private static func wayTo(_ remote: TransportAddress) -> TransportAddress? {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
    hints.ai_flags = AI_NUMERICHOST
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host(of: remote.description), "9", &hints, &list) == 0, let entry = list else { return nil }
    defer { freeaddrinfo(list) }
    return wayTo(entry.pointee)
  }

  /// Nothing is sent: connecting only has the kernel choose the way.
  private static func wayTo(_ remote: addrinfo) -> TransportAddress? {
    let descriptor = socket(remote.ai_family, Int32(SOCK_DGRAM.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return connect(descriptor, remote.ai_addr, remote.ai_addrlen) == 0 ? name(of: descriptor) : nil
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
