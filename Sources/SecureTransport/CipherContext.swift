#if canImport(CIPSecMB)
  import CIPSecMB
#endif
import COpenSSL

/// Whose AES-GCM is used, and whose AES_CM with HMAC-SHA1 for packets that are sent.
package enum CipherLibrary: Sendable, CaseIterable {
  /// Intel's multi-buffer library where it was there when this was built and the processor has the instructions, else OpenSSL. It is
  /// four times as fast: 60 ns for a packet of 570 bytes. For AES_CM see `SRTPBatch`.
  case fastest
  case openSSL
}

/// AES-128 with its key schedule made once: AES-GCM, or counter mode; each use sets only the initialization vector.
struct CipherContext: ~Copyable {
  /// OpenSSL's; nil where another library does it.
  private let context: OpaquePointer?
  #if canImport(CIPSecMB)
    private let block: UnsafeMutablePointer<shim_gcm>?
  #endif

  /// For key streams. Nil where OpenSSL is out of memory.
  init?(keyStream key: [UInt8]) {
    guard let context = Self.make(EVP_aes_128_ctr(), key: key, decrypts: false) else { return nil }
    self.context = context
    #if canImport(CIPSecMB)
      block = nil
    #endif
  }

  /// For AES-GCM. Nil where there is no memory.
  ///
  /// - Parameter decrypts: for `open`; else for `seal`.
  init?(gcm key: [UInt8], decrypts: Bool, library: CipherLibrary) {
    #if canImport(CIPSecMB)
      if library == .fastest, key.count == 16, let block = MultiBufferLibrary.shared.pointer.flatMap({ shim_gcm_new($0, key) })
      {
        self.block = block
        context = nil
        return
      }
      block = nil
    #endif
    guard let context = Self.make(EVP_aes_128_gcm(), key: key, decrypts: decrypts) else { return nil }
    self.context = context
  }

  private static func make(_ cipher: OpaquePointer?, key: [UInt8], decrypts: Bool) -> OpaquePointer? {
    guard let context = EVP_CIPHER_CTX_new() else { return nil }
    guard EVP_CipherInit_ex(context, cipher, nil, key, nil, decrypts ? 0 : 1) == 1 else {
      EVP_CIPHER_CTX_free(context)
      return nil
    }
    return context
  }

  deinit {
    EVP_CIPHER_CTX_free(context)
    #if canImport(CIPSecMB)
      if let block { shim_gcm_free(block) }
    #endif
  }

  /// Where the key's schedule lies, or what leads to it.
  var memory: UnsafeRawPointer? {
    #if canImport(CIPSecMB)
      if let block { return UnsafeRawPointer(block) }
    #endif
    return context.map { UnsafeRawPointer($0) }
  }

  /// Counter mode, in place. Encrypts and decrypts alike.
  func applyKeyStream(to bytes: UnsafeMutableBufferPointer<UInt8>, counter: UnsafePointer<UInt8>) -> Bool {
    guard EVP_EncryptInit_ex(context, nil, nil, nil, counter) == 1 else { return false }
    // OpenSSL takes a null pointer for "no output wanted".
    guard let base = bytes.baseAddress, bytes.count > 0 else { return true }
    var written: Int32 = 0
    return EVP_CipherUpdate(context, base, &written, base, Int32(truncatingIfNeeded: bytes.count)) == 1
  }

  /// AES-GCM, in place (RFC 5116): encrypts `bytes`, authenticates `prefix`, then `suffix`, with them; writes 16 bytes of tag.
  ///
  /// - Parameters:
  ///   - suffix: with one, `prefix` has 8 bytes.
  ///   - iv: its first 12 bytes are used.
  /// - Returns: false where OpenSSL failed.
  func seal(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, prefix: UnsafeBufferPointer<UInt8>, suffix: UInt32?,
    iv: InlineArray<16, UInt8>, tag: UnsafeMutablePointer<UInt8>
  ) -> Bool {
    apply(opens: false, bytes, prefix, suffix, iv, tag)
  }

  /// AES-GCM, in place: decrypts `bytes`; false where `tag`, 16 bytes, is not theirs and that of `prefix` and `suffix`. As for `seal`.
  func open(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, prefix: UnsafeBufferPointer<UInt8>, suffix: UInt32?,
    iv: InlineArray<16, UInt8>, tag: UnsafeMutablePointer<UInt8>
  ) -> Bool {
    apply(opens: true, bytes, prefix, suffix, iv, tag)
  }

  private func apply(
    opens: Bool, _ bytes: UnsafeMutableBufferPointer<UInt8>, _ prefix: UnsafeBufferPointer<UInt8>, _ suffix: UInt32?,
    _ iv: InlineArray<16, UInt8>, _ tag: UnsafeMutablePointer<UInt8>
  ) -> Bool {
    let (clear, start) = (prefix.baseAddress, bytes.baseAddress)
    return passing(iv, suffix) { iv, suffix in
      #if canImport(CIPSecMB)
        if let block {
          let (clearCount, count) = (UInt64(prefix.count), UInt64(bytes.count))
          return opens
            ? shim_gcm_block_open(block, iv, clear, clearCount, suffix, start, count, tag)
            : shim_gcm_block_seal(block, iv, clear, clearCount, suffix, start, count, tag)
        }
      #endif
      let (clearCount, count) = (Int32(truncatingIfNeeded: prefix.count), Int32(truncatingIfNeeded: bytes.count))
      return opens
        ? shim_gcm_open(context, iv, clear, clearCount, suffix, start, count, tag)
        : shim_gcm_seal(context, iv, clear, clearCount, suffix, start, count, tag)
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

#if canImport(CIPSecMB)
  /// The library as it was set up for this processor, once for the process; never changed after that.
  struct MultiBufferLibrary: @unchecked Sendable {
    static let shared = MultiBufferLibrary(pointer: shim_multi_buffer_library())

    let pointer: UnsafeMutablePointer<IMB_MGR>?
  }
#endif
