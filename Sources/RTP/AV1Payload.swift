import Bytes
import EncodedMedia

/// The elements of an AV1 payload: whole units, or pieces of one (RTP payload format for AV1, section 4.3).
public struct AV1PayloadReader: ~Escapable {
  /// Z: the first element continues the last one of the packet before.
  public let continues: Bool
  /// Y: the last element goes on in the next packet.
  public let isContinued: Bool
  /// N: a coded video sequence begins here, which is with a keyframe.
  public let startsSequence: Bool
  /// W: how many elements there are; 0 where each has its length.
  private let count: Int
  private var read = 0
  private var rest: Span<UInt8>

  /// - Returns: nil for a payload with nothing behind the aggregation header.
  @_lifetime(copy payload)
  public init?(_ payload: Span<UInt8>) {
    guard payload.count >= 2 else { return nil }
    continues = payload[0] & 0x80 != 0
    isContinued = payload[0] & 0x40 != 0
    startsSequence = payload[0] & 0x08 != 0
    count = Int(payload[0] >> 4 & 3)
    rest = payload.extracting(1..<payload.count)
  }

  /// A length went beyond the payload, or elements were missing.
  public private(set) var isMalformed = false

  /// Whether another element follows.
  public var hasMore: Bool { !rest.isEmpty && !isMalformed && (count == 0 || read < count) }

  /// The next element; nil after the last and from where the payload is malformed.
  @_lifetime(copy self)
  public mutating func next() -> Span<UInt8>? {
    guard !isMalformed else { return nil }
    if rest.isEmpty {
      if count > 0, read < count { isMalformed = true }
      return nil
    }
    guard count == 0 || read < count else { return nil }
    read &+= 1
    var length = rest.count
    var start = 0
    // The last of a known count has no length.
    if count == 0 || read < count {
      guard let told = LEB128.read(rest, at: &start), told <= rest.count &- start else {
        isMalformed = true
        return nil
      }
      length = start &+ told
    }
    let element = rest.extracting(start..<length)
    rest = rest.extracting(length..<rest.count)
    return element
  }
}
