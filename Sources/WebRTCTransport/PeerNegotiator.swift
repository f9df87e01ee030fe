import EncodedMedia
import ICE
import SDP
import SecureTransport

/// Which way media may flow, from our side, whatever the offer would allow.
public enum AnswerDirection: Sendable {
  /// The peer publishes.
  case receiveOnly
  /// The peer watches.
  case sendOnly
  case both
}

/// An answer and what it means for the transport.
public struct PeerAnswer: Sendable {
  /// The SDP answer.
  public var text: String
  public var setup: PeerSetup
  /// Opaque name of the ICE session, new with each restart (RFC 9725 section 4.3.1).
  public var entityTag: String
}

/// Why an offer or fragment came to nothing.
public enum PeerNegotiationError: Error, Sendable {
  /// The text does not parse.
  case malformed(SDPError)
  /// It parses, and the two sides cannot talk.
  case incompatible(NegotiationError)
  /// It holds credentials, candidates or fingerprints that cannot be used; the sentence says which.
  case unusable(String)
}

/// Answers offers for a server with one port for everybody: ICE-lite, DTLS passive, everything bundled.
///
/// A value without state: whatever belongs to one peer is in its `PeerSetup`.
public struct PeerNegotiator: Sendable {
  private let certificate: DTLSCertificate
  private let candidates: [ICECandidate]
  private let capabilities: MediaCapabilities

  /// - Parameters:
  ///   - candidates: where the server is reached, the best first; the same for every peer.
  ///   - capabilities: what can be received and sent; decides what the answer takes of an offer.
  public init(certificate: DTLSCertificate, candidates: [ICECandidate], capabilities: MediaCapabilities = .server) {
    self.certificate = certificate
    self.candidates = candidates
    self.capabilities = capabilities
  }

  /// Answers a first offer.
  ///
  /// - Parameter random: a cryptographically secure generator, but for simulations.
  public func answer(
    _ offer: String, direction: AnswerDirection, using random: inout some RandomNumberGenerator
  ) throws(PeerNegotiationError) -> PeerAnswer {
    let policy: AnswerPolicy =
      switch direction {
      case .receiveOnly: .publisher
      case .sendOnly: .viewer
      case .both: .participant
      }
    let answerer = Answerer(
      sessionID: random.next() >> 2, capabilities: capabilities, policy: policy)
    return try answer(offer, answerer: answerer, credentials: ICECredentials(using: &random), using: &random)
  }

  /// Answers a later offer of the same session: other lines, other directions, or an ICE restart.
  public func answer(
    reoffer: String, to setup: PeerSetup, using random: inout some RandomNumberGenerator
  ) throws(PeerNegotiationError) -> PeerAnswer {
    guard let answerer = setup.answerer else { throw .unusable("This session was not begun by an offer to us.") }
    let parsed = try parse(reoffer)
    let restarts: Bool
    do { restarts = try answerer.isICERestart(parsed) } catch { throw .incompatible(error) }
    let credentials = restarts ? ICECredentials(using: &random) : setup.localCredentials
    return try answer(reoffer, answerer: answerer, credentials: credentials, using: &random)
  }

  private func parse(_ text: String) throws(PeerNegotiationError) -> SessionDescription {
    do { return try SessionDescription(parsing: text) } catch { throw .malformed(error) }
  }

  private func answer(
    _ offer: String, answerer: consuming Answerer, credentials: ICECredentials, using random: inout some RandomNumberGenerator
  ) throws(PeerNegotiationError) -> PeerAnswer {
    let parsed = try parse(offer)
    var sources = SourceMaker(using: &random)
    let result: Answer
    do {
      result = try answerer.answer(to: parsed, local: localTransport(credentials)) { request in sources.make(request) }
    } catch {
      throw .incompatible(error)
    }
    let setup = try makeSetup(result.session, credentials: credentials, answerer: answerer)
    return PeerAnswer(text: result.description.text, setup: setup, entityTag: credentials.ufrag)
  }

  private func localTransport(_ credentials: ICECredentials) -> LocalTransport {
    LocalTransport(
      credentials: CredentialAttributes(usernameFragment: credentials.ufrag, password: credentials.password),
      fingerprints: FingerprintAttribute(certificate.fingerprint).map { [$0] } ?? [],
      candidates: candidates.compactMap { CandidateAttribute($0) }, isICELite: true)
  }

  private func makeSetup(
    _ session: NegotiatedSession, credentials: ICECredentials, answerer: Answerer
  ) throws(PeerNegotiationError) -> PeerSetup {
    PeerSetup(
      iceRole: .lite, localCredentials: credentials, remoteCredentials: try Self.credentials(session.remote.credentials),
      remoteCandidates: Self.candidates(session.remote.candidates),
      dtlsRole: session.localSetup == .active ? .active : .passive,
      remoteFingerprint: try Self.fingerprint(session.remote.fingerprints), certificate: certificate, session: session,
      answerer: answerer)
  }

