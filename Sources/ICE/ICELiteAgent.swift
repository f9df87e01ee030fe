import Bytes
import Timing

/// The server's side of ICE: answers checks, sends none, and follows what the peer nominates (RFC 8445 lite, RFC 7675).
///
///     connecting ──nominated──▶ connected ──30 s without a check───────────────────────▶ failed
///         │                         └──its TCP connection closed, or a restart──▶ disconnected ─▲
///         └──────────────────────────patience───────────────────────────────────────────────────┘
///
/// Driven by `receive` for every STUN datagram, `handleTimeout` at `nextDeadline`. Only a request with the whole USERNAME
/// `ours:theirs` and the right MESSAGE-INTEGRITY is answered or changes anything; all else meets silence. Each transaction counts
/// once (`TransactionRing`). USE-CANDIDATE moves media to the path it came on, whether the peer nominates once or with every check;
/// the newest nomination counts. While an ICE restart is under way checks under both sets of credentials count, until a path is
/// nominated under the new ones.
public struct ICELiteAgent: Sendable {
  private enum State {
    case connecting(until: Instant)
    case connected
    case disconnected(until: Instant)
    case failed
  }

  private var state: State
  private var current: ICEGeneration
  /// What was in force before a restart, until a path is nominated under `current`.
  private var previous: ICEGeneration?
  private var paths = ValidatedPaths()
  private var seen = TransactionRing()
  /// Where media was sent last; an ordinary check from there ends `disconnected`.
  private var lastSelected: TransportPath?
  private let patience: Interval
  private let returnPatience: Interval

  /// Where to send; nil before a nomination and while consent is missing.
  public private(set) var selectedPath: TransportPath?
  /// Datagrams that met silence, for statistics.
  public private(set) var rejectedCount = 0

  /// - Parameters:
  ///   - remote: nil where our offer has no answer yet; until `setRemote` no check can be authenticated.
  ///   - patience: how long the peer has for its first nomination, and for one after a restart.
  ///   - returnPatience: how long it has for another path where the connection under the selected one has closed.
  public init(
    local: ICECredentials, remote: ICECredentials?, at now: Instant, patience: Interval = ICETiming.patience,
    returnPatience: Interval = ICETiming.returnPatience
  ) {
    self.current = ICEGeneration(local: local, remote: remote)
    self.patience = patience
    self.returnPatience = returnPatience
    self.state = .connecting(until: now + patience)
  }

  /// The credentials our description carries now.
  public var localCredentials: ICECredentials { current.local }
  /// Those from before the restart, while checks under them still count: both fragments lead to this agent.
  public var previousLocalCredentials: ICECredentials? { previous?.local }

  /// Takes the credentials of the peer's description.
  public mutating func setRemote(_ remote: ICECredentials) { current.setRemote(remote) }

  /// Starts an ICE restart. Media stays where it is until the peer nominates a path under the new credentials.
  public mutating func restart(local: ICECredentials, remote: ICECredentials?, at now: Instant) {
    // A second restart before the first one led to a nomination: what carries media is still the older generation.
    if previous == nil { previous = current }
    current = ICEGeneration(local: local, remote: remote)
    switch state {
    case .connected: break
    case .connecting, .disconnected, .failed: state = .connecting(until: now + patience)
    }
  }

  /// Whether an authenticated check came on this path within the last 30 s, so that DTLS and SRTP from it may be looked at.
  public func isValidated(_ path: TransportPath) -> Bool { selectedPath == path || paths.contains(path) }

  public var isFailed: Bool {
    if case .failed = state { true } else { false }
  }

