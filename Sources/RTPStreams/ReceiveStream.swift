import Bytes
import EncodedMedia
import RTP
import Timing

/// One incoming media source and its retransmissions: packets in, frames out, and what to tell the sender.
///
///     packet ──▶ ReceivedSequence ──▶ MissingPackets ──▶ VideoFrameAssembler ──▶ frames
///     RTX packet ─ decapsulated ─▶┘        │ NACK              │ PLI         (audio: each packet is a frame at once)
///
/// The owner drives it: `receive` for each decrypted packet of the source or of its retransmissions, `handleTimeout` and `writeFeedback`
/// when `nextDeadline` has come, `reportBlock` when a report is due.
public struct ReceiveStream: Sendable {
  public struct Configuration: Sendable {
    public var source: SSRC
    public var kind: MediaKind
    public var payloadTypes: PayloadTypeMap
    /// The source of retransmissions (RFC 4588); nil while it is unknown or not negotiated.
    public var retransmissionSource: SSRC?
    /// Whether the sender answers generic NACKs.
    public var usesNACK: Bool

    public init(
      source: SSRC, kind: MediaKind, payloadTypes: PayloadTypeMap, retransmissionSource: SSRC? = nil, usesNACK: Bool = true
    ) {
      self.source = source
      self.kind = kind
      self.payloadTypes = payloadTypes
      self.retransmissionSource = retransmissionSource
      self.usesNACK = usesNACK
    }
  }

  /// May be changed at any time: by a new offer, or when the source of retransmissions becomes known.
  public var configuration: Configuration
  public internal(set) var statistics: ReceptionStatistics
  public internal(set) var counters = ReceiveCounters()
  /// To the sender and back, for the spacing of requests and how long their answers are waited for; told by whoever measures it.
  public var roundTripTime = Interval.milliseconds(100) {
    didSet {
      let patience = patience
      assembler?.patience = patience
      noteDeadline()
    }
  }

  /// The earliest of all that has to be done at a time; nil where nothing has. Kept rather than worked out, since it is asked for
  /// after each packet.
  public private(set) var nextDeadline: Instant?

  var sequence = ReceivedSequence()
  var missing: MissingPackets
  var keyframes = KeyframeRequester()
  /// Only video has one.
  private var assembler: VideoFrameAssembler?
  /// Made when the first block comes.
  var parity: ParityDecoder?
  /// The last packet that ended a picture in blocks, and the picture's number.
  private var lastEnd: (number: Int64, picture: UInt16)?
  var due: [SequenceNumber] = []

  public init(_ configuration: Configuration) {
    self.configuration = configuration
    let isVideo = configuration.kind == .video
    statistics = ReceptionStatistics(clockRate: isVideo ? 90_000 : Self.audioClockRate(configuration.payloadTypes))
    missing = MissingPackets(ageMax: isVideo ? .milliseconds(600) : .milliseconds(150))
    due.reserveCapacity(MissingPackets.capacity)
    if isVideo { assembler = VideoFrameAssembler(patience: patience) }
  }

  /// Long enough for a few requests and their answers; without requests, for packets that were overtaken.
  private var patience: Interval {
    guard configuration.usesNACK else { return .milliseconds(100) }
    return min(max(roundTripTime, .zero) * 3 + .milliseconds(200), missing.ageMax)
  }

  private static func audioClockRate(_ payloadTypes: PayloadTypeMap) -> Int {
    payloadTypes.payloadType(of: .opus) == nil ? 8_000 : 48_000
  }

  /// Times that packets were given up and pictures dropped up to a keyframe.
  public var gapCount: Int { assembler?.gapCount ?? 0 }

