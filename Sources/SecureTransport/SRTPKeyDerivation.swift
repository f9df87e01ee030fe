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
  guard let context = CipherContext(keyStream: master.key) else { return nil }
  var bytes = [UInt8](repeating: 0, count: count)
  let done = bytes.withUnsafeMutableBufferPointer { context.applyKeyStream(to: $0, counter: counter) }
  return done ? bytes : nil
}
