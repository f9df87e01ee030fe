import ICE

/// Where several endpoints share a port: which paths and fragments lead to peers of which of them.
///
/// Asked seldom, when one is learned or forgotten. A path leads to one endpoint at most, so that nobody can send checks in the name
/// of a participant elsewhere and cut him off.
public protocol PathRegistry: AnyObject, Sendable {
  /// A path is to lead here from now on.
  ///
  /// - Returns: false where it leads elsewhere; that endpoint is asked to `yield` it, and may have when the next check comes.
  func claim(_ path: TransportPath) -> Bool
  /// The path leads here no more.
  func release(_ path: TransportPath)
  /// A fragment of ours leads here no more: a restart took its place.
  func release(_ fragment: UfragKey)
}
