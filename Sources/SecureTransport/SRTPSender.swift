import Bytes
import COpenSSL

/// Why a packet was not protected. None of them can be caused by the peer.
public enum SRTPSendError: Error, Sendable, Equatable {
  /// No RTP or RTCP, or shorter than its header says.
  case malformed
  /// The span has no room for what protection adds.
  case noRoom
  /// The sequence number is not newer than the last one of its SSRC; protecting it would reuse a key stream.
  case indexAlreadyUsed
  /// The SSRC has used up all 2^48 RTP or 2^31 RTCP indices of this key.
  case keyExhausted
  /// More SSRCs than `SRTPSender.mostStreams`.
  case tooManyStreams
  /// OpenSSL refused.
  case failed
}

/// Protects what we send to one peer (RFC 3711, RFC 7714), in place and without allocating.
///
/// Each index of an SSRC is used once: a sequence number that is not newer than the last one (by less than 2^15 steps, RFC 3550
/// section A.1) is refused. A retransmission travels by RTX, under its own SSRC (RFC 4588), or, to receivers without RTX, once more as
/// the very packet it was.
public final class SRTPSender {
  /// SSRCs one peer is ever sent: each camera, screen and voice with its retransmissions.
  public static let mostStreams = 256

  // First what RTP packets go through, with the streams of sound and pictures: two lines of cache.
  private let rtp: SRTPCipher
  // Unchecked at run time: nothing that is asked of the table leads back to the sender, and a packet would pay for the check.
  @exclusivity(unchecked) private var streams = StreamTable()
  private let rtcp: SRTPCipher

  private struct Stream {
    let ssrc: UInt32
    /// The index of the last RTCP packet; the first one is 1, as libsrtp2 counts.
    var lastRTCPIndex: UInt32 = 0
    /// Roll-over counter and sequence number of the last RTP packet; `none` before the first.
    var lastIndex = Stream.none

    /// No index: they have 48 bits.
    static let none = UInt64.max

    /// The index a sequence number stands for when it is newer than the last one: the same roll-over counter, or the next.
    func nextIndex(_ sequenceNumber: UInt16) throws(SRTPSendError) -> UInt64 {
      guard lastIndex != Self.none else { return UInt64(sequenceNumber) }
      let step = sequenceNumber &- UInt16(truncatingIfNeeded: lastIndex)
      guard step != 0, step < 0x8000 else { throw .indexAlreadyUsed }
      let index = lastIndex &+ UInt64(step)
      guard index >> 48 == 0 else { throw .keyExhausted }
      return index
    }
  }

  /// The streams by their SSRC. A peer's sound, picture and retransmissions stand in the object itself, on one line of cache: with
  /// hundreds of peers every step to other memory costs more than the search.
  private struct StreamTable {
    private(set) var count = 0
    private var first: [4 of Stream] = .init(repeating: Stream(ssrc: 0))
    private var rest: [Stream] = []

    // Asking counts as changing, here and below: who only reads is handed a copy of all four.
    subscript(place: Int) -> Stream {
      mutating get { place < 4 ? first[place] : rest[place &- 4] }
      set { if place < 4 { first[place] = newValue } else { rest[place &- 4] = newValue } }
    }

    mutating func find(_ ssrc: UInt32) -> Int? {
      for place in 0..<min(count, 4) where first[place].ssrc == ssrc { return place }
      for place in rest.indices where rest[place].ssrc == ssrc { return place &+ 4 }
      return nil
    }

    /// Takes the index of an RTP packet for good.
    mutating func spendIndex(_ fields: RTPFields) throws(SRTPSendError) -> UInt64 {
      let place = try findOrAdd(fields.ssrc)
      let index = try self[place].nextIndex(fields.sequenceNumber)
      self[place].lastIndex = index
      return index
    }

    /// The index that an RTP packet took.
    mutating func spentIndex(_ fields: RTPFields) throws(SRTPSendError) -> UInt64 {
      guard let place = find(fields.ssrc) else { throw .malformed }
      let last = self[place].lastIndex
      guard last != Stream.none else { throw .malformed }
      let age = UInt64(UInt16(truncatingIfNeeded: last) &- fields.sequenceNumber)
      guard age < 0x8000, age <= last else { throw .malformed }
      return last &- age
    }

    /// Takes the next index of a stream's RTCP packets for good.
    mutating func spendRTCPIndex(_ ssrc: UInt32) throws(SRTPSendError) -> UInt32 {
      let place = try findOrAdd(ssrc)
      guard self[place].lastRTCPIndex < 0x7FFF_FFFF else { throw .keyExhausted }
      self[place].lastRTCPIndex &+= 1
      return self[place].lastRTCPIndex
    }

    private mutating func findOrAdd(_ ssrc: UInt32) throws(SRTPSendError) -> Int {
      if let known = find(ssrc) { return known }
      guard count < mostStreams else { throw .tooManyStreams }
      if count < 4 { first[count] = Stream(ssrc: ssrc) } else { rest.append(Stream(ssrc: ssrc)) }
      count &+= 1
      return count &- 1
    }
  }

