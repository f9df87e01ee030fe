/// Writes big-endian fields into memory somebody else owns: a slot of a `PacketArena`, a test's array.
///
/// A write that does not fit writes nothing and sets `overflowed`; whoever writes a message looks at that once, at its end.
public struct ByteWriter: ~Copyable, ~Escapable {
  private var bytes: MutableSpan<UInt8>
  /// Bytes written so far.
  public private(set) var count = 0
  /// Whether a write was refused for want of room.
  public private(set) var overflowed = false

  @_lifetime(copy bytes)
  public init(_ bytes: consuming MutableSpan<UInt8>) { self.bytes = bytes }

  public var room: Int { bytes.count &- count }

  @_lifetime(self: copy self)
  private mutating func claim(_ size: Int) -> Int? {
    guard size <= room else {
      overflowed = true
      return nil
    }
    defer { count &+= size }
    return count
  }

  @_lifetime(self: copy self)
  public mutating func write(_ value: UInt8) {
    guard let at = claim(1) else { return }
    bytes[at] = value
  }

  @_lifetime(self: copy self)
  public mutating func write(_ value: UInt16) {
    guard let at = claim(2) else { return }
    bytes.setBigEndian(value, at: at)
  }

  /// The low 24 bits of `value`.
  @_lifetime(self: copy self)
  public mutating func writeUInt24(_ value: UInt32) {
    guard let at = claim(3) else { return }
    bytes[at] = UInt8(truncatingIfNeeded: value >> 16)
    bytes.setBigEndian(UInt16(truncatingIfNeeded: value), at: at &+ 1)
  }

  @_lifetime(self: copy self)
  public mutating func write(_ value: UInt32) {
    guard let at = claim(4) else { return }
    bytes.setBigEndian(value, at: at)
  }

  @_lifetime(self: copy self)
  public mutating func write(_ value: UInt64) {
    guard room >= 8 else {
      overflowed = true
      return
    }
    write(UInt32(truncatingIfNeeded: value >> 32))
    write(UInt32(truncatingIfNeeded: value))
  }

  @_lifetime(self: copy self)
  public mutating func write(_ source: Span<UInt8>) {
    guard let at = claim(source.count), source.count > 0 else { return }
    bytes.copy(source, at: at)
  }

  @_lifetime(self: copy self)
  public mutating func write(_ source: [UInt8]) { write(source.span) }

  /// Overwrites 16 bits already written, for lengths known only at the end.
  @_lifetime(self: copy self)
  public mutating func patch(_ value: UInt16, at offset: Int) {
    guard offset >= 0, offset &+ 2 <= count else { return }
    bytes.setBigEndian(value, at: offset)
  }
}

extension MutableSpan where Element == UInt8 {
  /// Writes 16 bits at `offset`, which the caller has checked to lie within.
  @_lifetime(self: copy self)
  @inlinable public mutating func setBigEndian(_ value: UInt16, at offset: Int) {
    self[offset] = UInt8(truncatingIfNeeded: value >> 8)
    self[offset &+ 1] = UInt8(truncatingIfNeeded: value)
  }

  /// Writes 32 bits at `offset`, which the caller has checked to lie within.
  @_lifetime(self: copy self)
  @inlinable public mutating func setBigEndian(_ value: UInt32, at offset: Int) {
    setBigEndian(UInt16(truncatingIfNeeded: value >> 16), at: offset)
    setBigEndian(UInt16(truncatingIfNeeded: value), at: offset &+ 2)
  }

  /// Copies `source` to `offset`; does nothing where it does not fit.
  @_lifetime(self: copy self)
  @inlinable public mutating func copy(_ source: Span<UInt8>, at offset: Int) {
    guard offset >= 0, source.count > 0, source.count <= count, offset <= count &- source.count else { return }
    withUnsafeMutableBufferPointer { target in
      source.withUnsafeBufferPointer { from in
        guard let to = target.baseAddress, let base = from.baseAddress else { return }
        (to + offset).update(from: base, count: from.count)
      }
    }
  }
}
