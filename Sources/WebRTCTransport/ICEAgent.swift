import Bytes
import ICE
import Timing

/// Either side of ICE behind one face. Two optionals rather than an enum, so that an agent is changed in place.
struct ICEAgent {
  private var lite: ICELiteAgent?
  private var full: ICEFullAgent?

  init(_ setup: PeerSetup, at now: Instant, using random: inout some RandomNumberGenerator) {
    switch setup.iceRole {
    case .lite: lite = ICELiteAgent(local: setup.localCredentials, remote: setup.remoteCredentials, at: now)
    case .controlling:
      var agent = ICEFullAgent(local: setup.localCredentials, remote: setup.remoteCredentials, at: now, using: &random)
      for candidate in setup.localCandidates { agent.addLocal(candidate) }
      for candidate in setup.remoteCandidates { agent.addRemote(candidate) }
      full = agent
    }
  }

  var selectedPath: TransportPath? { lite?.selectedPath ?? full?.selectedPath }
  var nextDeadline: Instant? { lite?.nextDeadline ?? full?.nextDeadline }
  var rejectedCount: Int { lite?.rejectedCount ?? full?.rejectedCount ?? 0 }

  func isValidated(_ path: TransportPath) -> Bool { lite?.isValidated(path) ?? full?.isValidated(path) ?? false }

  mutating func receive(
    _ datagram: Span<UInt8>, from path: TransportPath, at now: Instant, arena: inout PacketArena, outputs: inout [ICEOutput]
  ) {
    lite?.receive(datagram, from: path, at: now, arena: &arena, outputs: &outputs)
    full?.receive(datagram, from: path, at: now, arena: &arena, outputs: &outputs)
  }

  mutating func handleTimeout(at now: Instant, arena: inout PacketArena, outputs: inout [ICEOutput]) {
    lite?.handleTimeout(at: now, outputs: &outputs)
    full?.handleTimeout(at: now, arena: &arena, outputs: &outputs)
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
  }
}
