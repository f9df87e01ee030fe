import Bytes
import EncodedMedia
import RTP
import Timing

/// One outgoing source: gives frames that many receivers share the headers of one receiver's stream.
///
/// For each frame the owner calls `begin` once and then `write` for each of its packets, in order, as fast as it wants to pace them;
/// for each number of a NACK, `retransmit`. Packets are plaintext with room behind them for SRTP's tag.
///
/// Without a source of retransmissions a lost packet is sent again as it was, under the same SRTP index. Then it has to be the same bit
/// for bit, so such a stream writes no extensions that tell of the time of sending, unless nothing is ever asked for again.
///
/// What is asked for packets or frames counts as changing the stream, though it does not: asked by another's stream, or of what goes
/// through its history, all of it would be copied first.
public struct SendStream: Sendable {
  public struct Configuration: Sendable {
    public var source: SSRC
    public var kind: MediaKind
    public var payloadTypes: PayloadTypeMap
    /// The source of retransmissions (RFC 4588); nil where they were not negotiated.
    public var retransmissionSource: SSRC?
    /// Whether the receiver may ask for lost packets (NACK, RFC 4585).
    public var isAskedAgain: Bool
    public var extensionMap: HeaderExtensionMap
    public var mid: ShortToken?
    public var playoutDelay: PlayoutDelay?
    /// First sequence numbers; used modulo 2^15, so that SRTP's roll-over counter starts unambiguously.
    public var firstSequence: UInt16
    public var firstRetransmissionSequence: UInt16
    /// What is added to the frames' timestamps: random, as RFC 3550 section 5.1 wants.
    public var timestampOffset: UInt32

    public init(
      source: SSRC, kind: MediaKind, payloadTypes: PayloadTypeMap, retransmissionSource: SSRC? = nil,
      isAskedAgain: Bool = true, extensionMap: HeaderExtensionMap = .init(), mid: ShortToken? = nil,
      playoutDelay: PlayoutDelay? = nil,
      using random: inout some RandomNumberGenerator
    ) {
      self.source = source
      self.kind = kind
      self.payloadTypes = payloadTypes
      self.retransmissionSource = retransmissionSource
      self.isAskedAgain = isAskedAgain
      self.extensionMap = extensionMap
      self.mid = mid
      self.playoutDelay = playoutDelay
      let bits = random.next()
      firstSequence = UInt16(truncatingIfNeeded: bits) & 0x7FFF
      firstRetransmissionSequence = UInt16(truncatingIfNeeded: bits >> 16) & 0x7FFF
      timestampOffset = UInt32(truncatingIfNeeded: bits >> 32)
    }
  }

  /// The most that header, extensions and RTX's sequence number take.
  public static let headerSizeMax = 160
  /// Left free behind each packet: AES-GCM's tag, which is SRTP's longest.
  public static let tagSize = 16

  // First what each packet is made with: its sender asks for this memory ahead of its turn, and what follows is touched now and then.
  let source: SSRC
  /// Whether packets can carry what differs each time they are sent: transport-wide numbers and times.
  public let tellsTime: Bool
  private var isSourceChanging = false
  /// Whether the receiver has reported on the stream: until then packets say which m-line it is of.
  var isKnown = false
  /// Whether packets wait on the way because of what we send: those that are lost then say that it was too much, and copies would be more.
  public var pathIsFull = false
  /// How many copies of earlier frames there is room for on the path: they come on top of the sound itself.
  public var copiesMax = 2
  /// TL0PICIDX of the last base layer frame.
  private var temporalBaseIndex: UInt8
  /// The payload type of the last frame's codec: asking the map again for each frame is one more step through memory.
  var negotiated: (codec: Codec, payloadType: UInt8?)
  private var nextPictureID: UInt16
  /// From the numbers of the packetizer to those sent; nil before the first frame of VP9.
  private var pictureIDOffset: UInt16?
  var timestampOffset: UInt32
  var nextSequence: Int64
  /// The last frame's timestamp as sent, and its sampling instant.
  var last: (timestamp: RTPTimestamp, time: Instant)?
  /// Covers what is sent; one while it is needed, else none: most receivers never have it.
  var parity: [ParityEncoder] = []
  /// Whether pictures are so far apart that parity over some of them would come after what is sent again.
  var isTooSlowForParity = false
  /// How many copies of earlier frames audio carries where that was negotiated.
  var redundancy = RedundancyPolicy()
  var history: SendHistory
  public internal(set) var counters = SendCounters()
  let extensionMap: HeaderExtensionMap

