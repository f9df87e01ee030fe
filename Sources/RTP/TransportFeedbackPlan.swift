import Timing

/// How much of a list of arrivals goes into one transport-cc feedback packet, and the chunks that say which came.
///
/// Arrivals are counted in ticks of 250 us; a reference time in 256 of them.
struct TransportFeedbackPlan {
  /// Statuses in the packet.
  private(set) var count = 0
  /// The first arrival in steps of 64 ms.
  let reference: Int64
  /// Bytes of the packet's body, padding included.
  private(set) var size = 0

  /// - Returns: nil where nothing came or nothing fits in `room` bytes.
  init?(_ arrivals: Span<Instant>, room: Int) {
    guard let first = Self.firstArrival(arrivals) else { return nil }
    self.reference = (first.nanoseconds / 250_000) >> 8
    var ticks = reference &* 256
    var deltaBytes = 0
    while count < min(arrivals.count, 0xFFFF) {
      var next = ticks
      let delta = Self.ticks(arrivals[count], since: &next)
      if let delta, Int16(exactly: delta) == nil { break }
      let more = Int(Self.symbol(delta))
      // Sixteen bytes of fixed fields, at worst one chunk per seven packets, three of padding, four of header.
      guard 16 &+ (count / 7 &+ 1) &* 2 &+ deltaBytes &+ more &+ 7 <= room else { break }
      deltaBytes &+= more
      ticks = next
      count &+= 1
    }
    guard count > 0 else { return nil }
    var chunkBytes = 0
    var index = 0
    while index < count {
      _ = chunk(arrivals, &index)
      chunkBytes &+= 2
    }
    self.size = (16 &+ chunkBytes &+ deltaBytes &+ 3) & ~3
  }

  private static func firstArrival(_ arrivals: Span<Instant>) -> Instant? {
    for index in 0..<arrivals.count where arrivals[index] != .distantFuture { return arrivals[index] }
    return nil
  }

  /// The delta of one packet, which moves `ticks` on; nil for a packet that has not come.
  static func ticks(_ arrival: Instant, since ticks: inout Int64) -> Int64? {
    guard arrival != .distantFuture else { return nil }
    let now = arrival.nanoseconds / 250_000
    defer { ticks = now }
    return now &- ticks
  }

  /// 0 not received, 1 one byte of delta, 2 two bytes: also how many bytes the delta takes.
  static func symbol(_ delta: Int64?) -> UInt16 {
    guard let delta else { return 0 }
    return delta >= 0 && delta <= 255 ? 1 : 2
  }

  /// The chunk for the packets from `index` on, which moves behind them.
  func chunk(_ arrivals: Span<Instant>, _ index: inout Int) -> UInt16 {
    let first = symbol(arrivals, at: index)
    var run = 1
    while index &+ run < count, run < 0x1FFF, symbol(arrivals, at: index &+ run) == first { run &+= 1 }
    if run >= 14 || index &+ run == count {
      index &+= run
      return first << 13 | UInt16(truncatingIfNeeded: run)
    }
    var vector: UInt16 = 0
    var isSmall = true
    for step in 0..<14 where index &+ step < count {
      let symbol = symbol(arrivals, at: index &+ step)
      if symbol > 1 { isSmall = false }
      vector |= (symbol & 1) << UInt16(13 &- step)
    }
    if isSmall {
      index = min(index &+ 14, count)
      return 0x8000 | vector
    }
    if run >= 7 {
      index &+= run
      return first << 13 | UInt16(truncatingIfNeeded: run)
    }
    vector = 0
    for step in 0..<7 where index &+ step < count {
      vector |= symbol(arrivals, at: index &+ step) << UInt16(12 &- step &* 2)
    }
    index = min(index &+ 7, count)
    return 0xC000 | vector
  }

  /// The symbol of one packet, whose delta counts from the nearest packet before it that came.
  private func symbol(_ arrivals: Span<Instant>, at index: Int) -> UInt16 {
    guard arrivals[index] != .distantFuture else { return 0 }
    var ticks = reference &* 256
    var before = index &- 1
    while before >= 0 {
      if Self.ticks(arrivals[before], since: &ticks) != nil { break }
      before &-= 1
    }
    return Self.symbol(Self.ticks(arrivals[index], since: &ticks))
  }
}
