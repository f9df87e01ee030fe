import LoadGenerator
import Testing

/// What is told of those who could not come in.
@Suite struct RefusalTests {
  @Test(arguments: [401, 403, 404, 429, 500, 503]) func aStatusIsToldWithTheServersWordsAndWhatToDo(status: Int) throws {
    let refusal = Refusal(status: status, body: #"{"type":"about:blank","title":"T","status":1,"detail":"It said why."}"#)
    #expect(refusal.words == "It said why.")
    let advice = try #require(refusal.advice)
    #expect(refusal.description == "\(status): It said why. \(advice)")
    #expect(!refusal.description.contains("{"))
  }

  @Test func howLongToWaitIsTold() {
    #expect(
      Refusal(status: 503, body: "full", retryAfter: "30").description.hasPrefix(
        "503: full. It asks to come again after 30 s. "))
    // A date is a time of the server's clock, and nobody here waits for it.
    #expect(Refusal(status: 503, body: "full", retryAfter: "Sun, 22 Nov 2026 04:00:00 GMT").retryAfter == nil)
  }

  @Test func whatIsNoProblemIsToldAsItIs() {
    #expect(Refusal(status: 404, body: "<h1>gone</h1>").words == "<h1>gone</h1>")
    #expect(Refusal(status: 400, body: #"{"title":"Bad Request"}"#).words == "Bad Request")
    #expect(Refusal(status: 409, body: "").description == "409.")
  }

  @Test func aServersWordsAreOneLineOfPrintableText() {
    let refusal = Refusal(status: 400, body: "a\u{1B}[2Jb\r\nc" + String(repeating: "x", count: 5_000))
    #expect(refusal.words.hasPrefix("a [2Jb  cxxx") || refusal.words.hasPrefix("a [2Jb cxxx"))
    #expect(refusal.words.count <= 301)
  }

  @Test func theSameRefusalIsCountedNotRepeated() {
    var counts = RefusalCounts()
    for _ in 0..<300 { counts.add(Refusal(status: 503, body: "full")) }
    counts.add(Refusal(status: 403, body: "locked"))
    #expect(counts.total == 301)
    #expect(counts.sorted.map(\.count) == [300, 1])
    #expect(counts.sorted.first?.refusal.status == 503)
  }

  @Test func kindsOfRefusalsAreFew() {
    var counts = RefusalCounts()
    for index in 0..<1_000 { counts.add(Refusal(status: 500, body: "fault \(index)")) }
    #expect(counts.total == 1_000)
    #expect(counts.sorted.count <= 21)
    #expect(counts.sorted.map(\.count).reduce(0, +) == 1_000)
  }
}