  let clockRate: Int64
  /// What the receiver reported last; nil before.
  public internal(set) var receiverReport: ReceiverView?
  var nextRetransmissionSequence: UInt16
  /// Whether parity is agreed on still: a later negotiation may take it back.
  public var takesParity = true { didSet { if !takesParity { parity = [] } } }
  var protection = ProtectionPolicy()
  public let configuration: Configuration

  /// Bytes from a stream's beginning that sending a frame goes through, about.
  package static let sendingByteCount = 288

  public init(_ configuration: Configuration) {
    self.configuration = configuration
    source = configuration.source
    tellsTime = configuration.retransmissionSource != nil || !configuration.isAskedAgain
    extensionMap = configuration.extensionMap
    let isVideo = configuration.kind == .video
    let types = configuration.payloadTypes
    // Padding may be sent before any frame has said which of them it is of.
    let codec = Codec.allCases.first { $0.kind == configuration.kind && types.payloadType(of: $0) != nil } ?? .vp8
    negotiated = (codec, types.payloadType(of: codec))
    let isWideband = types.payloadType(of: .opus) != nil
    clockRate = isVideo ? 90_000 : isWideband ? 48_000 : 8_000
    nextSequence = Int64(configuration.firstSequence & 0x7FFF)
    nextRetransmissionSequence = configuration.firstRetransmissionSequence & 0x7FFF
    timestampOffset = configuration.timestampOffset
    nextPictureID = UInt16(truncatingIfNeeded: configuration.timestampOffset >> 7) & 0x7FFF
    temporalBaseIndex = UInt8(truncatingIfNeeded: configuration.timestampOffset >> 3)
    history = SendHistory(capacity: isVideo ? 128 : 64, ageMax: .milliseconds(isVideo ? 2_000 : 1_000))
  }

  /// Asks for the memory that the next frame needs. Changes nothing; what does not change is copied to be asked.
  package mutating func prefetch() { history.prefetch() }

  /// The frames that follow count their timestamps from somewhere else: the next one continues the timeline by its sampling instant.
  public mutating func sourceWillChange() { isSourceChanging = true }

  /// Gives a frame its place in the stream. Its packets are then made by `write`, all of them: the receiver takes a number not sent for
  /// a loss.
  ///
  /// - Returns: nil where no payload type was negotiated for the frame's codec, or the frame has no packets.
  public mutating func begin(_ frame: PacketizedFrame, at now: Instant) -> OutgoingFrame? {
    if frame.codec != negotiated.codec {
      negotiated = (frame.codec, configuration.payloadTypes.payloadType(of: frame.codec))
    }
    guard let payloadType = negotiated.payloadType, !frame.ranges.isEmpty else { return nil }
    if isSourceChanging, let last {
      let ticks = max((frame.time - last.time).ticks(at: clockRate), 1)
      timestampOffset = (last.timestamp + Int(ticks)).rawValue &- frame.timestamp.rawValue
    }
    let pictureID = frame.codec == .vp9 ? continuedPictureID(of: frame) : nextPictureID
    isSourceChanging = false
    settleParity(before: frame)
    if frame.temporal?.layer == 0 { temporalBaseIndex &+= 1 }
    let timestamp = RTPTimestamp(frame.timestamp.rawValue &+ timestampOffset)
    let outgoing = OutgoingFrame(
      frame: frame, payloadType: payloadType, firstSequence: nextSequence, timestamp: timestamp, pictureID: pictureID,
      temporalBaseIndex: temporalBaseIndex, identifies: !isKnown, sentAt: now,
      copies: earlierFrames(for: frame, payloadType, timestamp),
      blockPayloadType: parity.isEmpty || isTooSlowForParity ? nil : configuration.payloadTypes.payloadType(of: .block))
    nextSequence &+= Int64(frame.ranges.count)
    nextPictureID = (pictureID &+ 1) & 0x7FFF
    last = (timestamp, frame.time)
    history.append(outgoing)
    counters.frames &+= 1
    return outgoing
  }

