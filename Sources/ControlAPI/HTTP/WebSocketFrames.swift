/// What a WebSocket client sent (RFC 6455).
enum WebSocketInput: Sendable, Equatable {
  case ping([UInt8])
  case pong
  /// Text or binary; its content is not kept, since nothing is asked of clients.
  case message
  case close(code: UInt16?)
}

/// Reads frames of a client: masked, control frames short and whole, nothing larger than `payloadBytesMax`.
struct WebSocketReader: Sendable {
  let payloadBytesMax: Int
  private var buffer: [UInt8] = []

  init(payloadBytesMax: Int) { self.payloadBytesMax = payloadBytesMax }

  mutating func append(_ bytes: some Sequence<UInt8>) { buffer.append(contentsOf: bytes) }

  /// The code with which to close the connection.
  struct Violation: Error, Equatable { var code: UInt16 }

  /// The next frame where it is there in full.
  mutating func next() throws(Violation) -> WebSocketInput? {
    guard buffer.count >= 2 else { return nil }
    let opcode = buffer[0] & 0x0F
    let isFinal = buffer[0] & 0x80 != 0
    guard buffer[0] & 0x70 == 0, buffer[1] & 0x80 != 0 else { throw Violation(code: 1002) }
    guard let (length, start) = try payloadBounds() else { return nil }
    if opcode >= 8, !isFinal || length > 125 { throw Violation(code: 1002) }
    guard length <= payloadBytesMax else { throw Violation(code: 1009) }
    guard buffer.count >= start + 4 + length else { return nil }
    let mask = Array(buffer[start..<(start + 4)])
    var payload = Array(buffer[(start + 4)..<(start + 4 + length)])
    for i in payload.indices { payload[i] ^= mask[i & 3] }
    buffer.removeFirst(start + 4 + length)
    switch opcode {
    case 0, 1, 2: return .message
    case 8:
      if payload.count == 1 { throw Violation(code: 1002) }
      return .close(code: payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : nil)
    case 9: return .ping(payload)
    case 10: return .pong
    default: throw Violation(code: 1002)
    }
  }

  /// Length of the payload and index of the mask; nil while the length is not there yet.
  private func payloadBounds() throws(Violation) -> (length: Int, start: Int)? {
    switch buffer[1] & 0x7F {
    case 126:
      guard buffer.count >= 4 else { return nil }
      return (Int(buffer[2]) << 8 | Int(buffer[3]), 4)
    case 127:
      guard buffer.count >= 10 else { return nil }
      var length: UInt64 = 0
      for byte in buffer[2..<10] { length = length << 8 | UInt64(byte) }
      guard let length = Int(exactly: length), length <= payloadBytesMax else { throw Violation(code: 1009) }
      return (length, 10)
    case let short: return (Int(short), 2)
    }
  }
}

enum WebSocketOpcode: UInt8 {
  case text = 1
  case close = 8
  case ping = 9
  case pong = 10
}

/// A frame of the server: whole and unmasked.
func webSocketFrame(_ opcode: WebSocketOpcode, _ payload: [UInt8]) -> [UInt8] {
  var frame: [UInt8] = [0x80 | opcode.rawValue]
  switch payload.count {
  case ..<126: frame.append(UInt8(truncatingIfNeeded: payload.count))
  case ..<65536:
    frame += [126, UInt8(truncatingIfNeeded: payload.count >> 8), UInt8(truncatingIfNeeded: payload.count)]
  default:
    frame.append(127)
    for shift in stride(from: 56, through: 0, by: -8) { frame.append(UInt8(truncatingIfNeeded: payload.count >> shift)) }
  }
  return frame + payload
}

func webSocketCloseFrame(code: UInt16, reason: String = "") -> [UInt8] {
  webSocketFrame(
    .close, [UInt8(code >> 8), UInt8(truncatingIfNeeded: code)] + Array(reason.utf8.prefix(120)))
}
