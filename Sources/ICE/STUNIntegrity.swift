import COpenSSL

/// A password made ready to sign and check STUN messages with HMAC-SHA1 (RFC 8489 section 14.5).
///
/// A value of forty bytes; using it allocates nothing.
public struct STUNIntegrityKey: Sendable {
  private let states: InlineArray<10, UInt32>

  /// - Parameter password: the short-term credential's password. ICE's consist of ASCII alone, which OpaqueString leaves as it is.
  public init(password: Span<UInt8>) {
    var states = InlineArray<10, UInt32>(repeating: 0)
    var words = states.mutableSpan
    words.withUnsafeMutableBufferPointer { words in
      password.withUnsafeBufferPointer { password in
        stun_hmac_key(password.baseAddress, password.count, words.baseAddress)
      }
    }
    self.states = states
  }

  public init(password: String) {
    let bytes = Array(password.utf8)
    self.init(password: bytes.span)
  }

  /// HMAC-SHA1 of four bytes and what follows them.
  func digest(prefix: UInt32, _ rest: Span<UInt8>) -> InlineArray<20, UInt8> {
    var digest = InlineArray<20, UInt8>(repeating: 0)
    let states = self.states
    var output = digest.mutableSpan
    output.withUnsafeMutableBufferPointer { output in
      states.span.withUnsafeBufferPointer { states in
        rest.withUnsafeBufferPointer { rest in
          stun_hmac(states.baseAddress, prefix, rest.baseAddress, rest.count, output.baseAddress)
        }
      }
    }
    return digest
  }

  /// The MESSAGE-INTEGRITY value of the message whose attributes before it end at `offset`, which the caller checked.
  func digest(of message: Span<UInt8>, upTo offset: Int) -> InlineArray<20, UInt8> {
    // The length in the header is hashed as if MESSAGE-INTEGRITY were the last attribute.
    let length = UInt32(truncatingIfNeeded: offset &- STUN.headerLength &+ STUN.integrityLength)
    let prefix = UInt32(message.bigEndianUInt16(at: 0) ?? 0) << 16 | length
    return digest(prefix: prefix, message.extracting(4..<offset))
  }

  func verifies(_ message: Span<UInt8>, attributeAt offset: Int) -> Bool {
    guard offset >= STUN.headerLength, offset &+ STUN.integrityLength <= message.count else { return false }
    let expected = digest(of: message, upTo: offset)
    let value = message.extracting((offset &+ 4)..<(offset &+ STUN.integrityLength))
    return expected.span.withUnsafeBufferPointer { a in
      value.withUnsafeBufferPointer { b in stun_equal_in_constant_time(a.baseAddress, b.baseAddress, 20) != 0 }
    }
  }
}

/// CRC-32 of ISO 3309, as FINGERPRINT uses it (RFC 8489 section 14.7).
enum CRC32 {
  private static let table: InlineArray<256, UInt32> = InlineArray { index in
    var value = UInt32(truncatingIfNeeded: index)
    for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
    return value
  }

  static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for i in bytes.indices { crc = crc >> 8 ^ table[Int((crc ^ UInt32(bytes[i])) & 0xFF)] }
    return ~crc
  }
}
