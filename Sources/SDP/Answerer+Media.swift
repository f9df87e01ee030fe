extension Answerer {
  /// Our description of an accepted line and what it settles; the transport is written later.
  func accept(
    _ media: MediaDescription, _ planned: OfferPlan.AcceptedLine, index: Int, source: LocalSource?
  ) -> (MediaDescription, NegotiatedMedia) {
    var line = planned
    if source == nil { line.direction = MediaDirection(sends: false, receives: planned.direction.receives) }
    let listed = line.listed
    let rids = line.direction.receives ? receivedRIDs(media, line) : []

    var description = MediaDescription(
      kind: media.kind, port: 9, transportProtocol: media.transportProtocol, formats: [])
    description.connection = .unspecified
    description.mid = media.mid
    description.direction = line.direction
    description.usesRTCPMux = true
    description.usesReducedSizeRTCP = media.usesReducedSizeRTCP && capabilities.reducedSizeRTCP
    description.allowsMixedExtensionForms = media.allowsMixedExtensionForms && capabilities.allowsMixedExtensionForms
    description.extensions = line.extensions.map { ExtmapAttribute(id: $0.id, direction: $0.direction?.reversed, uri: $0.uri) }
    for codec in listed { codec.write(into: &description) }
    line.sent?.protection?.write(into: &description)
    source?.write(into: &description, hasRetransmission: line.sent?.retransmissionPayloadType != nil)
    describe(rids, of: media, in: &description)

    let times = media.clampedPacketTimes
    let negotiated = NegotiatedMedia(
      index: index, mid: media.mid, type: line.type, direction: line.direction,
      receiveCodecs: line.direction.receives ? listed.map { $0.negotiated } : [], sendCodec: line.sent?.negotiated,
      receiveExtensions: line.direction.receives ? line.receiveExtensions : [],
      sendExtensions: line.direction.sends ? line.sendExtensions : [],
      remoteSources: line.direction.receives ? media.remoteSources : [],
      simulcastSSRCs: line.direction.receives ? media.simulcastSSRCs : [], receiveRIDs: rids.map { $0.id },
      remoteMSID: line.direction.receives ? media.remoteMSID : nil, localSource: source,
      reducedSizeRTCP: description.usesReducedSizeRTCP, packetTimeMicroseconds: times.packetTime,
      maxPacketTimeMicroseconds: times.maximum, sendLimit: SendLimit(media.bandwidths),
      content: media.otherAttributes.first { $0.name == "content" }?.value)
    return (description, negotiated)
  }

  /// The offered layers we receive (RFC 8853 section 5.3.2): of each stream its first alternative that we can.
  ///
  /// Without the header extension that names them, layers cannot be told apart: then none.
  private func receivedRIDs(_ media: MediaDescription, _ line: OfferPlan.AcceptedLine) -> [RIDAttribute] {
    guard line.receiveExtensions.contains(where: { $0.uri == HeaderExtensionURI.rid }) else { return [] }
    let payloadTypes = Set(line.listed.map { $0.offered.payloadType })
    let usable = media.rids.compactMap { $0.direction == .send ? $0.restricted(to: payloadTypes) : nil }
    let streams = media.simulcast.map { $0.send.map { $0.map { $0.rid } } } ?? usable.map { [$0.id] }
    var chosen: [RIDAttribute] = []
    for stream in streams where chosen.count < policy.simulcastLayerCountMax {
      let rid = stream.lazy.compactMap { id in usable.first { $0.id == id } }.first
      if let rid, !chosen.contains(where: { $0.id == rid.id }) { chosen.append(rid) }
    }
    return chosen
  }

  private func describe(_ rids: [RIDAttribute], of media: MediaDescription, in description: inout MediaDescription) {
    guard !rids.isEmpty else { return }
    description.rids = rids.map { RIDAttribute(id: $0.id, direction: .recv, restrictions: $0.restrictions) }
    guard media.simulcast != nil else { return }
    description.simulcast = SimulcastAttribute(receive: rids.map { [SimulcastAttribute.Encoding(rid: $0.id)] })
  }
}

extension RIDAttribute {
  /// The same with its list of payload types cut to those in use; nil when none of them is (RFC 8851 section 5).
  fileprivate func restricted(to payloadTypes: Set<UInt8>) -> RIDAttribute? {
    guard let list = restrictions["pt"] else { return self }
    let kept = list[...].fields(separatedBy: .comma).filter { $0.decimal(as: UInt8.self).map(payloadTypes.contains) ?? false }
    guard !kept.isEmpty else { return nil }
    var rid = self
    rid.restrictions["pt"] = kept.joined(separator: ",")
    return rid
  }
}
