/// Reads attribute values; each refuses what it cannot read with a sentence that shows the right form.
extension SDPLine {
  /// Reads a value with `parse`, or tells the form it should have.
  func value<T>(_ value: Substring?, form: String, _ parse: (Substring) -> T?) throws(SDPError) -> T {
    guard let value, let parsed = parse(value.trimmed) else { throw error("write \(form).") }
    return parsed
  }

  /// A line `NAME:PAYLOAD-TYPE REST`.
  func payloadValue(_ value: Substring?, form: String) throws(SDPError) -> (payloadType: UInt8, rest: Substring) {
    try self.value(value, form: form) { text in
      let fields = text.fields(count: 2)
      guard let payloadType = fields.first?.decimal(as: UInt8.self), payloadType < 128 else { return nil }
      return (payloadType, fields.count > 1 ? fields[1].trimmed : "")
    }
  }

  func iceText(_ value: Substring?, form: String) throws(SDPError) -> String {
    try self.value(value, form: form) { $0.isVisible(upTo: 256) && !$0.utf8.contains(.colon) ? String($0) : nil }
  }

  func options(_ value: Substring?) throws(SDPError) -> [String] {
    try self.value(value, form: "a=ice-options:OPTION …") { text in
      let options = text.fields()
      return options.allSatisfy { $0.isVisible(upTo: 64) } ? options.map { String($0) } : nil
    }
  }

  func candidate(_ value: Substring?) throws(SDPError) -> CandidateAttribute {
    try self.value(
      value, form: "a=candidate:FOUNDATION 1 udp PRIORITY ADDRESS PORT typ TYPE …", CandidateAttribute.init(parsing:))
  }

  func setup(_ value: Substring?) throws(SDPError) -> SetupRole {
    try self.value(value, form: "a=setup:actpass, active or passive") { SetupRole(rawValue: $0.lowercased()) }
  }

  func fingerprint(_ value: Substring?) throws(SDPError) -> FingerprintAttribute {
    try self.value(value, form: "a=fingerprint:sha-256 and 32 pairs of hexadecimal digits between colons") {
      FingerprintAttribute($0)
    }
  }

  func extmap(_ value: Substring?) throws(SDPError) -> ExtmapAttribute {
    try self.value(value, form: "a=extmap:ID URI, with an ID from 1") { ExtmapAttribute($0) }
  }

  /// Milliseconds as microseconds; a sign and up to three decimals are understood, what is beyond ±1000 s becomes that.
  func milliseconds(_ value: Substring?, form: String) throws(SDPError) -> Int {
    try self.value(value, form: form) { text in
      let isNegative = text.hasPrefix("-")
      let (whole, fraction) =
        (isNegative ? text.dropFirst() : text).cut(at: .dot) ?? (isNegative ? text.dropFirst() : text, "0")
      guard !whole.isEmpty, whole.utf8.allSatisfy({ $0.isDigit }), !fraction.isEmpty, fraction.utf8.allSatisfy({ $0.isDigit })
      else { return nil }
      let padded = (String(fraction) + "000").utf8.prefix(3)
      let thousandths = Substring(padded).decimal(as: Int.self) ?? 0
      let limit = 1_000_000
      let milliseconds = whole.utf8.count > 9 ? limit : min(whole.decimal(as: Int.self) ?? limit, limit)
      let microseconds = min(milliseconds * 1_000 + thousandths, limit * 1_000)
      return isNegative ? -microseconds : microseconds
    }
  }
}

extension SessionDescription {
  /// Reads one attribute of the session part.
  mutating func read(_ name: Substring, _ value: Substring?, _ line: SDPLine) throws(SDPError) {
    switch name {
    case "group":
      groups.append(try line.value(value, form: "a=group:BUNDLE MID …") { MediaGroup($0) })
    case "ice-lite": isICELite = true
    case "ice-options": iceOptions = try line.options(value)
    case "ice-ufrag": usernameFragment = try line.iceText(value, form: "a=ice-ufrag: and 4 to 256 letters or digits")
    case "ice-pwd": password = try line.iceText(value, form: "a=ice-pwd: and 22 to 256 letters or digits")
    case "fingerprint": fingerprints.append(try line.fingerprint(value))
    case "setup": setup = try line.setup(value)
    case "msid-semantic": msidSemantics.append(String((value ?? "").trimmed))
    case "extmap-allow-mixed": allowsMixedExtensionForms = true
    case "extmap": extensions.append(try line.extmap(value))
    case "sendrecv", "sendonly", "recvonly", "inactive": direction = MediaDirection(rawValue: String(name))
    default: otherAttributes.append(Attribute(name: String(name), value: value.map { String($0) }))
    }
  }
}

extension MediaDescription {
  /// Reads one attribute of a media part.
  mutating func read(_ name: Substring, _ value: Substring?, _ line: SDPLine) throws(SDPError) {
    switch name {
    case "mid": mid = try line.value(value, form: "a=mid:TOKEN") { $0.isToken(upTo: 64) ? String($0) : nil }
    case "sendrecv", "sendonly", "recvonly", "inactive": direction = MediaDirection(rawValue: String(name))
    case "rtcp-mux": usesRTCPMux = true
    case "rtcp-mux-only": requiresRTCPMux = true
    case "rtcp-rsize": usesReducedSizeRTCP = true
    case "bundle-only": isBundleOnly = true
    case "ptime": packetTimeMicroseconds = try line.milliseconds(value, form: "a=ptime:MILLISECONDS")
    case "maxptime": maxPacketTimeMicroseconds = try line.milliseconds(value, form: "a=maxptime:MILLISECONDS")
    case "rtpmap", "fmtp", "rtcp-fb": try readFormat(name, value, line)
    case "extmap": extensions.append(try line.extmap(value))
    case "extmap-allow-mixed": allowsMixedExtensionForms = true
    case "ssrc", "ssrc-group", "msid", "rid", "simulcast": try readStream(name, value, line)
    case "ice-ufrag", "ice-pwd", "ice-options", "candidate", "end-of-candidates", "fingerprint", "setup":
      try readTransport(name, value, line)
    default: otherAttributes.append(Attribute(name: String(name), value: value.map { String($0) }))
    }
  }

