import COpenSSL

/// Encrypts and authenticates, or checks and decrypts, packets of one direction and kind, RTP or RTCP, whose index the caller knows.
///
/// Keys depend on the direction only, SSRC and index enter by the initialization vector, so one context serves all streams. Lies
/// within its owner: with hundreds of peers each step to another object is one to memory that no cache holds.
struct SRTPCipher: ~Copyable {
  let profile: SRTPProfile
  private let cipher: CipherContext
  /// With AES-GCM there is none.
  private let mac: MessageAuthenticator?
  private let batchKey: SRTPBatchKey
  private let salt: InlineArray<16, UInt8>

  /// - Parameter opens: whether it is to check and decrypt rather than protect.
  /// Nil where there is no memory.
  init?(_ master: SRTPMasterKey, profile: SRTPProfile, rtcp: Bool, opens: Bool = false, library: CipherLibrary = .fastest) {
    guard let keys = SRTPSessionKeys(master, profile: profile, rtcp: rtcp) else { return nil }
    let cipher =
      switch profile {
      case .aeadAES128GCM: CipherContext(gcm: keys.encryption, decrypts: opens, library: library)
      case .aes128CMHMACSHA1_80: CipherContext(keyStream: keys.encryption)
      }
    guard let cipher else { return nil }
    self.profile = profile
    self.cipher = cipher
    self.salt = .init { $0 < keys.salt.count ? keys.salt[$0] : 0 }
    guard profile == .aes128CMHMACSHA1_80 else {
      mac = nil
      batchKey = SRTPBatchKey()
      return
    }
    let mac = MessageAuthenticator(key: keys.authentication)
    batchKey = rtcp || opens ? SRTPBatchKey() : mac.makeBatchKey(encryption: keys.encryption, library: library)
    self.mac = consume mac
  }

  /// Where the key's schedule lies, or what leads to it, and how many bytes of that are needed.
  var memory: (start: UnsafeRawPointer?, byteCount: Int) {
    // OpenSSL does not say where a context's key schedule and hash table are: allocated after it, they mostly follow it.
    batchKey.memory ?? (cipher.memory, 1024)
  }

  /// Has an RTP packet of `count` bytes protected together with others; false where that cannot be, and it is to be protected at once.
  ///
  /// - Parameter start: where it begins in the block that the batch is sealed in; there is room for the tag.
  func protectRTP(
    at start: Int, count: Int, fields: RTPFields, rollOverCounter: UInt32, with batch: inout SRTPBatch
  ) -> Bool {
    guard batchKey.isThere else { return false }
    let counter = counterIV(ssrc: fields.ssrc, index: UInt64(rollOverCounter) << 16 | UInt64(fields.sequenceNumber))
    return batch.add(
      batchKey, counter: counter, word: rollOverCounter, start: start, payload: start &+ fields.payloadOffset,
      end: start &+ count)
  }

  /// Protects an RTP packet of `count` bytes in place; `bytes` has room for the tag. False where OpenSSL failed.
  func protectRTP(
    _ bytes: UnsafeMutableBufferPointer<UInt8>, count: Int, fields: RTPFields, rollOverCounter: UInt32
  ) -> Bool {
    guard let base = bytes.baseAddress else { return false }
    let offset = fields.payloadOffset
    let payload = UnsafeMutableBufferPointer(start: base + offset, count: count &- offset)
    let header = UnsafeBufferPointer(start: UnsafePointer(base), count: offset)
    let index = UInt64(rollOverCounter) << 16 | UInt64(fields.sequenceNumber)
    switch profile {
    case .aeadAES128GCM:
      let iv = gcmIV(ssrc: fields.ssrc, index: index)
      return cipher.seal(payload, prefix: header, suffix: nil, iv: iv, tag: base + count)
    case .aes128CMHMACSHA1_80:
      guard applyKeyStream(to: payload, ssrc: fields.ssrc, index: index) else { return false }
      mac?.writeTag(of: base, count: count, word: rollOverCounter, to: base + count)
      return true
    }
  }

  /// Protects an RTCP packet of `count` bytes in place; `bytes` has room for index and tag. False where OpenSSL failed.
  func protectRTCP(_ bytes: UnsafeMutableBufferPointer<UInt8>, count: Int, ssrc: UInt32, index: UInt32) -> Bool {
    guard let base = bytes.baseAddress else { return false }
    let offset = RTCPFields.headerByteCount
    let payload = UnsafeMutableBufferPointer(start: base + offset, count: count &- offset)
    let header = UnsafeBufferPointer(start: UnsafePointer(base), count: offset)
    // The E bit: the packet is encrypted (RFC 3711 section 3.4).
    let word = 0x8000_0000 | index
    switch profile {
    case .aeadAES128GCM:
      let iv = gcmIV(ssrc: ssrc, index: UInt64(index))
      let sealed = cipher.seal(payload, prefix: header, suffix: word, iv: iv, tag: base + count)
      write(word, to: base + count + 16)
      return sealed
    case .aes128CMHMACSHA1_80:
      guard applyKeyStream(to: payload, ssrc: ssrc, index: UInt64(index)) else { return false }
      write(word, to: base + count)
      mac?.writeTag(of: base, count: count, word: word, to: base + count + 4)
      return true
    }
  }

