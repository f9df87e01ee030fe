/// A protection profile negotiated by use_srtp (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
public enum SRTPProfile: UInt16, Sendable, CaseIterable, CustomStringConvertible {
  case aes128CMHMACSHA1_80 = 0x0001
  case aeadAES128GCM = 0x0007

  /// All there are, the one that costs least first.
  public static let byPreference: [SRTPProfile] = [.aeadAES128GCM, .aes128CMHMACSHA1_80]

  /// Bytes of a master key, the same in both profiles.
  public static let masterKeyByteCount = 16

  /// Bytes of a master salt.
  public var masterSaltByteCount: Int { self == .aeadAES128GCM ? 12 : 14 }

  /// Bytes protection adds to an RTP packet.
  public var rtpOverhead: Int { self == .aeadAES128GCM ? 16 : 10 }

  /// Bytes protection adds to an RTCP packet: the tag and the index.
  public var rtcpOverhead: Int { rtpOverhead + 4 }

  /// The name IANA registered, as statistics show it.
  public var description: String {
    switch self {
    case .aes128CMHMACSHA1_80: "SRTP_AES128_CM_HMAC_SHA1_80"
    case .aeadAES128GCM: "SRTP_AEAD_AES_128_GCM"
    }
  }
}

/// Master key and master salt of one direction.
public struct SRTPMasterKey: Sendable, Equatable {
  /// 16 bytes.
  public let key: [UInt8]
  /// 14 bytes, or 12 with AES-GCM.
  public let salt: [UInt8]

  /// Nil where a length is not the profile's.
  public init?(key: [UInt8], salt: [UInt8], profile: SRTPProfile) {
    guard key.count == SRTPProfile.masterKeyByteCount, salt.count == profile.masterSaltByteCount else { return nil }
    self.key = key
    self.salt = salt
  }
}

/// What a finished handshake leaves: the profile and a master key for each direction.
public struct SRTPKeys: Sendable, Equatable {
  public let profile: SRTPProfile
  /// Protects what we send.
  public let local: SRTPMasterKey
  /// Protects what the peer sends.
  public let remote: SRTPMasterKey

  public init(profile: SRTPProfile, local: SRTPMasterKey, remote: SRTPMasterKey) {
    self.profile = profile
    self.local = local
    self.remote = remote
  }

  /// How many bytes to export under the label EXTRACTOR-dtls_srtp.
  static func exportedByteCount(_ profile: SRTPProfile) -> Int {
    2 * (SRTPProfile.masterKeyByteCount + profile.masterSaltByteCount)
  }

  /// Takes the exported bytes apart: client key, server key, client salt, server salt (RFC 5764 section 4.2).
  init?(exported: [UInt8], profile: SRTPProfile, weAreClient: Bool) {
    let key = SRTPProfile.masterKeyByteCount
    let salt = profile.masterSaltByteCount
    guard exported.count == 2 * (key + salt),
      let client = SRTPMasterKey(
        key: [UInt8](exported[0..<key]), salt: [UInt8](exported[(2 * key)..<(2 * key + salt)]), profile: profile),
      let server = SRTPMasterKey(
        key: [UInt8](exported[key..<(2 * key)]), salt: [UInt8](exported[(2 * key + salt)...]), profile: profile)
    else { return nil }
    self.init(profile: profile, local: weAreClient ? client : server, remote: weAreClient ? server : client)
  }
}
