import COpenSSL

/// A P-256 key and a certificate for it, good for a year, as PEM.
///
/// The caller keeps neither: a new pair is made at each start.
func selfSignedCertificate(address: String) throws(ControlServerError) -> TLSMaterial {
  guard let key = makeKey() else { throw ControlServerError("cannot make a key for TLS") }
  defer { EVP_PKEY_free(key) }
  guard let certificate = X509_new() else { throw ControlServerError("cannot make a certificate for TLS") }
  defer { X509_free(certificate) }
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), UInt64.random(in: 1...UInt64(Int64.max)))
  X509_set_version(certificate, 2)
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600)
  X509_gmtime_adj(X509_getm_notAfter(certificate), 365 * 86_400)
  X509_set_pubkey(certificate, key)
  let name = X509_get_subject_name(certificate)
  // MBSTRING_ASC
  X509_NAME_add_entry_by_txt(name, "CN", 0x1001, Array(address.utf8), Int32(truncatingIfNeeded: address.utf8.count), -1, 0)
  X509_set_issuer_name(certificate, name)
  guard X509_sign(certificate, key, EVP_sha256()) > 0,
    let certificateText = pem({ PEM_write_bio_X509($0, certificate) }),
    let keyText = pem({ PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) })
  else { throw ControlServerError("cannot sign a certificate for TLS") }
  return .texts(certificate: certificateText, key: keyText)
}

private func makeKey() -> OpaquePointer? {
  guard let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil) else { return nil }
  defer { EVP_PKEY_CTX_free(context) }
  var key: OpaquePointer?
  guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, "P-256") == 1,
    EVP_PKEY_generate(context, &key) == 1
  else { return nil }
  return key
}

private func pem(_ write: (OpaquePointer) -> Int32) -> [UInt8]? {
  guard let output = BIO_new(BIO_s_mem()) else { return nil }
  defer { BIO_free(output) }
  guard write(output) == 1 else { return nil }
  var bytes: [UInt8] = []
  var part = [UInt8](repeating: 0, count: 4096)
  while case let count = BIO_read(output, &part, Int32(part.count)), count > 0 { bytes += part.prefix(Int(count)) }
  // libwebsockets takes PEM from memory only with its terminator.
  return bytes + [0]
}
