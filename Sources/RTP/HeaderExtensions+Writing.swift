import Bytes
import EncodedMedia

extension HeaderExtensions {
  /// Writes the whole extension block: profile, length, elements, padding to a word.
  ///
  /// One-byte elements where every id and length allows them, else two-byte elements (RFC 8285 section 4).
  ///
  /// - Returns: its length, 0 where there is nothing to write; nil where it does not fit.
  @_lifetime(packet: copy packet)
  func write(map: HeaderExtensionMap, contributors: ContributorList, into packet: inout MutableSpan<UInt8>, at start: Int)
    -> Int?
  {
    let written = kinds(contributors) & map.known
    guard written != 0 else { return 0 }
    var size = 0
    var elementCount = 0
    var usesTwoBytes = false
    var left = written
    while let kind = HeaderExtensionKind.takeFirst(of: &left) {
      guard let id = map[kind] else { continue }
      let length = valueLength(of: kind, contributors)
      guard length > 0 else { continue }
      size &+= length &+ 1
      elementCount &+= 1
      if id > 14 { usesTwoBytes = true }
    }
    guard elementCount > 0 else { return 0 }
    if usesTwoBytes { size &+= elementCount }
    let padded = (size &+ 3) & ~3
    guard start &+ 4 &+ padded <= packet.count else { return nil }

    packet.setBigEndian(UInt16(usesTwoBytes ? 0x1000 : 0xBEDE), at: start)
    packet.setBigEndian(UInt16(truncatingIfNeeded: padded / 4), at: start &+ 2)
    var at = start &+ 4
    left = written
    while let kind = HeaderExtensionKind.takeFirst(of: &left) {
      guard let id = map[kind] else { continue }
      let length = valueLength(of: kind, contributors)
      guard length > 0 else { continue }
      if usesTwoBytes {
        packet[at] = id
        packet[at &+ 1] = UInt8(truncatingIfNeeded: length)
        at &+= 2
      } else {
        packet[at] = id << 4 | UInt8(truncatingIfNeeded: length &- 1)
        at &+= 1
      }
      writeValue(of: kind, contributors, into: &packet, at: at)
      at &+= length
    }
    while at < start &+ 4 &+ padded {
      packet[at] = 0
      at &+= 1
    }
    return 4 &+ padded
  }

  /// What there is a value of, as bits: a packet has two or three of the ten.
  private func kinds(_ contributors: ContributorList) -> UInt16 {
    var kinds: UInt16 = 0
    if mid != nil { kinds |= HeaderExtensionKind.mid.bit }
    if rid != nil { kinds |= HeaderExtensionKind.rid.bit }
    if repairedRID != nil { kinds |= HeaderExtensionKind.repairedRID.bit }
    if audioLevel != nil { kinds |= HeaderExtensionKind.audioLevel.bit }
    if contributors.count > 0 { kinds |= HeaderExtensionKind.contributorAudioLevel.bit }
    if absoluteSendTime != nil { kinds |= HeaderExtensionKind.absoluteSendTime.bit }
    if transportSequenceNumber != nil { kinds |= HeaderExtensionKind.transportSequenceNumber.bit }
    if rotation != nil { kinds |= HeaderExtensionKind.videoOrientation.bit }
    if playoutDelay != nil { kinds |= HeaderExtensionKind.playoutDelay.bit }
    return kinds
  }

  /// Bytes of one value: 1 to 16; 0 where it is not there.
  private func valueLength(of kind: HeaderExtensionKind, _ contributors: ContributorList) -> Int {
    switch kind {
    case .mid: mid?.count ?? 0
    case .rid: rid?.count ?? 0
    case .repairedRID: repairedRID?.count ?? 0
    case .audioLevel: audioLevel == nil ? 0 : 1
    case .contributorAudioLevel: contributors.count
    case .absoluteSendTime: absoluteSendTime == nil ? 0 : 3
    case .transportSequenceNumber: transportSequenceNumber == nil ? 0 : 2
    case .videoOrientation: rotation == nil ? 0 : 1
    case .playoutDelay: playoutDelay == nil ? 0 : 3
    case .dependencyDescriptor: 0
    }
  }

  @_lifetime(packet: copy packet)
  private func writeValue(
    of kind: HeaderExtensionKind, _ contributors: ContributorList, into packet: inout MutableSpan<UInt8>, at offset: Int
  ) {
    switch kind {
    case .mid: write(mid, into: &packet, at: offset)
    case .rid: write(rid, into: &packet, at: offset)
    case .repairedRID: write(repairedRID, into: &packet, at: offset)
    case .audioLevel: packet[offset] = (audioLevel ?? 127) & 0x7F | (voiceActivity ? 0x80 : 0)
    case .contributorAudioLevel:
      for index in 0..<contributors.count { packet[offset &+ index] = contributors[index].level & 0x7F }
    case .absoluteSendTime: write24(absoluteSendTime ?? 0, into: &packet, at: offset)
    case .transportSequenceNumber: packet.setBigEndian(transportSequenceNumber ?? 0, at: offset)
    case .videoOrientation: packet[offset] = rotation?.rawValue ?? 0
    case .playoutDelay: write24(playoutDelay?.bits ?? 0, into: &packet, at: offset)
    case .dependencyDescriptor: break
    }
  }

  @_lifetime(packet: copy packet)
  private func write(_ token: ShortToken?, into packet: inout MutableSpan<UInt8>, at offset: Int) {
    guard let token else { return }
    for index in 0..<token.count { packet[offset &+ index] = token[index] }
  }

  @_lifetime(packet: copy packet)
  private func write24(_ value: UInt32, into packet: inout MutableSpan<UInt8>, at offset: Int) {
    packet[offset] = UInt8(truncatingIfNeeded: value >> 16)
    packet.setBigEndian(UInt16(truncatingIfNeeded: value), at: offset &+ 1)
  }
}

extension HeaderExtensionKind {
  var bit: UInt16 { 1 << UInt16(rawValue) }

  /// The kind of the lowest bit, which is cleared; nil where none is set.
  static func takeFirst(of bits: inout UInt16) -> HeaderExtensionKind? {
    guard bits != 0 else { return nil }
    let kind = HeaderExtensionKind(rawValue: UInt8(truncatingIfNeeded: bits.trailingZeroBitCount))
    bits &= bits &- 1
    return kind
  }
}
