import DatagramIO
import ICE
import RealTime
import Testing
import Timing
import WebRTCTransport

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

  @Test func whatIsHandedOverIsCountedWithItsWait() throws {
    let loop = try NetworkLoop(bind: [loopback], acceptsTCP: false, seed: 1)
    defer { loop.stop() }
    loop.remove(PeerID(1))
    #expect(waits { loop.punctuality.sendings > 0 && loop.statistics.longestWait > .zero })
  }

  @Test func aWaitCountsAsManySpansAsItHas() {
    var punctuality = SendingPunctuality()
    for milliseconds in [0, 3, 19] as [Int64] { punctuality.note(.milliseconds(milliseconds)) }
    #expect((punctuality.sendings, punctuality.late) == (3, 0))
    punctuality.note(.milliseconds(628))
    #expect((punctuality.sendings, punctuality.late) == (34, 31))
    punctuality.note(.milliseconds(-5))
    punctuality.note(Interval(nanoseconds: .max))
    #expect((punctuality.sendings, punctuality.late) == (3_035, 3_031))
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
