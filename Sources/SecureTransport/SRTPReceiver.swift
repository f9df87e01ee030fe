import Bytes
import CSRTP

/// Why a packet was dropped. All of them are the network's or the peer's doing; none harms the session.
public enum SRTPReceiveError: Error, Sendable, Equatable {
  /// Shorter than its header, its tag and its index.
  case malformed
  /// Its tag is wrong.
  case unauthenticated
  /// Seen before, or too old to tell.
  case replayed
  /// A new SSRC beyond `SRTPReceiver.mostStreams`.
  case tooManyStreams
  /// libsrtp2 refused for a reason of its own, such as want of memory.
  case failed
}

/// Checks and decrypts what one peer sends, in place, over libsrtp2.
///
/// Streams come into being with their first authentic packet, up to a limit, so nobody who lacks the key can make one.
public final class SRTPReceiver {
  /// SSRCs one peer may send at once.
  public static let mostStreams = 64
  /// Packets behind the newest that are still taken: a second of video at 10 Mbit/s.
  public static let replayWindow = 1024

  public let profile: SRTPProfile
  private let session: OpaquePointer
  private let master: SRTPMasterKey
  private let rolledOver: SRTPCipher
  private var known: [UInt32] = []
  private var lastFound = 0

  public init(_ keys: SRTPKeys) throws(DTLSSetupError) {
    guard srtpLibraryIsReady, let rolledOver = SRTPCipher(keys.remote, profile: keys.profile, rtcp: false),
      let session = makeSession(keys.remote, profile: keys.profile)
    else { throw DTLSSetupError(doing: "make an SRTP session with libsrtp2") }
    profile = keys.profile
    master = keys.remote
    self.session = session
    self.rolledOver = rolledOver
    known.reserveCapacity(Self.mostStreams)
  }

  deinit { srtp_dealloc(session) }

  /// SSRCs that have sent something authentic.
  public var streamCount: Int { known.count }

  /// Checks and decrypts the RTP packet that fills `packet`.
  ///
  /// - Returns: the length of the plain packet, which begins where it was.
  public func unprotectRTP(_ packet: inout MutableSpan<UInt8>) throws(SRTPReceiveError) -> Int {
    guard packet.count <= 65_535, let fields = RTPFields(packet.span),
      packet.count &- fields.payloadOffset >= profile.rtpOverhead
    else { throw .malformed }
    let isKnown = isKnown(fields.ssrc)
    if !isKnown {
      guard known.count < Self.mostStreams else { throw .tooManyStreams }
      if fields.sequenceNumber < 0x8000 { adoptRollOver(packet.span, fields: fields) }
    }
    var length = Int32(truncatingIfNeeded: packet.count)
    let status = packet.withUnsafeMutableBytes { srtp_unprotect(session, $0.baseAddress, &length) }
    return try conclude(status, length: length, ssrc: fields.ssrc, isKnown: isKnown)
  }

  /// Checks and decrypts the RTCP packet, compound or reduced-size, that fills `packet`.
  ///
  /// - Returns: the length of the plain packet, which begins where it was.
  public func unprotectRTCP(_ packet: inout MutableSpan<UInt8>) throws(SRTPReceiveError) -> Int {
    guard packet.count <= 65_535, let fields = RTCPFields(packet.span),
      packet.count >= RTCPFields.headerByteCount &+ profile.rtcpOverhead
    else { throw .malformed }
    let isKnown = isKnown(fields.ssrc)
    guard isKnown || known.count < Self.mostStreams else { throw .tooManyStreams }
    var length = Int32(truncatingIfNeeded: packet.count)
    let status = packet.withUnsafeMutableBytes { srtp_unprotect_rtcp(session, $0.baseAddress, &length) }
    return try conclude(status, length: length, ssrc: fields.ssrc, isKnown: isKnown)
  }

