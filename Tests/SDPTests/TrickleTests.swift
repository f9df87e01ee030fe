import SDP
import Testing

/// `application/trickle-ice-sdpfrag`.
struct TrickleTests {
  static let fragment = """
    a=group:BUNDLE 0 1\r
    a=ice-ufrag:EsAw\r
    a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r
    m=audio 9 UDP/TLS/RTP/SAVPF 0\r
    a=mid:0\r
    a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r
    a=candidate:3471623853 1 udp 2122194687 2001:db8::1 61765 typ srflx raddr 192.0.2.1 rport 61764\r
    a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0\r
    a=end-of-candidates\r

    """

  @Test func candidatesAndCredentialsAreRead() throws {
    let fragment = try TrickleFragment(parsing: Self.fragment)
    #expect(fragment.credentials?.usernameFragment == "EsAw")
    #expect(fragment.credentials?.password == "P2uYro0UCOQ4zxjKXaWCBui1")
    #expect(fragment.sections.map(\.mid) == ["0"])
    #expect(fragment.candidates.map(\.port) == [61764, 61765, 9])
    #expect(fragment.candidates[1].address == "2001:db8::1")
    #expect(fragment.candidates[1].relatedAddress == "192.0.2.1" && fragment.candidates[1].relatedPort == 61764)
    #expect(fragment.candidates[2].tcpType == "active")
    #expect(fragment.hasEndOfCandidates)
  }

  @Test func aPrintedFragmentReadsTheSame() throws {
    let fragment = try TrickleFragment(parsing: Self.fragment)
    #expect(fragment.text == Self.fragment)
    #expect(try TrickleFragment(parsing: fragment.text) == fragment)
  }

  @Test func credentialsBelowAMediaLineCount() throws {
    let fragment = try TrickleFragment(
      parsing: "m=audio 9 RTP/AVP 0\na=mid:0\na=ice-ufrag:abcd\na=ice-pwd:abcdefghijklmnopqrstuv\n")
    #expect(fragment.credentials == CredentialAttributes(usernameFragment: "abcd", password: "abcdefghijklmnopqrstuv"))
    #expect(fragment.usernameFragment == nil)
  }

  @Test func candidatesWithoutAMediaLineAreRead() throws {
    let fragment = try TrickleFragment(parsing: "a=candidate:1 1 UDP 1 192.0.2.1 5 typ host\na=end-of-candidates\n")
    #expect(fragment.candidates.map(\.transport) == ["udp"])
    #expect(fragment.hasEndOfCandidates && fragment.credentials == nil)
    #expect(try TrickleFragment(parsing: fragment.text) == fragment)
  }

  @Test func anEmptyFragmentSaysNothing() throws {
    let fragment = try TrickleFragment(parsing: "")
    #expect(fragment == TrickleFragment())
    #expect(fragment.text.isEmpty)
  }

  @Test func theServersAnswerToARestartIsPrinted() {
    let fragment = TrickleFragment(
      credentials: Sample.credentials,
      sections: [TrickleFragment.Section(mid: "0", candidates: [Sample.udp], hasEndOfCandidates: true)])
    #expect(
      fragment.text
        == "a=ice-ufrag:serv\r\na=ice-pwd:0123456789abcdefghijklmn\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
        + "a=candidate:1 1 udp 2130706431 127.0.0.1 8000 typ host\r\na=end-of-candidates\r\n")
  }

  @Test func everyTruncationIsReadOrRefused() {
    let bytes = Array(Self.fragment.utf8)
    for count in bytes.indices { _ = try? TrickleFragment(parsing: Array(bytes[..<count])) }
  }

  @Test(arguments: [
    "a=candidate:x", "m=audio", "a=ice-ufrag:", "noise", "a=mid:", "a=candidate:1 1 udp 1 192.0.2.1 5 typ host\rx",
  ])
  func aMalformedLineIsRefusedWithItsNumber(_ line: String) {
    #expect(throws: SDPError.self) { try TrickleFragment(parsing: "a=ice-options:trickle\r\n\(line)\r\n") }
  }

  @Test func countsAreLimited() {
    let candidates = String(repeating: "a=candidate:1 1 udp 1 192.0.2.1 5 typ host\n", count: 1_025)
    #expect(throws: SDPError.self) { try TrickleFragment(parsing: candidates) }
    #expect(throws: SDPError.self) { try TrickleFragment(parsing: String(repeating: "m=audio 9 X 0\n", count: 65)) }
  }
}
