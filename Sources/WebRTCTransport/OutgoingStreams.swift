import Bytes
import EncodedMedia
import RTP
import RTPStreams
import SDP
import Timing

/// What we send a peer: at most one stream of each kind, on the first m-line that takes it.
///
/// What is asked for packets and feedback counts as changing the streams, as in `SendStream`.
struct OutgoingStreams {
  /// Numbers the packets for congestion control; nil where that was not negotiated.
  private var transportSequence: UInt16?
  /// Which streams carry those numbers.
  private var audioIsNumbered = false
  private var videoIsNumbered = false
  var audio: SendStream?
  var video: SendStream?
  /// The name all of them go by in RTCP (RFC 7022).
  private(set) var canonicalName: [UInt8] = []
  /// Who speaks in RTCP where nothing is sent.
  private let fallbackSource: SSRC
  /// Whether packets of pictures and padding carry numbers, so that feedback tells of them.
  var numbersPictures: Bool { transportSequence != nil && videoIsNumbered }

  /// Whether transport-wide feedback was negotiated, even where pictures cannot carry its numbers.
  var isFeedbackAgreed: Bool { transportSequence != nil }

  init(_ session: NegotiatedSession, using random: inout some RandomNumberGenerator) {
    fallbackSource = SSRC(UInt32.random(in: 1 ... .max, using: &random))
    update(session, using: &random)
  }

  /// Takes a new negotiation; a stream whose source stays goes on.
  mutating func update(_ session: NegotiatedSession, using random: inout some RandomNumberGenerator) {
    for kind in MediaKind.allCases {
      let media = session.media.first { $0.type == MediaType(kind) && $0.sendCodec != nil && $0.localSource != nil }
      guard let media, let source = media.localSource else {
        self[kind] = nil
        continue
      }
      canonicalName = Array(source.cname.utf8)
      if self[kind]?.configuration.source != SSRC(source.ssrc) {
        self[kind] = Self.makeStream(kind, media, source, using: &random)
      }
      self[kind]?.takesParity = media.sendCodec?.protection != nil
      if media.sendExtensionID(HeaderExtensionURI.transportCC) != nil { transportSequence = transportSequence ?? 1 }
    }
    audioIsNumbered = Self.isNumbered(audio)
    videoIsNumbered = Self.isNumbered(video)
    if canonicalName.isEmpty { canonicalName = Array(String(random.next(), radix: 36).utf8) }
  }

  private static func isNumbered(_ stream: SendStream?) -> Bool {
    guard let stream else { return false }
    return stream.tellsTime && stream.configuration.extensionMap[.transportSequenceNumber] != nil
  }

  private static func makeStream(
    _ kind: MediaKind, _ media: NegotiatedMedia, _ source: LocalSource, using random: inout some RandomNumberGenerator
  ) -> SendStream? {
    guard let negotiated = media.sendCodec, let codec = Codec(sdpName: negotiated.name) else { return nil }
    var payloadTypes = PayloadTypeMap()
    payloadTypes[negotiated.payloadType] = .media(codec)
    var retransmissionSource: SSRC?
    if let payloadType = negotiated.retransmissionPayloadType, let ssrc = source.retransmissionSSRC {
      payloadTypes[payloadType] = .retransmission(of: negotiated.payloadType)
      retransmissionSource = SSRC(ssrc)
    }
    // A copy takes as much again: where the peer says how much it wants, there is none.
    if let payloadType = negotiated.redundancyPayloadType, media.sendLimit == SendLimit() {
      payloadTypes[payloadType] = .redundancy(of: negotiated.payloadType)
    }
    if let protection = negotiated.protection {
      payloadTypes[protection.block] = .block
      payloadTypes[protection.parity] = .parity
    }
    return SendStream(
      .init(
        source: SSRC(source.ssrc), kind: kind, payloadTypes: payloadTypes, retransmissionSource: retransmissionSource,
        isAskedAgain: negotiated.feedback.contains(.nack), extensionMap: HeaderExtensionMap(media.sendExtensions),
        mid: media.mid.flatMap { ShortToken($0) }, using: &random))
  }

  /// Asks for what lies in the streams at an address and is needed to send a frame.
  static func prefetch(at streams: UnsafeRawPointer, toSend kind: MediaKind) {
    if kind == .video { Prefetch.memory(at: streams, byteCount: 8) }
    let stream = kind == .audio ? 0 : 8 &+ MemoryLayout<SendStream?>.stride
    Prefetch.memory(at: streams + stream, byteCount: 8 &+ SendStream.sendingByteCount)
  }

