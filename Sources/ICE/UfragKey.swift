import Bytes

/// A user name fragment as a fixed-size value, for finding the session a first check is meant for without allocating.
@frozen public struct UfragKey: Hashable, Sendable {
  private var a: UInt64 = 0
  private var b: UInt64 = 0
  private var c: UInt64 = 0
  private var d: UInt64 = 0

  /// Nil for fewer than 4 or more than 32 bytes, and where a byte is none a fragment may have. (Ice-chars are never 0, so the
  /// length need not be kept.)
  public init?(_ ufrag: Span<UInt8>) {
    guard (4...32).contains(ufrag.count) else { return nil }
    for index in ufrag.indices {
      let byte = ufrag[index]
      guard ICECredentials.isICECharacter(byte) else { return nil }
      let bits = UInt64(byte) << UInt64(index & 7 &* 8)
      switch index >> 3 {
      case 0: a |= bits
      case 1: b |= bits
      case 2: c |= bits
      default: d |= bits
      }
    }
  }
}

/// Whose session a binding request is meant for: our own fragment, the first half of its USERNAME.
///
/// Nothing is authenticated yet; the session found by it does that. Nil for everything else than a well-formed binding request with
/// a USERNAME of two halves.
public func peekUsername(_ datagram: Span<UInt8>) -> UfragKey? {
  guard let message = STUNMessage(datagram), message.type == .bindingRequest, let username = message.username else {
    return nil
  }
  for index in username.indices where username[index] == UInt8(ascii: ":") {
    return UfragKey(username.extracting(0..<index))
  }
  return nil
}
