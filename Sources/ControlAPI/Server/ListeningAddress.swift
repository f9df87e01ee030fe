import Glibc

/// Binds once for a trial, since libwebsockets does not tell why it could not.
func checkAddress(_ address: String, port: UInt16) throws(ControlServerError) {
  var hints = addrinfo()
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
  hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
  var result: UnsafeMutablePointer<addrinfo>?
  guard getaddrinfo(address, String(port), &hints, &result) == 0, let found = result else {
    throw ControlServerError("'\(address)' is not a numeric IP address to listen on")
  }
  defer { freeaddrinfo(found) }
  let descriptor = socket(found.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  guard descriptor >= 0 else { throw failure(address, port) }
  defer { close(descriptor) }
  var one: Int32 = 1
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
  guard bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0, listen(descriptor, 1) == 0 else {
    throw failure(address, port)
  }
}

private func failure(_ address: String, _ port: UInt16) -> ControlServerError {
  let reason =
    switch errno {
    case EADDRINUSE: "the port is in use; stop the other program or choose another with --http"
    case EACCES: "ports under 1024 need privileges; choose another with --http"
    case EADDRNOTAVAIL: "this machine has no such address"
    default: String(cString: strerror(errno))
    }
  return ControlServerError("cannot serve HTTP on \(address):\(port): \(reason)")
}
