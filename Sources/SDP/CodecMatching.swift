/// An offered codec which we have too.
struct CodecMatch {
  var capability: CodecCapability
  var offered: PayloadDescription
  /// What our description says of it.
  var parameters: FormatParameters
  var feedback: [FeedbackAttribute]
  /// The offered payload type of its retransmissions.
  var retransmissionPayloadType: UInt8?
  /// The offered payload type of packets with copies of earlier ones (RFC 2198).
  var redundancyPayloadType: UInt8?
  /// The offered payload types of blocks and parity.
  var protection: ProtectionPayloadTypes?

  var negotiated: NegotiatedCodec {
    NegotiatedCodec(
      payloadType: offered.payloadType, name: capability.name, clockRate: capability.clockRate, channels: capability.channels,
      localParameters: parameters, remoteParameters: offered.parameters, retransmissionPayloadType: retransmissionPayloadType,
      redundancyPayloadType: redundancyPayloadType, protection: protection, feedback: FeedbackKinds(feedback))
  }

  /// The codecs of a line that we have, by our order of preference.
  ///
  /// `extensions` are those agreed on for the line: transport-wide feedback means nothing without its header extension.
  static func all(
    in media: MediaDescription, capabilities: [CodecCapability], extensions: [ExtmapAttribute]
  ) -> [CodecMatch] {
    let payloads = media.orderedPayloads
    let protection = protection(in: payloads)
    let hasTransportCC = extensions.contains { $0.uri == HeaderExtensionURI.transportCC }
    var matches: [CodecMatch] = []
    for capability in capabilities {
      guard
        let offered = payloads.first(where: { payload in
          capability.accepts(payload) && !matches.contains { $0.offered.payloadType == payload.payloadType }
        })
      else { continue }
      let theirs = offered.feedback + media.feedbackForAll
      matches.append(
        CodecMatch(
          capability: capability, offered: offered, parameters: capability.answerParameters(to: offered.parameters),
          feedback: capability.feedback.filter { theirs.contains($0) && ($0 != .transportCC || hasTransportCC) },
          retransmissionPayloadType: capability.retransmission ? retransmission(of: offered.payloadType, in: payloads) : nil,
          redundancyPayloadType: capability.redundancy ? redundancy(of: offered, in: payloads) : nil,
          protection: capability.protection ? protection : nil))
    }
    return matches
  }

  /// Blocks are of any codec of the line where `a=fmtp` does not say otherwise.
  private static func protection(in payloads: [PayloadDescription]) -> ProtectionPayloadTypes? {
    func type(of name: String) -> UInt8? {
      payloads.first { payload in
        guard let encoding = payload.encoding, encoding.name.isEqualIgnoringCase(name) else { return false }
        return encoding.clockRate == 90_000 && payload.parameters.entries.isEmpty
      }?.payloadType
    }
    guard let block = type(of: "red"), let parity = type(of: "ulpfec") else { return nil }
    return ProtectionPayloadTypes(block: block, parity: parity)
  }

  private static func retransmission(of payloadType: UInt8, in payloads: [PayloadDescription]) -> UInt8? {
    payloads.first {
      $0.encoding?.name.isEqualIgnoringCase("rtx") == true && $0.parameters.number("apt") == Int(payloadType)
    }?.payloadType
  }
}

extension [CodecMatch] {
  /// The codecs as they are where pictures go this way only: who sends and receives on one line would be sent parity as well, which
  /// costs him more than asking again.
  func protected(if hasOneDirection: Bool) -> [CodecMatch] {
    guard !hasOneDirection else { return self }
    return map { match in
      var match = match
      match.protection = nil
      return match
    }
  }

  /// What is sent of all that could be; nil where nothing can.
  var preferredToSend: CodecMatch? {
    var best: CodecMatch?
    for match in self where match.capability.sends {
      if match.capability.sendPreference > best?.capability.sendPreference ?? .min { best = match }
    }
    return best
  }
}

extension CodecMatch {
  /// RFC 2198 section 5: the parameters are the payload types of the blocks, which must all be of the codec.
  private static func redundancy(of codec: PayloadDescription, in payloads: [PayloadDescription]) -> UInt8? {
    payloads.first { payload in
      guard let encoding = payload.encoding, encoding.name.isEqualIgnoringCase("red"),
        encoding.clockRate == codec.encoding?.clockRate, encoding.channels == codec.encoding?.channels,
        payload.parameters.entries.count == 1, let types = payload.parameters.entries.first, types.value == nil
      else { return false }
      return types.name[...].fields(separatedBy: .slash).allSatisfy { $0.decimal() == Int(codec.payloadType) }
    }?.payloadType
  }
}

extension CodecCapability {
  /// Whether an offered payload is this codec in this configuration.
  func accepts(_ payload: PayloadDescription) -> Bool {
    guard let encoding = payload.encoding, matches(encoding) else { return false }
    // Profile 0 where nothing is said (RFC 9628 section 6, RTP payload format for AV1 section 7.2.1).
    if name.isEqualIgnoringCase("VP9") { return payload.parameters["profile-id"].map { $0 == "0" } ?? true }
    if name.isEqualIgnoringCase("AV1") { return payload.parameters["profile"].map { $0 == "0" } ?? true }
    guard name.isEqualIgnoringCase("H264") else { return true }
    let mode = payload.parameters["packetization-mode"] ?? "0"
    return mode == parameters["packetization-mode"] ?? "0" && payload.h264ProfileLevel?.profile == h264ProfileLevel?.profile
      && h264ProfileLevel != nil
  }

  private var h264ProfileLevel: H264ProfileLevel? { parameters["profile-level-id"].flatMap { H264ProfileLevel($0) } }

  /// What an answer says in `a=fmtp`.
  func answerParameters(to offered: FormatParameters) -> FormatParameters {
    var answer = parameters
    for entry in parametersIfOffered.entries where offered[entry.name] != nil && offered[entry.name] != "0" {
      answer[entry.name] = entry.value
    }
    if name.isEqualIgnoringCase("H264"), let ours = h264ProfileLevel {
      // The profile bytes are repeated as offered; the level is ours where each side may have its own, else the lower one.
      var level = offered["profile-level-id"].flatMap { H264ProfileLevel($0) } ?? .whenNotSaid
      let isAsymmetric = offered.flag("level-asymmetry-allowed") && parameters.flag("level-asymmetry-allowed")
      level.level = isAsymmetric ? ours.level : min(level.level, ours.level)
      answer["profile-level-id"] = level.text
      if !isAsymmetric { answer["level-asymmetry-allowed"] = nil }
    }
    return answer
  }
}

extension PayloadDescription {
  fileprivate var h264ProfileLevel: H264ProfileLevel? {
    guard let text = parameters["profile-level-id"] else { return .whenNotSaid }
    return H264ProfileLevel(text)
  }
}
