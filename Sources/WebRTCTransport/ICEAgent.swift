import Bytes
import ICE
import Timing

/// Either side of ICE behind one face. Two optionals rather than an enum, so that an agent is changed in place.
///
/// Asking an optional agent for anything copies all of it, more than a kilobyte; so what is asked for each packet is set down
/// whenever an agent may have changed, and asked where it lies, which takes a mutating function.
struct ICEAgent {
  private(set) var selectedPath: TransportPath?
  private(set) var nextDeadline: Instant?
  private var lite: ICELiteAgent?
  private var full: ICEFullAgent?

  init(_ setup: PeerSetup, at now: Instant, using random: inout some RandomNumberGenerator) {
    switch setup.iceRole {
    case .lite: lite = ICELiteAgent(local: setup.localCredentials, remote: setup.remoteCredentials, at: now)
    case .controlling:
      var agent = ICEFullAgent(local: setup.localCredentials, remote: setup.remoteCredentials, at: now, using: &random)
      for (socket, candidate) in setup.localCandidates.prefix(16).enumerated() {
        agent.addLocal(candidate, socket: UInt32(truncatingIfNeeded: socket))
      }
      for candidate in setup.remoteCandidates { agent.addRemote(candidate) }
      full = agent
    }
    setDown()
  }

  private mutating func setDown() {
    selectedPath = lite?.selectedPath ?? full?.selectedPath
    nextDeadline = lite?.nextDeadline ?? full?.nextDeadline
  }

  var rejectedCount: Int { lite?.rejectedCount ?? full?.rejectedCount ?? 0 }

  /// Our fragments under which checks count: the newest, and while it has led to no nomination the one before it that has.
  var localFragments: [UfragKey] {
    [lite?.previousLocalCredentials?.key, lite?.localCredentials.key ?? full?.localCredentials.key].compactMap { $0 }
  }

  mutating func isValidated(_ path: TransportPath) -> Bool {
    // The selected path is one of them.
    path == selectedPath || (lite?.isValidated(path) ?? full?.isValidated(path) ?? false)
  }

  mutating func receive(
    _ datagram: Span<UInt8>, from path: TransportPath, at now: Instant, arena: inout PacketArena, outputs: inout [ICEOutput]
  ) {
    lite?.receive(datagram, from: path, at: now, arena: &arena, outputs: &outputs)
    full?.receive(datagram, from: path, at: now, arena: &arena, outputs: &outputs)
    setDown()
  }

  /// The TCP connection a path stood for has ended.
  mutating func pathClosed(_ path: TransportPath, at now: Instant, outputs: inout [ICEOutput]) {
    lite?.pathClosed(path, at: now, outputs: &outputs)
    setDown()
  }

  mutating func handleTimeout(at now: Instant, arena: inout PacketArena, outputs: inout [ICEOutput]) {
    lite?.handleTimeout(at: now, outputs: &outputs)
    full?.handleTimeout(at: now, arena: &arena, outputs: &outputs)
    setDown()
  }

  /// Takes what a new negotiation of the session changed.
  mutating func update(from old: PeerSetup, to new: PeerSetup, at now: Instant) {
    let restarts = old.remoteCredentials != new.remoteCredentials
    if restarts {
      lite?.restart(local: new.localCredentials, remote: new.remoteCredentials, at: now)
      full?.restart(local: new.localCredentials, remote: new.remoteCredentials, at: now)
    }
    for candidate in new.remoteCandidates where restarts || !old.remoteCandidates.contains(candidate) {
      full?.addRemote(candidate)
    }
    setDown()
  }
}
