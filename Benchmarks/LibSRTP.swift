import CSRTP
import SecureTransport

/// libsrtp2 by itself, as Debian builds it: one direction of one session.
final class LibSRTP {
  /// To be called once before anything else of the library is.
  private static let isReady = srtp_init() == srtp_err_status_ok
  private let session: OpaquePointer

  /// Bytes libsrtp2 may write behind a packet.
  static let tailSizeMax = 16

  /// - Parameter sends: whether the session protects; else it unprotects.
  init(_ profile: SRTPProfile, key: [UInt8], sends: Bool) throws {
    guard Self.isReady else { throw BenchmarkError("libsrtp2 cannot be used") }
    var policy = srtp_policy_t()
    switch profile {
    case .aeadAES128GCM: srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
    case .aes128CMHMACSHA1_80: srtp_crypto_policy_set_rtp_default(&policy.rtp)
    }
    policy.rtcp = policy.rtp
    policy.ssrc = srtp_ssrc_t(type: sends ? ssrc_any_outbound : ssrc_any_inbound, value: 0)
    policy.window_size = UInt(SRTPReceiver.replayWindow)
    var session: OpaquePointer?
    var key = key
    let status = key.withUnsafeMutableBufferPointer { bytes in
      policy.key = bytes.baseAddress
      return srtp_create(&session, &policy)
    }
    guard status == srtp_err_status_ok, let session else { throw BenchmarkError("libsrtp2 makes no session") }
    self.session = session
  }

  deinit { srtp_dealloc(session) }

  /// - Returns: the new length; 0 where it refuses.
  func protect(_ packet: UnsafeMutablePointer<UInt8>, _ length: Int) -> Int {
    var length = Int32(length)
    return srtp_protect(session, packet, &length) == srtp_err_status_ok ? Int(length) : 0
  }

  func unprotect(_ packet: UnsafeMutablePointer<UInt8>, _ length: Int) -> Int {
    var length = Int32(length)
    return srtp_unprotect(session, packet, &length) == srtp_err_status_ok ? Int(length) : 0
  }

  /// Master key and salt for a profile.
  static func key(_ profile: SRTPProfile, using random: inout some RandomNumberGenerator) -> [UInt8] {
    (0..<SRTPProfile.masterKeyByteCount + profile.masterSaltByteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
  }
}
