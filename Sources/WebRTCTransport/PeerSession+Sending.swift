import Bytes
import EncodedMedia
import ICE
import RTP
import RTPStreams
import SecureTransport
import Timing

/// What a peer is sent: frames that others may receive too, under this peer's headers and keys.
extension PeerSession {
  /// The frames that follow are of another output: they continue the stream as if they were of one source.
  public mutating func sourceWillChange(_ kind: MediaKind) {
    if kind == .audio { outgoing.audio?.sourceWillChange() } else { path.changesSource = true }
  }

  /// Sends a frame; does nothing where its kind was not negotiated or the peer is not connected.
  ///
  /// - Returns: false for a picture that was left out because those before it fill what the peer's path carries.
  @discardableResult
  public mutating func send(_ frame: PacketizedFrame, at now: Instant, into outputs: inout PeerOutputs) -> Bool {
    guard let selected = mediaPath, let sender else { return true }
    let kind = frame.codec.kind
    if kind == .video {
      guard outgoing.video != nil else { return true }
      let size = frame.bytes.count &+ frame.ranges.count &* PathControl.packetOverhead
      if path.isPaced, !path.pacer.passes(bytes: size, at: now) {
        guard path.enqueue(frame, size: size, at: now) else { return false }
        releasePaced(at: now, into: &outputs)
        return true
      }
      if path.changesSource {
        path.changesSource = false
        outgoing.video?.sourceWillChange()
      }
    }
    let begun = kind == .audio ? outgoing.audio?.begin(frame, at: now) : outgoing.video?.begin(frame, at: now)
    guard let begun else { return true }
    let sendTime = HeaderExtensions.absoluteSendTime(wallClock(at: now))
    for index in 0..<frame.ranges.count {
      let cluster = kind == .audio ? path.pacer.passedAudio(bytes: begun.payloadSize(index) &+ PathControl.packetOverhead) : 0
      transmit(index, of: begun, kind, cluster: cluster, sendTime, selected, sender, at: now, into: &outputs)
    }
    return true
  }

  /// Writes, protects and hands on one packet of a frame.
  mutating func transmit(
    _ index: Int, of frame: OutgoingFrame, _ kind: MediaKind, cluster: UInt8, _ sendTime: UInt32,
    _ selected: TransportPath, _ sender: SRTPSender, at now: Instant, into outputs: inout PeerOutputs
  ) {
    let number = outgoing.takeTransportSequence(kind)
    let capacity = SendStream.headerSizeMax &+ frame.payloadSize(index) &+ SendStream.tagSize
    let range = outputs.appendRTP(capacity: capacity, from: sender) { packet in
      outgoing.write(kind, index, of: frame, number, sendTime, into: &packet)
    }
    noteMedia(range, number, kind, cluster: cluster, selected, at: now, into: &outputs)
    if kind == .video, index == frame.packetCount &- 1 { transmitParity(sendTime, selected, sender, at: now, into: &outputs) }
  }

  /// Sends the parity that is due behind a frame.
  private mutating func transmitParity(
    _ sendTime: UInt32, _ selected: TransportPath, _ sender: SRTPSender, at now: Instant, into outputs: inout PeerOutputs
  ) {
    while outgoing.video?.hasParity == true {
      let number = outgoing.takeTransportSequence(.video)
      let range = outputs.appendRTP(capacity: Self.packetSizeMax &+ SendStream.headerSizeMax, from: sender) { packet in
        outgoing.video?.writeParity(transportSequenceNumber: number, sendTime: sendTime, into: &packet)
      }
      noteMedia(range, number, .video, cluster: 0, selected, at: now, into: &outputs)
      if let range { path.sentParity(size: range.count) }
    }
  }

