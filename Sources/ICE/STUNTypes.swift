/// Numbers of RFC 8489.
enum STUN {
  static let headerLength = 20
  static let magicCookie: UInt32 = 0x2112_A442
  /// MESSAGE-INTEGRITY with its header, in bytes.
  static let integrityLength = 24
  /// FINGERPRINT with its header, in bytes.
  static let fingerprintLength = 8
  static let fingerprintMask: UInt32 = 0x5354_554E
  /// The longest USERNAME (section 14.3).
  static let usernameLengthMax = 508
}

/// Class and method of a STUN message: its first sixteen bits (RFC 8489 section 5).
@frozen public struct STUNMessageType: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt16

  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let bindingRequest = STUNMessageType(rawValue: 0x0001)
  public static let bindingIndication = STUNMessageType(rawValue: 0x0011)
  public static let bindingSuccess = STUNMessageType(rawValue: 0x0101)
  public static let bindingError = STUNMessageType(rawValue: 0x0111)
}

/// The 96 bits that tie a response to its request.
@frozen public struct STUNTransactionID: Hashable, Sendable {
  /// The first four bytes, the first one highest.
  public var high: UInt32
  /// The last eight bytes.
  public var low: UInt64

  @inlinable public init(high: UInt32, low: UInt64) {
    self.high = high
    self.low = low
  }
}

/// An attribute's type (RFC 8489 section 18.3, RFC 8445 section 16.1). Those below 0x8000 must be understood.
struct STUNAttributeType: RawRepresentable, Hashable {
  var rawValue: UInt16

  static let mappedAddress = STUNAttributeType(rawValue: 0x0001)
  static let username = STUNAttributeType(rawValue: 0x0006)
  static let messageIntegrity = STUNAttributeType(rawValue: 0x0008)
  static let errorCode = STUNAttributeType(rawValue: 0x0009)
  static let unknownAttributes = STUNAttributeType(rawValue: 0x000A)
  static let realm = STUNAttributeType(rawValue: 0x0014)
  static let nonce = STUNAttributeType(rawValue: 0x0015)
  static let messageIntegritySHA256 = STUNAttributeType(rawValue: 0x001C)
  static let xorMappedAddress = STUNAttributeType(rawValue: 0x0020)
  static let priority = STUNAttributeType(rawValue: 0x0024)
  static let useCandidate = STUNAttributeType(rawValue: 0x0025)
  static let software = STUNAttributeType(rawValue: 0x8022)
  static let fingerprint = STUNAttributeType(rawValue: 0x8028)
  static let iceControlled = STUNAttributeType(rawValue: 0x8029)
  static let iceControlling = STUNAttributeType(rawValue: 0x802A)

  var mustBeUnderstood: Bool { rawValue < 0x8000 }
}
