import Bytes

/// Unpredictable numbers from one secret drawn at the start: HMAC-SHA1 of a counter.
///
/// So an agent needs no generator at each call, its transaction ids cannot be guessed, and a simulation is the same each time.
struct ICERandom: Sendable {
  private let key: STUNIntegrityKey
  private var counter: UInt64 = 0

  init(using random: inout some RandomNumberGenerator) {
    let secret = (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next() as UInt64) }
    key = STUNIntegrityKey(password: secret.span)
  }

  mutating func transactionID() -> STUNTransactionID {
    counter &+= 1
    var block = InlineArray<8, UInt8>(repeating: 0)
    var writer = block.mutableSpan
    writer.setBigEndian(UInt32(truncatingIfNeeded: counter >> 32), at: 0)
    writer.setBigEndian(UInt32(truncatingIfNeeded: counter), at: 4)
    let digest = key.digest(prefix: 0, block.span)
    var reader = ByteReader(digest.span)
    return STUNTransactionID(high: reader.readUInt32() ?? 0, low: reader.readUInt64() ?? 0)
  }

  /// A number from 0 to `bound` - 1; 0 for a bound of 0.
  mutating func number(below bound: UInt64) -> UInt64 { bound == 0 ? 0 : transactionID().low % bound }
}
