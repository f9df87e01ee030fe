import SDP
import Testing

/// Later offers of a session that runs.
struct ReofferTests {
  private func run(_ text: String) throws -> (Answerer, Answer) {
    var answerer = Sample.answerer()
    let answer = try answerer.answer(to: SessionDescription(parsing: text), local: Sample.local, sources: Sample.source)
    return (answerer, answer)
  }

  private func again(_ answerer: inout Answerer, _ text: String) throws -> Answer {
    try answerer.answer(to: SessionDescription(parsing: text), local: Sample.local, sources: Sample.source)
  }

  @Test func theSameOfferGetsTheSameAnswerWithAHigherVersion() throws {
    var (answerer, first) = try run(Sample.offer())
    var second = try again(&answerer, Sample.offer())
    #expect(second.session == first.session)
    #expect(second.description.origin.version == first.description.origin.version + 1)
    #expect(second.description.origin.sessionID == first.description.origin.sessionID)
    second.description.origin = first.description.origin
    #expect(second.description == first.description)
  }

  @Test func aLineMayBeAddedAndTheOthersKeepTheirSources() throws {
    var answerer = Sample.answerer()
    let offer = Sample.offer(audio: Sample.audioLines, video: [], session: ["a=group:BUNDLE 0"])
    let first = try again(&answerer, offer)
    var asked: [Int] = []
    let second = try answerer.answer(to: SessionDescription(parsing: Sample.offer()), local: Sample.local) {
      asked.append($0.index)
      return Sample.source($0)
    }
    #expect(asked == [1])
    #expect(second.session.media.map(\.mid) == ["0", "1"])
    #expect(second.session.media[0].localSource == first.session.media[0].localSource)
  }

  @Test func aLineMayBeStoppedChangedAndItsPlaceUsedAgain() throws {
    var (answerer, _) = try run(Sample.offer())
    let stopped = Sample.offer(video: ["m=video 0 UDP/TLS/RTP/SAVPF 96", "a=mid:1"], session: ["a=group:BUNDLE 0"])
    let second = try again(&answerer, stopped)
    #expect(second.description.media.map(\.port) == [9, 0] && second.session.rejected.map(\.reason) == [.disabled])
    let reused = Sample.videoLines.map { $0 == "a=mid:1" ? "a=mid:2" : $0 } + ["a=recvonly"]
    let third = try again(&answerer, Sample.offer(video: reused, session: ["a=group:BUNDLE 0 2"]))
    #expect(third.session.media.map(\.mid) == ["0", "2"] && third.session.media[1].direction == .sendonly)
    #expect(third.description.origin.version == 3)
  }

  @Test func everyLineMayBeStopped() throws {
    var (answerer, first) = try run(Sample.offer())
    let stopped = Sample.offer(
      audio: ["m=audio 0 UDP/TLS/RTP/SAVPF 111", "a=mid:0"], video: ["m=video 0 UDP/TLS/RTP/SAVPF 96", "a=mid:1"], session: [])
    let second = try again(&answerer, stopped)
    #expect(second.session.media.isEmpty && second.session.remote == first.session.remote)
  }

  @Test func linesMayNotVanishOrChangeTheirKindOrName() throws {
    let (answerer, first) = try run(Sample.offer())
    func refused(_ text: String) -> NegotiationError? {
      var copy = answerer
      let error = negotiationError { try again(&copy, text) }
      #expect(copy.session == first.session)
      return error
    }
    #expect(refused(Sample.offer(video: [], session: ["a=group:BUNDLE 0"])) == .mediaLineChanged(index: 1))
    #expect(refused(Sample.offer(audio: Sample.videoLines, video: Sample.audioLines)) == .mediaLineChanged(index: 0))
    let renamed = Sample.audioLines.map { $0 == "a=mid:0" ? "a=mid:7" : $0 }
    #expect(refused(Sample.offer(audio: renamed, session: ["a=group:BUNDLE 7 1"])) == .mediaLineChanged(index: 0))
  }

  private func replaced(_ replacements: [String: String]) -> String {
    replacements.reduce(Sample.offer()) { text, replacement in
      text.split(separator: replacement.key, omittingEmptySubsequences: false).joined(separator: replacement.value)
    }
  }

  @Test func bothNewCredentialsAskForARestart() throws {
    var (answerer, _) = try run(Sample.offer())
    let offer = try SessionDescription(parsing: replaced(["a=ice-ufrag:abcd": "a=ice-ufrag:efgh", "pqrstuv": "pqrstuX"]))
    #expect(try answerer.isICERestart(offer))
    #expect(try !answerer.isICERestart(SessionDescription(parsing: Sample.offer())))
    var local = Sample.local
    local.credentials.usernameFragment = "new1"
    let answer = try answerer.answer(to: offer, local: local, sources: Sample.source)
    #expect(answer.session.isICERestart && answer.session.remote.credentials.usernameFragment == "efgh")
    #expect(answer.description.media[0].usernameFragment == "new1")
    let next = try answerer.answer(to: offer, local: local, sources: Sample.source)
    #expect(!next.session.isICERestart)
  }

  @Test func halfNewCredentialsAndOtherCertificatesAreRefused() throws {
    var (answerer, first) = try run(Sample.offer())
    let half = replaced(["a=ice-ufrag:abcd": "a=ice-ufrag:efgh"])
    #expect(negotiationError { try again(&answerer, half) } == .incompleteICERestart)
    let other = replaced(["00:01:02": "FF:01:02"])
    #expect(negotiationError { try again(&answerer, other) } == .fingerprintChanged)
    #expect(answerer.session == first.session)
    #expect(try again(&answerer, Sample.offer()).description.origin.version == 2)
  }

  @Test func theRoleInTheHandshakeStays() throws {
    let passive = replaced(["a=setup:actpass": "a=setup:passive"])
    var (answerer, first) = try run(passive)
    #expect(first.session.localSetup == .active)
    #expect(try again(&answerer, Sample.offer()).session.localSetup == .active)
    let active = replaced(["a=setup:actpass": "a=setup:active"])
    #expect(negotiationError { try again(&answerer, active) } == .unsupportedSetup)
  }
}
