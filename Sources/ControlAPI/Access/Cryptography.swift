import COpenSSL

/// Everything this target needs of OpenSSL: digests, signatures of tokens, a certificate of its own.
enum Cryptography {
  static func sha1(_ bytes: [UInt8]) -> [UInt8] { digest(bytes, EVP_sha1()) }
  static func sha256(_ bytes: [UInt8]) -> [UInt8] { digest(bytes, EVP_sha256()) }

  private static func digest(_ bytes: [UInt8], _ algorithm: OpaquePointer?) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: 64)
    var length: UInt32 = 0
    guard EVP_Digest(bytes, bytes.count, &output, &length, algorithm, nil) == 1 else { return [] }
    return Array(output.prefix(Int(length)))
  }

  static func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> [UInt8] { hmac(EVP_sha256(), key, message) }
  static func hmacSHA1(key: [UInt8], _ message: [UInt8]) -> [UInt8] { hmac(EVP_sha1(), key, message) }

  private static func hmac(_ algorithm: OpaquePointer?, _ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: 64)
    var length: UInt32 = 0
    guard let keyLength = Int32(exactly: key.count),
      HMAC(algorithm, key, keyLength, message, message.count, &output, &length) != nil
    else { return [] }
    return Array(output.prefix(Int(length)))
  }

  /// Whether both are equal, in a time that does not tell where they differ.
  static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool { a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0 }

  /// Whether `signature` (r and s, 32 bytes each, RFC 7518 section 3.4) of `message` was made with the key.
  static func isValidES256(_ signature: [UInt8], of message: [UInt8], publicKeyPEM: String) -> Bool {
    guard signature.count == 64, let key = PublicKey(pem: publicKeyPEM), let context = EVP_MD_CTX_new() else { return false }
    defer { EVP_MD_CTX_free(context) }
    let encoded = derSignature(r: signature[..<32], s: signature[32...])
    guard EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key.handle) == 1 else { return false }
    return EVP_DigestVerify(context, encoded, encoded.count, message, message.count) == 1
  }

  /// Whether the text is a public key on P-256.
  static func isP256PublicKey(pem: String) -> Bool {
    guard let key = PublicKey(pem: pem) else { return false }
    var name = [CChar](repeating: 0, count: 64)
    var length = 0
    guard EVP_PKEY_get_group_name(key.handle, &name, name.count, &length) == 1 else { return false }
    return String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self) == "prime256v1"
  }

  private static func derSignature(r: ArraySlice<UInt8>, s: ArraySlice<UInt8>) -> [UInt8] {
    let body = derInteger(r) + derInteger(s)
    return [0x30, UInt8(truncatingIfNeeded: body.count)] + body
  }

  private static func derInteger(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var digits = Array(bytes.drop { $0 == 0 })
    if digits.isEmpty || digits[0] & 0x80 != 0 { digits.insert(0, at: 0) }
    return [0x02, UInt8(truncatingIfNeeded: digits.count)] + digits
  }
}

/// An EVP_PKEY and its life.
private final class PublicKey {
  let handle: OpaquePointer

  init?(pem: String) {
    let bytes = Array(pem.utf8)
    // The BIO reads from the bytes, which have to stay where they are until it is freed.
    let handle: OpaquePointer? = bytes.withUnsafeBytes { bytes in
      guard let length = Int32(exactly: bytes.count), let input = BIO_new_mem_buf(bytes.baseAddress, length) else { return nil }
      defer { BIO_free(input) }
      return PEM_read_bio_PUBKEY(input, nil, nil, nil)
    }
    guard let handle else {
      ERR_clear_error()
      return nil
    }
    self.handle = handle
  }

  deinit { EVP_PKEY_free(handle) }
}
