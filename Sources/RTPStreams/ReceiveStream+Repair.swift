import Bytes
import EncodedMedia
import RTP
import Timing

/// What makes up for packets that were lost: the same again, copies in others, parity.
extension ReceiveStream {
  /// RFC 4588 section 4: the original sequence number, then the original payload. Less than that is probing for bandwidth.
  mutating func receiveRetransmission(
    _ payload: Span<UInt8>, of payloadType: UInt8, _ arrival: Arrival, _ descriptor: Span<UInt8>,
    pool: inout FrameBufferPool, frames: inout [EncodedFrame]
  ) {
    guard arrival.source == configuration.retransmissionSource else { return }
    guard let original = payload.bigEndianUInt16(at: 0), case .media(let codec)? = configuration.payloadTypes[payloadType],
      codec.kind == configuration.kind
    else {
      counters.retransmissionPadding &+= 1
      return
    }
    let highest = sequence.highest
    let extended: Int64
    switch sequence.receiveRetransmission(SequenceNumber(original)) {
    case .ahead(let number):
      noteMissing(between: highest, and: number, at: arrival.time)
      extended = number
    case .late(let number):
      missing.remove(number, answeredAt: arrival.time)
      extended = number
    case .duplicate:
      counters.duplicates &+= 1
      return
    case .strange, .restarted:
      counters.strange &+= 1
      return
    }
    counters.repaired &+= 1
    take(payload.extracting(2..<payload.count), extended, arrival, codec, descriptor, pool: &pool, frames: &frames)
  }

  /// RFC 2198: the packet's own payload, and copies of those before, which are of use where those have not come.
  mutating func receiveRedundant(
    _ payload: Span<UInt8>, of payloadType: UInt8, _ arrival: Arrival, pool: inout FrameBufferPool,
    frames: inout [EncodedFrame]
  ) {
    guard let extended = accept(arrival, size: payload.count) else { return }
    guard case .media(let codec)? = configuration.payloadTypes[payloadType], codec.kind == .audio, assembler == nil else {
      return
    }
    var blocks = RedundantBlocks()
    guard RedundantAudio.parse(payload, into: &blocks) else {
      counters.notUnderstood &+= 1
      return
    }
    for index in 0..<blocks.count where blocks[index].payloadType == payloadType {
      let block = blocks[index]
      var arrival = arrival
      // The copies are of the packets just before, in their order; a sender leaves out the oldest first.
      let age = blocks.count &- 1 &- index
      if age > 0 {
        guard (1...RedundantAudio.usefulOffsetMax).contains(block.timestampOffset),
          RedundantAudio.usefulSizes.contains(block.range.count), takeMissing(extended &- Int64(age))
        else { continue }
        arrival.timestamp = arrival.timestamp + -block.timestampOffset
        counters.repaired &+= 1
      }
      take(payload.extracting(block.range), extended &- Int64(age), arrival, codec, pool: &pool, frames: &frames)
    }
  }

  /// RFC 2198 with one block: a packet of a picture, or parity, which to the picture is as good as padding.
  ///
  /// - Parameter range: where the block lies in the packet.
  mutating func receiveBlock(
    _ packet: Span<UInt8>, _ range: Range<Int>, _ arrival: Arrival, _ descriptor: Span<UInt8>,
    pool: inout FrameBufferPool, frames: inout [EncodedFrame]
  ) {
    let payload = packet.extracting(range)
    guard payload.count > 0, let extended = accept(arrival, size: payload.count) else { return }
    let content = payload.extracting(1..<payload.count)
    let isLast = payload[0] & 0x80 == 0
    if parity == nil { parity = ParityDecoder() }
    switch configuration.payloadTypes[payload[0] & 0x7F] {
    case .media(let codec)? where codec.kind == .video && isLast:
      parity?.receive(
        packet.extracting(0..<range.upperBound), number: extended, block: range.lowerBound, payloadType: payload[0])
      if codec == .vp8 { passOverParity(before: extended, content, arrival, pool: &pool, frames: &frames) }
      take(content, extended, arrival, codec, descriptor, pool: &pool, frames: &frames)
    case .parity? where isLast && parity?.receiveParity(content, number: extended) == true:
      passOver(extended, arrival, pool: &pool, frames: &frames)
    default:
      counters.notUnderstood &+= 1
      passOver(extended, arrival, pool: &pool, frames: &frames)
    }
    recover(at: arrival.time, pool: &pool, frames: &frames)
  }

  /// Where pictures of VP8 follow one another by their numbers, what is missing between their packets was parity: nobody waits for it.
  private mutating func passOverParity(
    before number: Int64, _ content: Span<UInt8>, _ arrival: Arrival, pool: inout FrameBufferPool,
    frames: inout [EncodedFrame]
  ) {
    var reader = ByteReader(content)
    guard let descriptor = VP8Descriptor(&reader), let picture = descriptor.pictureID else { return }
    if descriptor.startsPartition, descriptor.partitionIndex == 0, let lastEnd, lastEnd.number < number,
      number &- lastEnd.number <= Int64(ParityHeader.coverageMax), picture == (lastEnd.picture &+ 1) & 0x7FFF
    {
      for missing in (lastEnd.number &+ 1)..<number where takeMissing(missing) {
        passOver(missing, arrival, pool: &pool, frames: &frames)
      }
    }
    if arrival.marker { lastEnd = (number, picture) }
  }

  /// Takes in what parity makes of what came.
  private mutating func recover(at now: Instant, pool: inout FrameBufferPool, frames: inout [EncodedFrame]) {
    while let bytes = parity?.recover(configuration.source) {
      let packet = bytes.span
      guard let header = RTPHeader(parsing: packet), case .media(let codec)? = configuration.payloadTypes[header.payloadType],
        codec.kind == .video, case .late(let extended) = sequence.receiveRetransmission(header.sequenceNumber)
      else { continue }
      missing.remove(extended)
      counters.repaired &+= 1
      counters.recovered &+= 1
      let extensions = HeaderExtensions(header, in: packet, map: HeaderExtensionMap())
      let arrival = Arrival(header, extensions, at: now)
      take(packet.extracting(header.payloadRange), extended, arrival, codec, pool: &pool, frames: &frames)
    }
  }

  /// Whether a packet of the source has not come; from now on it counts as having come.
  private mutating func takeMissing(_ extended: Int64) -> Bool {
    guard extended > sequence.lowest else { return false }
    guard case .late = sequence.receiveRetransmission(SequenceNumber(UInt16(truncatingIfNeeded: extended))) else {
      return false
    }
    missing.remove(extended)
    return true
  }
}
