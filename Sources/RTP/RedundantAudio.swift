import Bytes

/// One block of a payload with redundancy (RFC 2198): a frame's payload, or that of a frame sent before.
public struct RedundantBlock: Hashable, Sendable {
  /// What the block's bytes are.
  public var payloadType: UInt8
  /// How much earlier than the packet its frame was sampled, in ticks of the RTP clock: 0 for the packet's own.
  public var timestampOffset: Int
  /// Where the block's bytes are within the payload.
  public var range: Range<Int>

  public init(payloadType: UInt8, timestampOffset: Int, range: Range<Int>) {
    self.payloadType = payloadType
    self.timestampOffset = timestampOffset
    self.range = range
  }
}

/// The blocks of one payload; held in place, without an allocation.
public struct RedundantBlocks: Sendable {
  private var blocks: [8 of RedundantBlock] = .init(
    repeating: RedundantBlock(payloadType: 0, timestampOffset: 0, range: 0..<0))
  public private(set) var count = 0

  /// Blocks in one packet that are looked at; more are a malformed payload.
  public static let capacity = 8

  public init() {}

  /// - Parameter index: 0 ..< `count`
  public subscript(index: Int) -> RedundantBlock { blocks[index] }

  mutating func append(_ block: RedundantBlock) {
    guard count < Self.capacity else { return }
    blocks[count] = block
    count &+= 1
  }
}

/// Audio with copies of what was sent just before (RFC 2198).
///
///     F=1 PT offset length │ F=1 PT offset length │ F=0 PT │ oldest copy │ newer copy │ the packet's own
public enum RedundantAudio {
  /// The longest copy: its length has 10 bits.
  public static let copySizeMax = 1023
  /// The oldest copy: its offset has 14 bits.
  public static let offsetMax = 16_383
  /// A copy older than two of the longest packets, 240 ms at 48 kHz, comes too late to be waited for.
  public static let usefulOffsetMax = 11_520
  /// Of two bytes and less are the packets that begin a pause, of which nothing is missed.
  public static let usefulSizes = 3...copySizeMax
  /// Bytes of the header of a copy, and of the packet's own block.
  public static let copyHeaderSize = 4
  public static let ownHeaderSize = 1

  /// Finds the blocks of a payload, the packet's own last and the others by their age, oldest first.
  ///
  /// - Returns: false for a payload that is malformed.
  public static func parse(_ payload: Span<UInt8>, into blocks: inout RedundantBlocks) -> Bool {
    blocks = RedundantBlocks()
    guard let headers = headerSize(payload), headers.dataSize <= payload.count &- headers.size else { return false }
    var (header, data) = (0, headers.size)
    while header < headers.size {
      let first = payload[header]
      if first & 0x80 == 0 {
        blocks.append(RedundantBlock(payloadType: first & 0x7F, timestampOffset: 0, range: data..<payload.count))
        return true
      }
      let offset = Int(payload[header &+ 1]) << 6 | Int(payload[header &+ 2]) >> 2
      let length = Int(payload[header &+ 2] & 0x03) << 8 | Int(payload[header &+ 3])
      blocks.append(
        RedundantBlock(payloadType: first & 0x7F, timestampOffset: offset, range: data..<(data &+ length)))
      data &+= length
      header &+= copyHeaderSize
    }
    return true
  }

  /// How long the headers are, and the copies behind them; nil where the headers do not end within the payload.
  private static func headerSize(_ payload: Span<UInt8>) -> (size: Int, dataSize: Int)? {
    var (header, data) = (0, 0)
    for _ in 0..<RedundantBlocks.capacity {
      guard header < payload.count else { return nil }
      if payload[header] & 0x80 == 0 { return (header &+ ownHeaderSize, data) }
      guard header &+ copyHeaderSize <= payload.count else { return nil }
      data &+= Int(payload[header &+ 2] & 0x03) << 8 | Int(payload[header &+ 3])
      header &+= copyHeaderSize
    }
    return nil
  }

  /// Writes the header of a copy.
  ///
  /// - Parameters:
  ///   - timestampOffset: 0 ... `offsetMax`
  ///   - length: 0 ... `copySizeMax`
  ///   - packet: has `copyHeaderSize` bytes from `offset` on.
  @_lifetime(packet: copy packet)
  public static func writeCopyHeader(
    payloadType: UInt8, timestampOffset: Int, length: Int, into packet: inout MutableSpan<UInt8>, at offset: Int
  ) {
    packet[offset] = 0x80 | payloadType
    packet[offset &+ 1] = UInt8(truncatingIfNeeded: timestampOffset >> 6)
    packet[offset &+ 2] = UInt8(truncatingIfNeeded: timestampOffset << 2 | (length >> 8 & 0x03))
    packet[offset &+ 3] = UInt8(truncatingIfNeeded: length)
  }
}
