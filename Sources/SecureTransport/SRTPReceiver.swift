import Bytes

/// Why a packet was dropped. All of them are the network's or the peer's doing; none harms the session.
public enum SRTPReceiveError: Error, Sendable, Equatable {
  /// Shorter than its header, its tag and its index.
  case malformed
  /// Its tag is wrong, or it is RTCP in the clear.
  case unauthenticated
  /// Seen before, or too old to tell.
  case replayed
  /// A new SSRC beyond `SRTPReceiver.mostStreams`.
  case tooManyStreams
}

/// Checks and decrypts what one peer sends (RFC 3711, RFC 7714), in place and without allocating.
///
/// Streams come into being with their first authentic packet, up to a limit, so nobody who lacks the key can make one, and last as long
/// as the session, since what was recorded of one that was forgotten would be taken again. Accepts and
/// refuses what libsrtp2 does; Debian's takes four times as long, which its tests hold beside this.
public final class SRTPReceiver {
  /// SSRCs one peer may send in one session.
  public static let mostStreams = 64
  /// Packets behind the newest that are still taken: a second of video at 10 Mbit/s.
  public static let replayWindow = Int(ReplayWindow.size)

  public let profile: SRTPProfile
  private let rtp: SRTPCipher
  private let rtcp: SRTPCipher
  private var streams: [Stream] = []
  /// Where the last packet's stream lies; the next packet mostly belongs to it.
  private var lastFound = 0

  private struct Stream {
    let ssrc: UInt32
    // First what lies in memory that is asked for ahead of its turn.
    var rtcp = ReplayWindow()
    var rtp = ReplayWindow()
  }

  public convenience init(_ keys: SRTPKeys) throws(DTLSSetupError) { try self.init(keys, library: .fastest) }

  package init(_ keys: SRTPKeys, library: CipherLibrary) throws(DTLSSetupError) {
    guard let rtp = SRTPCipher(keys.remote, profile: keys.profile, rtcp: false, opens: true, library: library),
      let rtcp = SRTPCipher(keys.remote, profile: keys.profile, rtcp: true, opens: true, library: library)
    else { throw DTLSSetupError(doing: "make an SRTP cipher") }
    profile = keys.profile
    self.rtp = rtp
    self.rtcp = rtcp
    // Who only watches has one, and that stays where it is.
    streams.reserveCapacity(1)
  }

  /// Where it is, for whoever asks for memory ahead of its turn.
  package var memory: SRTPMemory {
    SRTPMemory(
      self, byteCount: 160, cipher: rtp.memory, rtcpCipher: rtcp.memory, rtcpStream: Prefetch.storage(of: streams))
  }

  /// SSRCs that have sent something authentic.
  public var streamCount: Int { streams.count }

  /// Checks and decrypts the RTP packet that fills `packet`. What is refused may have been overwritten.
  ///
  /// - Returns: the length of the plain packet, which begins where it was.
  public func unprotectRTP(_ packet: inout MutableSpan<UInt8>) throws(SRTPReceiveError) -> Int {
    let size = packet.count
    guard size <= 65_535, let fields = RTPFields(packet.span), size &- fields.payloadOffset >= profile.rtpOverhead else {
      throw .malformed
    }
    let known = find(fields.ssrc)
    if known == nil, streams.count >= Self.mostStreams { throw .tooManyStreams }
    let newest: UInt64
    if let known, !streams[known].rtp.isEmpty {
      newest = streams[known].rtp.newest
    } else {
      newest = firstIndex(packet.span, fields)
    }
    let index = PacketIndex.estimate(fields.sequenceNumber, newest: newest)
    if let known, streams[known].rtp.judge(index) != .new { throw .replayed }
    let isAuthentic = packet.withUnsafeMutableBufferPointer { bytes in
      rtp.openRTP(bytes, fields: fields, rollOverCounter: UInt32(truncatingIfNeeded: index >> 16))
    }
    guard isAuthentic else { throw .unauthenticated }
    streams[known ?? add(fields.ssrc)].rtp.insert(index)
    return size &- profile.rtpOverhead
  }

  /// Checks and decrypts the RTCP packet, compound or reduced-size, that fills `packet`. What is refused may have been overwritten.
  ///
  /// - Returns: the length of the plain packet, which begins where it was.
  public func unprotectRTCP(_ packet: inout MutableSpan<UInt8>) throws(SRTPReceiveError) -> Int {
    let size = packet.count
    guard size <= 65_535, let fields = RTCPFields(packet.span), size >= RTCPFields.headerByteCount &+ profile.rtcpOverhead,
      let word = packet.span.bigEndianUInt32(at: profile.rtcpIndexOffset(size))
    else { throw .malformed }
    // The E bit: what is sent in the clear is not what was agreed on.
    guard word & 0x8000_0000 != 0 else { throw .unauthenticated }
    let known = find(fields.ssrc)
    if known == nil, streams.count >= Self.mostStreams { throw .tooManyStreams }
    let index = word & 0x7FFF_FFFF
    if let known, streams[known].rtcp.judge(UInt64(index)) != .new { throw .replayed }
    let isAuthentic = packet.withUnsafeMutableBufferPointer { rtcp.openRTCP($0, ssrc: fields.ssrc, word: word) }
    guard isAuthentic else { throw .unauthenticated }
    streams[known ?? add(fields.ssrc)].rtcp.insert(UInt64(index))
    return size &- profile.rtcpOverhead
  }

  private func find(_ ssrc: UInt32) -> Int? {
    if lastFound < streams.count, streams[lastFound].ssrc == ssrc { return lastFound }
    for place in streams.indices where streams[place].ssrc == ssrc {
      lastFound = place
      return place
    }
    return nil
  }

  private func add(_ ssrc: UInt32) -> Int {
    streams.append(Stream(ssrc: ssrc))
    lastFound = streams.count &- 1
    return lastFound
  }

  /// What the newest index is taken to be before the first packet of a stream.
  ///
  /// A stream may begin just below 65535 and lose its packets before the roll-over; all that follow are then protected with a
  /// roll-over counter of 1 (RFC 3711 section 3.3.1). So the first packet is tried with that.
  private func firstIndex(_ packet: Span<UInt8>, _ fields: RTPFields) -> UInt64 {
    guard fields.sequenceNumber < 0x8000 else { return 0 }
    let isRolledOver = packet.withUnsafeBufferPointer { bytes in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes.count) { scratch in
        _ = scratch.initialize(from: bytes)
        return rtp.openRTP(scratch, fields: fields, rollOverCounter: 1)
      }
    }
    return isRolledOver ? 0x1_0000 : 0
  }
}

extension SRTPProfile {
  /// Where the index of an RTCP packet of `size` bytes lies: behind the tag with AES-GCM, before it else.
  fileprivate func rtcpIndexOffset(_ size: Int) -> Int { self == .aeadAES128GCM ? size &- 4 : size &- 14 }
}
