import Bytes
import CongestionControl
import EncodedMedia
import ICE
import RTP
import RTPStreams
import SecureTransport
import Timing

/// Pictures that leave in their turn, and probes of what the peer's path carries.
extension PeerSession {
  /// What the peer's path carries of pictures, in bits per second: of what it is thought to carry, less the sound.
  var pictureEstimate: Int { mutating get { path.pictureEstimate } }

  /// What was sent of pictures and what repairs them, headers included.
  var pictureBytesSent: Int { path.pictureBytesSent }

  /// What the peer wants of pictures at most, in bits per second.
  var pictureMaximum: Int { mutating get { path.pictureMaximum } }

  /// Sends pictures by the pace that the path allows, or as they come.
  ///
  /// - Parameters:
  ///   - expected: bits per second that the path is taken to carry until something is told of it; 0 to ask it first; nil to send them
  ///     as they come.
  ///   - floor: bits per second that are needed at least.
  mutating func pacePictures(expecting expected: Int?, floor: Int = 0, at now: Instant) {
    guard let expected else {
      path.stopPacing()
      return
    }
    // Half as much again, so that a first picture is not long on its way.
    if expected > 0 { path.estimator.assume(expected &+ expected / 2) }
    path.pace(floor: floor, at: now)
    if expected == 0, outgoing.numbersPictures { path.estimator.open(at: now) }
  }

  /// Pictures need another rate at least, in bits per second.
  mutating func paceAtLeast(_ floor: Int, at now: Instant) { path.setFloor(floor, at: now) }

  /// Whether a probe is under way that will be the first to tell what the peer's path carries.
  var isPathUnsure: Bool { isConnected && path.isUnsure }

  /// Sound will be of another output, which takes more or less.
  mutating func soundWillChange() { path.soundWillChange() }

  /// Whether so much leaves within a time that does no harm if it is sent in one go.
  mutating func hasRoom(forBurst bytes: Int) -> Bool { path.hasRoom(forBurst: bytes) }

  /// What pictures would be sent if the path carried them, in bits per second: the reason to probe.
  ///
  /// - Parameter least: what the least of them takes.
  mutating func wantPictures(_ bitsPerSecond: Int, least: Int) { path.want(bitsPerSecond, least: least) }

  /// Whether the peer told something of its path since this was asked last, and whether that answers a probe.
  mutating func takePathNews() -> (isNew: Bool, wasProbed: Bool) { path.takeNews() }

  /// Forgets the pictures that wait and have not begun to leave: others take their place.
  mutating func removeUnsentPictures() { path.removeUnsent() }

  /// Sends what is due of what waits, and of probes.
  mutating func releasePaced(at now: Instant, into outputs: inout PeerOutputs) {
    guard let selected = mediaPath, let sender else { return path.removeAll() }
    guard path.isPaced else { return releaseAll(selected, sender, at: now, into: &outputs) }
    if let probe = path.estimator.takeProbe(at: now) {
      path.pacer.begin(probe, paddingSizeMax: outgoing.video?.paddingSizeMax ?? 0, at: now)
    }
    guard let deadline = path.pacer.nextDeadline, deadline <= now else { return }
    path.released.removeAll(keepingCapacity: true)
    path.pacer.pop(at: now, into: &path.released)
    for index in path.released.indices {
      switch path.released[index] {
      case .packet(let packet, let cluster) where packet.priority == .retransmission:
        let number = SequenceNumber(UInt16(truncatingIfNeeded: packet.handle))
        transmitAgain(number, .video, cluster: cluster, selected, sender, at: now, into: &outputs)
      case .packet(_, let cluster): transmitWaiting(cluster, selected, sender, at: now, into: &outputs)
      case .padding(let size, let cluster): transmitPadding(size, cluster, selected, sender, at: now, into: &outputs)
      }
    }
  }

  /// Pictures are paced no longer: what waits leaves at once.
  private mutating func releaseAll(
    _ selected: TransportPath, _ sender: SRTPSender, at now: Instant, into outputs: inout PeerOutputs
  ) {
    while !path.waiting.isEmpty { transmitWaiting(0, selected, sender, at: now, into: &outputs) }
    path.removeAll()
  }

  /// Sends the next packet of the first frame that waits.
  private mutating func transmitWaiting(
    _ cluster: UInt8, _ selected: TransportPath, _ sender: SRTPSender, at now: Instant, into outputs: inout PeerOutputs
  ) {
    guard let first = path.waiting.first else { return }
    var begun = first.outgoing
    if begun == nil {
      if !first.continuesSource { outgoing.video?.sourceWillChange() }
      begun = outgoing.video?.begin(first.frame, at: now)
      if let begun { path.began(begun) }
    }
    path.advance()
    guard let begun else { return }
    let sendTime = HeaderExtensions.absoluteSendTime(wallClock(at: now))
    transmit(first.next, of: begun, .video, cluster: cluster, sendTime, selected, sender, at: now, into: &outputs)
  }

  private mutating func transmitPadding(
    _ size: Int, _ cluster: UInt8, _ selected: TransportPath, _ sender: SRTPSender, at now: Instant,
    into outputs: inout PeerOutputs
  ) {
    guard let number = outgoing.takeTransportSequence(.video) else { return }
    let sendTime = HeaderExtensions.absoluteSendTime(wallClock(at: now))
    let range = outputs.appendRTP(capacity: Self.packetSizeMax &+ SendStream.headerSizeMax, from: sender) { packet in
      outgoing.video?.writePadding(size, transportSequenceNumber: number, sendTime: sendTime, into: &packet)
    }
    noteMedia(range, number, .video, cluster: cluster, selected, at: now, into: &outputs)
  }
}
