import Bytes
import ICE
import Synchronization
import WebRTCTransport

/// Of several loops on one port, which has the peer a datagram is meant for.
///
/// The kernel chooses who reads a datagram by its addresses and knows nothing of peers:
///
///     datagram ─kernel─▶ any loop ─ a peer of its own? ─▶ PeerSession
///                                 └▶ LoopDirectory: fragment of a check, else path ─▶ the loop that has the peer
///
/// Fragments are known as soon as a peer is added and until its loop says that a restart has done away with them, paths as soon as a check
/// from there was authenticated and before it is answered.
final class LoopDirectory: Sendable {
  private struct Entries {
    var loops: [NetworkLoop] = []
    var fragments: [UfragKey: Int] = [:]
    /// UDP alone: a TCP connection is handed over whole.
    var paths: [TransportPath: Int] = [:]
  }

  private let entries = Mutex(Entries())

  /// From now on datagrams are handed over; to none once `loops` is empty.
  func set(_ loops: [NetworkLoop]) {
    entries.withLock { $0.loops = loops }
  }

  /// The loop that a datagram is meant for which the loop with number `index` has nobody for; nil where no other has.
  func loop(for datagram: Span<UInt8>, from path: TransportPath, besides index: Int) -> NetworkLoop? {
    let named = peekUsername(datagram)
    return entries.withLock { entries in
      guard let owner = named.map({ entries.fragments[$0] }) ?? entries.paths[path], owner != index,
        entries.loops.indices.contains(owner)
      else { return nil }
      return entries.loops[owner]
    }
  }

  func add(_ fragment: UfragKey, of index: Int) { entries.withLock { $0.fragments[fragment] = index } }
  func remove(_ fragment: UfragKey) { entries.withLock { $0.fragments[fragment] = nil } }
  func contains(_ fragment: UfragKey) -> Bool { entries.withLock { $0.fragments[fragment] != nil } }

  fileprivate func claim(_ path: TransportPath, for index: Int) -> Bool {
    let other: NetworkLoop? = entries.withLock { entries in
      guard let owner = entries.paths[path], owner != index else {
        entries.paths[path] = index
        return nil
      }
      return entries.loops.indices.contains(owner) ? entries.loops[owner] : nil
    }
    other?.yield(path)
    return other == nil
  }

  fileprivate func release(_ path: TransportPath, of index: Int) {
    entries.withLock { if $0.paths[path] == index { $0.paths[path] = nil } }
  }

  fileprivate func release(_ fragment: UfragKey, of index: Int) {
    entries.withLock { if $0.fragments[fragment] == index { $0.fragments[fragment] = nil } }
  }
}

/// One loop's place among those that share its port.
final class LoopPlace: PathRegistry {
  private let directory: LoopDirectory
  private let index: Int

  init(_ index: Int, in directory: LoopDirectory) { (self.index, self.directory) = (index, directory) }

  /// The other loop that a datagram is meant for; nil where there is none.
  func loop(for datagram: Span<UInt8>, from path: TransportPath) -> NetworkLoop? {
    directory.loop(for: datagram, from: path, besides: index)
  }

  func claim(_ path: TransportPath) -> Bool { path.transport == .tcp || directory.claim(path, for: index) }
  func release(_ path: TransportPath) {
    if path.transport == .udp { directory.release(path, of: index) }
  }
  func release(_ fragment: UfragKey) { directory.release(fragment, of: index) }
}
