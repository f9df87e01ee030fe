import DatagramIO
import ICE
import Testing
import Timing

/// What strangers may hold of the places for TCP connections.
@Suite struct StrangeConnectionTests {
  private func host(_ number: Int, port: Int = 1) -> TransportAddress {
    TransportAddress(ipv4: UInt32(0x0A00_0000 + number), port: UInt16(port))
  }

  @Test func aStrangerIsClosedAfterTenSecondsWhateverItSends() {
    var strange = StrangeConnections()
    for token in 0..<3 as Range<UInt64> {
      let left = strange.add(token, from: host(1), at: .zero + .seconds(Int64(token)))
      #expect(left == nil)
    }
    #expect(strange.takeExpired(at: .zero + .seconds(10)) == nil)
    #expect(strange.takeExpired(at: .zero + .milliseconds(11_001)) == 0)
    #expect(strange.takeExpired(at: .zero + .milliseconds(11_001)) == 1)
    #expect(strange.takeExpired(at: .zero + .milliseconds(11_001)) == nil)
    // Its first check makes it a peer's.
    strange.remove(2)
    #expect(strange.takeExpired(at: .zero + .seconds(100)) == nil)
  }

  @Test func oneHostHoldsSixtyFourPlacesAtMostAndItsOldestMakesRoom() {
    var strange = StrangeConnections()
    _ = strange.add(0, from: host(2), at: .zero)
    var left: [UInt64] = []
    for token in 1...100 as ClosedRange<UInt64> {
      if let one = strange.add(token, from: host(1, port: Int(token)), at: .zero) { left.append(one) }
    }
    #expect(left == Array(1...36) && strange.count == 65)
  }

  @Test func allStrangersTogetherHoldAQuarterOfThePlacesAtMost() {
    var strange = StrangeConnections()
    var left: [UInt64] = []
    for token in 0..<1_500 as Range<UInt64> {
      if let one = strange.add(token, from: host(Int(token)), at: .zero) { left.append(one) }
    }
    #expect(left == Array(0..<476) && strange.count == 1_024)
  }
}
