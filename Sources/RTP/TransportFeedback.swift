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

  /// Reads the status of each packet in order; none where the feedback is malformed, and ends early where the deltas do.
  @_lifetime(copy self)
  public func packets() -> TransportFeedbackPackets { packets(from: baseSequenceNumber, count: 1 << 16) }

  /// The same, of none but `count` packets from `first` on: those that did not come and lie elsewhere are stepped over a chunk at a time.
  @_lifetime(copy self)
  public func packets(from first: SequenceNumber, count: Int) -> TransportFeedbackPackets {
    TransportFeedbackPackets(
      chunksAndDeltas, statusCount: statusCount, base: baseSequenceNumber, time: referenceTime, first: first, count: count)
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
///
/// Two bytes can tell of thousands of packets that did not come: what is not asked for costs its bytes, not the packets it names.
public struct TransportFeedbackPackets: ~Escapable {
  private var chunks: ByteReader
  private var deltas: ByteReader
  private var chunk = TransportStatusChunk(rawValue: 0)
  /// Of the chunk's symbols, those that were read.
  private var symbolsRead = 0
  private var statusesLeft: Int
  private var sequence: SequenceNumber
  private var time: Interval
  private let first: SequenceNumber
  private let count: Int

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>, statusCount: Int, base: SequenceNumber, time: Interval, first: SequenceNumber, count: Int) {
    // Deltas begin behind the last chunk, which only going through the chunks finds.
    let chunkBytes = TransportStatusChunk.byteCount(bytes, statusCount: statusCount)
    self.chunks = ByteReader(bytes)
    self.deltas = ByteReader(bytes)
    _ = deltas.skip(chunkBytes ?? 0)
    self.statusesLeft = chunkBytes == nil ? 0 : statusCount
    self.sequence = base
    self.time = time
    self.first = first
    self.count = count
  }

  /// The next packet's status; nil after the last and from where the deltas end early.
  @_lifetime(self: copy self)
  public mutating func next() -> TransportPacketStatus? {
    while statusesLeft > 0 {
      if symbolsRead == chunk.count {
        guard let next = chunks.readUInt16() else { return nil }
        chunk = TransportStatusChunk(rawValue: next)
        symbolsRead = 0
      }
      let number = sequence
      let place = Int(number.rawValue &- first.rawValue)
      let isAskedFor = place < count
      if !isAskedFor, chunk.tellsOnlyOfLost {
        step(min(chunk.count &- symbolsRead, statusesLeft, 1 << 16 &- place))
        continue
      }
      let symbol = chunk[symbolsRead]
      step(1)
      guard let delta = readDelta(symbol) else { return nil }
      time += delta
      if isAskedFor { return TransportPacketStatus(sequenceNumber: number, arrival: symbol == 0 ? nil : time) }
    }
    return nil
  }

  @_lifetime(self: copy self)
  private mutating func step(_ count: Int) {
    symbolsRead &+= count
    statusesLeft &-= count
    sequence = sequence + count
  }

  /// How long after the one before it a packet came; zero for one that did not, nil where the deltas end.
  @_lifetime(self: copy self)
  private mutating func readDelta(_ symbol: UInt8) -> Interval? {
    switch symbol {
    case 0: .zero
    case 1: deltas.readUInt8().map { .microseconds(Int64($0) &* 250) }
    default: deltas.readUInt16().map { .microseconds(Int64(Int16(bitPattern: $0)) &* 250) }
    }
  }
}
