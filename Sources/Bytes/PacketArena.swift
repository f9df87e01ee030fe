/// Where outgoing packets are built: one block of memory, packets behind one another, emptied after each batch is sent.
///
/// Packets lie back to back, so that a run of equally long packets to one peer can leave in one system call (UDP_SEGMENT). No
/// allocation once the block is there. Full is an answer, not a trap: `append` refuses and counts.
public struct PacketArena: ~Copyable {
  private var bytes: [UInt8]
  /// Bytes in use.
  public private(set) var count = 0
  /// Packets refused since the start because the block was full.
  public private(set) var refused = 0

  /// - Parameter capacity: bytes; 64 packets of 1500 bytes fit in the default.
  public init(capacity: Int = 96_000) { self.bytes = [UInt8](repeating: 0, count: capacity) }

  public var capacity: Int { bytes.count }
  public var room: Int { bytes.count &- count }

  /// Builds one packet in place.
  ///
  /// - Parameters:
  ///   - capacity: the most bytes the packet may take, its authentication tag included.
  ///   - build: writes the packet from offset 0 of the span and answers its length, or nil to give it up.
  /// - Returns: where the packet lies; nil where there was no room or `build` gave up.
  public mutating func append(capacity: Int, _ build: (inout MutableSpan<UInt8>) -> Int?) -> Range<Int>? {
    guard capacity >= 0, capacity <= room else {
      refused &+= 1
      return nil
    }
    let start = count
    var all = bytes.mutableSpan
    var slot = all._mutatingExtracting(start..<(start &+ capacity))
    guard let length = build(&slot), length >= 0, length <= capacity else { return nil }
    count = start &+ length
    return start..<count
  }

  /// The bytes of a packet that `append` told of and `removeAll` has not yet forgotten.
  @_lifetime(borrow self)
  public func packet(_ range: Range<Int>) -> Span<UInt8> { bytes.span.extracting(range) }

  public mutating func removeAll() { count = 0 }

  /// The whole block, for handing packets to the kernel without copying them.
  public mutating func withUnsafeBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
    try bytes.withUnsafeMutableBytes(body)
  }
}
