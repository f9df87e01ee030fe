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

  /// What is to be known of a packet besides its payload, whichever way that came.
  struct Arrival {
    let source: SSRC
    let number: SequenceNumber
    var timestamp: RTPTimestamp
    let marker: Bool
    let rotation: Rotation?
    let audioLevel: UInt8?
    let time: Instant

    init(_ header: RTPHeader, _ extensions: HeaderExtensions, at now: Instant) {
      source = header.ssrc
      number = header.sequenceNumber
      timestamp = header.timestamp
      marker = header.marker
      rotation = extensions.rotation
      audioLevel = extensions.audioLevel
      time = now
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

  /// How many temporal layers of pictures are decoded, from the base up: what is lost of the others is not waited for.
  public var temporalLayersWanted: UInt8 {
    get { assembler?.temporalLayersWanted ?? .max }
    set { assembler?.temporalLayersWanted = newValue }
  }

  /// The earliest of all that has to be done at a time; nil where nothing has. Kept rather than worked out, since it is asked for
  /// after each packet.
  public private(set) var nextDeadline: Instant?

  var sequence = ReceivedSequence()
  var missing: MissingPackets
  var keyframes = KeyframeRequester()
  /// Only video has one.
  var assembler: VideoFrameAssembler?
  /// Made when the first block comes.
  var parity: ParityDecoder?
  /// The last packet that ended a picture in blocks, and the picture's number.
  var lastEnd: (number: Int64, picture: UInt16)?
  var due: [SequenceNumber] = []

  public init(_ configuration: Configuration) {
    self.configuration = configuration
    let isVideo = configuration.kind == .video
    statistics = ReceptionStatistics(clockRate: isVideo ? 90_000 : 48_000)
    missing = MissingPackets(ageMax: isVideo ? .milliseconds(600) : .milliseconds(150))
    due.reserveCapacity(MissingPackets.capacity)
    if isVideo { assembler = VideoFrameAssembler(patience: patience) }
  }

  /// - Parameter previous: the source whose place it takes: keyframes are asked for no more often than if it had gone on.
  public init(_ configuration: Configuration, after previous: borrowing ReceiveStream) {
    self.init(configuration)
    keyframes = KeyframeRequester(after: previous.keyframes)
  }

  /// How long to wait before asking again. Who sends nothing is never told of his round trip, since reports have it for senders only, but
  /// learns from the answers where it is shorter. Where it is longer he need not wait: requests may be lost too, and the sender knows
  /// which answers are on their way.
  var requestSpacing: Interval { min(missing.answerTime ?? roundTripTime, roundTripTime) }

  /// Long enough for a few requests and their answers; without requests, for packets that were overtaken.
  private var patience: Interval {
    guard configuration.usesNACK else { return .milliseconds(100) }
    return min(max(roundTripTime, .zero) * 3 + .milliseconds(200), missing.ageMax)
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
    let arrival = Arrival(header, extensions, at: now)
    switch configuration.payloadTypes[header.payloadType] {
    case .retransmission(let payloadType)?:
      receiveRetransmission(payload, of: payloadType, arrival, descriptor, pool: &pool, frames: &frames)
    case .media(let codec)? where codec.kind == configuration.kind:
      guard let extended = accept(arrival, of: codec, size: payload.count) else { return }
      take(payload, extended, arrival, codec, descriptor, pool: &pool, frames: &frames)
    case .redundancy(let payloadType)?:
      receiveRedundant(payload, of: payloadType, arrival, pool: &pool, frames: &frames)
    case .block? where assembler != nil:
      receiveBlock(packet, header.payloadRange, arrival, descriptor, pool: &pool, frames: &frames)
    case .media?, .block?, .parity?, nil:
      // Not understood: telephone events, comfort noise.
      guard let extended = accept(arrival, size: payload.count) else { return }
      counters.notUnderstood &+= 1
      passOver(extended, arrival, pool: &pool, frames: &frames)
    }
  }

  /// Does the counting for a packet of the source itself; nil for one that is of no further use.
  ///
  /// - Parameters:
  ///   - codec: by whose clock it counts; nil for the same as before.
  ///   - size: bytes of its payload.
  mutating func accept(_ arrival: Arrival, of codec: Codec? = nil, size: Int) -> Int64? {
    guard arrival.source == configuration.source else { return nil }
    if let codec { statistics.setClockRate(codec.clockRate) }
    let highest = sequence.highest
    switch sequence.receive(arrival.number) {
    case .ahead(let extended):
      statistics.receive(arrival.timestamp, size: size, at: arrival.time)
      noteMissing(between: highest, and: extended, at: arrival.time)
      return extended
    case .late(let extended):
      statistics.receive(arrival.timestamp, size: size, at: arrival.time)
      missing.remove(extended)
      return extended
    case .restarted(let extended):
      statistics.restart()
      statistics.receive(arrival.timestamp, size: size, at: arrival.time)
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

  /// The numbers that the stream went over, if any, are to be asked for.
  mutating func noteMissing(between highest: Int64?, and extended: Int64, at now: Instant) {
    guard configuration.usesNACK, let highest, extended > highest &+ 1 else { return }
    missing.insert((highest &+ 1)..<extended, at: now)
  }

  /// A packet that came for the first time, by whichever way.
  mutating func take(
    _ payload: Span<UInt8>, _ extended: Int64, _ arrival: Arrival, _ codec: Codec, _ descriptor: Span<UInt8> = .init(),
    pool: inout FrameBufferPool, frames: inout [EncodedFrame]
  ) {
    guard assembler != nil else {
      guard payload.count > 0 else { return }
      counters.frames &+= 1
      frames.append(
        EncodedFrame(
          codec: codec, payload: pool.make(copying: payload), timestamp: arrival.timestamp, sequence: extended,
          time: arrival.time, audioLevel: arrival.audioLevel))
      return
    }
    assembler?.receive(
      sequence: extended, timestamp: arrival.timestamp, marker: arrival.marker, codec: codec, rotation: arrival.rotation,
      payload: payload, descriptor: descriptor, at: arrival.time, pool: &pool, frames: &frames)
    noteAssembly()
  }

  /// Nothing of a picture, but of the same numbers: as good as padding.
  mutating func passOver(
    _ extended: Int64, _ arrival: Arrival, pool: inout FrameBufferPool, frames: inout [EncodedFrame]
  ) {
    take(.init(), extended, arrival, .vp8, pool: &pool, frames: &frames)
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
