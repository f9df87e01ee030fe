/// What both sides agreed on, seen from this side: all a transport needs to know of two descriptions.
public struct NegotiatedSession: Hashable, Sendable {
  /// How the other side is reached and known.
  public var remote: RemoteTransport
  /// `active`: we send the ClientHello; `passive`: we wait for it.
  public var localSetup: SetupRole
  /// The accepted lines, in order.
  public var media: [NegotiatedMedia]
  /// The lines that are not used, in order, each with the reason.
  public var rejected: [RejectedMedia]
  /// Whether this description asks for an ICE restart of a session that ran before.
  public var isICERestart: Bool
  /// The most the other side wants to receive on all lines together (`b=` of the session part).
  public var sendLimit = SendLimit()

  /// The accepted line with this `a=mid`.
  public func media(mid: String) -> NegotiatedMedia? { media.first { $0.mid == mid } }
}

/// How the other side is reached and known.
public struct RemoteTransport: Hashable, Sendable {
  /// What the other side checks connectivity with.
  public var credentials: CredentialAttributes
  /// At least one; hashes shorter than SHA-256 are left out.
  public var fingerprints: [FingerprintAttribute]
  /// Of component 1, at most 64, in order.
  public var candidates: [CandidateAttribute]
  /// Whether no more candidates follow by trickling.
  public var hasEndOfCandidates: Bool
  /// As the other side wrote it; nil when it did not.
  public var setup: SetupRole?
  /// Whether the other side only answers checks; then we control, unless we are lite too and answered.
  public var isICELite: Bool
  /// Of session and line together.
  public var iceOptions: [String]
}

/// One accepted media line.
public struct NegotiatedMedia: Hashable, Sendable {
  /// Position among the `m=` lines, from 0.
  public var index: Int
  /// nil for peers that write no `a=mid`; such a session has one line.
  public var mid: String?
  /// Sound or picture.
  public var type: MediaType
  /// From our side: `sendonly` means that we send.
  public var direction: MediaDirection
  /// What may come, by our order of preference; empty unless we receive.
  public var receiveCodecs: [NegotiatedCodec]
  /// What we send; nil unless we send.
  public var sendCodec: NegotiatedCodec?
  /// Header extensions that may come; empty unless we receive.
  public var receiveExtensions: [HeaderExtensionID]
  /// Header extensions we may send; empty unless we send.
  public var sendExtensions: [HeaderExtensionID]
  /// The sources the other side announced; many announce none and are known by `mid` and `rid` alone.
  public var remoteSources: [RemoteSource]
  /// SSRCs of simulcast layers announced by `a=ssrc-group:SIM`, lowest first as written.
  public var simulcastSSRCs: [UInt32]
  /// Names of the simulcast layers we receive, in the order offered; empty without simulcast.
  public var receiveRIDs: [String]
  /// The stream and track the line carries to us.
  public var remoteMSID: MSIDAttribute?
  /// What we announced to send.
  public var localSource: LocalSource?
  /// Whether both sides understand RTCP that is not compound (RFC 5506).
  public var reducedSizeRTCP: Bool
  /// How much sound the other side wants in a packet: 2 500…120 000 µs, never above the maximum below.
  public var packetTimeMicroseconds: Int
  /// How much it takes at most: 2 500…120 000 µs.
  public var maxPacketTimeMicroseconds: Int
  /// The most it wants to receive on this line (`b=`).
  public var sendLimit: SendLimit
  /// `a=content` (RFC 4796): "slides", "main" …
  public var content: String?

  /// The codec that comes with a payload type; also for those of its retransmissions and of its packets with copies.
  public func receiveCodec(payloadType: UInt8) -> NegotiatedCodec? {
    receiveCodecs.first {
      $0.payloadType == payloadType || $0.retransmissionPayloadType == payloadType || $0.redundancyPayloadType == payloadType
        || $0.protection?.block == payloadType
    }
  }

  /// The id a header extension comes with; nil when it was not agreed on.
  public func receiveExtensionID(_ uri: String) -> UInt8? { receiveExtensions.first { $0.uri == uri }?.id }
  /// The id to send a header extension with; nil when it was not agreed on.
  public func sendExtensionID(_ uri: String) -> UInt8? { sendExtensions.first { $0.uri == uri }?.id }

  /// Feedback agreed on for any codec of the line.
  public var feedback: FeedbackKinds {
    receiveCodecs.reduce(into: sendCodec?.feedback ?? []) { $0.formUnion($1.feedback) }
  }
}

