import COpenSSL
import Timing

/// One DTLS 1.2 association for SRTP (RFC 5764), over OpenSSL, without a socket and without a clock.
///
///     idle ──start, first datagram──▶ handshaking ──▶ unverified ──expect──▶ established ──▶ closed
///                                         └──────────────┴──▶ failed
///
/// The driver hands in datagrams of this peer only, and only from an address that passed an authenticated ICE check; no cookie
/// is exchanged. Keys are given out after the peer's certificate was compared with the fingerprint expected, never before; with
/// none expected yet the finished handshake waits for one. In an established connection nothing that fails authentication has
/// any effect.
public final class DTLSConnection {
  enum State { case idle, handshaking, unverified, established, closed, failed }

  /// How long a handshake may take, from `start` or the first datagram.
  public static let handshakeTimeout = Interval.seconds(30)
  /// No datagram is longer: fits in an IPv6 packet over any path WebRTC is used on.
  public static let maximumTransmissionUnit = 1200

  public let role: DTLSRole
  private let certificate: DTLSCertificate
  private let ssl: OpaquePointer
  private let bio = DatagramBIO()
  private var state = State.idle
  private var retransmission = RetransmissionTimer()
  private var giveUpAt: Instant?
  private var encryptedBeforeTheEnd = 0
  private var peerHasSpoken = false

  /// - Parameters:
  ///   - expected: the fingerprint of the peer's session description; may follow by `expect` when the description comes later.
  ///   - profiles: the SRTP profiles to offer or accept, the most wanted first. The passive side's order decides.
  public init(
    role: DTLSRole, certificate: DTLSCertificate, expected: Fingerprint? = nil,
    profiles: [SRTPProfile] = SRTPProfile.byPreference
  ) throws(DTLSSetupError) {
    guard let ssl = SSL_new(certificate.context) else { throw DTLSSetupError(doing: "make a DTLS connection") }
    let names = profiles.map { $0 == .aeadAES128GCM ? "SRTP_AEAD_AES_128_GCM" : "SRTP_AES128_CM_SHA1_80" }
    // SSL_set_tlsext_use_srtp is the one function here which answers 0 for success.
    guard let handle = bio.makeBIO(), SSL_set_tlsext_use_srtp(ssl, names.joined(separator: ":")) == 0 else {
      SSL_free(ssl)
      throw DTLSSetupError(doing: "set the SRTP profiles of a DTLS connection")
    }
    SSL_set_bio(ssl, handle, handle)
    _ = shim_ssl_set_mtu(ssl, Self.maximumTransmissionUnit)
    DTLS_set_timer_cb(ssl) { _, last in RetransmissionTimer.microseconds(after: last) }
    switch role {
    case .active: SSL_set_connect_state(ssl)
    case .passive: SSL_set_accept_state(ssl)
    }
    bio.expectedFingerprint = expected
    self.role = role
    self.certificate = certificate
    self.ssl = ssl
  }

  deinit { SSL_free(ssl) }

  public var isEstablished: Bool { state == .established }

  /// When `handleTimeout` wants to be called; nil once the handshake is over, one way or the other.
  public var nextDeadline: Instant? {
    guard let giveUpAt else { return nil }
    return retransmission.deadline.map { min($0, giveUpAt) } ?? giveUpAt
  }

  /// Begins: the active side sends its ClientHello, the passive one starts to count the time. Later calls do nothing.
  public func start(at now: Instant, into output: inout DTLSOutput) {
    guard state == .idle else { return }
    state = .handshaking
    giveUpAt = now + Self.handshakeTimeout
    if role == .active { advanceHandshake(at: now, into: &output) }
    collectDatagrams(into: &output)
  }

  /// Takes a datagram whose first byte is 20 to 63 (RFC 7983). Whatever it holds, nothing worse happens than that this handshake
  /// fails, and an established connection drops what is not authentic.
  public func receive(_ datagram: Span<UInt8>, at now: Instant, into output: inout DTLSOutput) {
    let count = DTLSRecord.wholeRecordsByteCount(datagram)
    guard count > 0, isWorthReading(datagram.extracting(..<count)) else { return }
    start(at: now, into: &output)
    guard state != .closed, state != .failed else { return }
    datagram.extracting(..<count).withUnsafeBytes { bytes in
      bio.offering(bytes) {
        if state == .handshaking { advanceHandshake(at: now, into: &output) }
        if state == .unverified || state == .established { readRecords(into: &output) }
      }
    }
    collectDatagrams(into: &output)
  }

  /// Sets what the peer's certificate must hash to, once its description is known; releases a handshake that waited for it.
  public func expect(_ fingerprint: Fingerprint, into output: inout DTLSOutput) {
    bio.expectedFingerprint = fingerprint
    if state == .unverified { verify(into: &output) }
    collectDatagrams(into: &output)
  }

