/// The transactions seen last, so that a request sent again by somebody else changes nothing.
///
/// MESSAGE-INTEGRITY covers a request but not the address it comes from: whoever can read a check can send it again from elsewhere.
/// A transaction id therefore counts once. Left open are a copy that overtakes its original, which no receiver can tell from a
/// moved peer, and one older than the last 256 checks (minutes); either is undone by the peer's next nomination, and neither opens
/// DTLS or SRTP.
struct TransactionRing: Sendable {
  enum Verdict {
    case fresh
    /// Seen before from the same path: a retransmission.
    case retransmitted
    /// Seen before from another path.
    case replayed
  }

  private static let capacity = 256
  private var transactions: [UInt64] = []
  private var paths: [UInt32] = []
  private var next = 0

  init() {
    transactions.reserveCapacity(Self.capacity)
    paths.reserveCapacity(Self.capacity)
  }

  mutating func note(_ id: STUNTransactionID, from path: TransportPath) -> Verdict {
    let transaction = id.low ^ UInt64(id.high) << 32
    let fold = Self.fold(path)
    for index in transactions.indices where transactions[index] == transaction {
      return paths[index] == fold ? .retransmitted : .replayed
    }
    if transactions.count < Self.capacity {
      transactions.append(transaction)
      paths.append(fold)
    } else {
      transactions[next] = transaction
      paths[next] = fold
      next = (next &+ 1) % Self.capacity
    }
    return .fresh
  }

  /// Thirty-two bits of the path. Who makes two paths collide gains an answer to his retransmission.
  private static func fold(_ path: TransportPath) -> UInt32 {
    var mixed = path.remote.high &* 0x9E37_79B9_7F4A_7C15 ^ path.remote.low
    mixed = (mixed ^ mixed >> 32) &* 0xD6E8_FEB8_6659_FD93
    mixed ^= UInt64(path.remote.port) << 40 ^ UInt64(path.socket) << 8 ^ UInt64(path.transport.rawValue)
    mixed = (mixed ^ mixed >> 32) &* 0xD6E8_FEB8_6659_FD93
    return UInt32(truncatingIfNeeded: mixed >> 32)
  }
}
