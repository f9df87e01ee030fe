/// The header extensions this stack reads and writes.
public enum HeaderExtensionKind: UInt8, Hashable, Sendable, CaseIterable {
  /// RFC 9143.
  case mid
  /// RFC 8852.
  case rid
  /// RFC 8852: the RID of the stream that a retransmission stream repairs.
  case repairedRID
  /// RFC 6464.
  case audioLevel
  /// RFC 6465.
  case contributorAudioLevel
  case absoluteSendTime
  /// draft-holmer-rmcat-transport-wide-cc-extensions-01.
  case transportSequenceNumber
  /// 3GPP TS 26.114 section 7.4.5.
  case videoOrientation
  case playoutDelay
  /// RTP payload format for AV1, appendix A; of any codec.
  case dependencyDescriptor

  /// What SDP's `a=extmap` calls the extension.
  public var uri: String {
    switch self {
    case .mid: "urn:ietf:params:rtp-hdrext:sdes:mid"
    case .rid: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
    case .repairedRID: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
    case .audioLevel: "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    case .contributorAudioLevel: "urn:ietf:params:rtp-hdrext:csrc-audio-level"
    case .absoluteSendTime: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    case .transportSequenceNumber: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    case .videoOrientation: "urn:3gpp:video-orientation"
    case .playoutDelay: "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
    case .dependencyDescriptor: "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
    }
  }

  /// - Returns: nil for an extension this stack does not know.
  public init?(uri: String) {
    guard let kind = Self.allCases.first(where: { $0.uri == uri }) else { return nil }
    self = kind
  }
}

/// Which id stands for which extension, as negotiated by SDP (RFC 8285). Held in place.
public struct HeaderExtensionMap: Sendable {
  /// The id of each kind by its raw value; 0 where it has none.
  private var ids: [10 of UInt8] = .init(repeating: 0)
  /// The kind of ids 0 to 15 by their number, so that the common ones need no search; 255 where there is none.
  private var kinds: [16 of UInt8] = .init(repeating: 255)

  /// The kinds that have an id, each as the bit of its raw value.
  private(set) var known: UInt16 = 0

  public init() {}

  /// The id of an extension: 1 to 255; nil where it was not negotiated.
  ///
  /// Setting id 0 or 15 leaves the kind without one: neither can stand in a packet. An id set for a second kind is taken from the first.
  public subscript(kind: HeaderExtensionKind) -> UInt8? {
    get {
      let id = ids[Int(kind.rawValue)]
      return id == 0 ? nil : id
    }
    set {
      let previous = ids[Int(kind.rawValue)]
      if previous > 0, previous < 16 { kinds[Int(previous)] = 255 }
      ids[Int(kind.rawValue)] = 0
      known &= ~kind.bit
      guard let id = newValue, id != 0, id != 15 else { return }
      if let other = self.kind(of: id) {
        ids[Int(other.rawValue)] = 0
        known &= ~other.bit
      }
      ids[Int(kind.rawValue)] = id
      known |= kind.bit
      if id < 16 { kinds[Int(id)] = kind.rawValue }
    }
  }

  /// What an id stands for; nil where it was not negotiated or this stack does not know the extension.
  public func kind(of id: UInt8) -> HeaderExtensionKind? {
    if id < 16 { return HeaderExtensionKind(rawValue: kinds[Int(id)]) }
    for index in 0..<ids.count where ids[index] == id { return HeaderExtensionKind(rawValue: UInt8(truncatingIfNeeded: index)) }
    return nil
  }
}