  /// Forgets a stream that ended, to make room for another.
  ///
  /// Its replay window is forgotten with it: packets recorded from that stream would be taken again. Do it only for an SSRC
  /// whose packets the session no longer wants.
  public func removeStream(_ ssrc: UInt32) {
    guard let place = known.firstIndex(of: ssrc) else { return }
    known.swapAt(place, known.count &- 1)
    known.removeLast()
    // libsrtp2 takes SSRCs in network order here, in host order in policies.
    srtp_remove_stream(session, ssrc.bigEndian)
  }

  private func isKnown(_ ssrc: UInt32) -> Bool {
    if lastFound < known.count, known[lastFound] == ssrc { return true }
    guard let place = known.firstIndex(of: ssrc) else { return false }
    lastFound = place
    return true
  }

  private func conclude(
    _ status: srtp_err_status_t, length: Int32, ssrc: UInt32, isKnown: Bool
  ) throws(SRTPReceiveError) -> Int {
    switch status {
    case srtp_err_status_ok:
      if !isKnown { known.append(ssrc) }
      return Int(length)
    case srtp_err_status_auth_fail, srtp_err_status_cipher_fail: throw .unauthenticated
    case srtp_err_status_replay_fail, srtp_err_status_replay_old, srtp_err_status_pkt_idx_old: throw .replayed
    case srtp_err_status_bad_param, srtp_err_status_parse_err: throw .malformed
    default: throw .failed
    }
  }

  /// A stream may begin just below 65535 and lose its packets before the roll-over; all that follow are then protected with a
  /// roll-over counter of 1, and libsrtp2, which assumes 0, would drop them for ever (RFC 3711 section 3.3.1). So the first packet
  /// of a stream is tried with 1 by our own cipher, and if that proves authentic libsrtp2 is told.
  private func adoptRollOver(_ packet: Span<UInt8>, fields: RTPFields) {
    let isRolledOver = packet.withUnsafeBufferPointer { bytes in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes.count) { scratch in
        rolledOver.isAuthentic(bytes, fields: fields, rollOverCounter: 1, scratch: scratch)
      }
    }
    guard isRolledOver, addStream(fields.ssrc) else { return }
    srtp_set_stream_roc(session, fields.ssrc, 1)
  }

  private func addStream(_ ssrc: UInt32) -> Bool {
    withPolicy(master, profile: profile, ssrc: .init(type: ssrc_specific, value: ssrc)) { policy in
      srtp_add_stream(session, &policy) == srtp_err_status_ok
    }
  }
}

/// Whether libsrtp2 is set up, which happens once in a process.
///
/// One session is made here and never ended: Debian's libsrtp2 starts NSS with the first session and stops it with the last, which
/// makes the next first session cost 2.3 ms instead of 25 us.
private let srtpLibraryIsReady: Bool = {
  let profile = SRTPProfile.aeadAES128GCM
  guard srtp_init() == srtp_err_status_ok,
    let master = SRTPMasterKey(
      key: [UInt8](repeating: 0, count: SRTPProfile.masterKeyByteCount),
      salt: [UInt8](repeating: 0, count: profile.masterSaltByteCount), profile: profile)
  else { return false }
  return makeSession(master, profile: profile) != nil
}()

private func makeSession(_ master: SRTPMasterKey, profile: SRTPProfile) -> OpaquePointer? {
  withPolicy(master, profile: profile, ssrc: .init(type: ssrc_any_inbound, value: 0)) { policy in
    var session: OpaquePointer?
    return srtp_create(&session, &policy) == srtp_err_status_ok ? session : nil
  }
}

private func withPolicy<R>(
  _ master: SRTPMasterKey, profile: SRTPProfile, ssrc: srtp_ssrc_t, _ body: (inout srtp_policy_t) -> R
) -> R {
  var policy = srtp_policy_t()
  switch profile {
  case .aeadAES128GCM:
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
  case .aes128CMHMACSHA1_80:
    srtp_crypto_policy_set_rtp_default(&policy.rtp)
    srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
  }
  policy.ssrc = ssrc
  policy.window_size = UInt(SRTPReceiver.replayWindow)
  var key = master.key + master.salt
  return key.withUnsafeMutableBufferPointer { key in
    policy.key = key.baseAddress
    return body(&policy)
  }
}
