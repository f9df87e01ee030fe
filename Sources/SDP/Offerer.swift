/// A line to be offered.
public struct OfferedMedia: Hashable, Sendable {
  /// Sound or picture.
  public var type: MediaType
  /// From our side.
  public var direction: MediaDirection
  /// What is sent; without it nothing is, whatever `direction` says.
  public var source: LocalSource?

  public init(_ type: MediaType, _ direction: MediaDirection, source: LocalSource? = nil) {
    self.type = type
    self.direction = source == nil ? MediaDirection(sends: false, receives: direction.receives) : direction
    self.source = source
  }
}

/// The offering side of offer and answer (RFC 8829 sections 5.2 and 5.10) for one session: a client's.
///
/// ``offer(_:local:)`` makes an offer, ``apply(_:)`` takes the answer to the last one. Lines are named "0", "1" … by their place;
/// later offers give the same lines in the same order, more of them, or new credentials for an ICE restart.
public struct Offerer: Sendable {
  /// What stands in `o=`: a number nobody can guess, below 2⁶³.
  public let sessionID: UInt64
  /// What is offered; fixed, because payload types follow from it.
  public let capabilities: MediaCapabilities
  /// What holds now; nil before the first answer.
  public private(set) var session: NegotiatedSession?
  /// The last offer; nil before the first.
  public private(set) var offer: SessionDescription?
  private var lines: [OfferedMedia] = []
  private var isAwaitingAnswer = false
  private let payloadTypes: PayloadTypeTable

  public init(sessionID: UInt64, capabilities: MediaCapabilities) {
    self.sessionID = sessionID
    self.capabilities = capabilities
    payloadTypes = PayloadTypeTable(capabilities)
  }

  /// Describes what we want to send and receive; every line goes over one transport.
  public mutating func offer(_ media: [OfferedMedia], local: LocalTransport) -> SessionDescription {
    let version = offer.map { $0.origin.version &+ 1 } ?? 1
    var description = SessionDescription(origin: Origin(sessionID: "\(sessionID)", version: version))
    description.groups = [MediaGroup(semantics: "BUNDLE", mids: media.indices.map { "\($0)" })]
    description.isICELite = local.isICELite
    description.iceOptions = local.iceOptions
    description.allowsMixedExtensionForms = capabilities.allowsMixedExtensionForms
    if media.contains(where: { $0.source != nil }) { description.msidSemantics = ["WMS *"] }
    for (index, line) in media.enumerated() {
      var part = describe(line, mid: "\(index)")
      local.write(into: &part, setup: .actpass, isTagged: index == 0)
      description.media.append(part)
    }
    lines = media
    offer = description
    isAwaitingAnswer = true
    return description
  }

  private func describe(_ line: OfferedMedia, mid: String) -> MediaDescription {
    var media = MediaDescription(kind: line.type.rawValue, formats: [])
    media.connection = .unspecified
    media.mid = mid
    media.direction = line.direction
    media.usesRTCPMux = true
    media.usesReducedSizeRTCP = capabilities.reducedSizeRTCP
    media.extensions = capabilities.extensions(line.type).compactMap { uri in
      payloadTypes.extensionIDs[uri].map { ExtmapAttribute(id: UInt16($0), uri: uri) }
    }
    let codecs = offered(line)
    for codec in codecs { codec.write(into: &media) }
    codecs.lazy.compactMap(\.protection).first?.write(into: &media)
    line.source?.write(into: &media, hasRetransmission: codecs.contains { $0.retransmissionPayloadType != nil })
    return media
  }

  /// The codecs of a line with the payload types we gave them.
  private func offered(_ line: OfferedMedia) -> [CodecMatch] {
    capabilities.codecs(line.type).compactMap { capability in
      guard line.direction.receives ? capability.receives : capability.sends, let types = payloadTypes[capability] else {
        return nil
      }
      return CodecMatch(
        capability: capability, offered: PayloadDescription(payloadType: types.codec), parameters: capability.parameters,
        feedback: capability.feedback, retransmissionPayloadType: types.retransmission,
        redundancyPayloadType: types.redundancy, protection: capability.protection ? payloadTypes.protection : nil)
    }
    .protected(if: line.direction.receives && !line.direction.sends)
  }
}

extension Offerer {
  /// Takes the answer to the last offer. One that is refused changes nothing.
  public mutating func apply(_ answer: SessionDescription) throws(NegotiationError) -> NegotiatedSession {
    guard let offer, isAwaitingAnswer else { throw .answerDoesNotFit("no offer waits for one") }
    guard answer.media.count == offer.media.count else {
      throw .answerDoesNotFit("it has \(answer.media.count) media lines for \(offer.media.count)")
    }
    var rejected: [RejectedMedia] = []
    var media: [NegotiatedMedia] = []
    for (index, line) in answer.media.enumerated() {
      guard line.kind == offer.media[index].kind, line.mid == nil || line.mid == offer.media[index].mid else {
        throw .answerDoesNotFit("media line \(index + 1) has another kind or mid")
      }
      if let negotiated = try settle(line, in: answer, index: index) {
        media.append(negotiated)
      } else {
        rejected.append(
          RejectedMedia(
            index: index, mid: offer.media[index].mid, kind: line.kind, reason: line.port == 0 ? .disabled : .noCommonCodec))
      }
    }
    guard !media.isEmpty else { throw .nothingUsable(rejected) }
    let remote = try RemoteTransport(of: answer, lines: try bundle(of: answer, accepted: media.map { $0.index }))
    let isRestart = try session?.remote.isRestarted(by: remote) ?? false
    let negotiated = NegotiatedSession(
      remote: remote, localSetup: try localSetup(remote.setup), media: media, rejected: rejected, isICERestart: isRestart,
      sendLimit: SendLimit(answer.bandwidths))
    session = negotiated
    isAwaitingAnswer = false
    return negotiated
  }

