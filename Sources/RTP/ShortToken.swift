/// A MID or RID of at most 16 bytes, held in place: comparing and hashing one allocates nothing.
///
/// Sixteen bytes are what a one-byte header extension carries (RFC 8285 section 4.2); longer identifiers are not taken.
public struct ShortToken: Hashable, Sendable {
  private var low: UInt64 = 0
  private var high: UInt64 = 0
  /// Bytes in use: 1 to 16.
  public private(set) var count = 0

  public static let capacity = 16

  /// - Returns: nil for no bytes and for more than 16.
  public init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= 1, bytes.count <= Self.capacity else { return nil }
    for index in 0..<bytes.count { append(bytes[index]) }
  }

  /// - Returns: nil for an empty text and for one of more than 16 bytes of UTF-8.
  public init?(_ text: some StringProtocol) {
    for byte in text.utf8 {
      guard count < Self.capacity else { return nil }
      append(byte)
    }
    guard count > 0 else { return nil }
  }

  private mutating func append(_ byte: UInt8) {
    if count < 8 { low |= UInt64(byte) << UInt64(count &* 8) } else { high |= UInt64(byte) << UInt64((count &- 8) &* 8) }
    count &+= 1
  }

  /// - Parameter index: 0 ..< 16; bytes beyond `count` are 0.
  public subscript(index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: index < 8 ? low >> UInt64(index &* 8) : high >> UInt64((index &- 8) &* 8))
  }

  public static func == (token: ShortToken, text: String) -> Bool {
    var index = 0
    for byte in text.utf8 {
      guard index < token.count, token[index] == byte else { return false }
      index &+= 1
    }
    return index == token.count
  }
}

extension ShortToken: CustomStringConvertible {
  /// The bytes as text; those that are not UTF-8 show as replacement characters.
  public var description: String { String(decoding: (0..<count).map { self[$0] }, as: UTF8.self) }
}
