import SDP
import Testing

/// The client's role, against the server's.
struct OffererTests {
  private func media(_ direction: MediaDirection) -> [OfferedMedia] {
    [MediaType.audio, .video].enumerated().map { index, type in
      OfferedMedia(
        type, direction,
        source: direction.sends
          ? LocalSource(
            ssrc: UInt32(10 + index), retransmissionSSRC: UInt32(20 + index), cname: "client",
            msid: MSIDAttribute(stream: "s", track: type.rawValue)) : nil)
    }
  }

  private let clientLocal: LocalTransport = {
    var local = Sample.local
    local.isICELite = false
    local.credentials = CredentialAttributes(usernameFragment: "clie", password: "abcdefghijklmnopqrstuv")
    return local
  }()

  private func negotiate(
    _ direction: MediaDirection, _ policy: AnswerPolicy = .participant, capabilities: MediaCapabilities = .mixer
  ) throws -> (client: NegotiatedSession, server: NegotiatedSession) {
    var offerer = Offerer(sessionID: 1, capabilities: capabilities)
    let offer = offerer.offer(media(direction), local: clientLocal)
    #expect(try SessionDescription(parsing: offer.text) == offer)
    var answerer = Sample.answerer(policy)
    let answer = try answerer.answer(
      to: SessionDescription(parsing: offer.text), local: Sample.local, sources: Sample.source)
    let client = try offerer.apply(SessionDescription(parsing: answer.description.text))
    return (client, answer.session)
  }

  @Test(arguments: [MediaDirection.sendrecv, .sendonly, .recvonly])
  func parityIsForPicturesThatComeOnly(_ direction: MediaDirection) throws {
    let (client, server) = try negotiate(direction, capabilities: MediaCapabilities(audio: [.opus()], video: [.vp8]))
    let received = client.media[1].receiveCodecs.compactMap(\.protection), sent = server.media[1].sendCodec?.protection
    #expect((sent != nil) == (direction == .recvonly) && received.isEmpty == (direction != .recvonly))
    #expect(received.allSatisfy { $0 == sent })
    #expect(client.media[0].receiveCodecs.allSatisfy { $0.protection == nil })
  }

