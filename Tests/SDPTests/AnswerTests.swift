import SDP
import Testing

/// What an answer says to an offer.
struct AnswerTests {
  struct DirectionCase: Sendable {
    var offered: MediaDirection
    var policy: AnswerPolicy
    var answered: MediaDirection
  }

  @Test(arguments: [
    DirectionCase(offered: .sendrecv, policy: .participant, answered: .sendrecv),
    DirectionCase(offered: .sendonly, policy: .participant, answered: .recvonly),
    DirectionCase(offered: .recvonly, policy: .participant, answered: .sendonly),
    DirectionCase(offered: .inactive, policy: .participant, answered: .inactive),
    DirectionCase(offered: .sendrecv, policy: .publisher, answered: .recvonly),
    DirectionCase(offered: .sendonly, policy: .publisher, answered: .recvonly),
    DirectionCase(offered: .recvonly, policy: .publisher, answered: .inactive),
    DirectionCase(offered: .sendrecv, policy: .viewer, answered: .sendonly),
    DirectionCase(offered: .sendonly, policy: .viewer, answered: .inactive),
    DirectionCase(offered: .recvonly, policy: .viewer, answered: .sendonly),
    DirectionCase(offered: .inactive, policy: .viewer, answered: .inactive),
  ])
  func theDirectionIsWhatBothSidesWant(_ directions: DirectionCase) throws {
    let line = "a=\(directions.offered.rawValue)"
    let answer = try Sample.answer(
      Sample.offer(audio: Sample.audioLines + [line], video: Sample.videoLines + [line]), policy: directions.policy)
    for (description, media) in zip(answer.description.media, answer.session.media) {
      #expect(description.direction == directions.answered)
      #expect(media.direction == directions.answered)
      #expect((media.sendCodec != nil) == directions.answered.sends)
      #expect((media.localSource != nil) == directions.answered.sends)
      #expect(media.receiveCodecs.isEmpty != directions.answered.receives)
      #expect(description.sources.isEmpty != directions.answered.sends)
    }
  }

  @Test func theSessionsDirectionHoldsForLinesWithoutOne() throws {
    let answer = try Sample.answer(Sample.offer(session: ["a=group:BUNDLE 0 1", "a=recvonly"]))
    #expect(answer.session.media.map(\.direction) == [.sendonly, .sendonly])
  }

  @Test func whatTheCallerDoesNotSendIsNotAnnounced() throws {
    var answerer = Sample.answerer()
    let offer = try SessionDescription(parsing: Sample.offer())
    let answer = try answerer.answer(to: offer, local: Sample.local) { $0.type == .audio ? Sample.source($0) : nil }
    #expect(answer.session.media.map(\.direction) == [.sendrecv, .recvonly])
    #expect(answer.session.media[1].sendCodec == nil && answer.description.media[1].sources.isEmpty)
  }

  @Test func whatWeSendIsAnnouncedWithItsRetransmissions() throws {
    let answer = try Sample.answer(Sample.offer())
    let text = answer.description.text
    #expect(text.contains("a=ssrc-group:FID 1001 2001\r\na=ssrc:1001 cname:mixer\r\na=ssrc:2001 cname:mixer\r\n"))
    #expect(text.contains("a=msid:mix video\r\n") && text.contains("a=ssrc:1000 cname:mixer\r\n"))
    #expect(!text.contains("a=ssrc:2000"))
  }

  @Test func theTransportStandsOnEveryLineAndCandidatesOnTheFirst() throws {
    let answer = try Sample.answer(Sample.offer())
    for media in answer.description.media {
      #expect(media.usernameFragment == "serv" && media.password == Sample.credentials.password)
      #expect(media.fingerprints == [Sample.fingerprint] && media.setup == .passive)
    }
    #expect(answer.description.media.map(\.candidates.count) == [2, 0])
    #expect(answer.description.media[0].candidates == [Sample.udp, Sample.tcp])
    #expect(answer.description.text.contains("\r\na=ice-lite\r\n"))
  }