  subscript(kind: MediaKind) -> SendStream? {
    get { kind == .audio ? audio : video }
    set { if kind == .audio { audio = newValue } else { video = newValue } }
  }

  /// Who speaks in RTCP.
  var reportingSource: SSRC {
    mutating get { audio?.configuration.source ?? video?.configuration.source ?? fallbackSource }
  }

  /// Whether packets of this kind are sent again under a source of their own (RFC 4588).
  mutating func hasRetransmissionSource(_ kind: MediaKind) -> Bool {
    let source = kind == .audio ? audio?.configuration.retransmissionSource : video?.configuration.retransmissionSource
    return source != nil
  }

  mutating func kind(of source: SSRC) -> MediaKind? {
    if audio?.configuration.source == source { return .audio }
    if video?.configuration.source == source { return .video }
    return nil
  }

  /// The number of the next packet of this kind for congestion control; nil where its stream does not carry any.
  mutating func takeTransportSequence(_ kind: MediaKind) -> UInt16? {
    guard let number = transportSequence, kind == .audio ? audioIsNumbered : videoIsNumbered else { return nil }
    transportSequence = number &+ 1
    return number
  }

  /// The number taken last stands in no packet.
  mutating func returnTransportSequence() { transportSequence = transportSequence.map { $0 &- 1 } }

  mutating func receive(_ block: ReportBlock, now wallClock: NTPTime) {
    audio?.receive(block, wallClock: wallClock)
    video?.receive(block, wallClock: wallClock)
  }

  /// Writes the next packet of a frame of this kind.
  @_lifetime(packet: copy packet)
  mutating func write(
    _ kind: MediaKind, _ index: Int, of frame: OutgoingFrame, _ number: UInt16?, _ sendTime: UInt32?,
    into packet: inout MutableSpan<UInt8>
  ) -> Int? {
    kind == .audio
      ? audio?.write(index, of: frame, transportSequenceNumber: number, sendTime: sendTime, into: &packet)
      : video?.write(index, of: frame, transportSequenceNumber: number, sendTime: sendTime, into: &packet)
  }

  /// Writes a packet of this kind that was asked for again.
  @_lifetime(packet: copy packet)
  mutating func rewrite(
    _ kind: MediaKind, _ lost: SequenceNumber, at now: Instant, _ number: UInt16?, _ sendTime: UInt32?,
    into packet: inout MutableSpan<UInt8>
  ) -> Int? {
    kind == .audio
      ? audio?.retransmit(lost, at: now, transportSequenceNumber: number, sendTime: sendTime, into: &packet)
      : video?.retransmit(lost, at: now, transportSequenceNumber: number, sendTime: sendTime, into: &packet)
  }

  /// The sender's part of a report on the stream of this kind; nil where nothing was sent.
  mutating func senderReport(_ kind: MediaKind, at now: Instant, wallClock: NTPTime) -> SenderReport? {
    kind == .audio
      ? audio?.senderReport(at: now, wallClock: wallClock) : video?.senderReport(at: now, wallClock: wallClock)
  }

  var roundTripTime: Interval? {
    mutating get { video?.receiverReport?.roundTripTime ?? audio?.receiverReport?.roundTripTime }
  }

  /// What was sent of sound and the share of it that is lost, where that asks for copies.
  var soundToCopy: (counters: SendCounters, loss: Double)? {
    mutating get {
      guard audio?.redundantCopiesWanted ?? 0 > 0, let counters = audio?.counters, let loss = audio?.lossToRepair else {
        return nil
      }
      return (counters, loss)
    }
  }

  /// Of the stream that loses most, 0 to 1, by the peer's last reports.
  var fractionLost: Double {
    mutating get { max(audio?.receiverReport?.fractionLost ?? 0, video?.receiverReport?.fractionLost ?? 0) }
  }

  mutating func addStatistics(to statistics: inout PeerStatistics) {
    for counters in [audio?.counters, video?.counters] {
      guard let counters else { continue }
      statistics.retransmissionsSent &+= UInt64(counters.packetsResent)
      statistics.paddingPacketsSent &+= UInt64(counters.paddingPackets)
      statistics.parityPacketsSent &+= UInt64(counters.parityPackets)
    }
    statistics.fractionLostByPeer = fractionLost
    statistics.roundTripTime = roundTripTime
    statistics.redundantCopies = audio?.redundantCopies ?? 0
    statistics.redundantCopiesWanted = audio?.redundantCopiesWanted ?? 0
  }
}
