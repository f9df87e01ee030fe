import Bytes

/// The headers of the records in a datagram (RFC 6347 section 4.1), as far as they decide whether OpenSSL should see it.
enum DTLSRecord {
  static let headerByteCount = 13
  /// 2^14 bytes of content and what encryption may add (RFC 6347 section 4.1).
  private static let mostContent = 16_384 + 2_048
  /// Nonce and tag of AES-GCM, which all our cipher suites are (RFC 5288 section 3). OpenSSL 3.0.19 gives up a connection for an encrypted
  /// record that is shorter, though anybody can send one.
  private static let leastEncrypted = 24

  static let alert: UInt8 = 21
  static let handshake: UInt8 = 22

  /// Bytes of the whole records a datagram begins with; 0 where it begins with none.
  ///
  /// What a sender put together is whole records, so the rest was cut off or was never DTLS.
  static func wholeRecordsByteCount(_ datagram: Span<UInt8>) -> Int {
    var end = 0
    while end <= datagram.count &- headerByteCount {
      guard (20...23).contains(datagram[end]), datagram[end &+ 1] == 0xFE,
        let length = datagram.bigEndianUInt16(at: end &+ 11).map(Int.init), length > 0, length <= mostContent,
        length <= datagram.count &- headerByteCount &- end,
        length >= leastEncrypted || datagram.bigEndianUInt16(at: end &+ 3) == 0
      else { break }
      end &+= headerByteCount &+ length
    }
    return end
  }

  /// The epoch of the first record; 0 is in the clear.
  static func epoch(_ datagram: Span<UInt8>) -> UInt16 { datagram.bigEndianUInt16(at: 3) ?? 0 }
}
