import EncodedMedia

/// What the payload types of one session stand for, as negotiated by SDP.
public struct PayloadTypeMap: Sendable {
  public enum Format: Hashable, Sendable {
    case media(Codec)
    /// RFC 4588: retransmissions of the packets of another payload type.
    case retransmission(of: UInt8)
    /// RFC 2198: packets of another payload type with copies of earlier ones.
    case redundancy(of: UInt8)
    /// RFC 2198: video in blocks of one, so that parity can come between.
    case block
    /// RFC 5109: parity over packets in blocks; comes in one itself.
    case parity
  }

  // A session has a handful: going through them is quicker than hashing.
  private var entries: [(payloadType: UInt8, format: Format)] = []

  public init() {}

  /// - Parameter payloadType: 0 to 127; others stand for nothing.
  public subscript(payloadType: UInt8) -> Format? {
    get {
      for entry in entries where entry.payloadType == payloadType { return entry.format }
      return nil
    }
    set {
      entries.removeAll { $0.payloadType == payloadType }
      if let newValue, payloadType < 128 { entries.append((payloadType, newValue)) }
    }
  }

  /// The payload type of retransmissions of `payloadType`; nil where none was negotiated.
  public func retransmission(of payloadType: UInt8) -> UInt8? {
    for entry in entries where entry.format == .retransmission(of: payloadType) { return entry.payloadType }
    return nil
  }

  /// The payload type of packets of `payloadType` with copies of earlier ones; nil where none was negotiated.
  public func redundancy(of payloadType: UInt8) -> UInt8? {
    for entry in entries where entry.format == .redundancy(of: payloadType) { return entry.payloadType }
    return nil
  }

  /// The payload type of blocks or of parity; nil where it was not negotiated.
  func payloadType(of format: Format) -> UInt8? {
    for entry in entries where entry.format == format { return entry.payloadType }
    return nil
  }

  /// Whether any payload type stands for packets with copies.
  var hasRedundancy: Bool {
    entries.contains { entry in
      if case .redundancy = entry.format { return true }
      return false
    }
  }

  /// The first payload type of a codec; nil where it was not negotiated.
  public func payloadType(of codec: Codec) -> UInt8? {
    for entry in entries where entry.format == .media(codec) { return entry.payloadType }
    return nil
  }
}
