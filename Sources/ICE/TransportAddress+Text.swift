import Glibc

extension TransportAddress: LosslessStringConvertible {
  /// Parses `1.2.3.4:5` and `[::1]:5`; nil for everything else, names and IPv6 zones included.
  public init?(_ description: String) {
    guard let colon = description.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
    guard let port = Self.parsePort(description[description.index(after: colon)...]) else { return nil }
    let host = description[..<colon]
    if host.utf8.first == UInt8(ascii: "[") {
      guard host.utf8.last == UInt8(ascii: "]"), host.utf8.count > 2 else { return nil }
      let inner = host.dropFirst().dropLast()
      guard inner.utf8.contains(UInt8(ascii: ":")) else { return nil }
      self.init(host: inner, port: port)
    } else {
      guard !host.utf8.contains(UInt8(ascii: ":")) else { return nil }
      self.init(host: host, port: port)
    }
  }

  /// Parses an IP literal without brackets: `1.2.3.4` or `::1`; nil for everything else.
  public init?(host: some StringProtocol, port: UInt16) {
    // The C functions stop at NUL, and the longest literal has 45 characters.
    guard (2...45).contains(host.utf8.count), host.utf8.allSatisfy(Self.isLiteralByte) else { return nil }
    let text = String(host)
    if text.utf8.contains(UInt8(ascii: ":")) {
      var bytes = in6_addr()
      guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
      let (high, low) = withUnsafeBytes(of: &bytes) {
        ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      }
      self.init(ipv6High: UInt64(bigEndian: high), low: UInt64(bigEndian: low), port: port)
    } else {
      var address = in_addr()
      guard inet_pton(AF_INET, text, &address) == 1 else { return nil }
      self.init(ipv4: UInt32(bigEndian: address.s_addr), port: port)
    }
  }

  /// `1.2.3.4:5` or `[::1]:5`.
  public var description: String {
    switch family {
    case .ipv4: "\(host):\(port)"
    case .ipv6: "[\(host)]:\(port)"
    }
  }

  /// The IP literal alone, IPv6 without brackets and in the shortest form (RFC 5952).
  public var host: String {
    switch family {
    case .ipv4: "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)"
    case .ipv6: ipv6Text
    }
  }

  private var ipv6Text: String {
    let words = (0..<8).map { i in UInt16(truncatingIfNeeded: (i < 4 ? high : low) >> UInt64(48 - 16 * (i & 3))) }
    var longest = 0..<0
    var start = 0
    for end in 1...8 where end == 8 || (words[end] == 0) != (words[start] == 0) {
      if words[start] == 0, end - start > Swift.max(1, longest.count) { longest = start..<end }
      start = end
    }
    let text = { (range: Range<Int>) in words[range].map { String($0, radix: 16) }.joined(separator: ":") }
    return longest.isEmpty ? text(0..<8) : text(0..<longest.lowerBound) + "::" + text(longest.upperBound..<8)
  }

  private static func isLiteralByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
      UInt8(ascii: "."), UInt8(ascii: ":"):
      true
    default: false
    }
  }

  static func parsePort(_ text: some StringProtocol) -> UInt16? {
    guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return UInt16(text)
  }
}