  @Test(arguments: [MediaDirection.sendrecv, .sendonly, .recvonly])
  func bothSidesSettleOnTheSame(_ direction: MediaDirection) throws {
    let (client, server) = try negotiate(direction)
    #expect(client.media.map(\.direction) == server.media.map { $0.direction.reversed })
    #expect(client.media.map(\.direction) == [direction, direction])
    #expect(client.localSetup == .active && server.localSetup == .passive)
    #expect(client.remote.isICELite && !server.remote.isICELite)
    #expect(client.remote.credentials == Sample.credentials)
    #expect(server.remote.credentials == clientLocal.credentials)
    #expect(client.remote.candidates == [Sample.udp, Sample.tcp])
    for (ours, theirs) in zip(client.media, server.media) {
      #expect(ours.mid == theirs.mid)
      #expect(
        theirs.sendCodec.map { ours.receiveCodecs.map(\.payloadType).contains($0.payloadType) } ?? !ours.direction.receives)
      #expect(ours.sendCodec.map { theirs.receiveCodecs.map(\.payloadType).contains($0.payloadType) } ?? !ours.direction.sends)
      #expect(ours.sendExtensions == theirs.receiveExtensions && ours.receiveExtensions == theirs.sendExtensions)
      #expect(ours.remoteSources.map(\.ssrc) == [theirs.localSource?.ssrc].compactMap { $0 })
      #expect(theirs.remoteSources.map(\.ssrc) == [ours.localSource?.ssrc].compactMap { $0 })
      #expect(ours.sendCodec?.feedback == theirs.receiveCodecs.first?.feedback)
      #expect(ours.reducedSizeRTCP && theirs.reducedSizeRTCP)
    }
    if direction.sends {
      #expect(client.media[1].sendCodec?.name == "H264" && client.media[1].sendCodec?.retransmissionPayloadType != nil)
      #expect(server.media[1].remoteSources.map(\.retransmissionSSRC) == [21])
      #expect(client.media[1].feedback == [.nack, .pli, .fir, .remb, .transportCC])
    }
  }

  @Test func aServerThatOnlyReceivesIsUnderstood() throws {
    let (client, server) = try negotiate(.sendrecv, .publisher)
    #expect(client.media.map(\.direction) == [.sendonly, .sendonly])
    #expect(server.media.map(\.direction) == [.recvonly, .recvonly])
    #expect(client.media.allSatisfy { $0.receiveCodecs.isEmpty && $0.remoteSources.isEmpty })
  }

  @Test func payloadTypesAndExtensionNumbersAreOneOfEach() throws {
    var offerer = Offerer(sessionID: 1, capabilities: .mixer)
    let offer = offerer.offer(media(.sendrecv), local: clientLocal)
    let types = offer.media.flatMap(\.formats)
    #expect(Set(types).count == types.count)
    var ids: [String: UInt16] = [:]
    for entry in offer.media.flatMap(\.extensions) {
      #expect(ids.updateValue(entry.id, forKey: entry.uri) ?? entry.id == entry.id)
    }
    #expect(Set(ids.values).count == ids.count && ids.values.allSatisfy { (1...14).contains($0) })
    #expect(offer.media[0].payload(0).mapping?.name == "PCMU")
  }

  @Test func aLineWithoutASourceIsNotSent() {
    #expect(OfferedMedia(.audio, .sendrecv).direction == .recvonly)
    #expect(OfferedMedia(.audio, .sendonly).direction == .inactive)
  }

  @Test func newCredentialsInBothDescriptionsAreARestart() throws {
    var offerer = Offerer(sessionID: 1, capabilities: .mixer)
    var answerer = Sample.answerer()
    let first = offerer.offer(media(.sendrecv), local: clientLocal)
    _ = try offerer.apply(answerer.answer(to: first, local: Sample.local, sources: Sample.source).description)
    var client = clientLocal
    client.credentials = CredentialAttributes(usernameFragment: "clix", password: "0bcdefghijklmnopqrstuv")
    var server = Sample.local
    server.credentials = CredentialAttributes(usernameFragment: "serx", password: "x123456789abcdefghijkl")
    let second = offerer.offer(media(.sendrecv), local: client)
    #expect(second.origin.version == first.origin.version + 1)
    #expect(try answerer.isICERestart(second))
    let answer = try answerer.answer(to: second, local: server, sources: Sample.source)
    let session = try offerer.apply(answer.description)
    #expect(session.isICERestart && answer.session.isICERestart)
    #expect(session.remote.credentials == server.credentials)
  }

  @Test func anAnswerThatDoesNotFitIsRefusedAndChangesNothing() throws {
    var offerer = Offerer(sessionID: 1, capabilities: .mixer)
    let early = try SessionDescription(parsing: Sample.offer())
    #expect(negotiationError { try offerer.apply(early) } == .answerDoesNotFit("no offer waits for one"))
    let offer = offerer.offer(media(.sendrecv), local: clientLocal)
    var answerer = Sample.answerer()
    let good = try answerer.answer(to: offer, local: Sample.local, sources: Sample.source).description
    func refused(_ change: (inout SessionDescription) -> Void) -> NegotiationError? {
      var bad = good
      change(&bad)
      let error = negotiationError { try offerer.apply(bad) }
      #expect(offerer.session == nil)
      return error
    }
    #expect(refused { $0.media.removeLast() } != nil)
    #expect(refused { $0.media.swapAt(0, 1) } != nil)
    #expect(refused { $0.media[0].mid = "9" } != nil)
    #expect(refused { $0.groups = [] } != nil)
    #expect(refused { $0.media[0].usesRTCPMux = false } != nil)
    #expect(refused { $0.media[0].setup = .actpass } == .unsupportedSetup)
    #expect(refused { $0.media[0].fingerprints = [] } == .missingFingerprint)
    #expect(
      refused { description in
        for index in description.media.indices {
          description.media[index].usernameFragment = nil
          description.media[index].password = nil
        }
      } == .missingICECredentials)
    #expect(
      refused { description in
        for index in description.media.indices { description.media[index].port = 0 }
      } != nil)
    #expect(try offerer.apply(good).media.count == 2)
  }

  @Test func aRejectedLineLeavesTheOther() throws {
    var offerer = Offerer(sessionID: 1, capabilities: .mixer)
    let offer = offerer.offer(media(.sendrecv), local: clientLocal)
    var answerer = Sample.answerer(.participant, MediaCapabilities(audio: [.opus()], video: []))
    let answer = try answerer.answer(to: offer, local: Sample.local, sources: Sample.source)
    let session = try offerer.apply(answer.description)
    #expect(session.media.map(\.type) == [.audio])
    #expect(session.rejected.map(\.index) == [1])
  }
}