  /// The accepted lines, the one with the transport first; all must be bundled unless there is only one.
  private func bundle(of answer: SessionDescription, accepted: [Int]) throws(NegotiationError) -> [Int] {
    if accepted.count == 1 { return accepted }
    let mids = answer.groups.first { $0.semantics == "BUNDLE" }?.mids ?? []
    let bundled = mids.compactMap { mid in accepted.first { answer.media[$0].mid == mid } }
    guard bundled.count == accepted.count else { throw .answerDoesNotFit("BUNDLE must hold every accepted line") }
    return bundled
  }

  private func localSetup(_ answered: SetupRole?) throws(NegotiationError) -> SetupRole {
    // RFC 4145 section 4: an answerer that says nothing is active.
    let role: SetupRole
    switch answered {
    case .active, nil: role = .passive
    case .passive: role = .active
    case .actpass, .holdconn: throw .unsupportedSetup
    }
    guard session == nil || session?.localSetup == role else { throw .unsupportedSetup }
    return role
  }

  /// What an answered line settles; nil when it is rejected.
  private func settle(
    _ media: MediaDescription, in answer: SessionDescription, index: Int
  ) throws(NegotiationError) -> NegotiatedMedia? {
    guard media.port != 0, index < lines.count, let type = MediaType(rawValue: media.kind) else { return nil }
    guard media.usesRTCPMux || media.requiresRTCPMux else { throw .answerDoesNotFit("a=rtcp-mux is needed on every line") }
    let line = lines[index]
    let answered = (media.direction ?? answer.direction ?? .sendrecv).reversed
    let direction = MediaDirection(
      sends: answered.sends && line.direction.sends, receives: answered.receives && line.direction.receives)
    let extensions = media.commonExtensions(
      answer.extensions, uris: capabilities.extensions(type), idMax: capabilities.extensionIDMax)
    let codecs = matches(media, line, extensions.all)
    guard !codecs.isEmpty else { return nil }
    let times = media.clampedPacketTimes
    let sent = direction.sends ? codecs.preferredToSend : nil
    return NegotiatedMedia(
      index: index, mid: offer?.media[index].mid, type: type, direction: direction,
      receiveCodecs: direction.receives ? codecs.filter { $0.capability.receives }.map { received($0) } : [],
      sendCodec: sent?.negotiated, receiveExtensions: direction.receives ? extensions.receives : [],
      sendExtensions: direction.sends ? extensions.sends : [], remoteSources: direction.receives ? media.remoteSources : [],
      simulcastSSRCs: [], receiveRIDs: [], remoteMSID: direction.receives ? media.remoteMSID : nil,
      localSource: direction.sends ? line.source : nil,
      reducedSizeRTCP: media.usesReducedSizeRTCP && capabilities.reducedSizeRTCP,
      packetTimeMicroseconds: times.packetTime, maxPacketTimeMicroseconds: times.maximum,
      sendLimit: SendLimit(media.bandwidths), content: media.otherAttributes.first { $0.name == "content" }?.value)
  }

  /// The answered codecs which we offered, in the order of the answer.
  private func matches(_ media: MediaDescription, _ line: OfferedMedia, _ extensions: [ExtmapAttribute]) -> [CodecMatch] {
    let capabilities = offered(line).map { $0.capability }
    let order = media.orderedPayloads.map { $0.payloadType }
    return CodecMatch.all(in: media, capabilities: capabilities, extensions: extensions)
      .protected(if: line.direction.receives && !line.direction.sends)
      .sorted { (order.firstIndex(of: $0.offered.payloadType) ?? 0) < (order.firstIndex(of: $1.offered.payloadType) ?? 0) }
      .map { match in
        var match = match
        match.parameters = match.capability.parameters
        return match
      }
  }

  /// A codec as it comes to us: by the payload types of our offer.
  private func received(_ match: CodecMatch) -> NegotiatedCodec {
    var codec = match.negotiated
    if let types = payloadTypes[match.capability] {
      codec.payloadType = types.codec
      codec.retransmissionPayloadType = match.retransmissionPayloadType == nil ? nil : types.retransmission
      codec.redundancyPayloadType = match.redundancyPayloadType == nil ? nil : types.redundancy
      codec.protection = match.protection == nil ? nil : payloadTypes.protection
    }
    return codec
  }
}
