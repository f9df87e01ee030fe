import EncodedMedia
import ICE
import SDP
import SecureTransport

/// All a peer session needs to know of an offer and its answer.
public struct PeerSetup: Sendable {
  /// Which side of ICE we are.
  public enum ICERole: Sendable {
    /// A server with a public address: answers checks.
    case lite
    /// A client: makes checks and nominates.
    case controlling
  }

  public var iceRole: ICERole
  public var localCredentials: ICECredentials
  public var remoteCredentials: ICECredentials
  public var remoteCandidates: [ICECandidate]
  /// Ours, by the number of the socket each belongs to; a full agent pairs them with the peer's.
  public var localCandidates: [ICECandidate] = []
  public var dtlsRole: DTLSRole
  public var remoteFingerprint: Fingerprint
  public var certificate: DTLSCertificate
  /// What may protect media, the most wanted first; the passive side of DTLS decides.
  public var srtpProfiles = SRTPProfile.byPreference
  /// What both sides agreed on, line by line.
  public var session: NegotiatedSession
  /// What it came from, kept for later offers of the same session.
  var answerer: Answerer?

  /// Whether media of this kind may come from the peer.
  public func receives(_ kind: MediaKind) -> Bool {
    session.media.contains { $0.type == MediaType(kind) && $0.direction.receives && !$0.receiveCodecs.isEmpty }
  }

  /// What the peer wants to be sent at most (`b=`), in bits per second with all headers, of pictures and of everything; nil where it
  /// does not say. Headers on pictures are few beside them: a limit of their payload is taken for one of all.
  public var bitsPerSecondMax: (pictures: Int?, all: Int?) {
    (session.media.first { $0.type == .video && $0.sendCodec != nil }?.sendLimit.least, session.sendLimit.least)
  }

  /// The line that sound is sent on; nil where none is.
  public var soundLine: NegotiatedMedia? { session.media.first { $0.type == .audio && $0.sendCodec != nil } }
  /// How the peer wants the Opus it is sent.
  public var opusPreferences: OpusPreferences {
    soundLine?.sendCodec.map { OpusPreferences($0.remoteParameters) } ?? OpusPreferences()
  }

  /// What is sent to the peer of this kind; nil where nothing is.
  public func sendCodec(_ kind: MediaKind) -> Codec? {
    session.media.first { $0.type == MediaType(kind) && $0.sendCodec != nil }?.sendCodec.flatMap { Codec(sdpName: $0.name) }
  }
}

extension MediaType {
  init(_ kind: MediaKind) { self = kind == .audio ? .audio : .video }
  var kind: MediaKind { self == .audio ? .audio : .video }
}

extension Codec {
  /// The codec SDP calls `name`, in whatever case.
  init?(sdpName name: String) {
    // As we write it ourselves, which is how those are named that were agreed on.
    if let codec = Codec(rawValue: name) {
      self = codec
      return
    }
    guard let codec = Codec.allCases.first(where: { $0.rawValue.lowercased() == name.lowercased() }) else { return nil }
    self = codec
  }
}
