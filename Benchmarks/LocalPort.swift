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
    for _ in 0..<600 {
      if (try? UDPSocket(bind: TransportAddress(ipv4: host, port: port), bufferBytes: 4096)) == nil { return }
      usleep(50_000)
    }
    throw BenchmarkError("nobody receives on port \(port)")
  }
}
