/// Priorities of candidates and pairs (RFC 8445 sections 5.1.2 and 6.1.2.3).
public enum ICEPriority {
  /// - Parameters:
  ///   - localPreference: which of several candidates of a kind is preferred; 65535 where there is but one.
  ///   - component: 1 to 256; RTP and RTCP on one port are component 1.
  public static func candidate(kind: ICECandidate.Kind, localPreference: UInt16 = 65535, component: UInt16 = 1) -> UInt32 {
    kind.typePreference << 24 | UInt32(localPreference) << 8 | (256 &- UInt32(Swift.min(component, 256))) & 0xFF
  }

  /// The local preference of a TCP candidate (RFC 6544 section 4.2).
  ///
  /// - Parameter other: 0 to 8191, which of several.
  public static func tcpLocalPreference(kind: ICECandidate.Kind, tcpType: ICECandidate.TCPType, other: UInt16 = 8191) -> UInt16
  {
    let direction: UInt16 =
      switch (kind, tcpType) {
      case (.host, .active), (.relayed, .active): 6
      case (.host, .passive), (.relayed, .passive): 4
      case (.host, .simultaneousOpen), (.relayed, .simultaneousOpen): 2
      case (_, .simultaneousOpen): 6
      case (_, .active): 4
      case (_, .passive): 2
      }
    return direction << 13 | other & 0x1FFF
  }

  /// The priority of a pair from those of its candidates.
  public static func pair(controlling: UInt32, controlled: UInt32) -> UInt64 {
    let (low, high) = (UInt64(Swift.min(controlling, controlled)), UInt64(Swift.max(controlling, controlled)))
    return low << 32 &+ high << 1 &+ (controlling > controlled ? 1 : 0)
  }
}
