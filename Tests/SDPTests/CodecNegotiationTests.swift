import SDP
import Testing

/// Codecs, their parameters and feedback, header extensions and simulcast layers.
struct CodecNegotiationTests {
  private func video(_ formats: String, _ lines: [String]) -> String {
    let kept = Sample.videoLines.filter { !$0.hasPrefix("m=") && !$0.hasPrefix("a=rtpmap") && !$0.hasPrefix("a=fmtp") }
    return Sample.offer(video: ["m=video 9 UDP/TLS/RTP/SAVPF \(formats)"] + kept + lines)
  }

  @Test func ourOrderOfPreferenceDecides() throws {
    let answer = try Sample.answer(
      video(
        "102 98 96",
        [
          "a=rtpmap:102 H264/90000", "a=fmtp:102 packetization-mode=1;profile-level-id=42e01f", "a=rtpmap:98 VP9/90000",
          "a=rtpmap:96 vp8/90000",
        ]))
    #expect(answer.description.media[1].formats == ["96", "102", "98"])
    // What we would rather have is not what we would rather send.
    #expect(answer.session.media[1].receiveCodecs.map(\.name) == ["VP8", "H264", "VP9"])
    #expect(answer.session.media[1].sendCodec?.name == "H264")
  }

  @Test func vp9IsSentWhereThereIsNothingElse() throws {
    let offer = video(
      "98 100 45",
      [
        "a=rtpmap:98 VP9/90000", "a=fmtp:98 profile-id=2", "a=rtpmap:100 VP9/90000", "a=fmtp:100 profile-id=0",
        "a=rtpmap:45 AV1/90000",
      ])
    let media = try Sample.answer(offer).session.media[1]
    #expect(media.sendCodec?.name == "VP9" && media.sendCodec?.payloadType == 100)
    #expect(media.receiveCodecs.map(\.payloadType) == [100, 45])
  }

  @Test func av1IsReceivedInItsMainProfileOnly() throws {
    for (parameters, isTaken) in [
      ("", true), ("profile=0;level-idx=5;tier=0", true), ("profile=1", false), ("profile=2", false),
    ] {
      let lines = ["a=rtpmap:45 AV1/90000"] + (parameters.isEmpty ? [] : ["a=fmtp:45 \(parameters)"])
      let media = try Sample.answer(video("45", lines), policy: .publisher).session.media.first { $0.type == .video }
      #expect((media != nil) == isTaken)
    }
    let media = try Sample.answer(video("45", ["a=rtpmap:45 AV1/90000"])).session.media[1]
    #expect(media.direction == .recvonly && media.sendCodec == nil)
  }

  @Test func aCodecWeOnlyReceiveIsNotSent() throws {
    let offer = video("102", ["a=rtpmap:102 H264/90000", "a=fmtp:102 packetization-mode=1;profile-level-id=640c1f"])
    let media = try Sample.answer(offer).session.media[1]
    #expect(media.direction == .recvonly && media.sendCodec == nil && media.receiveCodecs.map(\.name) == ["H264"])
    #expect(try Sample.answer(offer, policy: .viewer).session.rejected.map(\.reason) == [.noCommonCodec])
  }

  @Test(arguments: [
    ("42e01f", true), ("42001f", true), ("42c01e", true), ("4d001f", true), ("4D0028", true), ("640c1f", true),
    ("640032", true),
    ("58c01f", true), ("58001f", false), ("f4001f", false), ("6e001f", false), ("42e0", false), ("zzzzzz", false),
  ])
  func profilesWeDecodeAreTaken(_ profile: String, _ isTaken: Bool) throws {
    let offer = video("102", ["a=rtpmap:102 H264/90000", "a=fmtp:102 packetization-mode=1;profile-level-id=\(profile)"])
    let media = try Sample.answer(offer, policy: .publisher).session.media.first { $0.type == .video }
    #expect((media != nil) == isTaken)
  }

  @Test func packetizationModesOtherThanOneAreLeftOut() throws {
    let offer = video(
      "102 104 106",
      [
        "a=rtpmap:102 H264/90000", "a=fmtp:102 profile-level-id=42e01f", "a=rtpmap:104 H264/90000",
        "a=fmtp:104 packetization-mode=0;profile-level-id=42e01f", "a=rtpmap:106 H264/90000",
        "a=fmtp:106 profile-level-id=42e01f; packetization-mode=1",
      ])
    #expect(try Sample.answer(offer).session.media[1].receiveCodecs.map(\.payloadType) == [106])
  }

