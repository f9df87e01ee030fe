/// Which of the last indices of a stream have come (RFC 3711 section 3.3.2).
struct ReplayWindow {
  /// How many indices back from the newest are remembered.
  static let size: UInt64 = 1024

  enum Verdict: Equatable {
    case new
    case seen
    /// So far back that nobody knows.
    case tooOld
  }

  /// The newest index that came; 0 before the first.
  private(set) var newest: UInt64 = 0
  private(set) var isEmpty = true
  /// A bit for each index, at its place modulo the size.
  private var bits: InlineArray<16, UInt64> = .init(repeating: 0)

  func judge(_ index: UInt64) -> Verdict {
    if index > newest { return .new }
    if newest &- index >= Self.size { return .tooOld }
    return isSet(index) ? .seen : .new
  }

  /// Takes note of an index that is `new`.
  mutating func insert(_ index: UInt64) {
    isEmpty = false
    if index > newest {
      // What comes into the window has not been seen.
      let step = index &- newest
      if step >= Self.size {
        bits = .init(repeating: 0)
      } else {
        for passed in (newest &+ 1)...index { clear(passed) }
      }
      newest = index
    }
    bits[place(index)] |= 1 << (index & 63)
  }

  private func isSet(_ index: UInt64) -> Bool { bits[place(index)] & (1 << (index & 63)) != 0 }
  private mutating func clear(_ index: UInt64) { bits[place(index)] &= ~(1 << (index & 63)) }
  private func place(_ index: UInt64) -> Int { Int(truncatingIfNeeded: (index % Self.size) >> 6) }
}

/// A stream's index as its receiver reckons it: the roll-over counter is not sent (RFC 3711 section 3.3.1 and appendix A).
struct PacketIndex {
  /// The index a sequence number stands for: the one nearest to the newest that came.
  ///
  /// - Returns: at most 2^48 - 1; a stream younger than half a round has not rolled over.
  static func estimate(_ sequenceNumber: UInt16, newest: UInt64) -> UInt64 {
    guard newest > 0x8000 else { return UInt64(sequenceNumber) }
    let step = Int64(Int16(bitPattern: sequenceNumber &- UInt16(truncatingIfNeeded: newest)))
    return UInt64(bitPattern: Int64(bitPattern: newest) &+ step) & 0xFFFF_FFFF_FFFF
  }
}
