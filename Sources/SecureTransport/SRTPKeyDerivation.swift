import COpenSSL

/// The session keys of one direction, derived from its master key (RFC 3711 section 4.3, RFC 7714 section 11).
struct SRTPSessionKeys {
  /// 16 bytes.
  var encryption: [UInt8]
  /// 20 bytes; unused with AES-GCM.
  var authentication: [UInt8]
  /// 14 bytes, or 12 with AES-GCM.
  var salt: [UInt8]

  /// The labels of RFC 3711 section 4.3.2; the key derivation rate is zero, as WebRTC has it.
  private enum Label {
    static let encryption: UInt8 = 0
    static let authentication: UInt8 = 1
    static let salt: UInt8 = 2
    static let rtcpOffset: UInt8 = 3
  }

  /// Nil where OpenSSL is out of memory.
  init?(_ master: SRTPMasterKey, profile: SRTPProfile, rtcp: Bool) {
    let offset = rtcp ? Label.rtcpOffset : 0
    guard let encryption = derive(master, label: Label.encryption + offset, count: 16),
      let authentication = derive(master, label: Label.authentication + offset, count: 20),
      let salt = derive(master, label: Label.salt + offset, count: profile.masterSaltByteCount)
    else { return nil }
    self.encryption = encryption
    self.authentication = authentication
    self.salt = salt
  }
}

/// AES-CM as a pseudo-random function: the key stream that begins at (label × 2^48 XOR salt) × 2^16.
private func derive(_ master: SRTPMasterKey, label: UInt8, count: Int) -> [UInt8]? {
  // A salt of 12 bytes is continued with zeros to 14, and two zeros are the block counter.
  var counter = master.salt + [UInt8](repeating: 0, count: 16 - master.salt.count)
  counter[7] ^= label
  guard let context = CipherContext(EVP_aes_128_ctr(), key: master.key) else { return nil }
  var bytes = [UInt8](repeating: 0, count: count)
  let done = bytes.withUnsafeMutableBufferPointer { context.applyKeyStream(to: $0, counter: counter) }
  return done ? bytes : nil
}

/// A cipher with its key schedule made once; each use sets only the initialization vector.
struct CipherContext: ~Copyable {
  private let context: OpaquePointer

  /// - Parameter decrypts: for `open`; else for `seal` and key streams.
  init?(_ cipher: OpaquePointer?, key: [UInt8], decrypts: Bool = false) {
    guard let context = EVP_CIPHER_CTX_new() else { return nil }
    guard EVP_CipherInit_ex(context, cipher, nil, key, nil, decrypts ? 0 : 1) == 1 else {
      EVP_CIPHER_CTX_free(context)
      return nil
    }
    self.context = context
  }

  deinit { EVP_CIPHER_CTX_free(context) }

  /// Where OpenSSL has put it.
  var memory: UnsafeRawPointer { UnsafeRawPointer(context) }

  /// Counter mode, in place. Encrypts and decrypts alike.
  func applyKeyStream(to bytes: UnsafeMutableBufferPointer<UInt8>, counter: UnsafePointer<UInt8>) -> Bool {
    guard EVP_EncryptInit_ex(context, nil, nil, nil, counter) == 1 else { return false }
    // OpenSSL takes a null pointer for "no output wanted".
    guard let base = bytes.baseAddress, bytes.count > 0 else { return true }
    var written: Int32 = 0
    return EVP_CipherUpdate(context, base, &written, base, Int32(truncatingIfNeeded: bytes.count)) == 1
  }

  /// AES-GCM, in place (RFC 5116): encrypts `bytes`, authenticates `prefix`, then `suffix`, with them; writes 16 bytes of tag.
  func seal(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, prefix: UnsafeBufferPointer<UInt8>, suffix: UInt32?,
    iv: InlineArray<16, UInt8>, tag: UnsafeMutablePointer<UInt8>
  ) -> Bool {
    passing(iv, suffix) { iv, suffix in
      shim_gcm_seal(
        context, iv, prefix.baseAddress, Int32(truncatingIfNeeded: prefix.count), suffix, bytes.baseAddress,
        Int32(truncatingIfNeeded: bytes.count), tag)
    }
  }

  /// AES-GCM, in place: decrypts `bytes`; false where `tag`, 16 bytes, is not theirs and that of `prefix` and `suffix`.
  func open(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, prefix: UnsafeBufferPointer<UInt8>, suffix: UInt32?,
    iv: InlineArray<16, UInt8>, tag: UnsafeMutablePointer<UInt8>
  ) -> Bool {
    passing(iv, suffix) { iv, suffix in
      shim_gcm_open(
        context, iv, prefix.baseAddress, Int32(truncatingIfNeeded: prefix.count), suffix, bytes.baseAddress,
        Int32(truncatingIfNeeded: bytes.count), tag)
    }
  }

  /// Hands on where the vector and the suffix in network order lie.
  private func passing(
    _ iv: InlineArray<16, UInt8>, _ suffix: UInt32?, _ body: (UnsafeMutablePointer<UInt8>?, UnsafePointer<UInt8>?) -> Int32
  ) -> Bool {
    var iv = iv
    var vector = iv.mutableSpan
    return vector.withUnsafeMutableBufferPointer { vector in
      guard var word = suffix?.bigEndian else { return body(vector.baseAddress, nil) == 1 }
      return withUnsafeBytes(of: &word) { body(vector.baseAddress, $0.bindMemory(to: UInt8.self).baseAddress) == 1 }
    }
  }
}