  /// Answers a NACK (RFC 4585), as far as the packets are still kept and their turn comes, and the datagram it came in may name more.
  mutating func retransmit(
    _ media: SSRC, _ lost: consuming LostPackets, _ allowance: inout FeedbackAllowance, at now: Instant,
    into outputs: inout PeerOutputs
  ) {
    guard let kind = outgoing.kind(of: media), let selected = mediaPath, let sender else { return }
    while allowance.lostPackets > 0, let number = lost.next() {
      allowance.lostPackets &-= 1
      if kind == .video, path.isPaced {
        guard let size = outgoing.video?.keptSize(of: number, at: now) else { continue }
        let whole = size &+ PathControl.packetOverhead
        if !path.pacer.passes(bytes: whole, at: now) {
          _ = path.pacer.enqueue(UInt64(number.rawValue), .retransmission, size: whole, at: now)
          continue
        }
      }
      transmitAgain(number, kind, cluster: 0, selected, sender, at: now, into: &outputs)
    }
    if path.isPaced { releasePaced(at: now, into: &outputs) }
  }

  mutating func transmitAgain(
    _ lost: SequenceNumber, _ kind: MediaKind, cluster: UInt8, _ selected: TransportPath, _ sender: SRTPSender,
    at now: Instant, into outputs: inout PeerOutputs
  ) {
    let hasOwnSource = outgoing.hasRetransmissionSource(kind)
    let sendTime = HeaderExtensions.absoluteSendTime(wallClock(at: now))
    let number = hasOwnSource ? outgoing.takeTransportSequence(kind) : nil
    let capacity = Self.packetSizeMax &+ SendStream.headerSizeMax
    let range = outputs.appendRTP(capacity: capacity, from: sender, isAgain: !hasOwnSource) { packet in
      outgoing.rewrite(kind, lost, at: now, number, sendTime, into: &packet)
    }
    noteMedia(range, number, kind, cluster: cluster, selected, at: now, into: &outputs)
  }

  /// Counts a datagram with media and tells the estimator of it.
  mutating func noteMedia(
    _ range: Range<Int>?, _ number: UInt16?, _ kind: MediaKind, cluster: UInt8, _ selected: TransportPath, at now: Instant,
    into outputs: inout PeerOutputs
  ) {
    guard let range else {
      // The number was not used: the next packet has it, or its absence would look like loss.
      if number != nil { outgoing.returnTransportSequence() }
      return
    }
    path.sent(number, size: range.count, cluster: cluster, isSound: kind == .audio, at: now)
    note(range, selected, into: &outputs)
  }

  private mutating func note(_ range: Range<Int>?, _ path: TransportPath, into outputs: inout PeerOutputs) {
    guard let range else { return }
    counts.packetsSent &+= 1
    counts.bytesSent &+= UInt64(range.count)
    outputs.send(range, to: path)
  }

  // MARK: RTCP

  /// Asks the peer for a keyframe of one of its streams; merged and throttled.
  public mutating func requestKeyframe(_ id: StreamID, at now: Instant, into outputs: inout PeerOutputs) {
    for index in incoming.entries.indices where incoming.entries[index].id == id {
      incoming.entries[index].stream.requestKeyframe()
    }
    if isConnected { sendFeedback(at: now, into: &outputs) }
  }

  /// Of the temporal layers of one of the peer's streams only so many are decoded: nobody waits for what is lost of the others.
  public mutating func want(_ id: StreamID, temporalLayers: UInt8) {
    for index in incoming.entries.indices where incoming.entries[index].id == id {
      incoming.entries[index].stream.temporalLayersWanted = temporalLayers
    }
  }

  /// Asks the peer for a keyframe at once and every time, as a client does that has lost its mind: what a load test needs.
  package mutating func insistOnKeyframe(_ id: StreamID, into outputs: inout PeerOutputs) {
    guard isConnected, let entry = incoming.entries.first(where: { $0.id == id }) else { return }
    let (source, media) = (outgoing.reportingSource, entry.stream.configuration.source)
    sendRTCP(into: &outputs) { _, writer in writer.pictureLossIndication(sender: source, media: media) }
  }

