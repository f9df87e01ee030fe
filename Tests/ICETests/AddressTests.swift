import ICE
import TestSupport
import Testing

@Suite struct TransportAddressTests {
  @Test(arguments: [
    "1.2.3.4:5", "127.0.0.1:65535", "0.0.0.0:0", "[::1]:5", "[::]:1", "[2001:db8::1]:443", "[fe80::1:0:0:1]:9",
    "[1:2:3:4:5:6:7:8]:1", "[1:0:3:4:5:6:7:8]:1", "[1::]:2", "[0:1:2:3:4:5:6:7]:1", "[1:0:0:2::3]:1",
  ])
  func textIsReadAndPrintedTheSame(_ text: String) {
    #expect(TransportAddress(text)?.description == text)
  }

  @Test(arguments: [
    "", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:+1", "1.2.3:4", "1.2.3.4.5:6", "256.1.1.1:1",
    "::1:5", "[::1]", "[::1]5", "[1.2.3.4]:5", "[::1%eth0]:5", "localhost:80", "a.local:1", "1.2.3.4 :5", "1.2.3.4\u{0}:5",
    "[]:1", "[:]:1", "01.2.3.4:999999999999", "[::1\u{0}]:5",
  ])
  func everythingElseIsRefused(_ text: String) {
    #expect(TransportAddress(text) == nil)
  }

  @Test func aMappedAddressIsItsIPv4Address() {
    #expect(TransportAddress("[::ffff:127.0.0.1]:8") == TransportAddress("127.0.0.1:8"))
    #expect(TransportAddress(ipv6High: 0, low: 0xFFFF_7F00_0001, port: 8).isLoopback)
    #expect(TransportAddress("[::fffe:127.0.0.1]:8")?.family == .ipv6)
  }

  @Test func kindsOfAddressesAreKnown() {
    let is4 = { (text: String) in TransportAddress(host: text, port: 1) }
    #expect(is4("127.8.9.1")?.isLoopback == true)
    #expect(is4("128.0.0.1")?.isLoopback == false)
    #expect(is4("::1")?.isLoopback == true)
    #expect(is4("::2")?.isLoopback == false)
    #expect(is4("239.1.1.1")?.isUsableAsDestination == false)
    #expect(is4("ff02::1")?.isUsableAsDestination == false)
    #expect(is4("255.255.255.255")?.isUsableAsDestination == false)
    #expect(is4("0.0.0.0")?.isUsableAsDestination == false)
    #expect(is4("8.8.8.8")?.isUsableAsDestination == true)
    #expect(is4("8.8.8.8")?.withPort(0).isUsableAsDestination == false)
  }

  @Test func randomTextNeverTraps() {
    var random = SeededRandom(seed: 3)
    let alphabet = Array("0123456789abcdefx.:[]% \u{0}é")
    for _ in 0..<20_000 {
      let text = String((0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "0" })
      if let address = TransportAddress(text) { #expect(TransportAddress(address.description) == address) }
    }
  }
}

@Suite struct ICECandidateTests {
  @Test func aBrowsersCandidateIsRead() throws {
    let line =
      "a=candidate:842163049 1 udp 1677729535 203.0.113.7 49203 typ srflx raddr 192.168.1.5 rport 49203 generation 0 ufrag EsAw network-cost 999"
    let candidate = try #require(try ICECandidate.parse(line))
    #expect(candidate.foundation == "842163049")
    #expect(candidate.priority == 1_677_729_535)
    #expect(candidate.address == TransportAddress("203.0.113.7:49203"))
    #expect(candidate.kind == .serverReflexive)
    #expect(candidate.related == TransportAddress("192.168.1.5:49203"))
    #expect(candidate.ufrag == "EsAw")
    #expect(candidate.tcpType == nil)
  }

  @Test(arguments: [
    "candidate:1 1 udp 2130706431 127.0.0.1 8000 typ host",
    "candidate:1 1 udp 2130706431 2001:db8::1 8000 typ host",
    "candidate:a+/ 2 tcp 2105524479 192.0.2.1 9 typ host tcptype active",
    "candidate:3 1 tcp 2105524479 192.0.2.1 8000 typ host tcptype passive ufrag abcd",
    "candidate:3 1 udp 1 192.0.2.1 8000 typ relay raddr 10.0.0.1 rport 5",
  ])
  func aLineIsReadAndPrintedTheSame(_ line: String) throws {
    #expect(try ICECandidate.parse(line)?.description == line)
  }

  @Test(arguments: [
    "candidate:1 1 udp 2130706431 3c4ec1d0-1b38-4ab9.local 8000 typ host",
    "candidate:1 1 udp 2130706431 host.example 8000 typ host",
    "candidate:1 1 sctp 2130706431 192.0.2.1 8000 typ host",
    "candidate:1 1 udp 2130706431 192.0.2.1 8000 typ future",
  ])
  func whatCannotBeUsedIsPassedOver(_ line: String) throws {
    #expect(try ICECandidate.parse(line) == nil)
  }

