import Bytes

/// A STUN message that was received, read in place.
///
/// `init` checks the structure as a whole: magic cookie, length, padding, the size of every known attribute, FINGERPRINT last.
/// What it says is worth nothing before `verifyIntegrity` said yes. Attributes behind MESSAGE-INTEGRITY are not authenticated and
/// count as absent, FINGERPRINT excepted (RFC 8489 section 14.5); of attributes that come twice the first counts.
public struct STUNMessage: ~Escapable {
  public let bytes: Span<UInt8>
  let layout: STUNLayout

  /// Nil where the bytes are not one whole, well-formed STUN message.
  @_lifetime(copy bytes)
  public init?(_ bytes: Span<UInt8>) {
    guard let layout = STUNLayout(of: bytes) else { return nil }
    self.bytes = bytes
    self.layout = layout
  }

  public var type: STUNMessageType { layout.type }
  public var transactionID: STUNTransactionID { layout.transactionID }
  public var priority: UInt32? { layout.priority }
  /// Whether USE-CANDIDATE is there: the controlling agent nominates the pair.
  public var useCandidate: Bool { layout.useCandidate }
  /// The tie-breaker of ICE-CONTROLLING.
  public var controlling: UInt64? { layout.controlling }
  /// The tie-breaker of ICE-CONTROLLED.
  public var controlled: UInt64? { layout.controlled }
  /// XOR-MAPPED-ADDRESS: where the request came from, as the responder saw it.
  public var mappedAddress: TransportAddress? { layout.mappedAddress }
  /// ERROR-CODE, 300 to 699.
  public var errorCode: UInt16? { layout.errorCode }

  /// USERNAME, not yet authenticated.
  public var username: Span<UInt8>? {
    @_lifetime(copy self) get {
      guard let range = layout.username else { return nil }
      return bytes.extracting(range)
    }
  }

  /// SOFTWARE, as it came: text for a log after cleaning, nothing else.
  public var software: Span<UInt8>? {
    @_lifetime(copy self) get {
      guard let range = layout.software else { return nil }
      return bytes.extracting(range)
    }
  }

  /// How many attributes there are that must be understood and are not; counted up to eight.
  public var unknownAttributeCount: Int { layout.unknownCount }

  /// The type of an attribute that was not understood; nil from `unknownAttributeCount` on.
  public func unknownAttribute(at index: Int) -> UInt16? {
    guard index >= 0, index < layout.unknownCount else { return nil }
    return layout.unknown[index]
  }

  /// Whether MESSAGE-INTEGRITY is there and right, compared in constant time.
  public func verifyIntegrity(_ key: STUNIntegrityKey) -> Bool {
    guard let offset = layout.integrity else { return false }
    return key.verifies(bytes, attributeAt: offset)
  }

  /// Whether FINGERPRINT is right; nil where there is none.
  public var hasValidFingerprint: Bool? {
    guard let offset = layout.fingerprint, let value = bytes.bigEndianUInt32(at: offset &+ 4) else { return nil }
    return CRC32.checksum(bytes.extracting(0..<offset)) ^ STUN.fingerprintMask == value
  }
}
