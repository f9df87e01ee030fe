import Bytes
import EncodedMedia
import RTP
import Timing

/// Copies of earlier frames of sound in each packet (RFC 2198), for receivers who lose some.
extension SendStream {
  /// Payload with copies, at most: one datagram with its headers, whatever the path.
  private static let redundantSizeMax = 1_050
  /// From so long frames on one copy is carried at most, in ticks of 48 kHz: 60 ms.
  private static let longFrame = 2_880

  /// What was sent just before, as far as it goes into one packet with this frame: of whatever output it was, the receiver may have
  /// lost it.
  mutating func earlierFrames(for frame: PacketizedFrame, _ payloadType: UInt8, _ timestamp: RTPTimestamp) -> EarlierFrames {
    var copies = EarlierFrames()
    let wanted = redundantCopies
    guard wanted > 0, let redundant = configuration.payloadTypes.redundancy(of: payloadType) else {
      return copies
    }
    copies.payloadType = redundant
    copies.newer = earlierFrame(0, payloadType, before: timestamp)
    // Two long packets back is too late for most who listen, and each copy takes as much as the sound.
    if let newer = copies.newer, wanted > 1, newer.age < Self.longFrame {
      copies.older = earlierFrame(1, payloadType, before: timestamp)
    }
    let own = frame.bytes.count
    if own &+ copies.size > Self.redundantSizeMax { copies.older = nil }
    return own &+ copies.size > Self.redundantSizeMax ? EarlierFrames() : copies
  }

  private mutating func earlierFrame(
    _ number: Int, _ payloadType: UInt8, before timestamp: RTPTimestamp
  ) -> EarlierFrames.Copy? {
    guard let earlier = history.last(number), earlier.payloadType == payloadType else { return nil }
    let age = Int(timestamp.distance(from: earlier.timestamp))
    guard age > 0, age <= RedundantAudio.usefulOffsetMax, RedundantAudio.usefulSizes.contains(earlier.frame.bytes.count) else {
      return nil
    }
    return .init(frame: earlier.frame, age: age)
  }

  /// Writes the block headers and the copies that come before the packet's own payload.
  ///
  /// - Returns: their length, 0 where there are none; nil where they do not fit.
  @_lifetime(packet: copy packet)
  static func writeCopies(
    _ outgoing: OutgoingFrame, into packet: inout MutableSpan<UInt8>, at start: Int
  ) -> Int? {
    let size = outgoing.copies.size
    guard size > 0 else { return 0 }
    guard start &+ size <= packet.count else { return nil }
    var header = start
    var data = start &+ outgoing.copies.count &* RedundantAudio.copyHeaderSize &+ RedundantAudio.ownHeaderSize
    for number in 0..<2 {
      guard let copy = number == 0 ? outgoing.copies.older : outgoing.copies.newer else { continue }
      let bytes = copy.frame.bytes
      RedundantAudio.writeCopyHeader(
        payloadType: outgoing.payloadType, timestampOffset: copy.age, length: bytes.count, into: &packet, at: header)
      packet.copy(bytes.span, at: data)
      header &+= RedundantAudio.copyHeaderSize
      data &+= bytes.count
    }
    packet[header] = outgoing.payloadType
    return size
  }
}
