import SDP
import Testing

/// What is refused, and in which words.
struct ParserTests {
  @Test func bothLineEndsAreRead() throws {
    let offer = Sample.offer()
    let withLineFeeds = String(decoding: offer.utf8.filter { $0 != 0x0D }, as: UTF8.self)
    #expect(try SessionDescription(parsing: offer) == SessionDescription(parsing: withLineFeeds))
  }

  @Test func theErrorNamesTheLineAndWhatToWrite() {
    let error = parseError("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 70000 UDP/TLS/RTP/SAVPF 111\r\n")
    #expect(error?.line == 5)
    #expect(
      error?.description == "line 5: write m=KIND PORT PROTOCOL FORMAT …, such as m=audio 9 UDP/TLS/RTP/SAVPF 111.")
  }

  @Test(arguments: [
    "", "\r\n", "o=- 1 1 IN IP4 127.0.0.1\r\n", "v=1\r\n", "v=0\r\n", "v=0\r\ns=-\r\n", "hello", "v=0\r\no=- 1\r\n",
    "v=0\r\no=- 1 -1 IN IP4 127.0.0.1\r\n", "v=0\r\no=- 1 99999999999999999999999 IN IP4 127.0.0.1\r\n",
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\nv=0\r\n",
  ])
  func whatDoesNotBeginAsADescriptionIsRefused(_ text: String) {
    #expect(parseError(text) != nil)
  }

  @Test(arguments: [
    "a=rtpmap:111", "a=rtpmap:111 opus", "a=rtpmap:111 opus/", "a=rtpmap:111 opus/0", "a=rtpmap:111 opus/x",
    "a=rtpmap:128 opus/48000/2", "a=rtpmap:-1 opus/48000/2", "a=rtpmap:999999999999999999999 opus/48000", "a=rtpmap:",
    "a=rtpmap:111 opus/48000/0", "a=rtpmap:111 opus/48000/2/2", "a=rtpmap:111 opus/4294967296", "a=fmtp:", "a=fmtp:x y=z",
    "a=fmtp:200 a=b", "a=fmtp", "a=rtcp-fb:", "a=rtcp-fb:111", "a=rtcp-fb:* ", "a=rtcp-fb:300 nack", "a=extmap:0 urn:x",
    "a=extmap:1", "a=extmap:1/both urn:x", "a=extmap:70000 urn:x", "a=ssrc:1", "a=ssrc:4294967296 cname:x", "a=ssrc:-1 cname:x",
    "a=ssrc-group:FID", "a=ssrc-group:FID 1 x", "a=rid:a", "a=rid:a both", "a=rid:ä send", "a=simulcast:", "a=simulcast:send",
    "a=simulcast:send ;", "a=simulcast:send a send b", "a=simulcast:send a recv", "a=mid:", "a=mid:a b", "a=mid:0", "a=ptime:",
    "a=ptime:x", "a=ptime:1e9", "a=maxptime:nan", "a=setup:sideways", "a=setup", "a=fingerprint:sha-256 AA:BB",
    "a=fingerprint:sha-256", "a=fingerprint:x zz", "a=ice-ufrag:", "a=ice-ufrag:a b", "a=ice-pwd:a:b", "a=", "a=:x", "a=\u{7}",
    "a=msid:", "a=candidate:", "a=candidate:1 1 udp", "a=candidate:1 1 udp 1 127.0.0.1 70000 typ host",
    "a=candidate:1 0 udp 1 127.0.0.1 1 typ host", "a=candidate:1 1 udp -1 127.0.0.1 1 typ host",
    "a=candidate:1 1 udp 4294967296 127.0.0.1 1 typ host", "a=candidate:1 1 udp 1 127.0.0.1 1 type host",
    "a=candidate:1 1 udp 1 127.0.0.1 1 typ", "a=candidate:1 1 udp 1 127.0.0.1 1 typ host rport 70000",
    "a=candidate:0123456789012345678901234567890123 1 udp 1 127.0.0.1 1 typ host", "b=AS", "b=AS:x", "b=:1", "c=IN", "c=IP4 1",
    "m=audio", "m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio -1 UDP/TLS/RTP/SAVPF 0", "m=audio 9/x UDP/TLS/RTP/SAVPF 0", "q=1",
    "noise",
    "=", "aa=x", " a=x", "t=0", "v=0",
  ])
  func aMalformedLineIsRefusedWithItsNumber(_ line: String) {
    let text = Sample.offer(audio: Sample.audioLines + [line])
    let number = 5 + Sample.audioLines.count + 1
    #expect(parseError(text)?.line == number, "\(line)")
    #expect(parseError(text)?.sentence.isEmpty == false)
  }

  @Test(arguments: [
    "a=fmtp:111 ;;;=;", "a=sendrecv ", "a=some words without a colon", "a=Größe:1", "a= spaced : x", "a=fmtp:111 ",
    "a=fmtp:63 111/111", "a=fmtp:101 0-16", "a=ptime:0", "a=ptime:9999", "a=ptime:-1",
    "a=maxptime:2.5", "a=maxptime:99999999999999999999999", "a=unknown", "a=unknown:", "a=unknown:anything at all: x",
    "a=rtcp-fb:* ccm fir", "a=ssrc:5 cname:", "a=simulcast: send rid=1;2", "a=simulcast:send 1,~2;3 recv 4",
    "a=simulcast:send pt=97",
    "a=candidate:1 1 udp 1 x.local 1 typ host", "a=candidate:1 1 sctp 1 2001:db8::1 1 typ future x", "b=X-YZ:1", "i=title",
    "k=clear",
    "a=extmap:4096 urn:x", "a=extmap:1/sendonly urn:x with attributes", "a=rid:1 send pt=97;max-width=1280", "a=msid:-",
    "a=crypto:1 x",
    "a=fingerprint:sha-1 AA:BB", "a=mid-of-others:1", "a=imageattr:96 send *",
  ])
  func anOddButHarmlessLineIsReadAndPrintedTheSame(_ line: String) throws {
    let description = try SessionDescription(parsing: Sample.offer(audio: Sample.audioLines + [line]))
    #expect(try SessionDescription(parsing: description.text) == description)
  }

  @Test func carriageReturnsAndNULsInsideALineAreRefused() {
    #expect(parseError("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=a\rb\r\n")?.code == .notText)
    #expect(parseError("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=a\0b\r\n")?.code == .notText)
    #expect(parseError("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=a\r\r\n")?.line == 3)
  }

  @Test func whatIsNotUTF8IsRefused() {
    let bytes = Array("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=".utf8) + [0xC3, 0x28, 0x0D, 0x0A]
    #expect(throws: SDPError(.notText, line: 3, "the line is not UTF-8; write the description in UTF-8.")) {
      try SessionDescription(parsing: bytes)
    }
    #expect(throws: SDPError.self) { try SessionDescription(parsing: [0xFF, 0xFE, 0x00]) }
  }

  @Test func theMessageQuotesNothingUnprintable() {
    let error = parseError("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\na=\u{1B}[31m" + String(repeating: "é", count: 100) + "\r\n")
    #expect(error?.sentence.utf8.count ?? 999 < 160)
    #expect(error?.sentence.contains("\u{1B}") == false)
  }

  @Test func aTextBeyondTheLimitsIsRefused() {
    let line = "a=x:" + String(repeating: "y", count: 60) + "\r\n"
    let large = Sample.offer() + String(repeating: line, count: 1_000)
    #expect(parseError(large)?.code == .tooLarge)
    #expect(parseError(large)?.line == 0)
    let long = Sample.offer(audio: Sample.audioLines + ["a=x:" + String(repeating: "y", count: 8_190)])
    #expect(parseError(long)?.code == .tooLarge)
    let lines = Sample.offer(audio: Sample.audioLines + Array(repeating: "a=x", count: 1_025))
    #expect(parseError(lines)?.code == .tooLarge)
    let media = Sample.offer(video: Array(repeating: "m=video 0 RTP/AVP 0", count: 64))
    #expect(parseError(media)?.code == .tooLarge)
    #expect(parseError(Sample.offer(video: Array(repeating: "m=video 0 RTP/AVP 0", count: 63))) == nil)
  }

  @Test func noNameCanAddALineToWhatIsPrinted() throws {
    var description = try SessionDescription(parsing: Sample.offer())
    description.sessionName = "a\r\na=ice-lite\0"
    description.media[0].msids = [MSIDAttribute(stream: "x\r\nm=audio 1 X 1", track: "y")]
    let text = description.text
    #expect(text.contains("s=aa=ice-lite\r\n"))
    #expect(!text.contains("\r\nm=audio 1 X 1"))
    #expect(try !SessionDescription(parsing: text).isICELite)
  }

  @Test func linesArePrintedInTheOrderOfRFC8866() throws {
    var description = try SessionDescription(parsing: Sample.offer())
    description.connection = .unspecified
    description.bandwidths = [Bandwidth(type: "AS", value: 1)]
    let types = description.text.split(separator: "\r\n").prefix { !$0.hasPrefix("m=") }.compactMap(\.first)
    #expect(String(types).hasPrefix("voscbta"))
    #expect(description.text.hasSuffix("\r\n"))
  }

  @Test func bandwidthIsToldInBitsPerSecond() {
    #expect(Bandwidth(type: "AS", value: 64).bitsPerSecond == 64_000)
    #expect(Bandwidth(type: "TIAS", value: 64_000).bitsPerSecond == 64_000)
    #expect(Bandwidth(type: "AS", value: .max).bitsPerSecond == .max)
    #expect(Bandwidth(type: "RR", value: 1).bitsPerSecond == nil)
  }
}
