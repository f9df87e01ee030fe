/// What the other side says about its own streams on a line.
extension MediaDescription {
  /// The announced sources, retransmissions paired with what they repeat; at most 64.
  var remoteSources: [RemoteSource] {
    var repairs: [UInt32: UInt32] = [:]
    var repairing: Set<UInt32> = []
    for group in sourceGroups where group.ssrcs.count == 2 {
      switch group.semantics {
      case "FID":
        if repairs[group.ssrcs[0]] == nil { repairs[group.ssrcs[0]] = group.ssrcs[1] }
        repairing.insert(group.ssrcs[1])
      case "FEC-FR": repairing.insert(group.ssrcs[1])
      default: break
      }
    }
    return sources.filter { !repairing.contains($0.ssrc) }.prefix(64).map {
      RemoteSource(ssrc: $0.ssrc, retransmissionSSRC: repairs[$0.ssrc], cname: $0.cname)
    }
  }

  var simulcastSSRCs: [UInt32] { Array(sourceGroups.first { $0.semantics == "SIM" }?.ssrcs.prefix(8) ?? []) }

  var remoteMSID: MSIDAttribute? { msids.first ?? sources.lazy.compactMap { $0.msid }.first }

  /// `a=maxptime` and `a=ptime` within what an Opus packet can be long, in microseconds.
  var clampedPacketTimes: (packetTime: Int, maximum: Int) {
    let maximum = min(max(maxPacketTimeMicroseconds ?? 120_000, 2_500), 120_000)
    let packetTime = min(max(packetTimeMicroseconds ?? 20_000, 2_500), maximum)
    return (packetTime, maximum)
  }

  /// The header extensions both sides know, by the ids of this description.
  ///
  /// `sends` are those we may send, `receives` those that may come, by the direction each is mapped with.
  func commonExtensions(
    _ session: [ExtmapAttribute], uris: [String], idMax: UInt8
  ) -> (all: [ExtmapAttribute], sends: [HeaderExtensionID], receives: [HeaderExtensionID]) {
    var all: [ExtmapAttribute] = []
    for entry in extensions + session {
      guard let id = UInt8(exactly: entry.id), id <= idMax, id != 15, uris.contains(entry.uri), entry.attributes.isEmpty,
        !all.contains(where: { $0.uri == entry.uri || $0.id == entry.id })
      else { continue }
      all.append(entry)
    }
    func ids(_ isUsed: (MediaDirection) -> Bool) -> [HeaderExtensionID] {
      all.compactMap { entry in
        guard isUsed(entry.direction ?? .sendrecv), let id = UInt8(exactly: entry.id) else { return nil }
        return HeaderExtensionID(id: id, uri: entry.uri)
      }
    }
    return (all, ids { $0.receives }, ids { $0.sends })
  }
}