  /// A packet of the source or of its retransmissions; appends the frames it completes.
  ///
  /// - Parameter packet: decrypted, and what `header` was parsed from.
  public mutating func receive(
    _ packet: Span<UInt8>, _ header: RTPHeader, _ extensions: HeaderExtensions, at now: Instant, pool: inout FrameBufferPool,
    frames: inout [EncodedFrame]
  ) {
    guard header.payloadRange.upperBound <= packet.count else { return }
    defer { noteDeadline() }
    let payload = packet.extracting(header.payloadRange)
    let descriptor = extensions.dependencyDescriptor(in: packet)
    switch configuration.payloadTypes[header.payloadType] {
    case .retransmission(let payloadType)?:
      receiveRetransmission(
        payload, of: payloadType, header, extensions, descriptor, at: now, pool: &pool, frames: &frames)
    case .media(let codec)? where codec.kind == configuration.kind:
      guard let extended = accept(header, payload, at: now) else { return }
      take(
        payload, extended, header, extensions, descriptor, codec, at: now, pool: &pool, frames: &frames)
    case .redundancy(let payloadType)?:
      receiveRedundant(payload, of: payloadType, header, extensions, at: now, pool: &pool, frames: &frames)
    case .block? where assembler != nil:
      receiveBlock(packet, header, extensions, descriptor, at: now, pool: &pool, frames: &frames)
    case .media?, .block?, .parity?, nil:
      // Not understood (telephone events, comfort noise), but of the same numbers: for a picture it is as good as padding.
      guard let extended = accept(header, payload, at: now) else { return }
      counters.notUnderstood &+= 1
      guard assembler != nil else { return }
      take(
        payload.extracting(0..<0), extended, header, extensions, descriptor, .vp8, at: now, pool: &pool, frames: &frames)
    }
  }

  /// Does the counting for a packet of the source itself; nil for one that is of no further use.
  private mutating func accept(_ header: RTPHeader, _ payload: Span<UInt8>, at now: Instant) -> Int64? {
    guard header.ssrc == configuration.source else { return nil }
    let highest = sequence.highest
    switch sequence.receive(header.sequenceNumber) {
    case .ahead(let extended):
      statistics.receive(header.timestamp, size: payload.count, at: now)
      if let highest, extended > highest &+ 1 { noteMissing((highest &+ 1)..<extended, at: now) }
      return extended
    case .late(let extended):
      statistics.receive(header.timestamp, size: payload.count, at: now)
      missing.remove(extended)
      return extended
    case .restarted(let extended):
      statistics.restart()
      statistics.receive(header.timestamp, size: payload.count, at: now)
      counters.restarts &+= 1
      missing.removeAll()
      assembler?.restart()
      return extended
    case .duplicate:
      counters.duplicates &+= 1
      return nil
    case .strange:
      counters.strange &+= 1
      return nil
    }
  }

  private mutating func noteMissing(_ range: Range<Int64>, at now: Instant) {
    if configuration.usesNACK { missing.insert(range, at: now) }
  }

  /// RFC 4588 section 4: the original sequence number, then the original payload. Less than that is probing for bandwidth.
  private mutating func receiveRetransmission(
    _ payload: Span<UInt8>, of payloadType: UInt8, _ header: RTPHeader, _ extensions: HeaderExtensions,
    _ descriptor: Span<UInt8>, at now: Instant, pool: inout FrameBufferPool, frames: inout [EncodedFrame]
  ) {
    guard header.ssrc == configuration.retransmissionSource else { return }
    guard let original = payload.bigEndianUInt16(at: 0), case .media(let codec)? = configuration.payloadTypes[payloadType],
      codec.kind == configuration.kind
    else {
      counters.retransmissionPadding &+= 1
      return
    }
    let highest = sequence.highest
    switch sequence.receiveRetransmission(SequenceNumber(original)) {
    case .ahead(let extended):
      if let highest, extended > highest &+ 1 { noteMissing((highest &+ 1)..<extended, at: now) }
      counters.repaired &+= 1
      take(
        payload.extracting(2..<payload.count), extended, header, extensions, descriptor, codec, at: now, pool: &pool,
        frames: &frames)
    case .late(let extended):
      missing.remove(extended)
      counters.repaired &+= 1
      take(
        payload.extracting(2..<payload.count), extended, header, extensions, descriptor, codec, at: now, pool: &pool,
        frames: &frames)
    case .duplicate: counters.duplicates &+= 1
    case .strange, .restarted: counters.strange &+= 1
    }
  }

