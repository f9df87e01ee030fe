import Bytes
import EncodedMedia
import RTP
import RTPStreams
import Timing

/// What a peer sends: media becomes frames, reports and feedback take effect.
extension PeerSession {
  mutating func receiveRTP(_ datagram: inout MutableSpan<UInt8>, at now: Instant, into outputs: inout PeerOutputs) {
    // Every packet is unprotected, wanted or not: one that is skipped may hold the roll-over (RFC 3711 section 3.3.1).
    guard let receiver, let length = try? receiver.unprotectRTP(&datagram) else { return refuse() }
    let packet = datagram.span.extracting(0..<min(length, datagram.count))
    guard let header = RTPHeader(parsing: packet) else { return refuse() }
    let extensions = HeaderExtensions(header, in: packet, map: incoming.extensionMap)
    if let number = extensions.transportSequenceNumber {
      arrivals?.receive(number, of: header.ssrc, size: datagram.count, at: now)
    }
    guard let index = incoming.find(header, extensions, at: now) else { return refuse() }
    if incoming.entries[index].id.kind == .audio {
      incoming.entries[index].stream.receive(
        packet, header, extensions, at: now, pool: &audioPool, frames: &outputs.frames)
    } else {
      incoming.entries[index].stream.receive(
        packet, header, extensions, at: now, pool: &videoPool, frames: &outputs.frames)
    }
    tellFrames(of: index, into: &outputs)
  }

  /// Turns the frames a stream completed into events.
  mutating func tellFrames(of index: Int, into outputs: inout PeerOutputs) {
    guard !outputs.frames.isEmpty else { return }
    let id = incoming.entries[index].id
    let source = incoming.entries[index].stream.configuration.source
    // Taken from the end, so that each is moved and none copied; mostly there is one.
    outputs.frames.reverse()
    while var frame = outputs.frames.popLast() {
      frame.source = source
      frame.captureTime = incoming.entries[index].stream.statistics.wallClock(of: frame.timestamp)
      outputs.events.append(.frame(frame, id))
    }
  }

  mutating func receiveRTCP(_ datagram: inout MutableSpan<UInt8>, at now: Instant, into outputs: inout PeerOutputs) {
    guard let receiver, let length = try? receiver.unprotectRTCP(&datagram) else { return refuse() }
    var reader = RTCPReader(datagram.span.extracting(0..<min(length, datagram.count)))
    var allowance = FeedbackAllowance()
    while let packet = reader.next() {
      switch packet {
      case .senderReport(let report, let blocks):
        if let index = incoming.index(of: report.sender) { incoming.entries[index].stream.receive(report, at: now) }
        takeReports(blocks, at: now)
      case .receiverReport(_, let blocks): takeReports(blocks, at: now)
      case .nack(let media, let lost): retransmit(media, lost, &allowance, at: now, into: &outputs)
      case .pictureLossIndication(let media): noteKeyframeRequest(media, into: &outputs)
      case .fullIntraRequest(let requests):
        for index in 0..<requests.count {
          if let request = requests[index] { noteKeyframeRequest(request.media, into: &outputs) }
        }
      case .receiverEstimatedMaximumBitrate(let bitsPerSecond, let sources):
        counts.receivableBitsPerSecond = Int(clamping: bitsPerSecond)
        // Who agreed on transport-wide feedback tells this only where pictures cannot carry its numbers, and then of the little that he is
        // sent: each time it would be less.
        guard !outgoing.isFeedbackAgreed else { break }
        let hasSound = outgoing.audio.map { sources.contains($0.configuration.source) } ?? true
        path.receiveMaximumBitrate(bitsPerSecond, includesSound: hasSound, at: now)
      case .transportFeedback(let feedback):
        guard outgoing.isFeedbackAgreed else { break }
        allowance.statuses &-= path.receive(feedback, statusesMax: allowance.statuses, at: now)
        outgoing.audio?.pathIsFull = path.estimator.hasOwnQueue
        if let sound = outgoing.soundToCopy {
          outgoing.audio?.copiesMax = path.copiesMax(sound.counters, loss: sound.loss, at: now)
        }
      case .sourceDescription, .goodbye: break
      }
    }
  }

  private mutating func takeReports(_ blocks: ReportBlocks, at now: Instant) {
    for index in 0..<blocks.count {
      if let block = blocks[index] { outgoing.receive(block, now: wallClock(at: now)) }
    }
    if blocks.count > 0 {
      path.receiveReport(fractionLost: outgoing.fractionLost, roundTripTime: outgoing.roundTripTime, at: now)
    }
    guard let roundTripTime = outgoing.roundTripTime else { return }
    for index in incoming.entries.indices { incoming.entries[index].stream.roundTripTime = roundTripTime }
  }

  private mutating func noteKeyframeRequest(_ media: SSRC, into outputs: inout PeerOutputs) {
    if outgoing.kind(of: media) == .video { outputs.events.append(.keyframeNeeded(.video)) }
  }

  func wallClock(at now: Instant) -> NTPTime { wallClockAtZero + (now - .zero) }
}
