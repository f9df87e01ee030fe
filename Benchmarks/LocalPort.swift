import DatagramIO
import Glibc
import ICE

/// Ports of 127.0.0.1.
enum LocalPort {
  static let host: UInt32 = 0x7F00_0001

  /// One that nobody has at this moment.
  static func free() throws -> UInt16 { try TCPListener(bind: TransportAddress(ipv4: host, port: 0)).localAddress.port }

  /// Waits until somebody has bound a UDP port.
  static func waitUntilBound(_ port: UInt16) throws {
    for _ in 0..<100 {
      if (try? UDPSocket(bind: TransportAddress(ipv4: host, port: port), bufferBytes: 4096)) == nil { return }
      usleep(50_000)
    }
    throw BenchmarkError("nobody receives on port \(port)")
  }
}

/// Just enough of HTTP to join a room and to set it up.
enum LocalHTTP {
  /// Posts an SDP offer; tries again for some seconds while nobody listens.
  ///
  /// - Returns: the answer's body.
  static func post(_ offer: String, to path: String, port: UInt16) throws -> String {
    try request("POST", path, port: port, type: "application/sdp", offer)
  }

  static func put(_ json: String, to path: String, port: UInt16) throws {
    _ = try request("PUT", path, port: port, type: "application/json", json)
  }

  static func get(_ path: String, port: UInt16) throws -> String { try request("GET", path, port: port) }

  private static func request(
    _ method: String, _ path: String, port: UInt16, type: String = "text/plain", _ content: String = ""
  ) throws -> String {
    let descriptor = try connect(to: port)
    defer { close(descriptor) }
    let head =
      "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nContent-Type: \(type)\r\n"
      + "Content-Length: \(content.utf8.count)\r\nConnection: close\r\n\r\n"
    var request = Array((head + content).utf8)[...]
    while !request.isEmpty {
      let count = request.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { throw BenchmarkError("the server took no request") }
      request = request.dropFirst(count)
    }
    return try body(of: read(descriptor), path)
  }

  private static func read(_ descriptor: Int32) -> String {
    var response: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = Glibc.read(descriptor, &piece, piece.count)
      guard count > 0 else { return String(decoding: response, as: UTF8.self) }
      response += piece[..<count]
    }
  }

  private static func body(of response: String, _ path: String) throws -> String {
    // Bytes, for CR and LF are one character to Swift.
    let bytes = Array(response.utf8)
    guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: [13, 10, 13, 10]) }) else {
      throw BenchmarkError("the server did not answer \(path)")
    }
    guard response.hasPrefix("HTTP/1.1 20") else {
      throw BenchmarkError("the server refused \(path): \(String(decoding: bytes[(end + 4)...], as: UTF8.self))")
    }
    return String(decoding: bytes[(end + 4)...], as: UTF8.self)
  }

  private static func connect(to port: UInt16) throws -> Int32 {
    for _ in 0..<100 {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = LocalPort.host.bigEndian
      let status = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      if status == 0 { return descriptor }
      close(descriptor)
      usleep(50_000)
    }
    throw BenchmarkError("nobody listens on port \(port)")
  }
}
