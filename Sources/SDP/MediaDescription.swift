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
  public var connection: ConnectionData?
  public var bandwidths: [Bandwidth]
  /// nil when not written, which means sendrecv (or the session's).
  public var direction: MediaDirection?
  public var mid: String?
  public var usesRTCPMux: Bool
  /// `a=rtcp-mux-only` (RFC 8858).
  public var requiresRTCPMux: Bool
  public var usesReducedSizeRTCP: Bool
  public var isBundleOnly: Bool
  public var payloads: [PayloadDescription]
  /// `a=rtcp-fb:*`: feedback for every payload type of the line.
  public var feedbackForAll: [FeedbackAttribute]
  public var extensions: [ExtmapAttribute]
  public var allowsMixedExtensionForms: Bool
  public var sources: [SourceDescription]
  public var sourceGroups: [SourceGroup]
  public var msids: [MSIDAttribute]
  public var rids: [RIDAttribute]
  public var simulcast: SimulcastAttribute?
  /// `a=ptime` in microseconds, as written: zero, negative and huge values come too.
  public var packetTimeMicroseconds: Int?
  /// `a=maxptime` in microseconds, as written.
  public var maxPacketTimeMicroseconds: Int?
  public var usernameFragment: String?
  public var password: String?
  public var iceOptions: [String]
  public var candidates: [CandidateAttribute]
  public var hasEndOfCandidates: Bool
  public var fingerprints: [FingerprintAttribute]
  public var setup: SetupRole?
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
