import CSRTP
import SecureTransport
import TestSupport

/// libsrtp2 driven directly: what our own protection must equal byte for byte.
final class SRTPOracle {
  private let session: OpaquePointer

  /// - Parameter outbound: protects with `key`; else unprotects.
  init(_ key: SRTPMasterKey, profile: SRTPProfile, outbound: Bool = true) {
    precondition(libraryIsReady, "libsrtp2 starts")
    var policy = srtp_policy_t()
    switch profile {
    case .aeadAES128GCM:
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
    case .aes128CMHMACSHA1_80:
      srtp_crypto_policy_set_rtp_default(&policy.rtp)
      srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
    }
    policy.ssrc = srtp_ssrc_t(type: outbound ? ssrc_any_outbound : ssrc_any_inbound, value: 0)
    policy.window_size = 1024
    var bytes = key.key + key.salt
    var session: OpaquePointer?
    bytes.withUnsafeMutableBufferPointer {
      policy.key = $0.baseAddress
      precondition(srtp_create(&session, &policy) == srtp_err_status_ok, "libsrtp2 makes a session")
    }
    self.session = session!
  }

  deinit { srtp_dealloc(session) }

  func protectRTP(_ packet: [UInt8]) -> [UInt8]? { apply(packet, srtp_protect) }
  func protectRTCP(_ packet: [UInt8]) -> [UInt8]? { apply(packet, srtp_protect_rtcp) }
  func unprotectRTP(_ packet: [UInt8]) -> [UInt8]? { apply(packet, srtp_unprotect) }
  func unprotectRTCP(_ packet: [UInt8]) -> [UInt8]? { apply(packet, srtp_unprotect_rtcp) }

  private func apply(
    _ packet: [UInt8],
    _ function: (OpaquePointer?, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int32>?) -> srtp_err_status_t
  ) -> [UInt8]? {
    var bytes = packet + [UInt8](repeating: 0, count: 160)
    var length = Int32(packet.count)
    let status = bytes.withUnsafeMutableBytes { function(session, $0.baseAddress, &length) }
    return status == srtp_err_status_ok ? Array(bytes.prefix(Int(length))) : nil
  }
}

/// srtp_init must not run twice at the same time.
private let libraryIsReady = srtp_init() == srtp_err_status_ok

let bothProfiles: [SRTPProfile] = [.aeadAES128GCM, .aes128CMHMACSHA1_80]

/// Keys made of a seed, the same for both directions, so that one object's packets are another's.
func sharedKeys(_ profile: SRTPProfile, seed: UInt64 = 1) -> SRTPKeys {
  var random = SeededRandom(seed: seed)
  let key = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
  let salt = (0..<profile.masterSaltByteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
  let master = SRTPMasterKey(key: key, salt: salt, profile: profile)!
  return SRTPKeys(profile: profile, local: master, remote: master)
}

/// An RTP packet with random payload; `csrcs` of 0 to 15, `extensionWords` nil for no header extension.
func rtpPacket(
  ssrc: UInt32 = 0x1234_5678, sequenceNumber: UInt16, payload: Int, csrcs: Int = 0, extensionWords: Int? = nil,
  using random: inout SeededRandom
) -> [UInt8] {
  var packet: [UInt8] = [0x80 | UInt8(csrcs) | (extensionWords == nil ? 0 : 0x10), 96]
  packet += [UInt8(sequenceNumber >> 8), UInt8(sequenceNumber & 255), 0, 0, 3, 0xC0]
  packet += (0..<4).map { UInt8(truncatingIfNeeded: ssrc >> (24 - 8 * UInt32($0))) }
  packet += (0..<(csrcs * 4)).map { _ in UInt8.random(in: 0...255, using: &random) }
  if let words = extensionWords {
    packet += [0xBE, 0xDE, UInt8(words >> 8), UInt8(words & 255)]
    packet += (0..<(words * 4)).map { _ in UInt8.random(in: 0...255, using: &random) }
  }
  return packet + (0..<payload).map { _ in UInt8.random(in: 0...255, using: &random) }
}

/// A receiver report whose body is random.
func rtcpPacket(ssrc: UInt32 = 0x1234_5678, body: Int, using random: inout SeededRandom) -> [UInt8] {
  let words = 1 + body / 4
  var packet: [UInt8] = [0x80, 201, UInt8(truncatingIfNeeded: words >> 8), UInt8(truncatingIfNeeded: words)]
  packet += (0..<4).map { UInt8(truncatingIfNeeded: ssrc >> (24 - 8 * UInt32($0))) }
  return packet + (0..<body).map { _ in UInt8.random(in: 0...255, using: &random) }
}

extension SRTPSender {
  func protectedAgain(rtp packet: [UInt8]) throws(SRTPSendError) -> [UInt8] {
    var bytes = packet + [UInt8](repeating: 0xAA, count: rtpOverhead)
    var span = bytes.mutableSpan
    let length = try protectRTPAgain(&span, length: packet.count)
    return Array(bytes.prefix(length))
  }

  func protected(rtp packet: [UInt8]) throws(SRTPSendError) -> [UInt8] {
    var bytes = packet + [UInt8](repeating: 0xAA, count: rtpOverhead)
    var span = bytes.mutableSpan
    let length = try protectRTP(&span, length: packet.count)
    return Array(bytes.prefix(length))
  }

  func protected(rtcp packet: [UInt8]) throws(SRTPSendError) -> [UInt8] {
    var bytes = packet + [UInt8](repeating: 0xAA, count: rtcpOverhead)
    var span = bytes.mutableSpan
    let length = try protectRTCP(&span, length: packet.count)
    return Array(bytes.prefix(length))
  }
}

extension SRTPReceiver {
  func unprotected(rtp packet: [UInt8]) throws(SRTPReceiveError) -> [UInt8] {
    var bytes = packet
    var span = bytes.mutableSpan
    let length = try unprotectRTP(&span)
    return Array(bytes.prefix(length))
  }

  func unprotected(rtcp packet: [UInt8]) throws(SRTPReceiveError) -> [UInt8] {
    var bytes = packet
    var span = bytes.mutableSpan
    let length = try unprotectRTCP(&span)
    return Array(bytes.prefix(length))
  }
}
