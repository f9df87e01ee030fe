import Bytes
import EncodedMedia
import RTP
import Timing

/// One frame as one stream sends it: what its packets' headers are made of, now and when they are sent again.
public struct OutgoingFrame: Sendable {
  public let frame: PacketizedFrame
  public let payloadType: UInt8
  /// Extended sequence number of the first packet.
  public let firstSequence: Int64
  /// With the stream's offset added.
  public let timestamp: RTPTimestamp
  /// 15 bits; only VP8 and VP9 have it.
  public let pictureID: UInt16
  /// TL0PICIDX as sent; only VP8 with temporal layers has it.
  public let temporalBaseIndex: UInt8
  /// Whether the packets carry the MID and whatever else identifies the stream.
  public let identifies: Bool
  public let sentAt: Instant
  /// Earlier frames that its packet carries again (RFC 2198); only audio has any.
  public let copies: EarlierFrames
  /// The payload type of the blocks its packets are sent in while parity covers them; sent again they are as they were.
  let blockPayloadType: UInt8?

  public var packetCount: Int { frame.ranges.count }

  /// Bytes of a packet's payload, the copies it carries and padding included.
  ///
  /// - Parameter index: 0 ..< `packetCount`
  public func payloadSize(_ index: Int) -> Int { frame.ranges[index].count &+ copies.size &+ padding(index) }

  /// Bytes of padding in a packet as it is sent first: what is sent again under another number goes without (RFC 4588 section 4), and
  /// so does what parity covers.
  ///
  /// - Parameter index: 0 ..< `packetCount`
  func padding(_ index: Int) -> Int { index == packetCount &- 1 && blockPayloadType == nil ? frame.padding : 0 }
}

/// Up to two frames sent before, and how much earlier they were sampled in ticks; held in place, without an allocation.
public struct EarlierFrames: Sendable {
  struct Copy: Sendable {
    let frame: PacketizedFrame
    let age: Int
  }

  /// The packets' payload type; meaningless without copies.
  var payloadType: UInt8 = 0
  var older: Copy?
  var newer: Copy?

  public var count: Int { (older == nil ? 0 : 1) &+ (newer == nil ? 0 : 1) }
  /// Bytes the copies and all block headers take.
  var size: Int {
    guard let newer else { return 0 }
    let headers = count &* RedundantAudio.copyHeaderSize &+ RedundantAudio.ownHeaderSize
    return headers &+ newer.frame.bytes.count &+ (older?.frame.bytes.count ?? 0)
  }
}

/// The frames that packets may be asked for again, as references to what all receivers share, and which packets were sent again.
struct SendHistory: Sendable {
  private struct Resend: Sendable {
    var sequence: Int64
    var at: Instant
    var count: Int
  }

  /// A packet is sent again at most so often.
  static let resendsMax = 5
  private static let resendsKept = 64
  private static let framesAtFirst = 16

  /// What an `OutgoingFrame` is made from again. Every receiver of an output keeps one for each of its frames, so each byte counts a
  /// hundred thousand times; half a line of cache.
  private struct Entry: Sendable {
    let frame: PacketizedFrame
    let firstSequence: Int64
    let sentAt: Instant
    let timestamp: RTPTimestamp
    let pictureID: UInt16
    /// 7 bits, and above them whether the frame identifies its stream.
    private let payloadTypeAndFlag: UInt8
    let temporalBaseIndex: UInt8

    var payloadType: UInt8 { payloadTypeAndFlag & 0x7F }
    var identifies: Bool { payloadTypeAndFlag & 0x80 != 0 }

    init(_ outgoing: OutgoingFrame) {
      frame = outgoing.frame
      firstSequence = outgoing.firstSequence
      sentAt = outgoing.sentAt
      timestamp = outgoing.timestamp
      pictureID = outgoing.pictureID
      payloadTypeAndFlag = outgoing.payloadType & 0x7F | (outgoing.identifies ? 0x80 : 0)
      temporalBaseIndex = outgoing.temporalBaseIndex
    }
  }

  private let ageMax: Interval
  /// A ring: frame n is at n modulo its length, a power of two. It grows up to the capacity where frames that are still of use fill it:
  /// what is longer than it has to be takes caches from other receivers.
  private var entries: [Entry?]
  private var mask: Int
  private let capacity: Int
  /// The copies that frames carry, in the same ring; empty while none did.
  private var copies: [EarlierFrames?] = []
  private var oldest = 0
  private var end = 0
  private var resends: [Resend] = []
  private var nextResend = 0

  /// - Parameter capacity: frames, a power of two.
  init(capacity: Int, ageMax: Interval) {
    precondition(capacity > 0 && capacity & (capacity - 1) == 0, "places in the ring are found by masking")
    self.ageMax = ageMax
    self.capacity = capacity
    let length = min(capacity, Self.framesAtFirst)
    entries = Array(repeating: nil, count: length)
    mask = length - 1
  }