  private mutating func readFormat(_ name: Substring, _ value: Substring?, _ line: SDPLine) throws(SDPError) {
    switch name {
    case "rtpmap":
      let form = "a=rtpmap:PAYLOAD-TYPE NAME/CLOCK-RATE, with a payload type up to 127"
      let (payloadType, rest) = try line.payloadValue(value, form: form)
      let mapping = try line.value(rest, form: form) { RTPMap($0) }
      withPayload(payloadType) { $0.mapping = mapping }
    case "fmtp":
      guard let value, Self.isPayloadType(value.fields(count: 2).first) else {
        // Formats of other protocols have parameters too (a=fmtp of T.38 or data channels): kept as they are.
        let isOther = value?.fields(count: 2).first.map { formats.contains(String($0)) } ?? false
        guard isOther else { throw line.error("write a=fmtp:PAYLOAD-TYPE NAME=VALUE;…, with a payload type up to 127.") }
        return otherAttributes.append(Attribute(name: String(name), value: value.map { String($0) }))
      }
      let (payloadType, rest) = try line.payloadValue(value, form: "a=fmtp:PAYLOAD-TYPE NAME=VALUE;…")
      let parameters = FormatParameters(parsing: rest)
      if !parameters.isEmpty { withPayload(payloadType) { $0.parameters.entries += parameters.entries } }
    default:
      try readFeedback(value, line)
    }
  }

  private static func isPayloadType(_ text: Substring?) -> Bool {
    text?.decimal(as: UInt8.self).map { $0 < 128 } ?? false
  }

  private mutating func readFeedback(_ value: Substring?, _ line: SDPLine) throws(SDPError) {
    let form = "a=rtcp-fb:PAYLOAD-TYPE KIND …, such as a=rtcp-fb:96 nack pli"
    let fields = (value ?? "").fields(count: 2)
    guard fields.count == 2, !fields[1].trimmed.isEmpty else { throw line.error("write \(form).") }
    let feedback = FeedbackAttribute(String(fields[1]))
    if fields[0] == "*" {
      feedbackForAll.append(feedback)
    } else {
      let (payloadType, _) = try line.payloadValue(value, form: form)
      withPayload(payloadType) { $0.feedback.append(feedback) }
    }
  }

  private mutating func readStream(_ name: Substring, _ value: Substring?, _ line: SDPLine) throws(SDPError) {
    switch name {
    case "ssrc": try readSource(value, line)
    case "ssrc-group":
      sourceGroups.append(try line.value(value, form: "a=ssrc-group:FID SSRC SSRC") { SourceGroup($0) })
    case "msid": msids.append(try line.value(value, form: "a=msid:STREAM TRACK") { MSIDAttribute($0) })
    case "rid":
      rids.append(
        try line.value(value, form: "a=rid:ID send or recv, with an ID of letters, digits, - and _") { RIDAttribute($0) })
    default:
      let simulcast = try line.value(value, form: "a=simulcast:send RID;RID") { SimulcastAttribute($0) }
      self.simulcast = simulcast.isEmpty ? nil : simulcast
    }
  }

  private mutating func readSource(_ value: Substring?, _ line: SDPLine) throws(SDPError) {
    let form = "a=ssrc:NUMBER ATTRIBUTE, such as a=ssrc:1234 cname:x, with a number of 32 bits"
    let (ssrc, attribute) = try line.value(value, form: form) { text -> (UInt32, Attribute)? in
      let fields = text.fields(count: 2)
      guard fields.count == 2, let ssrc = fields[0].decimal(as: UInt32.self) else { return nil }
      let attribute = fields[1].trimmed
      guard let (name, value) = attribute.cut(at: .colon) else { return (ssrc, Attribute(name: String(attribute))) }
      return (ssrc, Attribute(name: String(name), value: String(value)))
    }
    if let index = sources.firstIndex(where: { $0.ssrc == ssrc }) {
      sources[index].attributes.append(attribute)
    } else {
      sources.append(SourceDescription(ssrc: ssrc, attributes: [attribute]))
    }
  }

  private mutating func readTransport(_ name: Substring, _ value: Substring?, _ line: SDPLine) throws(SDPError) {
    switch name {
    case "ice-ufrag": usernameFragment = try line.iceText(value, form: "a=ice-ufrag: and 4 to 256 letters or digits")
    case "ice-pwd": password = try line.iceText(value, form: "a=ice-pwd: and 22 to 256 letters or digits")
    case "ice-options": iceOptions = try line.options(value)
    case "candidate": candidates.append(try line.candidate(value))
    case "end-of-candidates": hasEndOfCandidates = true
    case "fingerprint": fingerprints.append(try line.fingerprint(value))
    default: setup = try line.setup(value)
    }
  }
}