  @Test func theLevelIsOursOnlyWhereBothMayDiffer() throws {
    func level(_ parameters: String) throws -> String? {
      let answer = try Sample.answer(
        video("102", ["a=rtpmap:102 H264/90000", "a=fmtp:102 packetization-mode=1;\(parameters)"]))
      return answer.session.media[1].receiveCodecs.first?.localParameters["profile-level-id"]
    }
    #expect(try level("profile-level-id=42e034;level-asymmetry-allowed=1") == "42e01f")
    #expect(try level("profile-level-id=42e034") == "42e01f")
    #expect(try level("profile-level-id=42e00d") == "42e00d")
  }

  @Test func retransmissionBelongsToItsCodec() throws {
    let offer = video(
      "96 97 98 99",
      [
        "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=98", "a=rtpmap:98 VP9/90000", "a=rtpmap:99 RTX/90000",
        "a=fmtp:99 rtx-time=3000; apt=96",
      ])
    let answer = try Sample.answer(offer)
    #expect(answer.session.media[1].sendCodec?.retransmissionPayloadType == 99)
    #expect(answer.description.media[1].formats == ["96", "99", "98", "97"])
    #expect(answer.session.media[1].receiveCodec(payloadType: 99)?.name == "VP8")
    #expect(answer.session.media[1].receiveCodec(payloadType: 97)?.name == "VP9")
  }

  @Test func feedbackIsWhatBothKnow() throws {
    let lines = [
      "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack", "a=rtcp-fb:* ccm fir", "a=rtcp-fb:96 ccm tmmbr", "a=rtcp-fb:96 nack rpsi",
    ]
    let answer = try Sample.answer(video("96", lines))
    #expect(answer.session.media[1].feedback == [.nack, .fir, .pli])
    #expect(answer.description.media[1].payloads[0].feedback == [.fir, .nack, .pli])
  }

  @Test func transportWideFeedbackNeedsItsHeaderExtension() throws {
    let lines = ["a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 transport-cc"]
    #expect(try Sample.answer(video("96", lines)).session.media[1].feedback == [.pli])
    let extended = lines + ["a=extmap:3 \(HeaderExtensionURI.transportCC)"]
    #expect(try Sample.answer(video("96", extended)).session.media[1].feedback == [.pli, .transportCC])
  }

