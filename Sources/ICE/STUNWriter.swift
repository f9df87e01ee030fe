import Bytes

/// Writes one STUN message into memory somebody else owns.
///
/// What does not fit is not written, and `finish` answers nil.
public struct STUNWriter: ~Copyable, ~Escapable {
  private var bytes: MutableSpan<UInt8>
  private var count = 0
  private var overflowed = false
  private let transactionID: STUNTransactionID

  @_lifetime(copy bytes)
  public init(_ bytes: consuming MutableSpan<UInt8>, type: STUNMessageType, transactionID: STUNTransactionID) {
    self.bytes = bytes
    self.transactionID = transactionID
    put(type.rawValue)
    put(UInt16(0))
    put(STUN.magicCookie)
    put(transactionID.high)
    put(transactionID.low)
  }

  /// - Parameter bytes: at most 508 bytes; ICE's is `ufrag of the receiver:ufrag of the sender`.
  @_lifetime(self: copy self)
  public mutating func username(_ bytes: Span<UInt8>) { attribute(.username, bytes) }

  /// - Parameter bytes: UTF-8, fewer than 128 characters.
  @_lifetime(self: copy self)
  public mutating func software(_ bytes: Span<UInt8>) { attribute(.software, bytes) }

  @_lifetime(self: copy self)
  public mutating func priority(_ priority: UInt32) {
    header(.priority, count: 4)
    put(priority)
  }

  @_lifetime(self: copy self)
  public mutating func useCandidate() { header(.useCandidate, count: 0) }

  @_lifetime(self: copy self)
  public mutating func controlling(_ tieBreaker: UInt64) {
    header(.iceControlling, count: 8)
    put(tieBreaker)
  }

  @_lifetime(self: copy self)
  public mutating func controlled(_ tieBreaker: UInt64) {
    header(.iceControlled, count: 8)
    put(tieBreaker)
  }

  /// XOR-MAPPED-ADDRESS (RFC 8489 section 14.2).
  @_lifetime(self: copy self)
  public mutating func mappedAddress(_ address: TransportAddress) {
    let port = address.port ^ UInt16(truncatingIfNeeded: STUN.magicCookie >> 16)
    switch address.family {
    case .ipv4:
      header(.xorMappedAddress, count: 8)
      put(UInt16(1))
      put(port)
      put(UInt32(truncatingIfNeeded: address.low) ^ STUN.magicCookie)
    case .ipv6:
      header(.xorMappedAddress, count: 20)
      put(UInt16(2))
      put(port)
      put(address.high ^ (UInt64(STUN.magicCookie) << 32 | UInt64(transactionID.high)))
      put(address.low ^ transactionID.low)
    }
  }

  /// ERROR-CODE with an empty reason: a sentence would only make the answer larger than the question.
  @_lifetime(self: copy self)
  public mutating func errorCode(_ code: UInt16) {
    header(.errorCode, count: 4)
    put(UInt16(0))
    put((code / 100) << 8 | code % 100)
  }

  /// UNKNOWN-ATTRIBUTES: the types a request has that must be understood and are not.
  @_lifetime(self: copy self)
  mutating func unknownAttributes(_ request: STUNLayout) {
    header(.unknownAttributes, count: request.unknownCount &* 2)
    for index in 0..<request.unknownCount { put(request.unknown[index]) }
    pad()
  }

  /// Ends the message with MESSAGE-INTEGRITY, where there is a key, and FINGERPRINT.
  ///
  /// - Returns: its length in bytes; nil where it did not fit.
  public consuming func finish(_ key: STUNIntegrityKey?) -> Int? {
    if let key {
      let end = count
      header(.messageIntegrity, count: 20)
      guard !overflowed else { return nil }
      let digest = key.digest(of: bytes.span, upTo: end)
      put(digest.span)
    }
    let end = count
    header(.fingerprint, count: 4)
    guard !overflowed, bytes.count &- count >= 4 else { return nil }
    let length = UInt16(truncatingIfNeeded: end &+ STUN.fingerprintLength &- STUN.headerLength)
    bytes.setBigEndian(length, at: 2)
    put(CRC32.checksum(bytes.span.extracting(0..<end)) ^ STUN.fingerprintMask)
    return count
  }

  @_lifetime(self: copy self)
  private mutating func attribute(_ type: STUNAttributeType, _ value: Span<UInt8>) {
    header(type, count: value.count)
    put(value)
    pad()
  }

  @_lifetime(self: copy self)
  private mutating func header(_ type: STUNAttributeType, count: Int) {
    guard let count = UInt16(exactly: count) else {
      overflowed = true
      return
    }
    put(type.rawValue)
    put(count)
  }

  @_lifetime(self: copy self)
  private mutating func pad() {
    while count & 3 != 0, let at = claim(1) { bytes[at] = 0 }
  }

  @_lifetime(self: copy self)
  private mutating func claim(_ size: Int) -> Int? {
    guard !overflowed, size <= bytes.count &- count else {
      overflowed = true
      return nil
    }
    defer { count &+= size }
    return count
  }

  @_lifetime(self: copy self)
  private mutating func put(_ value: UInt16) {
    if let at = claim(2) { bytes.setBigEndian(value, at: at) }
  }

  @_lifetime(self: copy self)
  private mutating func put(_ value: UInt32) {
    if let at = claim(4) { bytes.setBigEndian(value, at: at) }
  }

  @_lifetime(self: copy self)
  private mutating func put(_ value: UInt64) {
    put(UInt32(truncatingIfNeeded: value >> 32))
    put(UInt32(truncatingIfNeeded: value))
  }

  @_lifetime(self: copy self)
  private mutating func put(_ value: Span<UInt8>) {
    if let at = claim(value.count) { bytes.copy(value, at: at) }
  }
}
