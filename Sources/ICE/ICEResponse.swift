import Bytes

/// Answers to authenticated binding requests.
enum ICEResponse {
  /// Header, ERROR-CODE or an IPv6 XOR-MAPPED-ADDRESS, UNKNOWN-ATTRIBUTES of eight, MESSAGE-INTEGRITY, FINGERPRINT.
  private static let lengthMax = 20 + 24 + 20 + STUN.integrityLength + STUN.fingerprintLength

  enum Answer {
    case success
    /// 420: an attribute had to be understood and was not.
    case unknownAttribute
    /// 487: both sides think they have the same role.
    case roleConflict
  }

  /// Builds the answer and says to send it back where the request came from.
  ///
  /// An answer is never longer than its request, so that nobody's traffic can be multiplied through us.
  static func send(
    _ answer: Answer, to request: borrowing STUNMessage, on path: TransportPath, key: STUNIntegrityKey,
    arena: inout PacketArena, outputs: inout [ICEOutput]
  ) {
    let layout = request.layout
    let limit = Swift.min(lengthMax, request.bytes.count)
    let range = arena.append(capacity: limit) { slot in
      let type: STUNMessageType =
        switch answer {
        case .success: .bindingSuccess
        case .unknownAttribute, .roleConflict: .bindingError
        }
      var writer = STUNWriter(slot._mutatingExtracting(0..<limit), type: type, transactionID: layout.transactionID)
      switch answer {
      case .success: writer.mappedAddress(path.remote)
      case .unknownAttribute:
        writer.errorCode(420)
        writer.unknownAttributes(layout)
      case .roleConflict: writer.errorCode(487)
      }
      return writer.finish(key)
    }
    if let range { outputs.append(.send(range, path)) }
  }
}