  /// Frames of VP9 say how many pictures back those are that they build on, so numbers of frames left out between are left out too.
  private mutating func continuedPictureID(of frame: PacketizedFrame) -> UInt16 {
    let own = VP9Packetizer.pictureID(of: frame) ?? nextPictureID
    let offset = isSourceChanging ? nil : pictureIDOffset
    pictureIDOffset = offset ?? nextPictureID &- own
    return (own &+ (pictureIDOffset ?? 0)) & 0x7FFF
  }

  /// Writes one packet of a frame that `begin` answered.
  ///
  /// - Parameters:
  ///   - index: 0 ..< `outgoing.packetCount`
  ///   - transportSequenceNumber: the transport-wide number; left out where it was not negotiated.
  ///   - sendTime: `HeaderExtensions.absoluteSendTime`; left out where it was not negotiated.
  /// - Returns: the packet's length, with at least `tagSize` bytes of the span behind it; nil where that does not fit.
  @_lifetime(packet: copy packet)
  public mutating func write(
    _ index: Int, of outgoing: OutgoingFrame, transportSequenceNumber: UInt16? = nil, sendTime: UInt32? = nil,
    into packet: inout MutableSpan<UInt8>
  ) -> Int? {
    let carriesTime = tellsTime
    guard
      let length = Self.write(
        index, of: outgoing, ssrc: source, payloadType: outgoing.payloadType,
        sequence: SequenceNumber(UInt16(truncatingIfNeeded: outgoing.firstSequence)) + index, original: nil,
        extensions: extensions(
          carriesTime ? transportSequenceNumber : nil, carriesTime ? sendTime : nil, level: outgoing.frame.audioLevel,
          identifies: outgoing.identifies),
        map: extensionMap, into: &packet)
    else { return nil }
    counters.packets &+= 1
    counters.octets &+= Int64(outgoing.frame.ranges[index].count)
    if outgoing.blockPayloadType != nil { cover(packet.span.extracting(0..<length), index, of: outgoing) }
    return length
  }

  /// Writes a packet that the receiver says it has not got.
  ///
  /// - Returns: its length; nil for a packet that is not kept any more, was sent again less than a round trip ago or often enough, or
  ///   does not fit. It is of the source of retransmissions where there is one, else of the stream's own.
  @_lifetime(packet: copy packet)
  public mutating func retransmit(
    _ number: SequenceNumber, at now: Instant, transportSequenceNumber: UInt16? = nil, sendTime: UInt32? = nil,
    into packet: inout MutableSpan<UInt8>
  ) -> Int? {
    counters.packetsRequested &+= 1
    let sequence = nextSequence &+ Int64(number.distance(from: SequenceNumber(UInt16(truncatingIfNeeded: nextSequence))))
    guard let outgoing = history.frame(with: sequence, at: now) else { return nil }
    let spacing = max(receiverReport?.roundTripTime ?? .milliseconds(50), .milliseconds(10))
    guard history.allowResend(sequence, at: now, spacing: spacing) else { return nil }
    let index = Int(sequence &- outgoing.firstSequence)
    let length: Int?
    if let source = configuration.retransmissionSource,
      let payloadType = configuration.payloadTypes.retransmission(of: outgoing.payloadType)
    {
      length = Self.write(
        index, of: outgoing, ssrc: source, payloadType: payloadType, sequence: SequenceNumber(nextRetransmissionSequence),
        original: number,
        extensions: extensions(
          transportSequenceNumber, sendTime, level: outgoing.frame.audioLevel, identifies: outgoing.identifies),
        map: configuration.extensionMap, into: &packet)
      if length != nil { nextRetransmissionSequence &+= 1 }
    } else if !tellsTime {
      length = Self.write(
        index, of: outgoing, ssrc: configuration.source, payloadType: outgoing.payloadType, sequence: number, original: nil,
        extensions: extensions(nil, nil, level: outgoing.frame.audioLevel, identifies: outgoing.identifies),
        map: configuration.extensionMap, into: &packet)
    } else {
      length = nil
    }
    if length != nil { counters.packetsResent &+= 1 }
    return length
  }

