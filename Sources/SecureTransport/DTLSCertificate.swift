import COpenSSL

/// A self-signed ECDSA P-256 certificate with its private key (RFC 8827 section 6.5); one serves a whole process.
///
/// Peers trust the fingerprint in the session description and nothing else, so name and dates mean nothing: the dates are
/// constants, and making one reads no clock.
public final class DTLSCertificate: @unchecked Sendable {
  // Unchecked: OpenSSL counts references to these atomically, and they are not changed after `init`.
  let context: OpaquePointer
  /// What to write into `a=fingerprint`.
  public let fingerprint: Fingerprint

  /// Makes a new key and certificate, about half a millisecond of work.
  public init() throws(DTLSSetupError) {
    guard let key = shim_generate_p256() else { throw DTLSSetupError(doing: "make a P-256 key") }
    defer { EVP_PKEY_free(key) }
    guard let certificate = X509_new() else { throw DTLSSetupError(doing: "make a certificate") }
    defer { X509_free(certificate) }
    guard fill(certificate, key: key), X509_sign(certificate, key, EVP_sha256()) > 0,
      let fingerprint = Fingerprint(of: certificate, by: .sha256)
    else { throw DTLSSetupError(doing: "sign a certificate") }
    guard let context = SSL_CTX_new(DTLS_method()) else { throw DTLSSetupError(doing: "make a DTLS context") }
    guard configure(context, certificate: certificate, key: key) else {
      SSL_CTX_free(context)
      throw DTLSSetupError(doing: "configure DTLS 1.2")
    }
    self.fingerprint = fingerprint
    self.context = context
  }

  deinit { SSL_CTX_free(context) }

  /// The fingerprint by another hash function; nil where OpenSSL was built without it.
  public func fingerprint(by algorithm: Fingerprint.Algorithm) -> Fingerprint? {
    SSL_CTX_get0_certificate(context).flatMap { Fingerprint(of: $0, by: algorithm) }
  }
}

/// Why DTLS cannot be set up on this machine: a sentence that says what OpenSSL refused.
public struct DTLSSetupError: Error, CustomStringConvertible, Sendable {
  public let description: String

  init(doing what: String) { description = "OpenSSL could not \(what): \(takeOpenSSLError())" }
}

private func fill(_ certificate: OpaquePointer, key: OpaquePointer) -> Bool {
  var serial: UInt64 = 0
  let random = withUnsafeMutableBytes(of: &serial) { RAND_bytes($0.baseAddress, Int32($0.count)) }
  guard random == 1, let name = X509_NAME_new() else { return false }
  defer { X509_NAME_free(name) }
  return X509_set_version(certificate, 2) == 1
    // Serial numbers are positive (RFC 5280 section 4.1.2.2).
    && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1
    && ASN1_TIME_set_string(X509_getm_notBefore(certificate), "20200101000000Z") == 1
    && ASN1_TIME_set_string(X509_getm_notAfter(certificate), "20991231235959Z") == 1
    && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, "WebRTC", -1, -1, 0) == 1
    && X509_set_subject_name(certificate, name) == 1
    && X509_set_issuer_name(certificate, name) == 1
    && X509_set_pubkey(certificate, key) == 1
}

private let MBSTRING_ASC: Int32 = 0x1001

private func configure(_ context: OpaquePointer, certificate: OpaquePointer, key: OpaquePointer) -> Bool {
  // RSA last and for the peer's certificate only: GStreamer's is RSA, ours never.
  let suites = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"
  guard shim_ctx_require_dtls12(context) == 1, SSL_CTX_set_cipher_list(context, suites) == 1,
    shim_ctx_set_groups(context, "X25519:P-256:P-384") == 1, SSL_CTX_use_certificate(context, certificate) == 1,
    SSL_CTX_use_PrivateKey(context, key) == 1
  else { return false }
  SSL_CTX_set_options(context, shim_dtls_options)
  shim_ctx_disable_session_cache(context)
  // A certificate chain larger than this is no WebRTC peer's; it bounds what a handshake may make us buffer.
  shim_ctx_set_max_handshake_message(context, 16_384)
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
  SSL_CTX_set_cert_verify_callback(context, verifyPeerCertificate, nil)
  return true
}

/// Called by OpenSSL in the place of its chain verification: compares with the fingerprint the connection expects.
private let verifyPeerCertificate: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = { store, _ in
  guard let store, let certificate = X509_STORE_CTX_get0_cert(store),
    let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
    let bio = SSL_get_rbio(OpaquePointer(ssl)), let data = BIO_get_data(bio)
  else { return 0 }
  return Unmanaged<DatagramBIO>.fromOpaque(data).takeUnretainedValue().accepts(certificate) ? 1 : 0
}
