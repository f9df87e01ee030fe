import Bytes
import Timing

/// An encoded frame cut into RTP payloads, once for however many receive it.
///
/// Payloads lie behind one another in `bytes`; `ranges` says where each is. Receivers' streams send them with headers of their
/// own and keep the reference for retransmission, so that no receiver needs a copy of the media.
public final class PacketizedFrame: Sendable {
  public let codec: Codec
  public let bytes: [UInt8]
  /// Where each payload lies within `bytes`, in sending order. The last one carries the marker bit.
  public let ranges: [Range<Int>]
  public let timestamp: RTPTimestamp
  public let isKeyframe: Bool
  /// The sampling instant.
  public let time: Instant
  /// Of pictures: where the frame stands among temporal layers; nil without them.
  public let temporal: TemporalPosition?
  public let contributors: ContributorList
  /// Sets the marker bit on the first packet of a talkspurt (RFC 3551 section 4.1); video sets it on a frame's last packet.
  public let startsTalkspurt: Bool
  /// Of audio: its level in -dBov, sent to who asked for it (RFC 6464); nil where it is not to be told.
  public let audioLevel: UInt8?
  /// Bytes of padding (RFC 3550 section 5.1) that make the last packet of a picture as long as those before it, so that all of them,
  /// and a shorter one behind them, can leave in one system call; 0 where more than a few would be needed.
  public let padding: Int

  /// The most that `padding` is: of a frame cut evenly the last packet lacks fewer bytes than there are packets.
  public static let paddingMax = 16

  public init(
    codec: Codec, bytes: [UInt8], ranges: [Range<Int>], timestamp: RTPTimestamp, isKeyframe: Bool, time: Instant,
    temporal: TemporalPosition? = nil, contributors: ContributorList = .init(), startsTalkspurt: Bool = false,
    audioLevel: UInt8? = nil
  ) {
    precondition(
      ranges.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= bytes.count }, "every payload lies within the frame's bytes")
    self.codec = codec
    self.bytes = bytes
    self.ranges = ranges
    self.timestamp = timestamp
    self.isKeyframe = isKeyframe
    self.time = time
    self.temporal = temporal
    self.contributors = contributors
    self.startsTalkspurt = startsTalkspurt
    self.audioLevel = audioLevel
    padding = codec.kind == .video ? Self.padding(ranges) : 0
  }

  private static func padding(_ ranges: [Range<Int>]) -> Int {
    guard ranges.count > 1, let first = ranges.first, let last = ranges.last else { return 0 }
    let missing = first.count &- last.count
    return missing > 0 && missing < min(ranges.count, paddingMax &+ 1) ? missing : 0
  }

  /// Copies the payload of one packet into a packet being built.
  ///
  /// - Parameter index: 0 ..< `ranges.count`
  /// - Returns: the payload's length; nil where it does not fit.
  @_lifetime(packet: copy packet)
  public func copyPayload(_ index: Int, into packet: inout MutableSpan<UInt8>, at offset: Int) -> Int? {
    let range = ranges[index]
    guard offset >= 0, range.count <= packet.count &- offset else { return nil }
    let media = bytes
    packet.copy(media.span.extracting(range), at: offset)
    return range.count
  }
}
