/// How many datagrams before its turn the peer of one is expected, so that his memory is asked for ahead: thrice, since where something
/// lies is known only from what was asked for before.
public enum PeerDistance: Int, CaseIterable, Sendable {
  /// Time to look up where the path leads.
  case far = 9
  /// Time to ask for the peer.
  case middle = 6
  /// Time to ask for what the peer leads to.
  case near = 3
}
