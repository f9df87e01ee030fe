import Bytes
import EncodedMedia
import Timing

/// One transport-cc feedback packet (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1): which packets came, and when.
public struct TransportFeedback: ~Escapable {
  public let sender: SSRC
  public let media: SSRC
  public let baseSequenceNumber: SequenceNumber
  /// Packets reported on, received or not.
  public let statusCount: Int
  /// What arrivals count from, in the receiver's time; wraps after 12.4 days.
  public let referenceTime: Interval
  /// Counts feedback packets, so that a lost one is noticed.
  public let feedbackCount: UInt8
  private let chunksAndDeltas: Span<UInt8>

  @_lifetime(copy body)
  init?(_ body: Span<UInt8>) {
    var reader = ByteReader(body)
    guard let sender = reader.readUInt32(), let media = reader.readUInt32(), let base = reader.readUInt16(),
      let count = reader.readUInt16(), let reference = reader.readUInt24(), let number = reader.readUInt8(),
      let rest = reader.readBytes(reader.remaining)
    else { return nil }
    self.sender = SSRC(sender)
    self.media = SSRC(media)
    self.baseSequenceNumber = SequenceNumber(base)
    self.statusCount = Int(count)
    self.referenceTime = .milliseconds(Int64(Int32(bitPattern: reference << 8) >> 8) &* 64)
    self.feedbackCount = number
    self.chunksAndDeltas = rest
  }

  /// Reads the status of each packet in order; ends early where the feedback is malformed.
  @_lifetime(copy self)
  public func packets() -> TransportFeedbackPackets {
    TransportFeedbackPackets(chunksAndDeltas, count: statusCount, base: baseSequenceNumber, time: referenceTime)
  }
}

/// What a feedback packet says of one packet.
public struct TransportPacketStatus: Hashable, Sendable {
  public var sequenceNumber: SequenceNumber
  /// On the receiver's clock, to 250 us; nil for a packet that did not come.
  public var arrival: Interval?

  public init(sequenceNumber: SequenceNumber, arrival: Interval?) {
    self.sequenceNumber = sequenceNumber
    self.arrival = arrival
  }
}

/// The statuses of a feedback packet, one after another.
public struct TransportFeedbackPackets: ~Escapable {
  private var chunks: TransportStatusChunks
  private var deltas: ByteReader
  private var sequence: SequenceNumber
  private var time: Interval

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>, count: Int, base: SequenceNumber, time: Interval) {
    // Deltas begin behind the last chunk, which only going through the chunks finds.
    var counting = TransportStatusChunks(bytes, count: count)
    while counting.next() != nil {}
    self.chunks = TransportStatusChunks(bytes, count: counting.isMalformed ? 0 : count)
    self.deltas = ByteReader(bytes)
    _ = deltas.skip(counting.bytesRead)
    self.sequence = base
    self.time = time
  }

  /// The next packet's status; nil after the last and from where the deltas end early.
  @_lifetime(self: copy self)
  public mutating func next() -> TransportPacketStatus? {
    guard let symbol = chunks.next() else { return nil }
    let number = sequence
    sequence = sequence + 1
    switch symbol {
    case 1:
      guard let delta = deltas.readUInt8() else { return nil }
      time += .microseconds(Int64(delta) &* 250)
    case 2:
      guard let delta = deltas.readUInt16() else { return nil }
      time += .microseconds(Int64(Int16(bitPattern: delta)) &* 250)
    default: return TransportPacketStatus(sequenceNumber: number, arrival: nil)
    }
    return TransportPacketStatus(sequenceNumber: number, arrival: time)
  }
}

/// The symbols of run-length and status vector chunks: 0 not received, 1 small delta, 2 large or negative delta.
struct TransportStatusChunks: ~Escapable {
  private var reader: ByteReader
  private var symbolsLeft: Int
  private var chunk: UInt16 = 0
  private var chunkSymbolsLeft = 0
  private(set) var isMalformed = false

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>, count: Int) {
    self.reader = ByteReader(bytes)
    self.symbolsLeft = count
  }

  var bytesRead: Int { reader.offset }

  @_lifetime(self: copy self)
  mutating func next() -> UInt8? {
    guard symbolsLeft > 0, !isMalformed else { return nil }
    if chunkSymbolsLeft == 0 {
      guard let next = reader.readUInt16() else {
        isMalformed = true
        return nil
      }
      chunk = next
      chunkSymbolsLeft = next & 0x8000 == 0 ? Int(next & 0x1FFF) : next & 0x4000 == 0 ? 14 : 7
      if chunkSymbolsLeft == 0 {
        isMalformed = true
        return nil
      }
    }
    symbolsLeft &-= 1
    chunkSymbolsLeft &-= 1
    let symbol =
      switch chunk >> 14 {
      case 0, 1: chunk >> 13 & 3
      case 2: chunk >> UInt16(truncatingIfNeeded: chunkSymbolsLeft) & 1
      default: chunk >> UInt16(truncatingIfNeeded: chunkSymbolsLeft &* 2) & 3
      }
    // 3 is reserved: how long its delta is nobody knows, so nothing behind it can be read.
    if symbol == 3 {
      isMalformed = true
      return nil
    }
    return UInt8(truncatingIfNeeded: symbol)
  }
}
