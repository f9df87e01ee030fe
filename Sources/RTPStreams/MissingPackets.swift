import Timing

/// The packets of one stream to ask for again (RFC 4585 section 6.2.1): when first, how often, and when to let go.
struct MissingPackets: Sendable {
  private struct Entry {
    var sequence: Int64
    var missedAt: Instant
    var askAt: Instant
    /// When it was asked for first; of no meaning with no requests.
    var askedAt = Instant.zero
    var requests = 0
  }

  /// Longer gaps are not worth asking for: a keyframe is smaller.
  static let capacity = 256
  static let requestsMax = 10
  /// After so many at the distance of an answer, the others last for as long as the packet is of use: all of them may fall into one gap
  /// of the line.
  private static let hastyRequests = 3
  /// A packet that is this late may only have been overtaken.
  static let reorderTolerance = Interval.milliseconds(10)

  /// After this a packet is of no more use.
  let ageMax: Interval
  /// Ascending.
  private var entries: [Entry] = []
  /// Packets given up since the start.
  private(set) var givenUpCount = 0
  /// From the first request for a packet to its retransmission, smoothed; nil before the first. Longer than the way there and back by
  /// what the sender takes, and by requests and retransmissions that were lost: of a share p of them, by 1/(1-p).
  private(set) var answerTime: Interval?

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
      entries.append(Entry(sequence: sequence, missedAt: now, askAt: now + Self.reorderTolerance))
    }
  }

  mutating func remove(_ sequence: Int64) {
    if let index = index(of: sequence) { entries.remove(at: index) }
  }

  /// A packet came as a retransmission, whose time tells how long one has to wait for others.
  mutating func remove(_ sequence: Int64, answeredAt now: Instant) {
    guard let index = index(of: sequence) else { return }
    let entry = entries.remove(at: index)
    guard entry.requests > 0 else { return }
    let elapsed = now - entry.askedAt
    answerTime = answerTime.map { ($0 * 7 + elapsed) / 8 } ?? elapsed
  }

  private func index(of sequence: Int64) -> Int? {
    guard let index = entries.firstIndex(where: { $0.sequence >= sequence }), entries[index].sequence == sequence else {
      return nil
    }
    return index
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
  ///
  /// - Parameter spacing: how long a retransmission is waited for before it is asked for again, the reorder tolerance not counted.
  mutating func takeDue(at now: Instant, spacing: Interval, into due: inout [SequenceNumber]) {
    guard !entries.isEmpty else { return }
    let ageMax = self.ageMax
    let before = entries.count
    entries.removeAll { $0.askAt <= now && ($0.requests >= Self.requestsMax || now - $0.missedAt > ageMax) }
    givenUpCount &+= before &- entries.count
    let spacing = max(spacing, .milliseconds(20)) + Self.reorderTolerance
    for index in entries.indices where entries[index].askAt <= now {
      due.append(SequenceNumber(UInt16(truncatingIfNeeded: entries[index].sequence)))
      if entries[index].requests == 0 { entries[index].askedAt = now }
      entries[index].requests &+= 1
      let isHasty = entries[index].requests < Self.hastyRequests
      entries[index].askAt = now + (isHasty ? spacing : max(spacing, ageMax / Int64(Self.requestsMax)))
    }
  }
}