  public convenience init(_ keys: SRTPKeys) throws(DTLSSetupError) { try self.init(keys, library: .fastest) }

  package init(_ keys: SRTPKeys, library: CipherLibrary) throws(DTLSSetupError) {
    guard let rtp = SRTPCipher(keys.local, profile: keys.profile, rtcp: false, library: library),
      let rtcp = SRTPCipher(keys.local, profile: keys.profile, rtcp: true, library: library)
    else { throw DTLSSetupError(doing: "make an SRTP cipher") }
    self.rtp = rtp
    self.rtcp = rtcp
  }

  public var profile: SRTPProfile { rtp.profile }

  /// Where the next RTP packet's state and key schedule lie, for `Prefetch`: a sender asked for them by itself is waited for.
  package var memory: SRTPMemory { SRTPMemory(self, byteCount: 128, cipher: rtp.memory, rtcpCipher: rtcp.memory) }

  /// Bytes the span needs beyond an RTP packet.
  public var rtpOverhead: Int { profile.rtpOverhead }
  /// Bytes the span needs beyond an RTCP packet.
  public var rtcpOverhead: Int { profile.rtcpOverhead }

  /// Protects the RTP packet in the first `length` bytes of `packet`.
  ///
  /// - Returns: the length with the tag; always `length + rtpOverhead`.
  public func protectRTP(_ packet: inout MutableSpan<UInt8>, length: Int) throws(SRTPSendError) -> Int {
    let (fields, index) = try takeIndex(of: packet.span, length: length, isAgain: false)
    return try protect(&packet, length, fields, index)
  }

  /// Protects a packet again that was protected before, so that the same datagram leaves once more (RFC 4585 without RFC 4588).
  ///
  /// The plain packet must be the earlier one bit for bit: two different ones under one index would give away the key stream.
  ///
  /// - Returns: the length with the tag.
  /// - Throws: `malformed` where the SSRC has sent nothing within 2^15 packets under that number.
  public func protectRTPAgain(_ packet: inout MutableSpan<UInt8>, length: Int) throws(SRTPSendError) -> Int {
    let (fields, index) = try takeIndex(of: packet.span, length: length, isAgain: true)
    return try protect(&packet, length, fields, index)
  }

  /// As `protectRTP` or `protectRTPAgain`, but perhaps later, together with others: `packet` may be plain until the batch is sealed.
  ///
  /// - Parameter start: where the packet begins in the block that the batch is sealed in.
  package func protectRTP(
    _ packet: inout MutableSpan<UInt8>, length: Int, isAgain: Bool = false, at start: Int, with batch: inout SRTPBatch
  ) throws(SRTPSendError) -> Int {
    let (fields, index) = try takeIndex(of: packet.span, length: length, isAgain: isAgain)
    let counter = UInt32(truncatingIfNeeded: index >> 16)
    guard !rtp.protectRTP(at: start, count: length, fields: fields, rollOverCounter: counter, with: &batch) else {
      return length &+ profile.rtpOverhead
    }
    return try protect(&packet, length, fields, index)
  }

  /// What protection depends on, and the packet's index: the next one, spent before the cipher runs, or one that was spent before.
  private func takeIndex(
    of packet: Span<UInt8>, length: Int, isAgain: Bool
  ) throws(SRTPSendError) -> (RTPFields, UInt64) {
    try checkRoom(packet.count, length: length, overhead: profile.rtpOverhead)
    guard let fields = RTPFields(packet.extracting(..<length)) else { throw .malformed }
    return (fields, isAgain ? try streams.spentIndex(fields) : try streams.spendIndex(fields))
  }

  @_lifetime(packet: copy packet)
  private func protect(
    _ packet: inout MutableSpan<UInt8>, _ length: Int, _ fields: RTPFields, _ index: UInt64
  ) throws(SRTPSendError) -> Int {
    let done = packet.withUnsafeMutableBufferPointer { bytes in
      rtp.protectRTP(bytes, count: length, fields: fields, rollOverCounter: UInt32(truncatingIfNeeded: index >> 16))
    }
    guard done else { throw .failed }
    return length &+ profile.rtpOverhead
  }

  /// Protects the RTCP packet, compound or reduced-size, in the first `length` bytes of `packet`.
  ///
  /// - Returns: the length with index and tag; always `length + rtcpOverhead`.
  public func protectRTCP(_ packet: inout MutableSpan<UInt8>, length: Int) throws(SRTPSendError) -> Int {
    try checkRoom(packet.count, length: length, overhead: profile.rtcpOverhead)
    guard let fields = RTCPFields(packet.span.extracting(..<length)) else { throw .malformed }
    let index = try streams.spendRTCPIndex(fields.ssrc)
    let done = packet.withUnsafeMutableBufferPointer { bytes in
      rtcp.protectRTCP(bytes, count: length, ssrc: fields.ssrc, index: index)
    }
    guard done else { throw .failed }
    return length &+ profile.rtcpOverhead
  }

  private func checkRoom(_ room: Int, length: Int, overhead: Int) throws(SRTPSendError) {
    guard length >= 0, length <= room, length <= 65_535 else { throw .malformed }
    guard room &- length >= overhead else { throw .noRoom }
  }
}
