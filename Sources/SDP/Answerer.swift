/// What this side wants of an offer, whatever it could do.
public struct AnswerPolicy: Hashable, Sendable {
  /// Whether sound is sent where the other side wants it.
  public var sendsAudio: Bool
  /// Whether sound is received where the other side sends it.
  public var receivesAudio: Bool
  /// Whether pictures are sent where the other side wants them.
  public var sendsVideo: Bool
  /// Whether pictures are received where the other side sends them.
  public var receivesVideo: Bool
  /// Lines of one kind that are accepted; the rest are rejected.
  public var mediaCountPerTypeMax: Int
  /// Simulcast layers that are received from one line; the rest are left out of the answer.
  public var simulcastLayerCountMax: Int

  public init(
    sendsAudio: Bool = true, receivesAudio: Bool = true, sendsVideo: Bool = true, receivesVideo: Bool = true,
    mediaCountPerTypeMax: Int = 8, simulcastLayerCountMax: Int = 4
  ) {
    self.sendsAudio = sendsAudio
    self.receivesAudio = receivesAudio
    self.sendsVideo = sendsVideo
    self.receivesVideo = receivesVideo
    self.mediaCountPerTypeMax = mediaCountPerTypeMax
    self.simulcastLayerCountMax = simulcastLayerCountMax
  }

  /// Everything both ways.
  public static let participant = AnswerPolicy()
  /// The other side publishes: we receive only.
  public static let publisher = AnswerPolicy(sendsAudio: false, sendsVideo: false)
  /// The other side watches: we send only.
  public static let viewer = AnswerPolicy(receivesAudio: false, receivesVideo: false)

  func sends(_ type: MediaType) -> Bool { type == .audio ? sendsAudio : sendsVideo }
  func receives(_ type: MediaType) -> Bool { type == .audio ? receivesAudio : receivesVideo }
}

/// A line on which the other side wants to receive: the caller tells what is sent there.
public struct SourceRequest: Hashable, Sendable {
  /// Position among the `m=` lines, from 0.
  public var index: Int
  /// `a=mid` of the line.
  public var mid: String?
  /// Sound or picture.
  public var type: MediaType
  /// What will be sent.
  public var codec: NegotiatedCodec
}

/// A description of ours and what it settles.
public struct Answer: Hashable, Sendable {
  /// What to send to the other side.
  public var description: SessionDescription
  /// What it settles.
  public var session: NegotiatedSession
}

/// The answering side of offer and answer (RFC 8829 section 5.3) for one session, over one BUNDLE transport.
///
/// Call ``answer(to:local:sources:)`` with the first offer and with each later one. An offer that is refused changes nothing.
public struct Answerer: Sendable {
  /// What stands in `o=`: a number nobody can guess, below 2⁶³ (RFC 8829 section 5.2.1).
  public let sessionID: UInt64
  /// Used from the next offer on.
  public var capabilities: MediaCapabilities
  /// Used from the next offer on.
  public var policy: AnswerPolicy
  /// What holds now; nil before the first offer.
  public private(set) var session: NegotiatedSession?
  private var offer: SessionDescription?
  private var answer: SessionDescription?

  public init(sessionID: UInt64, capabilities: MediaCapabilities, policy: AnswerPolicy = .participant) {
    self.sessionID = sessionID
    self.capabilities = capabilities
    self.policy = policy
  }

  /// Whether an offer asks for an ICE restart, so that the caller brings new credentials to the answer.
  public func isICERestart(_ offer: SessionDescription) throws(NegotiationError) -> Bool {
    guard let session else { return false }
    let plan = OfferPlan(of: offer, capabilities: capabilities, policy: policy)
    return try session.remote.isRestarted(by: remoteTransport(of: offer, plan))
  }

  /// Answers an offer.
  ///
  /// `sources` is asked once for each line we start to send on; nil means that nothing is sent there. A line that was sent on
  /// before keeps its source.
  public mutating func answer(
    to offer: SessionDescription, local: LocalTransport, sources: (SourceRequest) -> LocalSource?
  ) throws(NegotiationError) -> Answer {
    try checkLines(of: offer)
    let plan = OfferPlan(of: offer, capabilities: capabilities, policy: policy)
    try checkUsable(offer, plan)
    let remote = try remoteTransport(of: offer, plan)
    let isRestart = try session?.remote.isRestarted(by: remote) ?? false
    let setup = try localSetup(remote.setup)

    var result = Answer(
      description: sessionPart(of: offer, local: local, group: plan.group),
      session: NegotiatedSession(
        remote: remote, localSetup: setup, media: [], rejected: [], isICERestart: isRestart,
        sendLimit: SendLimit(offer.bandwidths)))
    for (index, media) in offer.media.enumerated() {
      switch plan.lines[index] {
      case .rejected(let reason):
        result.description.media.append(Self.rejection(of: media))
        result.session.rejected.append(RejectedMedia(index: index, mid: media.mid, kind: media.kind, reason: reason))
      case .accepted(let line):
        let source = localSource(for: line, index: index, mid: media.mid, sources)
        var (description, negotiated) = accept(media, line, index: index, source: source)
        local.write(into: &description, setup: setup, isTagged: index == plan.taggedIndex)
        result.description.media.append(description)
        result.session.media.append(negotiated)
      }
    }
    if result.session.media.contains(where: { $0.localSource != nil }) { result.description.msidSemantics = ["WMS *"] }
    self.offer = offer
    answer = result.description
    session = result.session
    return result
  }

