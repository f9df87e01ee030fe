/// Which lines of an offer are used, and the one transport they go over.
struct OfferPlan {
  enum Line {
    case accepted(AcceptedLine)
    case rejected(RejectedMedia.Reason)
  }

  /// A line that can be used, before anything is said about who sends.
  struct AcceptedLine {
    var type: MediaType
    var codecs: [CodecMatch]
    var extensions: [ExtmapAttribute]
    var sendExtensions: [HeaderExtensionID]
    var receiveExtensions: [HeaderExtensionID]
    /// What both sides want: from our side.
    var direction: MediaDirection
    /// What is listed: what we can receive where we receive, else what we can send.
    var listed: [CodecMatch] {
      if direction.receives { return codecs.filter { $0.capability.receives } }
      return direction.sends ? codecs.filter { $0.capability.sends } : codecs
    }
    /// What we send.
    var sent: CodecMatch? { direction.sends ? listed.preferredToSend : nil }
  }

  private(set) var lines: [Line]
  /// The lines of one transport in the order of the BUNDLE group, accepted or not; the accepted ones alone without a group.
  private(set) var bundled: [Int]
  /// The answer's BUNDLE group; nil where the offer has none.
  private(set) var group: MediaGroup?

  init(of offer: SessionDescription, capabilities: MediaCapabilities, policy: AnswerPolicy) {
    lines = offer.media.map { Self.line($0, in: offer, capabilities: capabilities, policy: policy) }
    bundled = []
    keepOneTransport(offer)
    limitCounts(policy.mediaCountPerTypeMax)
    guard group != nil else { return }
    let accepted = Set(acceptedIndices)
    group?.mids = bundled.filter { accepted.contains($0) }.compactMap { offer.media[$0].mid }
  }

  var acceptedIndices: [Int] {
    lines.indices.filter { if case .accepted = lines[$0] { true } else { false } }
  }

  /// The accepted line that stands for the whole bundle.
  var taggedIndex: Int? { bundled.first { acceptedIndices.contains($0) } }

  /// The bundled lines, the tagged one first.
  var transportLines: [Int] { taggedIndex.map { tagged in [tagged] + bundled.filter { $0 != tagged } } ?? bundled }

  private static let protocols: Set<String> = [
    "UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP",
  ]

  /// RFC 8829 section 5.3.1, line by line. The protocol may be named in the older ways of its section 5.1.2.
  private static func line(
    _ media: MediaDescription, in offer: SessionDescription, capabilities: MediaCapabilities, policy: AnswerPolicy
  ) -> Line {
    if media.isRejected { return .rejected(.disabled) }
    guard let type = MediaType(rawValue: media.kind) else { return .rejected(.unsupportedKind) }
    guard protocols.contains(media.transportProtocol) else { return .rejected(.unsupportedProtocol) }
    guard media.usesRTCPMux || media.requiresRTCPMux else { return .rejected(.noRTCPMux) }
    let extensions = media.commonExtensions(
      offer.extensions, uris: capabilities.extensions(type), idMax: capabilities.extensionIDMax)
    let codecs = CodecMatch.all(in: media, capabilities: capabilities.codecs(type), extensions: extensions.all)
    let offered = media.direction ?? offer.direction ?? .sendrecv
    let isWanted = offered.receives && !SendLimit(media.bandwidths).isZero && !SendLimit(offer.bandwidths).isZero
    let wanted = MediaDirection(sends: isWanted && policy.sends(type), receives: offered.sends && policy.receives(type))
    guard !codecs.isEmpty, let direction = possible(wanted, codecs) else { return .rejected(.noCommonCodec) }
    return .accepted(
      AcceptedLine(
        type: type, codecs: codecs.protected(if: direction.sends && !direction.receives), extensions: extensions.all,
        sendExtensions: extensions.sends,
        receiveExtensions: extensions.receives, direction: direction))
  }

  /// What of the wanted direction the codecs allow; nil when something is wanted and nothing possible.
  private static func possible(_ wanted: MediaDirection, _ codecs: [CodecMatch]) -> MediaDirection? {
    let receives = wanted.receives && codecs.contains { $0.capability.receives }
    let sends = wanted.sends && codecs.contains { $0.capability.sends && (!receives || $0.capability.receives) }
    return wanted != .inactive && !receives && !sends ? nil : MediaDirection(sends: sends, receives: receives)
  }

  /// Rejects what is not bundled with the first usable line (RFC 8843 section 7.3).
  private mutating func keepOneTransport(_ offer: SessionDescription) {
    let usable = acceptedIndices
    let mids = Set(usable.compactMap { offer.media[$0].mid })
    group = offer.groups.first { $0.semantics == "BUNDLE" && $0.mids.contains { mids.contains($0) } }
    if let group {
      for mid in group.mids {
        guard let index = offer.media.firstIndex(where: { $0.mid == mid }), !bundled.contains(index) else { continue }
        bundled.append(index)
      }
    } else {
      bundled = usable.first { !offer.media[$0].isBundleOnly }.map { [$0] } ?? []
    }
    for index in usable where !bundled.contains(index) { lines[index] = .rejected(.notBundled) }
  }

  private mutating func limitCounts(_ countMax: Int) {
    var counts: [MediaType: Int] = [:]
    for index in acceptedIndices {
      guard case .accepted(let line) = lines[index] else { continue }
      counts[line.type, default: 0] += 1
      if counts[line.type, default: 0] > countMax { lines[index] = .rejected(.tooMany) }
    }
  }
}