  /// Takes one STUN datagram; an answer is built in `arena` and told in `outputs`.
  public mutating func receive(
    _ datagram: Span<UInt8>, from path: TransportPath, at now: Instant, arena: inout PacketArena, outputs: inout [ICEOutput]
  ) {
    guard !isFailed, let request = STUNMessage(datagram), request.type == .bindingRequest,
      request.hasValidFingerprint != false, let isCurrent = generation(of: request)
    else {
      rejectedCount &+= 1
      return
    }
    let key = isCurrent ? current.localKey : (previous ?? current).localKey
    let answer = take(request, from: path, isCurrent: isCurrent, at: now, outputs: &outputs)
    guard let answer else {
      rejectedCount &+= 1
      return
    }
    ICEResponse.send(answer, to: request, on: path, key: key, arena: &arena, outputs: &outputs)
  }

  /// Which credentials the request proves to know: true for the current ones, false for those before the restart, else nil.
  private func generation(of request: borrowing STUNMessage) -> Bool? {
    if current.authenticates(request) { return true }
    if let previous, previous.authenticates(request) { return false }
    return nil
  }

  /// Lets an authenticated request take effect; nil where it is to meet silence.
  private mutating func take(
    _ request: borrowing STUNMessage, from path: TransportPath, isCurrent: Bool, at now: Instant, outputs: inout [ICEOutput]
  ) -> ICEResponse.Answer? {
    if request.unknownAttributeCount > 0 { return .unknownAttribute }
    // A lite agent is always controlled; the peer is to switch.
    if request.controlled != nil { return .roleConflict }
    switch seen.note(request.transactionID, from: path) {
    case .replayed: return nil
    case .retransmitted: return .success
    case .fresh: break
    }
    paths.note(path, at: now, nominated: request.useCandidate, keeping: selectedPath)
    if request.useCandidate || (selectedPath == nil && path == lastSelected) {
      if isCurrent, request.useCandidate { previous = nil }
      select(path, outputs: &outputs)
    }
    return .success
  }

  private mutating func select(_ path: TransportPath, outputs: inout [ICEOutput]) {
    guard selectedPath != path else { return }
    outputs.append(selectedPath == nil ? .connected(path) : .pathChanged(path))
    selectedPath = path
    lastSelected = path
    state = .connected
  }

  /// When `handleTimeout` wants to be called; nil where never.
  public var nextDeadline: Instant? {
    switch state {
    case .connecting(let until), .disconnected(let until): Swift.min(until, paths.nextExpiry ?? until)
    case .connected: paths.nextExpiry
    case .failed: nil
    }
  }

  /// Lets paths expire and time run out.
  public mutating func handleTimeout(at now: Instant, outputs: inout [ICEOutput]) {
    paths.expire(at: now)
    switch state {
    case .connecting(let until), .disconnected(let until):
      if now >= until { fail(outputs: &outputs) }
    case .connected: leaveLostPath(at: now, hasExpired: true, outputs: &outputs)
    case .failed: break
    }
  }

  /// Forgets a path at once: its TCP connection has closed.
  public mutating func pathClosed(_ path: TransportPath, at now: Instant, outputs: inout [ICEOutput]) {
    paths.remove(path)
    if case .connected = state { leaveLostPath(at: now, hasExpired: false, outputs: &outputs) }
  }

  /// Where the selected path is gone: goes on with the one checked last of those nominated earlier, else stops sending.
  ///
  /// Who has not checked for 30 s has seen his own consent expire and cannot come back but by a restart; if none is under way, it is
  /// over. Whose connection closed a moment ago may be about to open another.
  private mutating func leaveLostPath(at now: Instant, hasExpired: Bool, outputs: inout [ICEOutput]) {
    guard let path = selectedPath, !paths.contains(path) else { return }
    if let other = paths.freshestNominated { return select(other, outputs: &outputs) }
    selectedPath = nil
    if hasExpired, previous == nil { return fail(outputs: &outputs) }
    state = .disconnected(until: now + (hasExpired ? patience : returnPatience))
    outputs.append(.disconnected)
  }

  private mutating func fail(outputs: inout [ICEOutput]) {
    state = .failed
    paths.removeAll()
    outputs.append(.failed)
  }
}
