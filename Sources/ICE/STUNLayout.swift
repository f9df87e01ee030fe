import Bytes

/// Where a STUN message has what: the result of one walk over its attributes.
struct STUNLayout {
  private(set) var type: STUNMessageType
  private(set) var transactionID: STUNTransactionID
  private(set) var username: Range<Int>?
  private(set) var software: Range<Int>?
  /// Where the MESSAGE-INTEGRITY attribute starts.
  private(set) var integrity: Int?
  /// Where the FINGERPRINT attribute starts.
  private(set) var fingerprint: Int?
  private(set) var priority: UInt32?
  private(set) var useCandidate = false
  private(set) var controlling: UInt64?
  private(set) var controlled: UInt64?
  private(set) var mappedAddress: TransportAddress?
  private(set) var errorCode: UInt16?
  private(set) var unknown = InlineArray<8, UInt16>(repeating: 0)
  private(set) var unknownCount = 0

  init?(of bytes: Span<UInt8>) {
    var reader = ByteReader(bytes)
    guard let type = reader.readUInt16(), type & 0xC000 == 0, let length = reader.readUInt16(), length & 3 == 0,
      reader.readUInt32() == STUN.magicCookie, let high = reader.readUInt32(), let low = reader.readUInt64(),
      reader.remaining == Int(length)
    else { return nil }
    self.type = STUNMessageType(rawValue: type)
    self.transactionID = STUNTransactionID(high: high, low: low)
    while !reader.isAtEnd {
      let start = reader.offset
      guard fingerprint == nil, let type = reader.readUInt16(), let count = reader.readUInt16(),
        let value = reader.readBytes(Int(count)), reader.skip((4 &- Int(count) & 3) & 3),
        take(STUNAttributeType(rawValue: type), value, at: start)
      else { return nil }
    }
  }

  /// Notes one attribute; false where it is malformed.
  private mutating func take(_ type: STUNAttributeType, _ value: Span<UInt8>, at start: Int) -> Bool {
    if type == .fingerprint {
      fingerprint = start
      return value.count == 4
    }
    guard integrity == nil else { return true }
    let range = (start &+ 4)..<(start &+ 4 &+ value.count)
    switch type {
    case .messageIntegrity:
      integrity = start
      return value.count == 20
    case .username:
      if username == nil { username = range }
      return value.count <= STUN.usernameLengthMax
    case .software:
      if software == nil { software = range }
    case .priority:
      guard value.count == 4 else { return false }
      if priority == nil { priority = value.bigEndianUInt32(at: 0) }
    case .useCandidate:
      useCandidate = true
      return value.count == 0
    case .iceControlling:
      guard value.count == 8 else { return false }
      if controlling == nil { controlling = Self.tieBreaker(value) }
    case .iceControlled:
      guard value.count == 8 else { return false }
      if controlled == nil { controlled = Self.tieBreaker(value) }
    case .xorMappedAddress:
      guard let address = xorAddress(value) else { return false }
      if mappedAddress == nil { mappedAddress = address }
    case .errorCode:
      guard let code = Self.errorCode(value) else { return false }
      if errorCode == nil { errorCode = code }
    case .mappedAddress, .unknownAttributes, .realm, .nonce, .messageIntegritySHA256:
      break
    default:
      if type.mustBeUnderstood, unknownCount < unknown.count {
        unknown[unknownCount] = type.rawValue
        unknownCount &+= 1
      }
    }
    return true
  }

  private static func tieBreaker(_ value: Span<UInt8>) -> UInt64? {
    var reader = ByteReader(value)
    return reader.readUInt64()
  }

  private static func errorCode(_ value: Span<UInt8>) -> UInt16? {
    guard value.count >= 4 else { return nil }
    let hundreds = UInt16(value[2] & 7)
    let rest = UInt16(value[3])
    return (3...6).contains(hundreds) && rest < 100 ? hundreds &* 100 &+ rest : nil
  }

  /// RFC 8489 section 14.2: the port masked with the cookie, the address with the cookie and the transaction id.
  private func xorAddress(_ value: Span<UInt8>) -> TransportAddress? {
    var reader = ByteReader(value)
    guard reader.skip(1), let family = reader.readUInt8(), let maskedPort = reader.readUInt16() else { return nil }
    let port = maskedPort ^ UInt16(truncatingIfNeeded: STUN.magicCookie >> 16)
    switch (family, reader.remaining) {
    case (1, 4):
      guard let address = reader.readUInt32() else { return nil }
      return TransportAddress(ipv4: address ^ STUN.magicCookie, port: port)
    case (2, 16):
      guard let high = reader.readUInt64(), let low = reader.readUInt64() else { return nil }
      let mask = UInt64(STUN.magicCookie) << 32 | UInt64(transactionID.high)
      return TransportAddress(ipv6High: high ^ mask, low: low ^ transactionID.low, port: port)
    default:
      return nil
    }
  }
}
