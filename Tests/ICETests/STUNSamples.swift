import Bytes
import ICE

/// RFC 5769 section 2: messages under the password VOkJxbRl1RmTxUk/WvJxBt.
enum STUNSamples {
  static let password = "VOkJxbRl1RmTxUk/WvJxBt"

  static let request = bytes(
    """
    00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff 80290008
    932ff9b1 51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004
    e57a3bcf
    """)

  static let ipv4Response = bytes(
    """
    0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200008 0001a147 e112a643 00080014
    2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96
    """)

  static let ipv6Response = bytes(
    """
    01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200014 0002a147 0113a9fa a5d3f179
    bc25f4b5 bed2b9d9 00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c
    """)

  private static func bytes(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}

/// What a STUN message says, copied out of it.
struct Facts {
  let type: STUNMessageType
  let transactionID: STUNTransactionID
  let username: String?
  let software: String?
  let priority: UInt32?
  let useCandidate: Bool
  let controlling: UInt64?
  let controlled: UInt64?
  let mappedAddress: TransportAddress?
  let errorCode: UInt16?
  let unknown: [UInt16]
  let isIntact: Bool
  let hasValidFingerprint: Bool?

  init?(_ bytes: [UInt8], _ key: STUNIntegrityKey) {
    guard let message = STUNMessage(bytes.span) else { return nil }
    type = message.type
    transactionID = message.transactionID
    if let span = message.username { username = Self.text(span) } else { username = nil }
    if let span = message.software { software = Self.text(span) } else { software = nil }
    priority = message.priority
    useCandidate = message.useCandidate
    controlling = message.controlling
    controlled = message.controlled
    mappedAddress = message.mappedAddress
    errorCode = message.errorCode
    var unknown: [UInt16] = []
    for index in 0...8 {
      if let type = message.unknownAttribute(at: index) { unknown.append(type) }
    }
    self.unknown = unknown
    isIntact = message.verifyIntegrity(key)
    hasValidFingerprint = message.hasValidFingerprint
  }

  private static func text(_ span: Span<UInt8>) -> String { String(decoding: span.indices.map { span[$0] }, as: UTF8.self) }
}

/// A binding request as a test wants it.
struct CheckRequest {
  var type = STUNMessageType.bindingRequest
  var username = "serverfrag:clientfrag"
  var password = "server-password-0123456789".filter { $0 != "-" }
  var id: UInt64 = 1
  var nominates = false
  var controlling: UInt64? = 7
  var controlled: UInt64?
  var priority: UInt32? = 1000
  var unknown: UInt16?
  var isSigned = true

  func encoded() -> [UInt8] {
    var memory = [UInt8](repeating: 0, count: 1024)
    var span = memory.mutableSpan
    let room = span.count
    var writer = STUNWriter(
      span._mutatingExtracting(0..<room), type: type, transactionID: STUNTransactionID(high: 0xABCD, low: id))
    if !username.isEmpty {
      let bytes = Array(username.utf8)
      writer.username(bytes.span)
    }
    if let priority { writer.priority(priority) }
    if let controlling { writer.controlling(controlling) }
    if let controlled { writer.controlled(controlled) }
    if nominates { writer.useCandidate() }
    let count = writer.finish(isSigned && unknown == nil ? STUNIntegrityKey(password: password) : nil) ?? 0
    let message = Array(memory[..<count])
    guard let unknown else { return message }
    return withUnknownAttribute(unknown, in: message)
  }

  /// Puts an attribute of four bytes where FINGERPRINT is, and signs anew.
  private func withUnknownAttribute(_ type: UInt16, in message: [UInt8]) -> [UInt8] {
    let body = message.dropLast(8) + [UInt8(type >> 8), UInt8(type & 255), 0, 4, 1, 2, 3, 4]
    return signed(Array(body), password: password)
  }
}

/// Appends MESSAGE-INTEGRITY to a message by a key that is right for it: tried through the writer's own format.
func signed(_ message: [UInt8], password: String) -> [UInt8] {
  var result = message
  let length = message.count - 20 + 24
  result[2] = UInt8(length >> 8)
  result[3] = UInt8(length & 255)
  result += [0, 8, 0, 20] + HMACSHA1.digest(key: Array(password.utf8), message: result)
  return result
}

/// HMAC-SHA1 from its definition (RFC 2104, FIPS 180-4), independent of the code under test.
enum HMACSHA1 {
  static func digest(key: [UInt8], message: [UInt8]) -> [UInt8] {
    let key = (key.count > 64 ? sha1(key) : key) + [UInt8](repeating: 0, count: 64 - min(64, key.count > 64 ? 20 : key.count))
    return sha1(key.map { $0 ^ 0x5C } + sha1(key.map { $0 ^ 0x36 } + message))
  }

  static func sha1(_ message: [UInt8]) -> [UInt8] {
    var padded = message + [0x80]
    while padded.count % 64 != 56 { padded.append(0) }
    padded += (0..<8).map { UInt8(truncatingIfNeeded: UInt64(message.count * 8) >> UInt64(56 - 8 * $0)) }
    var h: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
    for block in stride(from: 0, to: padded.count, by: 64) { compress(Array(padded[block..<block + 64]), into: &h) }
    return h.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) } }
  }

  private static func compress(_ block: [UInt8], into h: inout [UInt32]) {
    func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { x << n | x >> (32 - n) }
    var w = (0..<16).map { i in block[i * 4..<i * 4 + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } }
    for i in 16..<80 { w.append(rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1)) }
    var (a, b, c, d, e) = (h[0], h[1], h[2], h[3], h[4])
    for i in 0..<80 {
      let (f, k): (UInt32, UInt32) =
        switch i {
        case ..<20: (b & c | ~b & d, 0x5A82_7999)
        case ..<40: (b ^ c ^ d, 0x6ED9_EBA1)
        case ..<60: (b & c | b & d | c & d, 0x8F1B_BCDC)
        default: (b ^ c ^ d, 0xCA62_C1D6)
        }
      (a, b, c, d, e) = (rotate(a, 5) &+ f &+ e &+ k &+ w[i], a, rotate(b, 30), c, d)
    }
    h = [h[0] &+ a, h[1] &+ b, h[2] &+ c, h[3] &+ d, h[4] &+ e]
  }
}
