import Timing

/// Which sequence numbers of a source have come: extends them, knows duplicates, and notices a source that starts anew
/// (RFC 3550 appendix A.1).
///
/// There is no probation: packets come authenticated, so the first one counts.
struct ReceivedSequence: Sendable {
  enum Verdict: Equatable {
    /// The highest so far; those between the highest before it and this one have not come.
    case ahead(Int64)
    /// Below the highest and not seen before.
    case late(Int64)
    case duplicate
    /// Too far from the others to belong to them, unless the next one follows it.
    case strange
    /// The source goes on from here, and nothing before counts any more. Still higher than every number before.
    case restarted(Int64)
  }

  /// How far below the highest a number may be: as long as its bit is kept.
  static let window: Int64 = 2048
  /// MAX_DROPOUT of RFC 3550: how far ahead of the highest a number may be.
  static let dropoutMax: Int64 = 3000

  /// The highest extended number; nil before the first packet.
  private(set) var highest: Int64?
  /// The lowest extended number since the source began or began anew.
  private(set) var lowest: Int64 = 0
  private var bits: [32 of UInt64] = .init(repeating: 0)
  /// The number after the last strange one.
  private var restartExpected: SequenceNumber?

  /// A packet of the media stream itself.
  mutating func receive(_ number: SequenceNumber) -> Verdict {
    guard let highest else {
      begin(at: Int64(number.rawValue))
      return .ahead(Int64(number.rawValue))
    }
    let extended = extend(number, highest)
    if extended > highest &+ Self.dropoutMax || extended <= highest &- Self.window {
      guard restartExpected == number else {
        restartExpected = number + 1
        return .strange
      }
      restartExpected = nil
      // The next number with these low bits above all that were given out.
      let restart = extended > highest ? extended : extended &+ 0x1_0000
      begin(at: restart)
      return .restarted(restart)
    }
    restartExpected = nil
    return mark(extended, highest)
  }

  /// A number told of by a retransmission, which never makes the source start anew.
  mutating func receiveRetransmission(_ number: SequenceNumber) -> Verdict {
    guard let highest else { return .strange }
    let extended = extend(number, highest)
    guard extended > highest &- Self.window, extended <= highest &+ Self.window else { return .strange }
    return mark(extended, highest)
  }

  private func extend(_ number: SequenceNumber, _ highest: Int64) -> Int64 {
    highest &+ Int64(number.distance(from: SequenceNumber(UInt16(truncatingIfNeeded: highest))))
  }

  private mutating func begin(at extended: Int64) {
    highest = extended
    lowest = extended
    bits = .init(repeating: 0)
    _ = setBit(extended)
  }

  private mutating func mark(_ extended: Int64, _ highest: Int64) -> Verdict {
    if extended > highest {
      if extended &- highest >= Self.window {
        bits = .init(repeating: 0)
      } else {
        for skipped in (highest &+ 1)..<extended { clearBit(skipped) }
        clearBit(extended)
      }
      self.highest = extended
      _ = setBit(extended)
      return .ahead(extended)
    }
    guard setBit(extended) else { return .duplicate }
    lowest = min(lowest, extended)
    return .late(extended)
  }

  /// False where the bit was set already.
  private mutating func setBit(_ extended: Int64) -> Bool {
    let (word, bit) = (Int(extended >> 6 & 31), UInt64(1) << UInt64(extended & 63))
    guard bits[word] & bit == 0 else { return false }
    bits[word] |= bit
    return true
  }

  private mutating func clearBit(_ extended: Int64) {
    bits[Int(extended >> 6 & 31)] &= ~(UInt64(1) << UInt64(extended & 63))
  }
}
