import Bytes

/// A run-length or status vector chunk of transport-cc feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1.2): a
/// symbol for each of some packets.
///
/// 0 stands for a packet that did not come, 1 for a small delta, 2 for a large or negative one; 3 is reserved.
struct TransportStatusChunk {
  let rawValue: UInt16

  private var isRun: Bool { rawValue & 0x8000 == 0 }
  private var hasOneBitSymbols: Bool { rawValue & 0x4000 == 0 }

  /// Symbols in it; those of the last chunk may be more than are of use.
  var count: Int { isRun ? Int(rawValue & 0x1FFF) : hasOneBitSymbols ? 14 : 7 }

  /// Whether all of its packets are told lost, in one number.
  var tellsOnlyOfLost: Bool { rawValue & 0xE000 == 0 }

  /// - Parameter index: 0 ..< `count`
  subscript(index: Int) -> UInt8 {
    if isRun { return UInt8(truncatingIfNeeded: rawValue >> 13 & 3) }
    let (bits, mask): (Int, UInt16) = hasOneBitSymbols ? (1, 1) : (2, 3)
    return UInt8(truncatingIfNeeded: rawValue >> UInt16(truncatingIfNeeded: (count &- 1 &- index) &* bits) & mask)
  }

  /// Whether one of the first `length` symbols is the reserved one.
  private func hasReserved(_ length: Int) -> Bool {
    if isRun || hasOneBitSymbols { return isRun && self[0] == 3 }
    for index in 0..<length where self[index] == 3 { return true }
    return false
  }

  /// Bytes that the chunks of `statusCount` packets take at the beginning of `bytes`, found in a step for each chunk; nil where they are
  /// malformed.
  static func byteCount(_ bytes: Span<UInt8>, statusCount: Int) -> Int? {
    var reader = ByteReader(bytes)
    var left = statusCount
    while left > 0 {
      guard let next = reader.readUInt16() else { return nil }
      let chunk = TransportStatusChunk(rawValue: next)
      // The reserved symbol: how long its delta is nobody knows, so nothing behind it can be read.
      guard chunk.count > 0, !chunk.hasReserved(min(chunk.count, left)) else { return nil }
      left &-= chunk.count
    }
    return reader.offset
  }
}