  /// The source a line had before, else the one the caller gives.
  private func localSource(
    for line: OfferPlan.AcceptedLine, index: Int, mid: String?, _ sources: (SourceRequest) -> LocalSource?
  ) -> LocalSource? {
    guard let codec = line.sent?.negotiated else { return nil }
    let before = session?.media.first { $0.index == index && $0.mid == mid && $0.type == line.type }
    return before?.localSource ?? sources(SourceRequest(index: index, mid: mid, type: line.type, codec: codec))
  }

  private func sessionPart(of offer: SessionDescription, local: LocalTransport, group: MediaGroup?) -> SessionDescription {
    let version = answer.map { $0.origin.version &+ 1 } ?? 1
    var description = SessionDescription(origin: Origin(sessionID: "\(sessionID)", version: version))
    if let group { description.groups = [group] }
    description.isICELite = local.isICELite
    description.iceOptions = local.iceOptions
    description.allowsMixedExtensionForms = offer.allowsMixedExtensionForms && capabilities.allowsMixedExtensionForms
    return description
  }

  /// A rejected line: its place and its name are kept, its port is 0 (RFC 8829 section 5.3.1).
  private static func rejection(of media: MediaDescription) -> MediaDescription {
    var rejection = MediaDescription(
      kind: media.kind, port: 0, transportProtocol: media.transportProtocol, formats: media.formats)
    rejection.connection = .unspecified
    rejection.mid = media.mid
    rejection.direction = .inactive
    return rejection
  }
}

extension Answerer {
  /// A later offer keeps every line in its place; only a line that was rejected may be used for something else.
  private func checkLines(of next: SessionDescription) throws(NegotiationError) {
    if next.media.isEmpty { throw .noMedia }
    guard let offer, let answer else { return }
    for (index, before) in offer.media.enumerated() {
      guard index < next.media.count else { throw .mediaLineChanged(index: index) }
      let isFree = index < answer.media.count && answer.media[index].isRejected
      guard isFree || (next.media[index].mid == before.mid && next.media[index].kind == before.kind) else {
        throw .mediaLineChanged(index: index)
      }
    }
  }

  private func checkUsable(_ offer: SessionDescription, _ plan: OfferPlan) throws(NegotiationError) {
    guard plan.acceptedIndices.isEmpty else { return }
    var rejected: [RejectedMedia] = []
    for (index, line) in plan.lines.enumerated() {
      guard case .rejected(let reason) = line else { continue }
      let media = offer.media[index]
      rejected.append(RejectedMedia(index: index, mid: media.mid, kind: media.kind, reason: reason))
    }
    // Stopping the last line is a way to go on, once something ran.
    if session != nil, rejected.allSatisfy({ $0.reason == .disabled }) { return }
    let isAboutCodecs = rejected.contains { $0.reason == .noCommonCodec || $0.reason == .unsupportedKind }
    guard isAboutCodecs else { throw .nothingUsable(rejected) }
    throw .noCommonCodec(offered: offer.offeredCodecs, supported: capabilities.supportedCodecs(policy))
  }

  /// The other side's transport; the one before when every line is stopped.
  private func remoteTransport(of offer: SessionDescription, _ plan: OfferPlan) throws(NegotiationError) -> RemoteTransport {
    if plan.acceptedIndices.isEmpty, let session { return session.remote }
    return try RemoteTransport(of: offer, lines: plan.transportLines)
  }

  /// RFC 8842 section 5.3: we wait where we may, because then our order of SRTP profiles decides; a role once taken stays.
  private func localSetup(_ offered: SetupRole?) throws(NegotiationError) -> SetupRole {
    let before = session?.localSetup
    switch offered {
    case .actpass, nil: return before ?? .passive
    case .active where before != .active: return .passive
    case .passive where before != .passive: return .active
    default: throw .unsupportedSetup
    }
  }
}

extension RemoteTransport {
  /// Whether `next` is an ICE restart of the same peer; a half changed pair of credentials or another certificate is refused.
  func isRestarted(by next: RemoteTransport) throws(NegotiationError) -> Bool {
    guard Set(fingerprints) == Set(next.fingerprints) else { throw .fingerprintChanged }
    let fragmentChanged = credentials.usernameFragment != next.credentials.usernameFragment
    let passwordChanged = credentials.password != next.credentials.password
    guard fragmentChanged == passwordChanged else { throw .incompleteICERestart }
    return fragmentChanged
  }
}

extension SessionDescription {
  /// The offered codecs in words: "video VP9/90000".
  fileprivate var offeredCodecs: [String] {
    media.flatMap { line -> [String] in
      let codecs = line.orderedPayloads.compactMap { $0.encoding }.filter { !$0.name.isEqualIgnoringCase("rtx") }
      return codecs.isEmpty ? ["\(line.kind) \(line.transportProtocol)"] : codecs.map { "\(line.kind) \($0)" }
    }.uniqued
  }
}

extension MediaCapabilities {
  /// Our codecs in words, those only which the policy has a use for.
  fileprivate func supportedCodecs(_ policy: AnswerPolicy) -> [String] {
    MediaType.allCases.flatMap { type in
      codecs(type).filter { ($0.receives && policy.receives(type)) || ($0.sends && policy.sends(type)) }
        .map { "\(type.rawValue) \($0.description)" }
    }.uniqued
  }
}

extension [String] {
  fileprivate var uniqued: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
