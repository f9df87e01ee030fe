import Timing

/// What an agent wants done or known, in order.
@frozen public enum ICEOutput: Hashable, Sendable {
  /// Send the datagram that lies at this range of the arena.
  case send(Range<Int>, TransportPath)
  /// A path was nominated, for the first time or again after `disconnected`: send there.
  case connected(TransportPath)
  /// Another path was nominated, or the one before it expired: send there from now on.
  case pathChanged(TransportPath)
  /// The path is lost and another may still come: send nothing until `connected`.
  case disconnected
  /// No path was found in time, or the peer's consent has expired (RFC 7675): send nothing any more.
  case failed
}

/// Times of RFC 8445, RFC 7675 and RFC 8863.
public enum ICETiming {
  /// How long a check vouches for its path (RFC 7675 section 5.1).
  public static let consentLifetime = Interval.seconds(30)
  /// The mean time between consent checks; each is drawn from 0.8 to 1.2 times this.
  public static let consentInterval = Interval.seconds(5)
  /// Ta: the least time between new checks (RFC 8445 section 14.2).
  public static let pacing = Interval.milliseconds(50)
  /// The first retransmission timeout, doubled at each (RFC 8445 section 14.3).
  public static let retransmission = Interval.milliseconds(500)
  /// How often a check is sent in all before its pair fails.
  public static let transmissionsMax = 7
  /// How long a controlling agent with a valid pair waits for a better one.
  public static let nominationPatience = Interval.milliseconds(150)
  /// How long an agent goes on trying: at least 39.5 s, since more candidates may follow (RFC 8863 section 4).
  public static let patience = Interval.seconds(40)
  /// How long a peer whose connection closed under it has to come by another: ten seconds to notice, and a restart.
  public static let returnPatience = Interval.seconds(20)
}