  /// Retransmits the last flight, or gives up, where the time for it has come.
  public func handleTimeout(at now: Instant, into output: inout DTLSOutput) {
    guard let giveUpAt else { return }
    if now >= giveUpAt { return fail(.timedOut, into: &output) }
    guard let deadline = retransmission.deadline, now >= deadline else { return }
    retransmission.backOff()
    bio.expire()
    ERR_clear_error()
    if shim_ssl_handle_timeout(ssl) < 0 { fail(.timedOut, into: &output) }
    noteTimer(at: now, wasDue: true)
    collectDatagrams(into: &output)
  }

  /// Ends the connection from our side and tells the peer (close_notify); no event follows.
  public func close(into output: inout DTLSOutput) {
    if state == .established || state == .unverified { notifyClose() }
    if state != .failed { state = .closed }
    giveUpAt = nil
    retransmission.stop()
    collectDatagrams(into: &output)
  }
}

extension DTLSConnection {
  /// Keeps from OpenSSL what can only do harm: anything but a handshake before the peer's first message, and more early encrypted
  /// datagrams than a lossy handshake has, since OpenSSL stores each.
  private func isWorthReading(_ datagram: Span<UInt8>) -> Bool {
    guard state == .idle || state == .handshaking else { return true }
    if DTLSRecord.epoch(datagram) != 0 {
      guard peerHasSpoken, encryptedBeforeTheEnd < 32 else { return false }
      encryptedBeforeTheEnd &+= 1
      return true
    }
    if datagram[0] == DTLSRecord.handshake { peerHasSpoken = true }
    return peerHasSpoken || (role == .active && datagram[0] == DTLSRecord.alert)
  }

  private func advanceHandshake(at now: Instant, into output: inout DTLSOutput) {
    ERR_clear_error()
    let result = SSL_do_handshake(ssl)
    let status = SSL_get_error(ssl, result)
    noteTimer(at: now, wasDue: false)
    if result == 1 {
      state = .unverified
      retransmission.stop()
      if bio.expectedFingerprint != nil { verify(into: &output) }
    } else if status != SSL_ERROR_WANT_READ && status != SSL_ERROR_WANT_WRITE {
      fail(bio.fingerprintDiffered ? .fingerprintMismatch : .handshake(takeOpenSSLError()), into: &output)
    }
    ERR_clear_error()
  }

  /// The peer's certificate against the fingerprint, then the keys.
  private func verify(into output: inout DTLSOutput) {
    guard let certificate = SSL_get0_peer_certificate(ssl), bio.expectedFingerprint != nil, bio.accepts(certificate) else {
      notifyClose()
      return fail(.fingerprintMismatch, into: &output)
    }
    guard let selected = SSL_get_selected_srtp_profile(ssl),
      let profile = UInt16(exactly: selected.pointee.id).flatMap(SRTPProfile.init(rawValue:)),
      let keys = exportKeys(profile)
    else {
      notifyClose()
      return fail(.noCommonSRTPProfile, into: &output)
    }
    state = .established
    giveUpAt = nil
    retransmission.stop()
    output.events.append(.connected(keys))
  }

  private func exportKeys(_ profile: SRTPProfile) -> SRTPKeys? {
    let label = "EXTRACTOR-dtls_srtp"
    var exported = [UInt8](repeating: 0, count: SRTPKeys.exportedByteCount(profile))
    let count = exported.count
    guard SSL_export_keying_material(ssl, &exported, count, label, label.utf8.count, nil, 0, 0) == 1 else { return nil }
    defer { exported.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) } }
    return SRTPKeys(exported: exported, profile: profile, weAreClient: role == .active)
  }

  /// Lets OpenSSL see what came after the handshake: a repeated Finished it must answer, close_notify, application data nobody
  /// wants. A datagram holds at most a few records; the bound stands for a loop that could not end.
  private func readRecords(into output: inout DTLSOutput) {
    withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 16) { buffer in
      for _ in 0..<64 {
        ERR_clear_error()
        if SSL_read(ssl, buffer.baseAddress, Int32(buffer.count)) <= 0 { break }
      }
    }
    ERR_clear_error()
    guard SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 else { return }
    if state == .unverified { return fail(.handshake("the peer closed the connection"), into: &output) }
    guard state == .established else { return }
    notifyClose()
    state = .closed
    output.events.append(.closed)
  }

  private func notifyClose() {
    ERR_clear_error()
    _ = SSL_shutdown(ssl)
    ERR_clear_error()
  }

  private func fail(_ reason: DTLSFailure, into output: inout DTLSOutput) {
    guard state != .failed, state != .closed else { return }
    state = .failed
    giveUpAt = nil
    retransmission.stop()
    output.events.append(.failed(reason))
  }

  private func noteTimer(at now: Instant, wasDue: Bool) {
    guard state == .handshaking else { return }
    if bio.takeNewFlight() { retransmission.reset() }
    if bio.takeTimerStart() {
      retransmission.start(at: now)
    } else if !bio.timerRuns {
      retransmission.stop()
    } else if wasDue {
      retransmission.retrySoon(at: now)
    }
  }

  private func collectDatagrams(into output: inout DTLSOutput) {
    guard !bio.outgoing.isEmpty else { return }
    output.datagrams.append(contentsOf: bio.outgoing)
    bio.outgoing.removeAll()
  }
}
