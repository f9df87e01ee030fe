import SDP
import Testing

/// What real clients offer is read whole, printed and answered.
struct FixtureTests {
  @Test(arguments: Fixture.allCases)
  func anOfferReadsThePrintedSameAgain(_ fixture: Fixture) throws {
    let offer = try fixture.parsed()
    #expect(!offer.media.isEmpty)
    #expect(try SessionDescription(parsing: offer.text) == offer)
  }

  @Test(arguments: Fixture.allCases)
  func noLineOfAnOfferIsLost(_ fixture: Fixture) throws {
    let original = String(decoding: fixture.bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(normalized)
    let printed = try fixture.parsed().text.split(whereSeparator: \.isNewline).map(normalized)
    #expect(original.sorted() == printed.sorted())
  }

  /// Transports of candidates are printed lower case, and a=msid-semantic without the space some write.
  private func normalized(_ line: Substring) -> String {
    if line.hasPrefix("a=candidate") { return line.lowercased() }
    return line.hasPrefix("a=msid-semantic: ") ? "a=msid-semantic:" + line.dropFirst(17) : String(line)
  }

  @Test(arguments: Fixture.withMedia)
  func anAnswerHasTheLinesOfItsOfferAndReadsTheSameAgain(_ fixture: Fixture) throws {
    let offer = try fixture.parsed()
    var answerer = Sample.answerer()
    let answer = try answerer.answer(to: offer, local: Sample.local, sources: Sample.source)
    #expect(try SessionDescription(parsing: answer.description.text) == answer.description)
    #expect(answer.description.media.map(\.mid) == offer.media.map(\.mid))
    #expect(answer.description.media.map(\.kind) == offer.media.map(\.kind))
    #expect(answer.description.media.map(\.transportProtocol) == offer.media.map(\.transportProtocol))
    #expect(answer.description.groups == offer.groups)
    #expect(answer.description.isICELite)
    #expect(answer.session.rejected.isEmpty)
    for (ours, theirs) in zip(answer.description.media, offer.media) {
      #expect(ours.port == 9)
      #expect(Set(ours.formats).isSubset(of: theirs.formats))
      #expect(ours.usesRTCPMux)
      #expect(ours.setup == (theirs.setup == .passive ? .active : .passive))
    }
  }

  @Test(arguments: Fixture.withMedia)
  func everyClientIsReachedByWhatItWrote(_ fixture: Fixture) throws {
    var answerer = Sample.answerer()
    let session = try answerer.answer(to: fixture.parsed(), local: Sample.local, sources: Sample.source).session
    #expect(session.remote.credentials.usernameFragment.utf8.count >= 4)
    #expect(session.remote.credentials.password.utf8.count >= 22)
    #expect(session.remote.fingerprints.first?.bytes?.count == 32)
    #expect(session.remote.candidates.allSatisfy { $0.component == 1 })
    #expect(session.media.filter { $0.type == .audio }.allSatisfy { $0.receiveCodecs.allSatisfy { $0.name != "VP8" } })
  }

  /// Chromium and Firefox offer parity in blocks on every line; it is taken where pictures of VP8 go to them alone.
  @Test(arguments: Fixture.withMedia)
  func parityIsAgreedOnWhereWeSendOnly(_ fixture: Fixture) throws {
    let offer = try fixture.parsed()
    let capabilities = MediaCapabilities(audio: [.opus()], video: [.vp8])
    var answerer = Sample.answerer(.participant, capabilities)
    let answer = try answerer.answer(to: offer, local: Sample.local, sources: Sample.source)
    for (line, media) in zip(answer.description.media, answer.session.media) {
      let names = line.payloads.compactMap { $0.mapping?.name.lowercased() }
      let isTaken = media.type == .video && [.chromiumRecvonly, .firefoxRecvonly].contains(fixture)
      #expect(names.count { $0 == "ulpfec" } == (isTaken ? 1 : 0), "\(names)")
      #expect(media.type == .audio || names.count { $0 == "red" } == (isTaken ? 1 : 0))
      #expect((media.sendCodec?.protection != nil) == isTaken)
      guard let protection = media.sendCodec?.protection else { continue }
      #expect(line.formats.contains("\(protection.block)") && line.formats.contains("\(protection.parity)"))
      if fixture == .chromiumRecvonly { #expect(protection == ProtectionPayloadTypes(block: 118, parity: 120)) }
    }
  }

  @Test func picturesOfOtherCodecsAreSentWithoutParity() throws {
    var answerer = Sample.answerer()
    let answer = try answerer.answer(to: Fixture.chromiumRecvonly.parsed(), local: Sample.local, sources: Sample.source)
    #expect(answer.session.media.allSatisfy { $0.sendCodec?.protection == nil })
    #expect(answer.session.media.contains { $0.sendCodec?.name == "H264" })
    #expect(!answer.description.text.contains("ulpfec"))
  }

  @Test func aDataChannelAloneHasNothingInCommonWithUs() throws {
    let offer = try Fixture.chromiumDataChannel.parsed()
    var answerer = Sample.answerer()
    let error = negotiationError { try answerer.answer(to: offer, local: Sample.local, sources: Sample.source) }
    guard case .noCommonCodec(let offered, let supported) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(offered == ["application UDP/DTLS/SCTP"])
    #expect(supported.contains("audio opus/48000/2") && supported.contains("video VP8/90000"))
    #expect(answerer.session == nil)
  }

  @Test func chromiumSendsOpusAndVP8AndReceivesOpusAndH264() throws {
    var answerer = Sample.answerer()
    let session = try answerer.answer(
      to: Fixture.chromiumSendrecv.parsed(), local: Sample.local, sources: Sample.source
    ).session
    #expect(session.localSetup == .passive)
    let audio = try #require(session.media.first)
    #expect(audio.direction == .sendrecv)
    #expect(audio.sendCodec?.name == "opus" && audio.sendCodec?.payloadType == 111)
    #expect(audio.receiveCodecs.map(\.payloadType) == [111, 0, 8])
    #expect(audio.receiveExtensionID(HeaderExtensionURI.audioLevel) == 1)
    #expect(audio.feedback == [.transportCC])
    #expect(audio.remoteSources.count == 1 && audio.remoteSources[0].cname != nil)
    let video = try #require(session.media.last)
    #expect(video.sendCodec?.name == "H264" && video.sendCodec?.retransmissionPayloadType != nil)
    #expect(video.sendCodec?.localParameters["profile-level-id"]?.hasPrefix("42e0") == true)
    #expect(video.receiveCodecs.first?.retransmissionPayloadType == 97)
    let others = ["VP8", "VP9", "AV1"]
    #expect(
      video.receiveCodecs.map(\.name)
        == ["VP8"] + Array(repeating: "H264", count: video.receiveCodecs.count - others.count) + ["VP9", "AV1"])
    #expect(video.feedback == [.nack, .pli, .fir, .remb, .transportCC])
    #expect(video.receiveExtensionID(HeaderExtensionURI.videoOrientation) == 13)
    #expect(video.reducedSizeRTCP)
    #expect(video.remoteSources.count == 1 && video.remoteSources[0].retransmissionSSRC != nil)
    #expect(video.remoteMSID != nil)
    #expect(video.localSource?.ssrc == 1_001)
  }

  @Test func chromiumSimulcastIsAnsweredWithItsLayersInOrder() throws {
    var answerer = Sample.answerer()
    let answer = try answerer.answer(to: Fixture.chromiumSimulcast.parsed(), local: Sample.local, sources: Sample.source)
    #expect(answer.session.media[1].receiveRIDs == ["q", "h", "f"])
    let text = answer.description.text
    #expect(text.contains("\r\na=rid:q recv\r\na=rid:h recv\r\na=rid:f recv\r\na=simulcast:recv q;h;f\r\n"))
    #expect(answer.session.media[1].receiveExtensionID(HeaderExtensionURI.rid) != nil)
  }

  @Test func chromiumThatOnlySendsIsOnlyReceived() throws {
    var answerer = Sample.answerer()
    let answer = try answerer.answer(to: Fixture.chromiumSendonly.parsed(), local: Sample.local, sources: Sample.source)
    #expect(answer.description.media.map(\.direction) == [.recvonly, .recvonly])
    #expect(answer.session.media.allSatisfy { $0.sendCodec == nil && $0.localSource == nil && !$0.receiveCodecs.isEmpty })
    #expect(answer.description.media.allSatisfy { $0.sources.isEmpty && $0.msids.isEmpty })
  }

  @Test func firefoxBundleOnlyLinesGetARealPort() throws {
    // As Firefox writes the line before it has gathered candidates: no transport of its own.
    var offer = try Fixture.firefoxRecvonly.parsed()
    offer.media[1].port = 0
    offer.media[1].isBundleOnly = true
    offer.media[1].candidates = []
    offer.media[1].usernameFragment = nil
    offer.media[1].password = nil
    offer.media[1].setup = nil
    offer = try SessionDescription(parsing: offer.text)
    #expect(offer.media[1].port == 0 && offer.media[1].isBundleOnly && !offer.media[1].isRejected)
    var answerer = Sample.answerer(.viewer)
    let answer = try answerer.answer(to: offer, local: Sample.local, sources: Sample.source)
    #expect(answer.description.media[1].port == 9)
    #expect(!answer.description.media[1].isBundleOnly)
    #expect(answer.session.media.map(\.direction) == [.sendonly, .sendonly])
    #expect(answer.session.media.map { $0.sendCodec?.payloadType } == [109, 120])
    // Firefox takes playout delay and levels of contributing sources, and sends neither.
    #expect(answer.session.media[1].sendExtensionID(HeaderExtensionURI.playoutDelay) == 6)
    #expect(answer.session.media[0].sendExtensionID(HeaderExtensionURI.csrcAudioLevel) == 2)
    #expect(answer.description.text.contains("a=extmap:6/sendonly \(HeaderExtensionURI.playoutDelay)\r\n"))
  }

  @Test func gstreamerPutsThePictureFirstAndIsUnderstood() throws {
    var answerer = Sample.answerer()
    let answer = try answerer.answer(to: Fixture.gstreamer.parsed(), local: Sample.local, sources: Sample.source)
    #expect(answer.session.media.map(\.type) == [.video, .audio])
    #expect(answer.session.media.map(\.mid) == ["video0", "audio1"])
    #expect(answer.session.media[1].receiveCodecs.map(\.name) == ["opus"])
    #expect(answer.session.media[0].feedback == [.pli, .fir])
    #expect(answer.session.remote.candidates.contains { $0.tcpType == "passive" && $0.port == 33175 })
    #expect(answer.description.media[1].port == 9)
  }

  @Test(arguments: [Fixture.ffmpegWHIP, .ffmpegWHIPActive])
  func ffmpegPublishesBaselineH264(_ fixture: Fixture) throws {
    var answerer = Sample.answerer(.publisher)
    let answer = try answerer.answer(to: fixture.parsed(), local: Sample.local, sources: Sample.source)
    #expect(answer.session.localSetup == (fixture == .ffmpegWHIP ? .active : .passive))
    #expect(answer.session.remote.candidates.isEmpty)
    let video = answer.session.media[1]
    #expect(video.direction == .recvonly)
    #expect(video.receiveCodecs.map(\.payloadType) == [106])
    #expect(video.receiveCodecs.first?.retransmissionPayloadType == 105)
    #expect(video.receiveCodecs.first?.localParameters["profile-level-id"] == "42001f")
    #expect(video.feedback == [.nack])
    let ssrc: UInt32 = fixture == .ffmpegWHIP ? 1_591_330_505 : 2_250_776_929
    #expect(video.remoteSources == [RemoteSource(ssrc: ssrc, retransmissionSSRC: ssrc + 1, cname: "FFmpeg")])
    // FFmpeg reads the first candidate only and wants UDP.
    let first = answer.description.text.split(separator: "\r\n").first { $0.hasPrefix("a=candidate:") }
    #expect(first == "a=candidate:1 1 udp 2130706431 127.0.0.1 8000 typ host")
  }

  @Test func aiortcGetsWhatItKnows() throws {
    var answerer = Sample.answerer()
    let answer = try answerer.answer(to: Fixture.aiortc.parsed(), local: Sample.local, sources: Sample.source)
    #expect(answer.session.remote.fingerprints.map(\.algorithm) == ["sha-256", "sha-384", "sha-512"])
    #expect(answer.session.remote.hasEndOfCandidates)
    #expect(answer.session.media[1].receiveCodecs.map(\.payloadType) == [97, 101, 99])
    #expect(answer.session.media[1].feedback == [.nack, .pli, .remb])
    #expect(!answer.session.media[1].reducedSizeRTCP)
  }
}