  private func place(_ number: Int) -> Int { number & mask }

  /// Asks for the memory that `append` is about to change.
  mutating func prefetch() {
    Prefetch.element(place(end), of: entries, hasHead: true)
    if isFull { Prefetch.element(place(oldest &+ 1), of: entries) }
  }

  private var isFull: Bool { end &- oldest > mask }

  /// Keeps a frame. Where room is needed lets go of all that are too old: some at a time, for each lies where no cache holds it.
  mutating func append(_ frame: OutgoingFrame) {
    if isFull {
      while oldest < end, isExpired(oldest, at: frame.sentAt) { removeOldest() }
      if isFull, mask &+ 1 < capacity { grow() }
      if isFull { removeOldest() }
    }
    entries[place(end)] = Entry(frame)
    if frame.copies.count > 0 {
      if copies.isEmpty { copies = Array(repeating: nil, count: entries.count) }
      copies[place(end)] = frame.copies
    }
    end &+= 1
  }

  private mutating func removeOldest() {
    entries[place(oldest)] = nil
    if !copies.isEmpty { copies[place(oldest)] = nil }
    oldest &+= 1
  }

  /// Makes the ring twice as long.
  private mutating func grow() {
    let before = (entries: entries, copies: copies, mask: mask)
    entries = Array(repeating: nil, count: before.entries.count * 2)
    copies = before.copies.isEmpty ? [] : Array(repeating: nil, count: entries.count)
    mask = entries.count - 1
    for number in oldest..<end {
      entries[place(number)] = before.entries[number & before.mask]
      if !copies.isEmpty { copies[place(number)] = before.copies[number & before.mask] }
    }
  }

  /// The frame appended so many before the last; nil where it is not kept, or was too old when the last was.
  func last(_ number: Int) -> OutgoingFrame? {
    let index = end &- 1 &- number
    guard index >= oldest, let newest = entries[place(end &- 1)], !isExpired(index, at: newest.sentAt) else { return nil }
    return frame(index)
  }

  private func frame(_ number: Int) -> OutgoingFrame? {
    guard let entry = entries[place(number)] else { return nil }
    return OutgoingFrame(
      frame: entry.frame, payloadType: entry.payloadType, firstSequence: entry.firstSequence, timestamp: entry.timestamp,
      pictureID: entry.pictureID, temporalBaseIndex: entry.temporalBaseIndex, identifies: entry.identifies,
      sentAt: entry.sentAt, copies: copies.isEmpty ? EarlierFrames() : copies[place(number)] ?? EarlierFrames(),
      blockPayloadType: nil)
  }

  private func isExpired(_ number: Int, at now: Instant) -> Bool {
    entries[place(number)].map { now - $0.sentAt > ageMax } ?? true
  }

  /// The frame a packet is of; nil where it is not kept or too old to be of use.
  func frame(with sequence: Int64, at now: Instant) -> OutgoingFrame? {
    guard let number = lastFrame(notAfter: sequence), let entry = entries[place(number)] else { return nil }
    let isWithin = sequence < entry.firstSequence &+ Int64(entry.frame.ranges.count)
    return isWithin && now - entry.sentAt <= ageMax ? frame(number) : nil
  }

  /// The last frame that begins with a packet or before it; nil where all that are kept begin after it. By halves: frames follow one
  /// another in the order of their numbers.
  private func lastFrame(notAfter sequence: Int64) -> Int? {
    var (lower, upper) = (oldest, end)
    while lower < upper {
      let middle = lower &+ (upper &- lower) / 2
      guard let entry = entries[place(middle)] else { return nil }
      if entry.firstSequence <= sequence { lower = middle &+ 1 } else { upper = middle }
    }
    return lower > oldest ? lower &- 1 : nil
  }

  /// Whether a packet may be sent again now, which counts as done.
  mutating func allowResend(_ sequence: Int64, at now: Instant, spacing: Interval) -> Bool {
    if let index = resends.firstIndex(where: { $0.sequence == sequence }) {
      guard now - resends[index].at >= spacing, resends[index].count < Self.resendsMax else { return false }
      resends[index].at = now
      resends[index].count &+= 1
      return true
    }
    let resend = Resend(sequence: sequence, at: now, count: 1)
    // Most receivers lose nothing: room is made with the first loss, for all that are kept.
    if resends.isEmpty { resends.reserveCapacity(Self.resendsKept) }
    if resends.count < Self.resendsKept {
      resends.append(resend)
    } else {
      resends[nextResend] = resend
      nextResend = (nextResend &+ 1) % Self.resendsKept
    }
    return true
  }
}