  @Test func unusableLinesAreRejectedInTheirPlace() throws {
    let application = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:d"] + Sample.transportLines
    let text = ["m=text 9 UDP/TLS/RTP/SAVPF 98", "a=mid:t"] + Sample.transportLines
    let plain = ["m=audio 9 RTP/AVP 0", "a=mid:p"] + Sample.transportLines
    let stopped = ["m=video 0 UDP/TLS/RTP/SAVPF 96", "a=mid:s"]
    let withoutMux = ["m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:n"] + Sample.transportLines.filter { $0 != "a=rtcp-mux" }
    let unknown = ["m=video 9 UDP/TLS/RTP/SAVPF 98", "a=mid:u", "a=rtpmap:98 H265/90000"] + Sample.transportLines
    let alone = ["m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:x"] + Sample.transportLines
    let answer = try Sample.answer(
      Sample.offer(
        audio: application + text + plain + stopped,
        video: Sample.audioLines + withoutMux + unknown + alone + Sample.videoLines,
        session: ["a=group:BUNDLE d t p s 0 n u 1"]))
    #expect(answer.description.media.map(\.port) == [0, 0, 0, 0, 9, 0, 0, 0, 9])
    #expect(answer.description.media.map(\.mid) == ["d", "t", "p", "s", "0", "n", "u", "x", "1"])
    #expect(answer.description.groups == [MediaGroup(semantics: "BUNDLE", mids: ["0", "1"])])
    #expect(
      answer.session.rejected.map(\.reason) == [
        .unsupportedKind, .unsupportedKind, .unsupportedProtocol, .disabled, .noRTCPMux, .noCommonCodec, .notBundled,
      ])
    #expect(answer.session.media.map(\.index) == [4, 8])
    #expect(answer.description.media[4].candidates.count == 2)
    #expect(try SessionDescription(parsing: answer.description.text) == answer.description)
  }

  @Test func aNameRepeatedInTheGroupCountsOnce() throws {
    let group = "a=group:BUNDLE" + String(repeating: " 1 0", count: 1_000)
    let candidates = (0..<900).map { "a=candidate:1 1 udp 1 192.0.2.1 \($0) typ host" }
    let answer = try Sample.answer(Sample.offer(video: Sample.videoLines + candidates, session: [group, "a=group:BUNDLE 0 1"]))
    #expect(answer.description.groups == [MediaGroup(semantics: "BUNDLE", mids: ["1", "0"])])
    #expect(answer.session.remote.candidates.count == 64)
    // The first name of the group stands for all: its line carries our candidates.
    #expect(answer.description.media.map(\.candidates.count) == [0, 2])
  }

  @Test func withoutABundleOnlyTheFirstLineIsTaken() throws {
    let answer = try Sample.answer(Sample.offer(session: []))
    #expect(answer.description.media.map(\.port) == [9, 0])
    #expect(answer.description.groups.isEmpty)
    #expect(answer.session.rejected.map(\.reason) == [.notBundled])
  }

  @Test func eightLinesOfAKindAreTakenAndTheNinthIsNot() throws {
    let lines = (2..<11).flatMap { index in
      Sample.audioLines.map { $0 == "a=mid:0" ? "a=mid:\(index)" : $0 } + [index % 2 == 0 ? "a=sendonly" : "a=recvonly"]
    }
    let mids = (2..<11).map { " \($0)" }.joined()
    let answer = try Sample.answer(Sample.offer(audio: lines, session: ["a=group:BUNDLE\(mids) 1"]))
    #expect(answer.session.media.map(\.mid) == ["2", "3", "4", "5", "6", "7", "8", "9", "1"])
    #expect(answer.session.rejected.map(\.reason) == [.tooMany])
    #expect(Set(answer.session.media.compactMap { $0.localSource?.ssrc }).count == 5)
  }

  @Test func nothingInCommonTellsBothLists() {
    let offer = Sample.offer(
      audio: ["m=audio 9 UDP/TLS/RTP/SAVPF 9", "a=mid:0"] + Sample.transportLines, video: [], session: ["a=group:BUNDLE 0"])
    let error = negotiationError { try Sample.answer(offer) }
    #expect(
      error
        == .noCommonCodec(
          offered: ["audio G722/8000"],
          supported: [
            "audio opus/48000/2", "audio PCMU/8000", "audio PCMA/8000", "video VP8/90000", "video H264/90000",
            "video VP9/90000",
            "video AV1/90000",
          ]))
    #expect(error?.description.contains("G722/8000") == true)
  }

  @Test func aSessionWithoutKeysOrAddressIsRefused() {
    func without(_ prefix: String) -> NegotiationError? {
      negotiationError {
        try Sample.answer(
          Sample.offer(
            audio: Sample.audioLines.filter { !$0.hasPrefix(prefix) }, video: Sample.videoLines.filter { !$0.hasPrefix(prefix) }
          ))
      }
    }
    #expect(without("a=ice-ufrag") == .missingICECredentials)
    #expect(without("a=ice-pwd") == .missingICECredentials)
    #expect(without("a=fingerprint") == .missingFingerprint)
    #expect(without("a=setup") == nil)
    guard case .nothingUsable = without("a=rtcp-mux") else {
      Issue.record("a description without rtcp-mux must be refused")
      return
    }
    let short = Sample.audioLines.map { $0.hasPrefix("a=ice-pwd") ? "a=ice-pwd:short" : $0 }
    #expect(negotiationError { try Sample.answer(Sample.offer(audio: short)) } == .missingICECredentials)
    let held = Sample.audioLines.map { $0 == "a=setup:actpass" ? "a=setup:holdconn" : $0 }
    #expect(negotiationError { try Sample.answer(Sample.offer(audio: held)) } == .unsupportedSetup)
    #expect(negotiationError { try Sample.answer(Sample.offer(audio: [], video: [])) } == .noMedia)
  }

  @Test func credentialsAndFingerprintMayStandInTheSessionPart() throws {
    func bare(_ lines: [String]) -> [String] {
      lines.filter { line in !["a=ice", "a=fingerprint", "a=setup"].contains { line.hasPrefix($0) } }
    }
    let answer = try Sample.answer(
      Sample.offer(
        audio: bare(Sample.audioLines), video: bare(Sample.videoLines),
        session: ["a=group:BUNDLE 0 1"] + Sample.transportLines.filter { $0 != "a=rtcp-mux" }))
    #expect(answer.session.remote.credentials.usernameFragment == "abcd")
    #expect(answer.session.remote.fingerprints == [Sample.fingerprint])
  }

  @Test func weakFingerprintsAloneAreRefused() {
    let weak = Sample.audioLines.map { line in
      line.hasPrefix("a=fingerprint")
        ? "a=fingerprint:sha-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33" : line
    }
    #expect(negotiationError { try Sample.answer(Sample.offer(audio: weak)) } == .missingFingerprint)
  }

  @Test(arguments: [(SetupRole.actpass, SetupRole.passive), (.active, .passive), (.passive, .active)])
  func weWaitForTheHandshakeWhereWeMay(_ offered: SetupRole, _ answered: SetupRole) throws {
    func lines(_ lines: [String]) -> [String] { lines.map { $0 == "a=setup:actpass" ? "a=setup:\(offered.rawValue)" : $0 } }
    let answer = try Sample.answer(Sample.offer(audio: lines(Sample.audioLines), video: lines(Sample.videoLines)))
    #expect(answer.session.localSetup == answered)
    #expect(answer.description.media.allSatisfy { $0.setup == answered })
  }

  @Test(arguments: [
    ("0", "60", 2_500, 60_000), ("9999", "120", 120_000, 120_000), ("-1", "-1", 2_500, 2_500), ("20", "9999", 20_000, 120_000),
    ("60", "40", 40_000, 40_000), ("2.5", "0", 2_500, 2_500), ("99999999999999999999", "1", 2_500, 2_500),
  ])
  func packetTimesStayWithinWhatAPacketCanHold(_ packetTime: String, _ maximum: String, _ time: Int, _ limit: Int) throws {
    let answer = try Sample.answer(Sample.offer(audio: Sample.audioLines + ["a=ptime:\(packetTime)", "a=maxptime:\(maximum)"]))
    #expect(answer.session.media[0].packetTimeMicroseconds == time)
    #expect(answer.session.media[0].maxPacketTimeMicroseconds == limit)
  }

  @Test func packetTimesNotSaidAreTwentyMillisecondsAndUpToAHundredAndTwenty() throws {
    let media = try Sample.answer(Sample.offer()).session.media[0]
    #expect(media.packetTimeMicroseconds == 20_000 && media.maxPacketTimeMicroseconds == 120_000)
  }

  @Test func theLowestBandwidthLimitOfEachKindHolds() throws {
    let lines = ["b=AS:500", "b=TIAS:400000", "b=AS:600", "b=RR:0", "b=X-YZ:1"]
    let answer = try Sample.answer(Sample.offer(video: Sample.videoLines + lines))
    #expect(answer.session.media[1].sendLimit == SendLimit(onWire: 500_000, payload: 400_000))
    #expect(answer.session.media[0].sendLimit == SendLimit() && answer.session.sendLimit == SendLimit())
  }

  @Test func aBandwidthLimitBeyondAllMeasureIsNoneThatIsFelt() throws {
    let answer = try Sample.answer(Sample.offer(video: Sample.videoLines + ["b=AS:18446744073709551615"]))
    #expect(answer.session.media[1].sendLimit.onWire == 1_000_000_000_000)
  }

  @Test(arguments: ["b=AS:0", "b=TIAS:0"]) func nothingIsSentWhereTheLimitIsZero(_ line: String) throws {
    let answer = try Sample.answer(Sample.offer(video: Sample.videoLines + [line]))
    #expect(answer.session.media[1].direction == .recvonly && answer.session.media[1].sendCodec == nil)
    #expect(answer.session.media[0].direction == .sendrecv)
  }

  @Test func whatAReceiverSaysOfItsOpusIsRead() {
    let said = OpusPreferences(
      FormatParameters(parsing: "maxaveragebitrate=20000; maxplaybackrate=16000; stereo=0; useinbandfec=1; usedtx=0"))
    #expect(said.bitsPerSecondMax == 20_000 && said.playbackRateMax == 16_000)
    #expect(said.prefersMono && said.prefersContinuous && said.usesInBandFEC)
    #expect(OpusPreferences(FormatParameters(parsing: "minptime=10")) == OpusPreferences())
  }

  @Test(arguments: ["0", "5999", "510001", "-1", "", "20000.5", "1e5", "99999999999999999999999", "٦٠٠٠", "20 000"])
  func anOpusRateOutOfRangeIsIgnored(_ value: String) {
    let said = OpusPreferences(
      FormatParameters(parsing: "maxaveragebitrate=\(value);maxplaybackrate=\(value);stereo=\(value)x"))
    #expect(said == OpusPreferences())
  }
}