  /// Checks the RTP packet that fills `bytes` and decrypts its payload in place; false where it is not authentic.
  func openRTP(_ bytes: UnsafeMutableBufferPointer<UInt8>, fields: RTPFields, rollOverCounter: UInt32) -> Bool {
    let offset = fields.payloadOffset
    let count = bytes.count &- profile.rtpOverhead
    guard let base = bytes.baseAddress, offset <= count else { return false }
    let payload = UnsafeMutableBufferPointer(start: base + offset, count: count &- offset)
    let index = UInt64(rollOverCounter) << 16 | UInt64(fields.sequenceNumber)
    switch profile {
    case .aeadAES128GCM:
      let iv = gcmIV(ssrc: fields.ssrc, index: index)
      let header = UnsafeBufferPointer(start: UnsafePointer(base), count: offset)
      return cipher.open(payload, prefix: header, suffix: nil, iv: iv, tag: base + count)
    case .aes128CMHMACSHA1_80:
      guard hasTag(base, count: count, word: rollOverCounter, tag: base + count) else { return false }
      return applyKeyStream(to: payload, ssrc: fields.ssrc, index: index)
    }
  }

  /// Checks the RTCP packet that fills `bytes` and decrypts it in place; false where it is not authentic.
  ///
  /// - Parameter word: the E bit and the index, as the packet has them.
  func openRTCP(_ bytes: UnsafeMutableBufferPointer<UInt8>, ssrc: UInt32, word: UInt32) -> Bool {
    let offset = RTCPFields.headerByteCount
    let count = bytes.count &- profile.rtcpOverhead
    guard let base = bytes.baseAddress, offset <= count else { return false }
    let payload = UnsafeMutableBufferPointer(start: base + offset, count: count &- offset)
    let index = UInt64(word & 0x7FFF_FFFF)
    switch profile {
    case .aeadAES128GCM:
      let iv = gcmIV(ssrc: ssrc, index: index)
      let header = UnsafeBufferPointer(start: UnsafePointer(base), count: offset)
      return cipher.open(payload, prefix: header, suffix: word, iv: iv, tag: base + count)
    case .aes128CMHMACSHA1_80:
      guard hasTag(base, count: count, word: word, tag: base + count + 4) else { return false }
      return applyKeyStream(to: payload, ssrc: ssrc, index: index)
    }
  }

  /// Whether 10 bytes are the HMAC of a packet and a word behind it; takes the same time whether they are or not.
  private func hasTag(_ packet: UnsafePointer<UInt8>, count: Int, word: UInt32, tag: UnsafePointer<UInt8>) -> Bool {
    var right: InlineArray<10, UInt8> = .init(repeating: 0)
    var span = right.mutableSpan
    return span.withUnsafeMutableBufferPointer { right in
      guard let right = right.baseAddress else { return false }
      mac?.writeTag(of: packet, count: count, word: word, to: right)
      return CRYPTO_memcmp(right, tag, 10) == 0
    }
  }

  private func applyKeyStream(to payload: UnsafeMutableBufferPointer<UInt8>, ssrc: UInt32, index: UInt64) -> Bool {
    let counter = counterIV(ssrc: ssrc, index: index)
    return counter.span.withUnsafeBufferPointer { counter in
      guard let counter = counter.baseAddress else { return false }
      return cipher.applyKeyStream(to: payload, counter: counter)
    }
  }

  /// (salt × 2^16) XOR (SSRC × 2^64) XOR (index × 2^16) (RFC 3711 section 4.1.1).
  private func counterIV(ssrc: UInt32, index: UInt64) -> InlineArray<16, UInt8> {
    var iv = salt
    for i in 0..<4 { iv[4 + i] ^= UInt8(truncatingIfNeeded: ssrc >> (24 - 8 * UInt32(i))) }
    for i in 0..<6 { iv[8 + i] ^= UInt8(truncatingIfNeeded: index >> (40 - 8 * UInt64(i))) }
    return iv
  }

  /// Two zeros, SSRC and 48 bits of index, XOR salt (RFC 7714 sections 8.1 and 9.1); the first 12 bytes are the vector.
  private func gcmIV(ssrc: UInt32, index: UInt64) -> InlineArray<16, UInt8> {
    var iv = salt
    for i in 0..<4 { iv[2 + i] ^= UInt8(truncatingIfNeeded: ssrc >> (24 - 8 * UInt32(i))) }
    for i in 0..<6 { iv[6 + i] ^= UInt8(truncatingIfNeeded: index >> (40 - 8 * UInt64(i))) }
    return iv
  }

  private func write(_ word: UInt32, to place: UnsafeMutablePointer<UInt8>) {
    for i in 0..<4 { place[i] = UInt8(truncatingIfNeeded: word >> (24 - 8 * UInt32(i))) }
  }
}

/// HMAC-SHA1 with its key hashed once (RFC 3711 section 4.2.1).
private struct MessageAuthenticator: ~Copyable {
  private let state = UnsafeMutablePointer<UInt32>.allocate(capacity: 10)

  init(key: [UInt8]) {
    state.initialize(repeating: 0, count: 10)
    shim_hmac_sha1_set_key(state, key, key.count)
  }

  deinit {
    OPENSSL_cleanse(state, 40)
    state.deallocate()
  }

  /// The same for many packets at once, with what encrypts them.
  func makeBatchKey(encryption: [UInt8], library: CipherLibrary) -> SRTPBatchKey {
    SRTPBatchKey(encryption: encryption, hmac: state, library: library)
  }

  /// Writes 10 bytes: what is left of the digest of a packet and a word behind it.
  func writeTag(of packet: UnsafePointer<UInt8>, count: Int, word: UInt32, to tag: UnsafeMutablePointer<UInt8>) {
    shim_hmac_sha1_with_suffix(state, packet, count, word, tag, 10)
  }
}