  /// Bytes of the packet with this number as it would be sent again, about; nil for one that is not kept.
  public mutating func keptSize(of number: SequenceNumber, at now: Instant) -> Int? {
    let sequence = nextSequence &+ Int64(number.distance(from: SequenceNumber(UInt16(truncatingIfNeeded: nextSequence))))
    guard let outgoing = history.frame(with: sequence, at: now) else { return nil }
    return outgoing.frame.ranges[Int(sequence &- outgoing.firstSequence)].count
  }

  /// The header extensions of one packet.
  ///
  /// - Parameter identifies: whether they say which m-line the stream is of.
  mutating func extensions(
    _ transport: UInt16?, _ sendTime: UInt32?, level: UInt8? = nil, identifies: Bool = false
  ) -> HeaderExtensions {
    var extensions = HeaderExtensions()
    extensions.transportSequenceNumber = transport
    extensions.absoluteSendTime = sendTime
    extensions.audioLevel = level
    if identifies { identify(&extensions) }
    return extensions
  }

  // Never inlined, and told where the stream lies: what only the first packets tell would be fetched for every packet, from where no
  // cache holds it.
  @inline(never)
  private mutating func identify(_ extensions: inout HeaderExtensions) {
    extensions.mid = configuration.mid
    extensions.playoutDelay = configuration.playoutDelay
  }

  @_lifetime(packet: copy packet)
  static func write(
    _ index: Int, of outgoing: OutgoingFrame, ssrc: SSRC, payloadType: UInt8, sequence: SequenceNumber,
    original: SequenceNumber?, extensions: HeaderExtensions, map: HeaderExtensionMap, into packet: inout MutableSpan<UInt8>
  ) -> Int? {
    let frame = outgoing.frame
    guard index >= 0, index < frame.ranges.count else { return nil }
    let marker = frame.codec.kind == .video ? index == frame.ranges.count &- 1 : frame.startsTalkspurt && index == 0
    let block = original == nil ? outgoing.blockPayloadType : nil
    guard
      var length = RTPHeader.write(
        marker: marker,
        payloadType: block ?? (original == nil && outgoing.copies.count > 0 ? outgoing.copies.payloadType : payloadType),
        sequenceNumber: sequence, timestamp: outgoing.timestamp, ssrc: ssrc,
        contributors: frame.contributors, extensions: extensions, map: map, into: &packet)
    else { return nil }
    if block != nil {
      guard length < packet.count else { return nil }
      packet[length] = payloadType
      length &+= 1
    }
    if let original {
      guard length &+ 2 <= packet.count else { return nil }
      packet.setBigEndian(original.rawValue, at: length)
      length &+= 2
    }
    if original == nil {
      guard let size = writeCopies(outgoing, into: &packet, at: length) else { return nil }
      length &+= size
    }
    guard let size = frame.copyPayload(index, into: &packet, at: length), length &+ size &+ tagSize <= packet.count else {
      return nil
    }
    // The descriptor continues the stream, whichever output the frame is from.
    switch frame.codec {
    case .vp8:
      _ = VP8Descriptor.rewrite(
        &packet, payload: length, size: size, pictureID: outgoing.pictureID, temporalBaseIndex: outgoing.temporalBaseIndex)
    case .vp9: VP9Packetizer.rewrite(&packet, payload: length, size: size, pictureID: outgoing.pictureID)
    case .opus, .pcmu, .pcma, .h264, .av1: break
    }
    let padding = original == nil ? outgoing.padding(index) : 0
    return padding > 0 ? appendPadding(padding, at: length &+ size, into: &packet) : length &+ size
  }
}