  @Test func opusParametersAnswerTheOffer() throws {
    func answered(_ parameters: String) throws -> NegotiatedCodec? {
      try Sample.answer(Sample.offer(audio: Sample.audioLines + ["a=fmtp:111 \(parameters)"])).session.media[0].sendCodec
    }
    #expect(try answered("minptime=10;useinbandfec=1")?.localParameters.description == "minptime=10;useinbandfec=1")
    #expect(
      try answered("stereo=1; usedtx=1;maxaveragebitrate=24000")?.localParameters.description
        == "minptime=10;useinbandfec=1;stereo=1;usedtx=1")
    #expect(try answered("stereo=0")?.localParameters["stereo"] == nil)
    let remote = try answered("MaxAverageBitrate=24000;maxplaybackrate=x;cbr")?.remoteParameters
    #expect(remote?.number("maxaveragebitrate") == 24_000)
    #expect(remote?.number("maxplaybackrate") == nil && remote?.flag("cbr") == false)
  }

  @Test func opusOfOtherClocksOrChannelsIsNotOpus() throws {
    let lines = Sample.audioLines.map { $0 == "a=rtpmap:111 opus/48000/2" ? "a=rtpmap:111 opus/48000" : $0 }
    #expect(try Sample.answer(Sample.offer(audio: lines)).session.media[0].receiveCodecs.map(\.name) == ["PCMU"])
  }

  @Test func extensionsKeepTheOffersNumbersAndTurnTheirDirections() throws {
    let lines = [
      "a=extmap:7 \(HeaderExtensionURI.mid)", "a=extmap:2/sendonly \(HeaderExtensionURI.audioLevel)",
      "a=extmap:5/recvonly \(HeaderExtensionURI.csrcAudioLevel)", "a=extmap:3 urn:unknown",
      "a=extmap:15 \(HeaderExtensionURI.absoluteSendTime)", "a=extmap:7 \(HeaderExtensionURI.transportCC)",
      "a=extmap:9 \(HeaderExtensionURI.mid)",
    ]
    let answer = try Sample.answer(Sample.offer(audio: Sample.audioLines + lines))
    let media = answer.session.media[0]
    #expect(media.receiveExtensions.map(\.id) == [7, 2] && media.sendExtensions.map(\.id) == [7, 5])
    #expect(
      answer.description.media[0].extensions == [
        ExtmapAttribute(id: 7, uri: HeaderExtensionURI.mid),
        ExtmapAttribute(id: 2, direction: .recvonly, uri: HeaderExtensionURI.audioLevel),
        ExtmapAttribute(id: 5, direction: .sendonly, uri: HeaderExtensionURI.csrcAudioLevel),
      ])
  }

  @Test func bothFormsOfExtensionsAreMixedOnlyWhereOffered() throws {
    #expect(try !Sample.answer(Sample.offer()).description.allowsMixedExtensionForms)
    let offer = Sample.offer(session: ["a=group:BUNDLE 0 1", "a=extmap-allow-mixed"])
    #expect(try Sample.answer(offer).description.allowsMixedExtensionForms)
  }

  private let ridExtension = "a=extmap:10 \(HeaderExtensionURI.rid)"

  @Test func fourLayersAreTakenAndPausedOnesToo() throws {
    let rids = ["a", "b", "c", "d", "e"].map { "a=rid:\($0) send" }
    let answer = try Sample.answer(
      Sample.offer(video: Sample.videoLines + [ridExtension] + rids + ["a=simulcast:send a,e;~b;c;d;e"]))
    #expect(answer.session.media[1].receiveRIDs == ["a", "b", "c", "d"])
    #expect(answer.description.text.contains("a=simulcast:recv a;b;c;d\r\n"))
  }

  @Test func theOlderWayToWriteSimulcastIsRead() throws {
    let lines = [ridExtension, "a=rid:hi send", "a=rid:lo send", "a=simulcast: send rid=hi;lo"]
    #expect(try Sample.answer(Sample.offer(video: Sample.videoLines + lines)).session.media[1].receiveRIDs == ["hi", "lo"])
  }

  @Test func layersWithoutTheirHeaderExtensionOrTheirCodecAreLeftOut() throws {
    let plain = ["a=rid:a send", "a=rid:b send", "a=simulcast:send a;b"]
    let answer = try Sample.answer(Sample.offer(video: Sample.videoLines + plain))
    #expect(answer.session.media[1].receiveRIDs.isEmpty && !answer.description.text.contains("simulcast"))
    let restricted = [
      ridExtension, "a=rid:a send pt=98", "a=rid:b send pt=96,98;max-width=640", "a=rid:r recv", "a=simulcast:send a;b;r;x",
    ]
    let second = try Sample.answer(Sample.offer(video: Sample.videoLines + restricted))
    #expect(second.session.media[1].receiveRIDs == ["b"])
    #expect(second.description.text.contains("a=rid:b recv pt=96;max-width=640\r\n"))
  }

  @Test func theOlderLayersBySSRCAreTold() throws {
    let lines = ["a=ssrc-group:SIM 1 2 3", "a=ssrc-group:FID 1 11"] + [1, 2, 3, 11].map { "a=ssrc:\($0) cname:c" }
    let media = try Sample.answer(Sample.offer(video: Sample.videoLines + lines)).session.media[1]
    #expect(media.simulcastSSRCs == [1, 2, 3])
    #expect(media.remoteSources.map(\.ssrc) == [1, 2, 3] && media.remoteSources[0].retransmissionSSRC == 11)
  }

  @Test func redundancyIsTakenWhereItIsOfOpusAlone() throws {
    func answer(_ parameters: String) throws -> NegotiatedMedia {
      let lines = Sample.audioLines.filter { !$0.hasPrefix("m=") }
      return try Sample.answer(
        Sample.offer(
          audio: ["m=audio 9 UDP/TLS/RTP/SAVPF 111 63"] + lines + ["a=rtpmap:63 red/48000/2"]
            + (parameters.isEmpty ? [] : ["a=fmtp:63 \(parameters)"]))
      ).session.media[0]
    }
    for taken in ["111/111", "111", "111/111/111"] {
      let media = try answer(taken)
      #expect(media.sendCodec?.redundancyPayloadType == 63 && media.receiveCodec(payloadType: 63)?.name == "opus")
    }
    for refused in ["", "111/0", "0/5", "x", "111=111"] {
      #expect(try answer(refused).sendCodec?.redundancyPayloadType == nil, "\(refused)")
    }
  }
}