  /// RFC 2198: the packet's own payload, and copies of those before, which are of use where those have not come.
  private mutating func receiveRedundant(
    _ payload: Span<UInt8>, of payloadType: UInt8, _ header: RTPHeader, _ extensions: HeaderExtensions, at now: Instant,
    pool: inout FrameBufferPool, frames: inout [EncodedFrame]
  ) {
    guard let extended = accept(header, payload, at: now) else { return }
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
      var header = header
      // The copies are of the packets just before, in their order; a sender leaves out the oldest first.
      let age = blocks.count &- 1 &- index
      if age > 0 {
        guard (1...RedundantAudio.usefulOffsetMax).contains(block.timestampOffset),
          RedundantAudio.usefulSizes.contains(block.range.count), isMissing(extended &- Int64(age))
        else { continue }
        header.timestamp = header.timestamp + -block.timestampOffset
        counters.repaired &+= 1
      }
      take(
        payload.extracting(block.range), extended &- Int64(age), header, extensions, payload.extracting(0..<0), codec, at: now,
        pool: &pool,
        frames: &frames)
    }
  }

  /// RFC 2198 with one block: a packet of a picture, or parity, which to the picture is as good as padding.
  private mutating func receiveBlock(
    _ packet: Span<UInt8>, _ header: RTPHeader, _ extensions: HeaderExtensions, _ descriptor: Span<UInt8>, at now: Instant,
    pool: inout FrameBufferPool, frames: inout [EncodedFrame]
  ) {
    let payload = packet.extracting(header.payloadRange)
    guard payload.count > 0, let extended = accept(header, payload, at: now) else { return }
    let content = payload.extracting(1..<payload.count)
    if parity == nil { parity = ParityDecoder() }
    switch configuration.payloadTypes[payload[0] & 0x7F] {
    case .media(let codec)? where codec.kind == .video && payload[0] & 0x80 == 0:
      parity?.receive(
        packet.extracting(0..<header.payloadRange.upperBound), number: extended, block: header.payloadRange.lowerBound,
        payloadType: payload[0])
      if codec == .vp8 { passOverParity(before: extended, content, header, at: now, pool: &pool, frames: &frames) }
      take(content, extended, header, extensions, descriptor, codec, at: now, pool: &pool, frames: &frames)
    case .parity? where payload[0] & 0x80 == 0 && parity?.receiveParity(content, number: extended) == true:
      take(content.extracting(0..<0), extended, header, extensions, descriptor, .vp8, at: now, pool: &pool, frames: &frames)
    default:
      counters.notUnderstood &+= 1
      take(content.extracting(0..<0), extended, header, extensions, descriptor, .vp8, at: now, pool: &pool, frames: &frames)
    }
    recover(at: now, pool: &pool, frames: &frames)
  }

  /// Where pictures of VP8 follow one another by their numbers, what is missing between their packets was parity: nobody waits for it.
  private mutating func passOverParity(
    before number: Int64, _ content: Span<UInt8>, _ header: RTPHeader, at now: Instant, pool: inout FrameBufferPool,
    frames: inout [EncodedFrame]
  ) {
    var reader = ByteReader(content)
    guard let descriptor = VP8Descriptor(&reader), let picture = descriptor.pictureID else { return }
    if descriptor.startsPartition, descriptor.partitionIndex == 0, let lastEnd, lastEnd.number < number,
      number &- lastEnd.number <= Int64(ParityHeader.coverageMax), picture == (lastEnd.picture &+ 1) & 0x7FFF
    {
      for missing in (lastEnd.number &+ 1)..<number where isMissing(missing) {
        take(
          content.extracting(0..<0), missing, header, HeaderExtensions(), content.extracting(0..<0), .vp8, at: now, pool: &pool,
          frames: &frames)
      }
    }
    if header.marker { lastEnd = (number, picture) }
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
      take(
        packet.extracting(header.payloadRange), extended, header, extensions, packet.extracting(0..<0), codec, at: now,
        pool: &pool,
        frames: &frames)
    }
  }

  /// Whether a packet of the source has not come; from now on it counts as having come.
  private mutating func isMissing(_ extended: Int64) -> Bool {
    guard extended > sequence.lowest else { return false }
    guard case .late = sequence.receiveRetransmission(SequenceNumber(UInt16(truncatingIfNeeded: extended))) else {
      return false
    }
    missing.remove(extended)
    return true
  }

  /// A packet that came for the first time, by whichever way.
  private mutating func take(
    _ payload: Span<UInt8>, _ extended: Int64, _ header: RTPHeader, _ extensions: HeaderExtensions,
    _ descriptor: Span<UInt8>, _ codec: Codec, at now: Instant, pool: inout FrameBufferPool, frames: inout [EncodedFrame]
  ) {
    guard assembler != nil else {
      guard payload.count > 0 else { return }
      counters.frames &+= 1
      frames.append(
        EncodedFrame(
          codec: codec, payload: pool.make(copying: payload), timestamp: header.timestamp, sequence: extended, time: now,
          audioLevel: extensions.audioLevel))
      return
    }
    assembler?.receive(
      sequence: extended, timestamp: header.timestamp, marker: header.marker, codec: codec, rotation: extensions.rotation,
      payload: payload, descriptor: descriptor, at: now, pool: &pool, frames: &frames)
    noteAssembly()
  }

  /// Time has come on: gives up what has been missing for too long. Appends the frames that this sets free.
  public mutating func handleTimeout(at now: Instant, pool: inout FrameBufferPool, frames: inout [EncodedFrame]) {
    guard assembler != nil else { return }
    assembler?.handleTimeout(at: now, pool: &pool, frames: &frames)
    noteAssembly()
    noteDeadline()
  }

  /// Keeps requests in step with what the assembler wants and has.
  private mutating func noteAssembly() {
    // Asked field by field: a copy of the whole would cost a reference count for each of its arrays.
    let keyframeCount = assembler?.keyframeCount ?? 0
    if keyframeCount > counters.keyframes { keyframes.keyframeArrived() }
    counters.frames = assembler?.frameCount ?? 0
    counters.keyframes = keyframeCount
    if assembler?.needsKeyframe ?? false { keyframes.request() }
    if let lowest = assembler?.lowestWanted { missing.removeAll(below: lowest) }
  }

  /// To be called after everything that may have moved a deadline.
  mutating func noteDeadline() {
    var earliest = assembler?.nextDeadline
    if let deadline = missing.nextDeadline { earliest = min(earliest ?? deadline, deadline) }
    if let deadline = keyframes.nextDeadline { earliest = min(earliest ?? deadline, deadline) }
    nextDeadline = earliest
  }
}

/// What happened on one incoming source, for statistics.
public struct ReceiveCounters: Sendable {
  public internal(set) var frames = 0
  public internal(set) var keyframes = 0
  /// Packets that had come already.
  public internal(set) var duplicates = 0
  /// Packets whose numbers were too far from the others.
  public internal(set) var strange = 0
  /// Packets of payload types that were not negotiated.
  public internal(set) var notUnderstood = 0
  /// Missing packets that came by retransmission or were made of others.
  public internal(set) var repaired = 0
  /// Those of them that parity made.
  public internal(set) var recovered = 0
  /// Retransmission packets without a packet inside.
  public internal(set) var retransmissionPadding = 0
  public internal(set) var restarts = 0
  /// Packets asked for again, counting each time.
  public internal(set) var packetsRequested = 0
  public internal(set) var keyframesRequested = 0
}
