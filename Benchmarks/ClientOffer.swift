import EncodedMedia
import ICE
import RTP
import RTPStreams
import SDP
import SecureTransport
import WebRTCTransport

/// The offering side of one session: a participant who sends Opus and VP8 and receives the same.
struct ClientOffer {
  let certificate: DTLSCertificate
  let credentials: ICECredentials
  /// The offer, to be sent to the server.
  let text: String
  private var offerer: Offerer

  /// - Parameter number: different for each client; its sources are named by it.
  init(number: Int, direction: MediaDirection = .sendrecv, certificate: DTLSCertificate) {
    var random = SystemRandomNumberGenerator()
    self.certificate = certificate
    credentials = ICECredentials(using: &random)
    offerer = Offerer(sessionID: UInt64(number + 1), capabilities: .server)
    let lines = [MediaType.audio, .video].enumerated().map { index, type in
      OfferedMedia(
        type, direction,
        source: direction.sends
          ? LocalSource(
            ssrc: UInt32(1000 + number * 4 + index), retransmissionSSRC: type == .video ? UInt32(1002 + number * 4) : nil,
            cname: "client-\(number)", msid: MSIDAttribute(stream: "client", track: type.rawValue)) : nil)
    }
    let fingerprint = certificate.fingerprint.description.split(separator: " ").map(String.init)
    let local = LocalTransport(
      credentials: CredentialAttributes(usernameFragment: credentials.ufrag, password: credentials.password),
      fingerprints: [FingerprintAttribute(algorithm: fingerprint[0], value: fingerprint[1])])
    text = offerer.offer(lines, local: local).text
  }

  /// What both sides agreed on, by the server's answer.
  mutating func accept(_ answer: String) throws -> NegotiatedSession {
    try offerer.apply(SessionDescription(parsing: answer))
  }

  /// What the network loop needs to take up the session as a client.
  mutating func setup(accepting answer: String, from address: TransportAddress) throws -> PeerSetup {
    let session = try accept(answer)
    var random = SystemRandomNumberGenerator()
    // A setup is made by answering only: ours begins as the answer to our own offer.
    var setup = try PeerNegotiator(certificate: certificate, candidates: []).answer(text, direction: .both, using: &random)
      .setup
    guard let remote = ICECredentials(session.remote.credentials), let fingerprint = session.remote.fingerprint else {
      throw BenchmarkError("the server's answer has no credentials or fingerprint")
    }
    setup.iceRole = .controlling
    setup.localCredentials = credentials
    setup.remoteCredentials = remote
    setup.localCandidates = [.host(address)]
    setup.remoteCandidates = session.remote.candidates.compactMap { candidate in
      let text = candidate.text
      return (try? ICECandidate.parse(text.hasPrefix("candidate:") ? text : "candidate:" + text)) ?? nil
    }
    setup.dtlsRole = .active
    setup.remoteFingerprint = fingerprint
    setup.session = session
    return setup
  }
}

extension ICECredentials {
  init?(_ attributes: CredentialAttributes) {
    self.init(ufrag: attributes.usernameFragment, password: attributes.password)
  }
}

extension RemoteTransport {
  /// The first fingerprint of a hash we know.
  var fingerprint: Fingerprint? { fingerprints.lazy.compactMap { Fingerprint("\($0.algorithm) \($0.value)") }.first }
}

extension SendStream {
  /// The stream sent on a negotiated line; nil where nothing is sent.
  init?(_ media: NegotiatedMedia, using random: inout some RandomNumberGenerator) {
    guard let negotiated = media.sendCodec, let source = media.localSource,
      let codec = Codec.allCases.first(where: { $0.rawValue.lowercased() == negotiated.name.lowercased() })
    else { return nil }
    var payloadTypes = PayloadTypeMap()
    payloadTypes[negotiated.payloadType] = .media(codec)
    var extensions = HeaderExtensionMap()
    for known in media.sendExtensions {
      if let kind = HeaderExtensionKind(uri: known.uri) { extensions[kind] = known.id }
    }
    self.init(
      .init(
        source: SSRC(source.ssrc), kind: codec.kind, payloadTypes: payloadTypes, extensionMap: extensions,
        mid: media.mid.flatMap { ShortToken($0) }, using: &random))
  }
}
