import EncodedMedia
import RTP
import Timing

/// What happened on one incoming source, for statistics.
public struct ReceiveCounters: Sendable {
  /// Frames handed out, and the keyframes among them.
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
  /// Times that the source counted its packets anew.
  public internal(set) var restarts = 0
  /// Packets asked for again, counting each time.
  public internal(set) var packetsRequested = 0
  /// Keyframes asked for, counting each time.
  public internal(set) var keyframesRequested = 0
}

extension ReceiveStream {
  /// A sender report of the source came.
  public mutating func receive(_ report: SenderReport, at now: Instant) {
    guard report.sender == configuration.source else { return }
    statistics.receive(report, at: now)
  }

  /// When a frame was sampled by its sender's wall clock; nil before his first report.
  public func captureTime(of timestamp: RTPTimestamp) -> NTPTime? { statistics.wallClock(of: timestamp) }

  /// Somebody needs a keyframe: a decoder that lost track, a new receiver of what is only forwarded.
  public mutating func requestKeyframe() {
    guard configuration.kind == .video else { return }
    keyframes.request()
    noteDeadline()
  }

  /// Whether `writeFeedback` would write something.
  public mutating func hasFeedback(at now: Instant) -> Bool {
    (missing.nextDeadline.map { $0 <= now } ?? false) || (keyframes.nextDeadline.map { $0 <= now } ?? false)
  }

  /// Writes the NACK and the keyframe request that are due, as reduced-size RTCP (RFC 5506).
  @_lifetime(writer: copy writer)
  public mutating func writeFeedback(sender: SSRC, at now: Instant, into writer: inout RTCPWriter) {
    defer { noteDeadline() }
    if !missing.isEmpty {
      due.removeAll(keepingCapacity: true)
      missing.takeDue(at: now, spacing: requestSpacing, into: &due)
      if !due.isEmpty {
        writer.nack(sender: sender, media: configuration.source, lost: due.span)
        counters.packetsRequested &+= due.count
      }
    }
    if keyframes.takeDue(at: now) {
      writer.pictureLossIndication(sender: sender, media: configuration.source)
      counters.keyframesRequested &+= 1
    }
  }

  /// The source's block of the next sender or receiver report; nil before its first packet.
  public mutating func reportBlock(at now: Instant) -> ReportBlock? {
    statistics.report(on: configuration.source, sequence, at: now)
  }
}
