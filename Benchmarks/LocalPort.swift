import DatagramIO
import Glibc
import ICE

/// Ports of 127.0.0.1.
enum LocalPort {
  static let host: UInt32 = 0x7F00_0001

  /// What the kernel gives to who asks for any port begins at 32768: there, somebody else may have one before it is bound.
  private static let candidates: Range<UInt16> = 20_000..<32_000

  /// One that nobody has at this moment, for TCP and UDP, and hardly anybody is given by chance.
  static func free() throws -> UInt16 {
    for _ in 0..<100 {
      let address = TransportAddress(ipv4: host, port: UInt16.random(in: candidates))
      if (try? TCPListener(bind: address)) != nil, (try? UDPSocket(bind: address, bufferBytes: 4096)) != nil {
        return address.port
      }
    }
    throw BenchmarkError("no port from \(candidates.lowerBound) to \(candidates.upperBound - 1) is free")
  }

  /// Waits until somebody has bound a UDP port.
  static func waitUntilBound(_ port: UInt16) throws {
    for _ in 0..<600 {
      if (try? UDPSocket(bind: TransportAddress(ipv4: host, port: port), bufferBytes: 4096)) == nil { return }
      usleep(50_000)
    }
    throw BenchmarkError("nobody receives on port \(port)")
  }
}