  @Test(arguments: [
    "", "candidate:", "candidate:1 1 udp 1", "candidate:1 0 udp 1 192.0.2.1 1 typ host",
    "candidate:1 257 udp 1 192.0.2.1 1 typ host",
    "candidate:1 1 udp 4294967296 192.0.2.1 1 typ host", "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
    "candidate:1 1 udp 1 192.0.2.1 1 type host", "candidate:1 1 tcp 1 192.0.2.1 1 typ host",
    "candidate:1 1 tcp 1 192.0.2.1 1 typ host tcptype sideways", "candidate:1 1 udp 1 192.0.2.1 1 typ host tcptype",
    "candidate:é 1 udp 1 192.0.2.1 1 typ host", "candidate:1 1 udp 1 192.0.2.1 1 typ srflx raddr 1.2.3.4 rport x",
    "candidate:1 1 udp 1 192.0.2.1 1 typ host generation",
  ])
  func aMalformedLineIsRefused(_ line: String) {
    #expect(throws: ICECandidateError.self) { try ICECandidate.parse(line) }
  }

  @Test func aLineOfAMegabyteIsRefused() {
    let line = "candidate:1 1 udp 1 192.0.2.1 1 typ host" + String(repeating: " x y", count: 250_000)
    #expect(throws: ICECandidateError.tooLong) { try ICECandidate.parse(line) }
  }

  @Test func truncatedAndGarbledLinesNeverTrap() {
    let line =
      "candidate:842163049 1 tcp 1677729535 2001:db8::7 49203 typ srflx raddr ::1 rport 4920 tcptype passive ufrag EsAw"
    for count in 0...line.utf8.count { _ = try? ICECandidate.parse(String(line.prefix(count))) }
    var random = SeededRandom(seed: 21)
    for _ in 0..<20_000 {
      var bytes = Array(line.utf8)
      for _ in 0..<Int.random(in: 1...5, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      guard let candidate = try? ICECandidate.parse(String(decoding: bytes, as: UTF8.self)) else { continue }
      #expect((try? ICECandidate.parse(candidate.description)) == candidate)
    }
  }

  @Test func prioritiesAreThoseOfTheRFC() {
    #expect(ICEPriority.candidate(kind: .host) == 2_130_706_431)
    #expect(ICEPriority.candidate(kind: .serverReflexive) == 1_694_498_815)
    #expect(ICEPriority.candidate(kind: .relayed, localPreference: 0, component: 256) == 0)
    #expect(ICEPriority.tcpLocalPreference(kind: .host, tcpType: .passive) == 4 << 13 | 8191)
    #expect(ICEPriority.pair(controlling: 2, controlled: 1) == 1 << 32 + 4 + 1)
    #expect(ICEPriority.pair(controlling: 1, controlled: 2) == 1 << 32 + 4)
    #expect(ICEPriority.pair(controlling: .max, controlled: .max) == 0xFFFF_FFFF << 32 + 0x1_FFFF_FFFE)
  }

  @Test func hostCandidatesPrintAsAttributes() throws {
    let address = try #require(TransportAddress("192.0.2.1:8000"))
    let udp = ICECandidate.host(address)
    let tcp = ICECandidate.passiveTCPHost(address)
    #expect(udp.description == "candidate:\(udp.foundation) 1 udp 2130706431 192.0.2.1 8000 typ host")
    #expect(tcp.description.hasSuffix("192.0.2.1 8000 typ host tcptype passive"))
    #expect(udp.foundation != tcp.foundation)
    #expect(udp.priority > tcp.priority)
    #expect(try ICECandidate.parse(tcp.description) == tcp)
  }
}

@Suite struct ICECredentialsTests {
  @Test func newCredentialsAreValidAndDiffer() {
    var random = SeededRandom(seed: 5)
    var seen: Set<String> = []
    for _ in 0..<1000 {
      let credentials = ICECredentials(using: &random)
      #expect(credentials.ufrag.utf8.count == 8)
      #expect(credentials.password.utf8.count == 24)
      #expect(ICECredentials(ufrag: credentials.ufrag, password: credentials.password) == credentials)
      #expect(seen.insert(credentials.ufrag).inserted)
    }
  }

  @Test func limitsOfTheGrammarHold() {
    let password = String(repeating: "p", count: 22)
    #expect(ICECredentials(ufrag: "abc", password: password) == nil)
    #expect(ICECredentials(ufrag: "abcd", password: password) != nil)
    #expect(ICECredentials(ufrag: "ab:d", password: password) == nil)
    #expect(ICECredentials(ufrag: "abcd", password: String(password.dropLast())) == nil)
    #expect(ICECredentials(ufrag: String(repeating: "u", count: 257), password: password) == nil)
  }

  @Test func theDescriptionHidesThePassword() {
    var random = SeededRandom(seed: 5)
    let credentials = ICECredentials(using: &random)
    #expect(!"\(credentials)".contains(credentials.password))
  }
}
