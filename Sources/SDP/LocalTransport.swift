/// How this side is reached and known, as our description tells it.
public struct LocalTransport: Hashable, Sendable {
  /// What the other side must use in its checks: at least 4 and 22 characters (RFC 8839 section 5.4).
  public var credentials: CredentialAttributes
  /// Hashes of the certificate we will show.
  public var fingerprints: [FingerprintAttribute]
  /// Where we can be reached, by order of preference.
  public var candidates: [CandidateAttribute]
  /// Whether no more candidates follow.
  public var hasEndOfCandidates: Bool
  /// Whether we only answer checks.
  public var isICELite: Bool
  /// "trickle", "ice2" …
  public var iceOptions: [String]

  public init(
    credentials: CredentialAttributes, fingerprints: [FingerprintAttribute], candidates: [CandidateAttribute] = [],
    hasEndOfCandidates: Bool = true, isICELite: Bool = false, iceOptions: [String] = []
  ) {
    self.credentials = credentials
    self.fingerprints = fingerprints
    self.candidates = candidates
    self.hasEndOfCandidates = hasEndOfCandidates
    self.isICELite = isICELite
    self.iceOptions = iceOptions
  }

  /// Writes the transport into a line; candidates only where `isTagged`, the line that stands for the whole bundle.
  ///
  /// Credentials, fingerprint and setup are repeated on every line because not every client reads them elsewhere. UDP candidates
  /// come first: FFmpeg reads one candidate only and refuses TCP.
  func write(into media: inout MediaDescription, setup: SetupRole, isTagged: Bool) {
    media.usernameFragment = credentials.usernameFragment
    media.password = credentials.password
    media.fingerprints = fingerprints
    media.setup = setup
    guard isTagged else { return }
    media.candidates = candidates.filter { $0.transport == "udp" } + candidates.filter { $0.transport != "udp" }
    media.hasEndOfCandidates = hasEndOfCandidates
  }
}

extension LocalSource {
  /// Announces the source on a line.
  func write(into media: inout MediaDescription, hasRetransmission: Bool) {
    media.msids = [msid]
    media.sources = [SourceDescription(ssrc: ssrc, attributes: [Attribute(name: "cname", value: cname)])]
    guard hasRetransmission, let retransmissionSSRC else { return }
    media.sourceGroups = [SourceGroup(semantics: "FID", ssrcs: [ssrc, retransmissionSSRC])]
    media.sources.append(SourceDescription(ssrc: retransmissionSSRC, attributes: [Attribute(name: "cname", value: cname)]))
  }
}

extension ProtectionPayloadTypes {
  /// Writes blocks and parity, once for all codecs of a line.
  func write(into media: inout MediaDescription) {
    for (type, name) in [(block, "red"), (parity, "ulpfec")] {
      media.formats.append("\(type)")
      media.payloads.append(PayloadDescription(payloadType: type, mapping: RTPMap(name: name, clockRate: 90_000)))
    }
  }
}

extension CodecMatch {
  /// Writes the codec, and its retransmissions, into a line.
  func write(into media: inout MediaDescription) {
    media.formats.append("\(offered.payloadType)")
    media.payloads.append(
      PayloadDescription(
        payloadType: offered.payloadType, mapping: capability.description, parameters: parameters, feedback: feedback))
    if let redundancyPayloadType {
      media.formats.append("\(redundancyPayloadType)")
      let types = "\(offered.payloadType)/\(offered.payloadType)"
      media.payloads.append(
        PayloadDescription(
          payloadType: redundancyPayloadType,
          mapping: RTPMap(name: "red", clockRate: capability.clockRate, channels: capability.description.channels),
          parameters: FormatParameters(entries: [.init(name: types, value: nil)])))
    }
    guard let retransmissionPayloadType else { return }
    media.formats.append("\(retransmissionPayloadType)")
    media.payloads.append(
      PayloadDescription(
        payloadType: retransmissionPayloadType, mapping: RTPMap(name: "rtx", clockRate: capability.clockRate),
        parameters: ["apt": "\(offered.payloadType)"]))
  }
}