  static func credentials(_ attributes: CredentialAttributes) throws(PeerNegotiationError) -> ICECredentials {
    guard let credentials = ICECredentials(ufrag: attributes.usernameFragment, password: attributes.password) else {
      throw .unusable("a=ice-ufrag must be 4 to 256 and a=ice-pwd 22 to 256 letters, digits, + or /.")
    }
    return credentials
  }

  static func fingerprint(_ attributes: [FingerprintAttribute]) throws(PeerNegotiationError) -> Fingerprint {
    for attribute in attributes {
      if let fingerprint = Fingerprint("\(attribute.algorithm) \(attribute.value)") { return fingerprint }
    }
    throw .unusable("a=fingerprint must be of sha-256, sha-384 or sha-512 with as many bytes as the hash has.")
  }

  /// Those a session can use; names and mDNS addresses are passed over, never resolved.
  static func candidates(_ attributes: [CandidateAttribute]) -> [ICECandidate] {
    attributes.compactMap { attribute in (try? ICECandidate.parse("candidate:" + attribute.text)) ?? nil }
  }
}

// MARK: - Trickle and restart over HTTP (RFC 9725 section 4.3)

/// What a trickled fragment changed.
public struct FragmentOutcome: Sendable {
  public struct Restart: Sendable {
    /// Our new credentials and candidates, as a fragment for the peer.
    public var fragment: String
    public var entityTag: String
  }
  public var setup: PeerSetup
  /// Nil where the fragment brought candidates only.
  public var restart: Restart?
}

extension PeerNegotiator {
  /// Applies a trickled fragment (RFC 8840): candidates, or with new credentials an ICE restart.
  public func apply(
    fragment text: String, to setup: PeerSetup, using random: inout some RandomNumberGenerator
  ) throws(PeerNegotiationError) -> FragmentOutcome {
    let fragment: TrickleFragment
    do { fragment = try TrickleFragment(parsing: text) } catch { throw .malformed(error) }
    var changed = setup
    let candidates = Self.candidates(fragment.candidates)
    guard let attributes = fragment.credentials, attributes != setup.session.remote.credentials else {
      changed.remoteCandidates += candidates.prefix(max(0, 64 - changed.remoteCandidates.count))
      return FragmentOutcome(setup: changed, restart: nil)
    }
    changed.remoteCredentials = try Self.credentials(attributes)
    changed.session.remote.credentials = attributes
    changed.remoteCandidates = Array(candidates.prefix(64))
    changed.localCredentials = ICECredentials(using: &random)
    let ours = CredentialAttributes(
      usernameFragment: changed.localCredentials.ufrag, password: changed.localCredentials.password)
    var answer = TrickleFragment(credentials: ours)
    answer.isICELite = true
    if let line = fragment.sections.first {
      answer.sections = [
        .init(
          mediaLine: line.mediaLine, mid: line.mid,
          candidates: localTransport(changed.localCredentials).candidates, hasEndOfCandidates: true)
      ]
    }
    return FragmentOutcome(
      setup: changed, restart: .init(fragment: answer.text, entityTag: changed.localCredentials.ufrag))
  }
}

// MARK: - What is said of ourselves

/// Makes up the sources a session sends from: one canonical name for its sound and picture (RFC 7022).
struct SourceMaker: Sendable {
  private let cname: String
  private let stream: String
  private var numbers: [UInt32]

  /// - Parameter stream: what the other side shows the sound and the picture as.
  init(stream: String = "mix", using random: inout some RandomNumberGenerator) {
    self.stream = stream
    cname = String(random.next(), radix: 36)
    numbers = (0..<32).map { _ in UInt32.random(in: 1 ... .max, using: &random) }
  }

  mutating func make(_ request: SourceRequest) -> LocalSource? {
    make(request.type.kind, hasRetransmission: request.codec.retransmissionPayloadType != nil)
  }

  /// Nil once it has made up all it was asked for at the start.
  mutating func make(_ kind: MediaKind, hasRetransmission: Bool) -> LocalSource? {
    guard numbers.count >= 2 else { return nil }
    let retransmission = hasRetransmission ? numbers.removeLast() : nil
    return LocalSource(
      ssrc: numbers.removeLast(), retransmissionSSRC: retransmission, cname: cname,
      msid: MSIDAttribute(stream: stream, track: "\(stream)-\(kind.rawValue)"))
  }
}

extension CandidateAttribute {
  init?(_ candidate: ICECandidate) { self.init(parsing: candidate.description.dropFirst("candidate:".count)) }
}

extension FingerprintAttribute {
  init?(_ fingerprint: Fingerprint) {
    let parts = fingerprint.description.split(separator: " ")
    guard parts.count == 2 else { return nil }
    self.init(algorithm: String(parts[0]), value: String(parts[1]))
  }
}

extension MediaCapabilities {
  /// Opus, and the pictures of a mixer.
  public static let server = MediaCapabilities(audio: [.opus()], video: mixer.video)
}
