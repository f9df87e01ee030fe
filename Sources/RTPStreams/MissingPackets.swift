import Timing

/// The packets of one stream to ask for again (RFC 4585 section 6.2.1): when first, how often, and when to let go.
struct MissingPackets: Sendable {
  private struct Entry {
    var sequence: Int64
    var missedAt: Instant
    var askAt: Instant
    var requests: Int
  }

  /// Longer gaps are not worth asking for: a keyframe is smaller.
  static let capacity = 256
  static let requestsMax = 10
  /// A packet that is this late may only have been overtaken.
  static let reorderTolerance = Interval.milliseconds(10)

  /// After this a packet is of no more use.
  let ageMax: Interval
  /// Ascending.
  private var entries: [Entry] = []
  /// Packets given up since the start.
  private(set) var givenUpCount = 0

  init(ageMax: Interval) {
    self.ageMax = ageMax
    entries.reserveCapacity(Self.capacity)
  }

  var isEmpty: Bool { entries.isEmpty }

  /// The packets of `range` were skipped over. With more than `capacity` missing the oldest are given up.
  mutating func insert(_ range: Range<Int64>, at now: Instant) {
    let excess = entries.count &+ range.count &- Self.capacity
    var range = range
    if excess > 0 {
      givenUpCount &+= excess
      let known = min(excess, entries.count)
      entries.removeFirst(known)
      range = (range.lowerBound &+ Int64(excess &- known))..<range.upperBound
    }
    for sequence in range {
      entries.append(Entry(sequence: sequence, missedAt: now, askAt: now + Self.reorderTolerance, requests: 0))
    }
  }

  mutating func remove(_ sequence: Int64) {
    guard let index = entries.firstIndex(where: { $0.sequence >= sequence }), entries[index].sequence == sequence else {
      return
    }
    entries.remove(at: index)
  }

  /// Nothing below `sequence` is wanted any more.
  mutating func removeAll(below sequence: Int64) {
    guard let first = entries.first, first.sequence < sequence else { return }
    entries.removeAll { $0.sequence < sequence }
  }

  mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

  var nextDeadline: Instant? {
    guard !entries.isEmpty else { return nil }
    return entries.reduce(Instant.distantFuture) { min($0, $1.askAt) }
  }

  /// Appends the packets to be asked for now, ascending, and lets go of the hopeless ones.
  mutating func takeDue(at now: Instant, roundTripTime: Interval, into due: inout [SequenceNumber]) {
    guard !entries.isEmpty else { return }
    let ageMax = self.ageMax
    let before = entries.count
    entries.removeAll { $0.askAt <= now && ($0.requests >= Self.requestsMax || now - $0.missedAt > ageMax) }
    givenUpCount &+= before &- entries.count
    let spacing = max(roundTripTime, .milliseconds(20)) + Self.reorderTolerance
    for index in entries.indices where entries[index].askAt <= now {
      due.append(SequenceNumber(UInt16(truncatingIfNeeded: entries[index].sequence)))
      entries[index].askAt = now + spacing
      entries[index].requests &+= 1
    }
  }
}
