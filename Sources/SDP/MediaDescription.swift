/// An `m=` line and what belongs to it.
public struct MediaDescription: Hashable, Sendable {
  /// "audio", "video", "application" …
  public var kind: String
  /// 9 where ICE decides; 0 for a rejected line, unless ``isBundleOnly``.
  public var port: UInt16
  /// "UDP/TLS/RTP/SAVPF" …
  public var transportProtocol: String
  /// Payload types in order of preference, or the words of another protocol.
  public var formats: [String]
  /// `c=`; nothing where ICE decides.
  public var connection: ConnectionData?
  /// `b=`, in order.
  public var bandwidths: [Bandwidth]
  /// nil when not written, which means sendrecv (or the session's).
  public var direction: MediaDirection?
  /// `a=mid`: the name of the line within the session (RFC 5888), unique among the lines.
  public var mid: String?
  /// `a=rtcp-mux`: RTP and RTCP over one port (RFC 5761).
  public var usesRTCPMux: Bool
  /// `a=rtcp-mux-only` (RFC 8858).
  public var requiresRTCPMux: Bool
  /// `a=rtcp-rsize` (RFC 5506).
  public var usesReducedSizeRTCP: Bool
  /// `a=bundle-only`: to be used only over the transport of another line (RFC 8843 section 6).
  public var isBundleOnly: Bool
  /// What is said about each payload type, in the order of its first mention.
  public var payloads: [PayloadDescription]
  /// `a=rtcp-fb:*`: feedback for every payload type of the line.
  public var feedbackForAll: [FeedbackAttribute]
  /// `a=extmap`, in order.
  public var extensions: [ExtmapAttribute]
  /// `a=extmap-allow-mixed` of the line (RFC 8285 section 6).
  public var allowsMixedExtensionForms: Bool
  /// `a=ssrc`, a source each, in the order of their first mention.
  public var sources: [SourceDescription]
  /// `a=ssrc-group`, in order.
  public var sourceGroups: [SourceGroup]
  /// `a=msid`, in order.
  public var msids: [MSIDAttribute]
  /// `a=rid`, in order.
  public var rids: [RIDAttribute]
  /// `a=simulcast`; nil when not written.
  public var simulcast: SimulcastAttribute?
  /// `a=ptime` in microseconds, as written: zero, negative and huge values come too.
  public var packetTimeMicroseconds: Int?
  /// `a=maxptime` in microseconds, as written.
  public var maxPacketTimeMicroseconds: Int?
  /// `a=ice-ufrag` of the line.
  public var usernameFragment: String?
  /// `a=ice-pwd` of the line.
  public var password: String?
  /// `a=ice-options` of the line.
  public var iceOptions: [String]
  /// `a=candidate`, in order.
  public var candidates: [CandidateAttribute]
  /// `a=end-of-candidates`: no more follow (RFC 8840).
  public var hasEndOfCandidates: Bool
  /// `a=fingerprint` of the line, in order.
  public var fingerprints: [FingerprintAttribute]
  /// `a=setup` of the line.
  public var setup: SetupRole?
  /// What has no field here, in order.
  public var otherAttributes: [Attribute]

  public init(kind: String, port: UInt16 = 9, transportProtocol: String = "UDP/TLS/RTP/SAVPF", formats: [String]) {
    self.kind = kind
    self.port = port
    self.transportProtocol = transportProtocol
    self.formats = formats
    bandwidths = []
    usesRTCPMux = false
    requiresRTCPMux = false
    usesReducedSizeRTCP = false
    isBundleOnly = false
    payloads = []
    feedbackForAll = []
    extensions = []
    allowsMixedExtensionForms = false
    sources = []
    sourceGroups = []
    msids = []
    rids = []
    iceOptions = []
    candidates = []
    hasEndOfCandidates = false
    fingerprints = []
    otherAttributes = []
  }

  /// Whether the line is refused or stopped: port 0, and not the port 0 of a bundle-only line (RFC 8843 section 6).
  public var isRejected: Bool { port == 0 && !isBundleOnly }

  /// What is said about a payload type; an empty description for one that has only its number.
  public func payload(_ payloadType: UInt8) -> PayloadDescription {
    payloads.first { $0.payloadType == payloadType } ?? PayloadDescription(payloadType: payloadType)
  }

  /// The payload types of the `m=` line with what is said about each, in order of preference.
  public var orderedPayloads: [PayloadDescription] {
    formats.compactMap { $0[...].decimal(as: UInt8.self) }.filter { $0 < 128 }.map { payload($0) }
  }

  mutating func withPayload(_ payloadType: UInt8, _ change: (inout PayloadDescription) -> Void) {
    if let index = payloads.firstIndex(where: { $0.payloadType == payloadType }) {
      change(&payloads[index])
    } else {
      var payload = PayloadDescription(payloadType: payloadType)
      change(&payload)
      payloads.append(payload)
    }
  }
}
