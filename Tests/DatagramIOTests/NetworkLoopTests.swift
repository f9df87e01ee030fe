import DatagramIO
import ICE
import RealTime
import Testing
import Timing

private let loopback = TransportAddress(ipv4: 0x7F00_0001, port: 0)

@Suite struct NetworkLoopTests {
  @Test func aChangeSoonAfterAnotherIsCountedWithoutFurtherTraffic() throws {
    let loop = try NetworkLoop(bind: [loopback], acceptsTCP: true, seed: 1)
    defer { loop.stop() }
    let address = try #require(loop.localAddresses.first)
    let first = try TCPConnection(connectingTo: address)
    #expect(waits { loop.statistics.tcpConnections == 1 })
    let second = try TCPConnection(connectingTo: address)
    #expect(waits { loop.statistics.tcpConnections == 2 })
    withExtendedLifetime((first, second)) {}
  }

  /// Polls until `condition` holds; false where it does not within five seconds.
  private func waits(until condition: () -> Bool) -> Bool {
    let deadline = MonotonicClock.now() + .seconds(5)
    while !condition() {
      if MonotonicClock.now() > deadline { return false }
      MonotonicClock.sleep(until: MonotonicClock.now() + .milliseconds(5))
    }
    return true
  }
}
