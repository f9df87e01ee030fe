import COpenSSL

/// The digest of a certificate by which a session description names its peer (RFC 8122 section 5).
public struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
  /// The hash functions accepted; SHA-256 is the one we offer ourselves.
  public enum Algorithm: String, Sendable, CaseIterable {
    case sha1 = "sha-1"
    case sha256 = "sha-256"
    case sha384 = "sha-384"
    case sha512 = "sha-512"

    /// Bytes of a digest.
    public var byteCount: Int {
      switch self {
      case .sha1: 20
      case .sha256: 32
      case .sha384: 48
      case .sha512: 64
      }
    }

    var digest: OpaquePointer? {
      switch self {
      case .sha1: EVP_sha1()
      case .sha256: EVP_sha256()
      case .sha384: EVP_sha384()
      case .sha512: EVP_sha512()
      }
    }
  }

  public let algorithm: Algorithm
  /// The digest, `algorithm.byteCount` bytes.
  public let bytes: [UInt8]

  /// Nil where the digest has not the length of its algorithm.
  public init?(algorithm: Algorithm, bytes: [UInt8]) {
    guard bytes.count == algorithm.byteCount else { return nil }
    self.algorithm = algorithm
    self.bytes = bytes
  }

  /// Parses the value of `a=fingerprint`: "sha-256 AB:CD:…", in any case; nil where it is anything else.
  public init?(_ attribute: some StringProtocol) {
    let parts = attribute.split(separator: " ", omittingEmptySubsequences: true)
    guard parts.count == 2, let algorithm = Algorithm(rawValue: parts[0].lowercased()) else { return nil }
    let octets = parts[1].split(separator: ":", omittingEmptySubsequences: false)
    guard octets.count == algorithm.byteCount else { return nil }
    var bytes: [UInt8] = []
    for octet in octets {
      guard octet.utf8.count == 2, octet.utf8.allSatisfy(isHexDigit), let byte = UInt8(octet, radix: 16) else { return nil }
      bytes.append(byte)
    }
    self.init(algorithm: algorithm, bytes: bytes)
  }

  /// The digest of a DER-encoded certificate in memory of OpenSSL.
  init?(of certificate: OpaquePointer, by algorithm: Algorithm) {
    var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    guard X509_digest(certificate, algorithm.digest, &bytes, &count) == 1 else { return nil }
    self.init(algorithm: algorithm, bytes: [UInt8](bytes.prefix(Int(count))))
  }

  /// As SDP prints it: "sha-256 AB:CD:…".
  public var description: String {
    let digits = Array("0123456789ABCDEF")
    return algorithm.rawValue + " " + bytes.map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined(separator: ":")
  }

  /// Equality in a time that does not tell how many bytes agree.
  public static func == (a: Fingerprint, b: Fingerprint) -> Bool {
    a.algorithm == b.algorithm && a.bytes.count == b.bytes.count && CRYPTO_memcmp(a.bytes, b.bytes, a.bytes.count) == 0
  }
}

private func isHexDigit(_ character: UInt8) -> Bool {
  switch character {
  case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
  default: false
  }
}
