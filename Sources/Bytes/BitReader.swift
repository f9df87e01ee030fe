/// Reads numbers of any count of bits, highest bit first, as the headers of codecs are written.
public struct BitReader: ~Escapable {
  private let bytes: Span<UInt8>
  private var position = 0

  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  /// Bits not read yet.
  public var remaining: Int { bytes.count &* 8 &- position }

  /// - Parameter count: 0 to 32.
  /// - Returns: nil where there are not so many bits left, and none is read then.
  @_lifetime(self: copy self)
  public mutating func read(_ count: Int) -> UInt32? {
    guard (0...32).contains(count), count <= remaining else { return nil }
    var value: UInt32 = 0
    for _ in 0..<count {
      value = value << 1 | UInt32(bytes[position >> 3] >> UInt8(7 &- position & 7)) & 1
      position &+= 1
    }
    return value
  }

  /// One bit.
  @_lifetime(self: copy self)
  public mutating func readFlag() -> Bool? { read(1).map { $0 == 1 } }

  @_lifetime(self: copy self)
  public mutating func skip(_ count: Int) -> Bool {
    guard count >= 0, count <= remaining else { return false }
    position &+= count
    return true
  }

  /// An unsigned Exp-Golomb number (ITU-T H.264 section 9.1); AV1's uvlc() is the same. nil also for more than 31 leading zeros.
  @_lifetime(self: copy self)
  public mutating func readExponentialGolomb() -> UInt32? {
    var zeros = 0
    while true {
      guard let bit = read(1) else { return nil }
      if bit == 1 { break }
      zeros &+= 1
      if zeros > 31 { return nil }
    }
    guard let rest = read(zeros) else { return nil }
    return (1 << UInt32(zeros)) &- 1 &+ rest
  }

  /// A signed Exp-Golomb number (ITU-T H.264 section 9.1.1).
  @_lifetime(self: copy self)
  public mutating func readSignedExponentialGolomb() -> Int? {
    guard let code = readExponentialGolomb() else { return nil }
    return code & 1 == 1 ? Int(code >> 1) &+ 1 : -Int(code >> 1)
  }
}
