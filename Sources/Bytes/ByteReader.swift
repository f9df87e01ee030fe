/// Reads big-endian fields from bytes that came from outside.
///
/// Total: every getter answers `nil` where the bytes end, and nothing traps whatever they hold. A reader that answered `nil` once
/// stays where it was.
public struct ByteReader: ~Escapable {
  private let bytes: Span<UInt8>
  /// Bytes read so far.
  public private(set) var offset = 0

  @_lifetime(copy bytes)
  @inlinable public init(_ bytes: Span<UInt8>) { self.init(unchecked: bytes) }

  @_lifetime(copy bytes)
  @usableFromInline init(unchecked bytes: Span<UInt8>) { self.bytes = bytes }

  public var remaining: Int { bytes.count &- offset }
  public var isAtEnd: Bool { offset == bytes.count }

  public mutating func readUInt8() -> UInt8? {
    guard remaining >= 1 else { return nil }
    defer { offset &+= 1 }
    return bytes[offset]
  }

  public mutating func readUInt16() -> UInt16? {
    guard remaining >= 2 else { return nil }
    defer { offset &+= 2 }
    return bytes.bigEndianUInt16(at: offset)
  }

  public mutating func readUInt24() -> UInt32? {
    guard remaining >= 3 else { return nil }
    defer { offset &+= 3 }
    return UInt32(bytes[offset]) << 16 | UInt32(bytes.bigEndianUInt16(at: offset &+ 1) ?? 0)
  }

  public mutating func readUInt32() -> UInt32? {
    guard remaining >= 4 else { return nil }
    defer { offset &+= 4 }
    return bytes.bigEndianUInt32(at: offset)
  }

  public mutating func readUInt64() -> UInt64? {
    guard remaining >= 8, let high = readUInt32(), let low = readUInt32() else { return nil }
    return UInt64(high) << 32 | UInt64(low)
  }

  /// The next `count` bytes, without copying them; nil where fewer are left or `count` is negative.
  @_lifetime(copy self)
  public mutating func readBytes(_ count: Int) -> Span<UInt8>? {
    guard count >= 0, count <= remaining else { return nil }
    defer { offset &+= count }
    return bytes.extracting(offset..<(offset &+ count))
  }

  /// Steps over `count` bytes; false, and no step, where fewer are left.
  public mutating func skip(_ count: Int) -> Bool {
    guard count >= 0, count <= remaining else { return false }
    offset &+= count
    return true
  }
}

extension Span where Element == UInt8 {
  /// The big-endian 16 bits at `offset`; nil where they do not lie within the span.
  @inlinable public func bigEndianUInt16(at offset: Int) -> UInt16? {
    guard offset >= 0, offset < count, offset &+ 2 <= count else { return nil }
    return UInt16(self[offset]) << 8 | UInt16(self[offset &+ 1])
  }

  /// The big-endian 32 bits at `offset`; nil where they do not lie within the span.
  @inlinable public func bigEndianUInt32(at offset: Int) -> UInt32? {
    guard offset >= 0, offset < count, offset &+ 4 <= count else { return nil }
    return UInt32(self[offset]) << 24 | UInt32(self[offset &+ 1]) << 16 | UInt32(self[offset &+ 2]) << 8
      | UInt32(self[offset &+ 3])
  }
}
