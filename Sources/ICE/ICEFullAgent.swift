import Bytes
import Timing

/// The client's side of ICE: checks every pair of its candidates and the peer's, nominates one, keeps the peer's consent (RFC 8445,
/// RFC 7675).
///
///     checking ──a pair nominated──▶ connected ──30 s without an answer──▶ disconnected (checks again) ──▶ failed
///        └──────────patience──────────────────────────────────────────────────────────────────────────────▲
///
/// For one component with RTP and RTCP multiplexed, over UDP sockets of its owner's. Driven by `receive` for every STUN datagram
/// and `handleTimeout` at `nextDeadline`, which does all that is due; candidates and credentials may come at any time in any order.
/// Nomination is regular: a valid pair is checked once more with USE-CANDIDATE. Consent checks of a controlling agent repeat
/// USE-CANDIDATE, so that a peer follows at once when a NAT gives us another address.
public struct ICEFullAgent: Sendable {
  /// Who nominates (RFC 8445 section 6.1.1).
  public enum Role: Hashable, Sendable {
    case controlling
    case controlled

    var opposite: Role { self == .controlling ? .controlled : .controlling }
  }

  enum State {
    case checking(until: Instant)
    case connected
    case disconnected(until: Instant)
    case failed
  }

  struct Local {
    var socket: UInt32
    var family: TransportAddress.Family
    var priority: UInt32
  }

  struct Remote {
    var address: TransportAddress
    var priority: UInt32
  }

  /// More than this RFC 8445 section 6.1.2.5 does not want.
  static let pairsMax = 100
  static let remotesMax = 32
  static let localsMax = 16

  /// Who nominates; changes where both sides thought the same.
  public internal(set) var role: Role
  /// Datagrams that met silence, for statistics.
  public internal(set) var rejectedCount = 0

  let tieBreaker: UInt64
  let patience: Interval
  var state: State
  var current: ICEGeneration
  /// What was in force before a restart, until a pair is nominated under `current`.
  var previous: ICEGeneration?
  var locals: [Local] = []
  var remotes: [Remote] = []
  var pairs: [ICEPair] = []
  var selection: ICESelection?
  /// Whether a pair was nominated under `current`: then only triggered checks go out.
  var isNominated = false
  /// When the best valid pair is nominated though better ones are still being checked; nil before the first is valid.
  var nominateAt: Instant?
  var nextPacedCheck: Instant
  var paths = ValidatedPaths()
  var seen = TransactionRing()
  var random: ICERandom

  /// - Parameters:
  ///   - role: controlling where we offered or the peer is lite.
  ///   - remote: nil while the peer's description is awaited; checks start with `setRemote`.
  ///   - random: draws the tie-breaker and the secret behind transaction ids; cryptographically secure but for simulations.
  public init(
    role: Role = .controlling, local: ICECredentials, remote: ICECredentials? = nil, at now: Instant,
    patience: Interval = ICETiming.patience, using random: inout some RandomNumberGenerator
  ) {
    self.role = role
    self.patience = patience
    self.tieBreaker = random.next()
    self.random = ICERandom(using: &random)
    self.current = ICEGeneration(local: local, remote: remote)
    self.state = .checking(until: now + patience)
    self.nextPacedCheck = now
  }

  /// The credentials our description carries now.
  public var localCredentials: ICECredentials { current.local }
  /// Where to send; nil before a nomination and while consent is missing.
  public var selectedPath: TransportPath? { selection?.path }
  /// Whether an authenticated check or answer came on this path within the last 30 s, so that DTLS and SRTP from it may be looked at.
  public func isValidated(_ path: TransportPath) -> Bool { selection?.path == path || paths.contains(path) }

  public var isFailed: Bool {
    if case .failed = state { true } else { false }
  }

  /// Takes the credentials of the peer's description.
  public mutating func setRemote(_ remote: ICECredentials) { current.setRemote(remote) }

  /// Adds a host candidate of ours.
  ///
  /// - Parameter socket: the number of the UDP socket bound to its address. One candidate a socket; TCP ones are passed over.
  public mutating func addLocal(_ candidate: ICECandidate, socket: UInt32 = 0) {
    guard candidate.transport == .udp, locals.count < Self.localsMax, !locals.contains(where: { $0.socket == socket }) else {
      return
    }
    let local = Local(socket: socket, family: candidate.address.family, priority: candidate.priority)
    locals.append(local)
    for remote in remotes { pair(local, remote) }
  }

  /// Adds a candidate of the peer's, from its description or trickled later.
  ///
  /// Passed over are TCP candidates (connections are nothing an agent over UDP opens), other components than the first,
  /// candidates told for other credentials, unusable addresses and those beyond the 32nd.
  public mutating func addRemote(_ candidate: ICECandidate) {
    guard candidate.transport == .udp, candidate.component == 1, candidate.address.isUsableAsDestination else { return }
    if let ufrag = candidate.ufrag, let expected = current.remoteUfrag, ufrag != expected { return }
    guard remotes.count < Self.remotesMax, !remotes.contains(where: { $0.address == candidate.address }) else { return }
    let remote = Remote(address: candidate.address, priority: candidate.priority)
    remotes.append(remote)
    for local in locals { pair(local, remote) }
  }

  /// Starts an ICE restart: new credentials, no remote candidates, a fresh check list.
  ///
  /// Media stays where it is, with its consent checks under the old credentials, until a pair is nominated under the new ones.
  public mutating func restart(local: ICECredentials, remote: ICECredentials?, at now: Instant) {
    if previous == nil { previous = current }
    current = ICEGeneration(local: local, remote: remote)
    remotes.removeAll()
    pairs.removeAll()
    isNominated = false
    nominateAt = nil
    switch state {
    case .connected: break
    case .checking, .disconnected, .failed: state = .checking(until: now + patience)
    }
  }

  @discardableResult
  mutating func pair(_ local: Local, _ remote: Remote) -> Int? {
    guard local.family == remote.address.family, pairs.count < Self.pairsMax else { return nil }
    let path = TransportPath(transport: .udp, socket: local.socket, remote: remote.address)
    if let known = pairs.firstIndex(where: { $0.path == path }) { return known }
    pairs.append(ICEPair(path: path, localPriority: local.priority, remotePriority: remote.priority))
    return pairs.count &- 1
  }
}