  /// Sends NACKs, keyframe requests and arrival times that are due, in one datagram.
  mutating func sendFeedback(at now: Instant, into outputs: inout PeerOutputs) {
    let arrivalsAreDue = arrivals?.nextDeadline.map { $0 <= now } ?? false
    guard arrivalsAreDue || incoming.hasFeedback(at: now) else { return }
    let source = outgoing.reportingSource
    sendRTCP(into: &outputs) { session, writer in
      if !session.usesReducedSizeRTCP {
        writer.receiverReport(sender: source, blocks: [ReportBlock]().span)
        writer.canonicalName(session.outgoing.canonicalName.span, source: source)
      }
      for index in session.incoming.entries.indices {
        session.incoming.entries[index].stream.writeFeedback(sender: source, at: now, into: &writer)
      }
      session.arrivals?.writeDue(sender: source, at: now, into: &writer)
    }
  }

  /// Sends the regular compound report when it is due (RFC 3550 section 6.4).
  mutating func sendReports(at now: Instant, into outputs: inout PeerOutputs) {
    guard schedule.takeDue(at: now, using: &random) else { return }
    let wall = wallClock(at: now)
    var blocks: [ReportBlock] = []
    for index in incoming.entries.indices.prefix(24) {
      if let block = incoming.entries[index].stream.reportBlock(at: now) { blocks.append(block) }
    }
    let source = outgoing.reportingSource
    let sendsEstimate = arrivals == nil
    sendRTCP(into: &outputs) { session, writer in
      var isFirst = true
      for kind in MediaKind.allCases {
        guard let report = session.outgoing.senderReport(kind, at: now, wallClock: wall) else { continue }
        writer.senderReport(report, blocks: (isFirst ? blocks : []).span)
        writer.canonicalName(session.outgoing.canonicalName.span, source: report.sender)
        isFirst = false
      }
      if isFirst {
        writer.receiverReport(sender: source, blocks: blocks.span)
        writer.canonicalName(session.outgoing.canonicalName.span, source: source)
      }
      if sendsEstimate { session.writeBitrateLimit(sender: source, into: &writer) }
    }
  }

  /// Tells a sender without transport-wide feedback what it may send: it has nothing else to go by.
  @_lifetime(writer: copy writer)
  private func writeBitrateLimit(sender source: SSRC, into writer: inout RTCPWriter) {
    let sources = incoming.entries.filter { $0.id.kind == .video }.map(\.stream.configuration.source)
    guard !sources.isEmpty else { return }
    writer.receiverEstimatedMaximumBitrate(sender: source, bitsPerSecond: Self.receivedBitrateMax, sources: sources.span)
  }

  /// Bits per second asked of a sender of video; enough for 720p.
  private static var receivedBitrateMax: UInt64 { 2_500_000 }

  mutating func sendGoodbye(at now: Instant, into outputs: inout PeerOutputs) {
    let sources = [outgoing.audio, outgoing.video].compactMap { $0?.configuration.source }
    let reporting = outgoing.reportingSource
    sendRTCP(into: &outputs) { session, writer in
      writer.receiverReport(sender: reporting, blocks: [ReportBlock]().span)
      writer.canonicalName(session.outgoing.canonicalName.span, source: reporting)
      for source in sources { writer.goodbye(source) }
    }
  }

  private var usesReducedSizeRTCP: Bool { setup.session.media.allSatisfy(\.reducedSizeRTCP) }

  /// Sends one datagram of RTCP; whatever is written, for a client that tests what a server bears.
  package mutating func sendRTCP(
    into outputs: inout PeerOutputs, _ write: (inout PeerSession, inout RTCPWriter) -> Void
  ) {
    guard let path = mediaPath, let sender else { return }
    let range = outputs.arena.append(capacity: Self.packetSizeMax) { packet in
      var writer = RTCPWriter(packet._mutatingExtracting(0..<(packet.count &- sender.rtcpOverhead)))
      write(&self, &writer)
      let length = writer.count
      guard length > 0 else { return nil }
      return try? sender.protectRTCP(&packet, length: length)
    }
    note(range, path, into: &outputs)
  }
}
