import EncodedMedia
import ICE
import SDP
import SecureTransport

/// Makes offers for a client of a mixing server, and of their answers what a `PeerSession` needs: how a program speaks WebRTC by
/// this library without being a server.
///
///     offer(lines) ─text─▶ POST (WHIP, WHEP) ─answer─▶ apply ─▶ PeerSetup ─▶ PeerSession
///     restart()  ─fragment─▶ PATCH ─fragment─▶ apply(fragment:) ─▶ PeerSetup ─▶ PeerSession.update
///
/// The client controls ICE (RFC 8445 section 6.1.1) and, as servers answer, begins the DTLS handshake. `NetworkLoop.add` takes
/// the setup as it takes a server's. Whoever drives a `PeerSession` himself owns the socket: he hands every datagram that comes to
/// `PeerSession.receive`, calls `handleTimeout` at `nextDeadline`, sends what stands in `PeerOutputs.transmits`, and sends frames cut
/// by an `OutputPacketizer` of his own.
public struct PeerOfferer: Sendable {
  /// One m-line, from the client's side.
  public struct Line: Hashable, Sendable {
    public var kind: MediaKind
    public var sends: Bool
    public var receives: Bool

    public init(_ kind: MediaKind, sends: Bool, receives: Bool) {
      self.kind = kind
      self.sends = sends
      self.receives = receives
    }
  }

  private let certificate: DTLSCertificate
  private let candidates: [ICECandidate]
  private var offerer: Offerer
  private var sources: SourceMaker
  /// Our sources by m-line: later offers repeat them.
  private var made: [LocalSource] = []
  private var credentials: ICECredentials
  /// Those of a restart that is not answered yet.
  private var restarting: ICECredentials?
  private var setup: PeerSetup?

  /// - Parameters:
  ///   - candidates: where the client is reached; the first is of the driver's socket 0, the second of socket 1 …
  ///   - random: a cryptographically secure generator, but for simulations.
  public init(
    certificate: DTLSCertificate, candidates: [ICECandidate], capabilities: MediaCapabilities = .client,
    using random: inout some RandomNumberGenerator
  ) {
    self.certificate = certificate
    self.candidates = candidates
    offerer = Offerer(sessionID: random.next() >> 2, capabilities: capabilities)
    sources = SourceMaker(stream: "client", using: &random)
    credentials = ICECredentials(using: &random)
  }

  /// Makes an SDP offer. A later one of the same session repeats the lines of the first, changed or not, and may add some.
  public mutating func offer(_ lines: [Line]) -> String {
    while made.count < lines.count, let source = sources.make(lines[made.count].kind, hasRetransmission: true) {
      made.append(source)
    }
    let media = zip(lines, made).map { line, source in
      OfferedMedia(
        MediaType(line.kind), MediaDirection(sends: line.sends, receives: line.receives), source: line.sends ? source : nil)
    }
    return offerer.offer(media, local: localTransport(credentials)).text
  }

  /// Takes the answer to the last offer. One that is refused changes nothing.
  public mutating func apply(answer text: String) throws(PeerNegotiationError) -> PeerSetup {
    let answer: SessionDescription
    do { answer = try SessionDescription(parsing: text) } catch { throw .malformed(error) }
    var changed = offerer
    let session: NegotiatedSession
    do { session = try changed.apply(answer) } catch { throw .incompatible(error) }
    let setup = PeerSetup(
      iceRole: .controlling, localCredentials: credentials,
      remoteCredentials: try PeerNegotiator.credentials(session.remote.credentials),
      remoteCandidates: PeerNegotiator.candidates(session.remote.candidates), localCandidates: candidates,
      dtlsRole: session.localSetup == .active ? .active : .passive,
      remoteFingerprint: try PeerNegotiator.fingerprint(session.remote.fingerprints), certificate: certificate, session: session
    )
    offerer = changed
    self.setup = setup
    return setup
  }

  // MARK: ICE restart over HTTP (RFC 9725 section 4.3.3)

  /// A fragment that asks for an ICE restart: new credentials of ours and our candidates; nil before the first answer.
  public mutating func restart(using random: inout some RandomNumberGenerator) -> String? {
    guard let setup, let line = setup.session.media.first else { return nil }
    let new = ICECredentials(using: &random)
    restarting = new
    let local = localTransport(new)
    var fragment = TrickleFragment(credentials: local.credentials)
    fragment.sections = [.init(mid: line.mid, candidates: local.candidates, hasEndOfCandidates: true)]
    return fragment.text
  }

  /// Takes the server's answer to the fragment of `restart`.
  public mutating func apply(fragment text: String) throws(PeerNegotiationError) -> PeerSetup {
    let fragment: TrickleFragment
    do { fragment = try TrickleFragment(parsing: text) } catch { throw .malformed(error) }
    guard var changed = setup, let new = restarting, let attributes = fragment.credentials else {
      throw .unusable("A restart is answered by a fragment with a=ice-ufrag and a=ice-pwd, once it was asked for.")
    }
    changed.remoteCredentials = try PeerNegotiator.credentials(attributes)
    changed.session.remote.credentials = attributes
    changed.remoteCandidates = PeerNegotiator.candidates(fragment.candidates)
    changed.localCredentials = new
    credentials = new
    restarting = nil
    setup = changed
    return changed
  }

  private func localTransport(_ credentials: ICECredentials) -> LocalTransport {
    LocalTransport(
      credentials: CredentialAttributes(usernameFragment: credentials.ufrag, password: credentials.password),
      fingerprints: FingerprintAttribute(certificate.fingerprint).map { [$0] } ?? [],
      candidates: candidates.compactMap(CandidateAttribute.init))
  }
}

extension MediaCapabilities {
  /// Opus and VP8 both ways.
  public static let client = MediaCapabilities(audio: [.opus()], video: [.vp8])
  /// The same, and H.264 constrained baseline.
  public static let clientWithH264 = MediaCapabilities(audio: [.opus()], video: [.vp8, .h264(.constrainedBaseline)])
}