/// A codec with the payload types it goes by.
public struct NegotiatedCodec: Hashable, Sendable {
  /// 0…127.
  public var payloadType: UInt8
  /// As our capabilities name it.
  public var name: String
  /// Ticks of the RTP clock per second.
  public var clockRate: UInt32
  /// As in `a=rtpmap`: 2 for Opus whatever is sent.
  public var channels: UInt8
  /// What we said in `a=fmtp`: how we want to receive.
  public var localParameters: FormatParameters
  /// What the other side said: how it wants to receive.
  public var remoteParameters: FormatParameters
  /// Where lost packets are sent again; nil without RTX.
  public var retransmissionPayloadType: UInt8?
  /// Under which packets carry copies of earlier ones (RFC 2198); nil without RED.
  public var redundancyPayloadType: UInt8?
  /// Under which its packets come in blocks with parity between them (RFC 5109); nil without.
  public var protection: ProtectionPayloadTypes?
  /// What the receiver of this codec sends and its sender serves.
  public var feedback: FeedbackKinds
}

/// How a video stream is protected by parity: the same for all codecs of a line.
public struct ProtectionPayloadTypes: Hashable, Sendable {
  /// Of blocks (RED, RFC 2198), 0…127.
  public var block: UInt8
  /// Of parity in them (ULPFEC, RFC 5109), 0…127.
  public var parity: UInt8

  public init(block: UInt8, parity: UInt8) {
    self.block = block
    self.parity = parity
  }
}

/// RTCP feedback and congestion control both sides understand for a codec.
public struct FeedbackKinds: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Generic NACK (RFC 4585 section 6.2.1).
  public static let nack = FeedbackKinds(rawValue: 1)
  /// Picture loss indication (RFC 4585 section 6.3.1).
  public static let pli = FeedbackKinds(rawValue: 2)
  /// Full intra request (RFC 5104 section 4.3.1).
  public static let fir = FeedbackKinds(rawValue: 4)
  /// Receiver estimated maximum bit rate.
  public static let remb = FeedbackKinds(rawValue: 8)
  /// Transport-wide congestion control; only where its header extension is agreed on too.
  public static let transportCC = FeedbackKinds(rawValue: 16)

  init(_ attributes: [FeedbackAttribute]) {
    self.init()
    for attribute in attributes {
      switch attribute {
      case .nack: insert(.nack)
      case .pli: insert(.pli)
      case .fir: insert(.fir)
      case .remb: insert(.remb)
      case .transportCC: insert(.transportCC)
      default: break
      }
    }
  }
}

/// A header extension by the number it has in this session.
public struct HeaderExtensionID: Hashable, Sendable {
  /// 1…14, up to 255 where the capabilities allow.
  public var id: UInt8
  /// See ``HeaderExtensionURI``.
  public var uri: String

  public init(id: UInt8, uri: String) {
    self.id = id
    self.uri = uri
  }
}

/// A source the other side announced.
public struct RemoteSource: Hashable, Sendable {
  /// Of the media itself.
  public var ssrc: UInt32
  /// The source of its retransmissions, paired by `a=ssrc-group:FID`.
  public var retransmissionSSRC: UInt32?
  /// The name its sound and picture share; nil when not announced.
  public var cname: String?

  public init(ssrc: UInt32, retransmissionSSRC: UInt32? = nil, cname: String? = nil) {
    self.ssrc = ssrc
    self.retransmissionSSRC = retransmissionSSRC
    self.cname = cname
  }
}

/// What we send on a line: told by the caller, announced in our description.
public struct LocalSource: Hashable, Sendable {
  /// Of the media itself.
  public var ssrc: UInt32
  /// The source of our retransmissions; announced only where RTX was agreed on.
  public var retransmissionSSRC: UInt32?
  /// One name for the sound and the picture that belong together (RFC 7022).
  public var cname: String
  /// The stream and track the other side shows it as.
  public var msid: MSIDAttribute

  public init(ssrc: UInt32, retransmissionSSRC: UInt32? = nil, cname: String, msid: MSIDAttribute) {
    self.ssrc = ssrc
    self.retransmissionSSRC = retransmissionSSRC
    self.cname = cname
    self.msid = msid
  }
}

/// A line that was offered and is not used.
public struct RejectedMedia: Hashable, Sendable {
  /// Why a line is not used.
  public enum Reason: Hashable, Sendable {
    /// The other side offered or answered it with port 0.
    case disabled
    case unsupportedKind, unsupportedProtocol, noRTCPMux, noCommonCodec
    /// Not on the one transport everything goes over.
    case notBundled
    /// More lines of this kind than allowed.
    case tooMany
  }

  /// Position among the `m=` lines, from 0.
  public var index: Int
  /// Its name; nil when it has none.
  public var mid: String?
  /// As on the `m=` line.
  public var kind: String
  /// The first reason found.
  public var reason: Reason
}
