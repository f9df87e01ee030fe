import ICE
import LoadGenerator
import Testing

@Suite struct LocalAddressTests {
  private static let four = TransportAddress(ipv4: 0x7F00_0001, port: 8000)
  private static let six = TransportAddress(ipv6High: 0, low: 1, port: 8000)
  /// Nobody may send there without more ado.
  private static let nowhere = TransportAddress(ipv4: 0xFFFF_FFFF, port: 8000)

  @Test func aSocketIsOfTheKindThatTheServersMediaIs() throws {
    let other = try LocalAddress.reaching([.host(Self.four)], insteadOf: Self.six)
    #expect(other == TransportAddress(ipv4: 0x7F00_0001, port: 0))
    #expect(try LocalAddress.reaching([.host(Self.four)], insteadOf: Self.four) == nil)
    #expect(try LocalAddress.reaching([.host(Self.nowhere), .host(Self.four)], insteadOf: Self.six) == other)
  }

  @Test func whatCannotBeReachedIsNamed() {
    #expect { try LocalAddress.reaching([.host(Self.nowhere)], insteadOf: Self.four) } throws: { error in
      "\(error)".contains("255.255.255.255:8000") && "\(error)".contains("--rtc")
    }
    #expect { try LocalAddress.reaching([], insteadOf: Self.four) } throws: { "\($0)".contains("--rtc") }
  }
}
