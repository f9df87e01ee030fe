import Timing

/// One line of a full agent's check list (RFC 8445 section 6.1.2.6).
///
/// There is one component and one stream, so that "frozen" is left out: every pair starts waiting, and pacing keeps the order.
struct ICEPair: Sendable {
  enum State: Sendable {
    case waiting
    case inProgress
    case succeeded
    case failed
  }

  let path: TransportPath
  let localPriority: UInt32
  let remotePriority: UInt32
  var state = State.waiting
  /// A check is to go out before all ordinary ones: the peer's own check just came on this path (section 7.3.1.4).
  var isTriggered = false
  /// The controlling peer nominated the pair before our own check of it succeeded.
  var isNominatedByPeer = false
  /// The check under way carries USE-CANDIDATE.
  var isNominating = false

  /// The check under way.
  var transaction: STUNTransactionID?
  var roleAtSending = ICEFullAgent.Role.controlling
  var transmissions = 0
  var nextTransmission = Instant.distantFuture

  init(path: TransportPath, localPriority: UInt32, remotePriority: UInt32) {
    self.path = path
    self.localPriority = localPriority
    self.remotePriority = remotePriority
  }

  func priority(as role: ICEFullAgent.Role) -> UInt64 {
    switch role {
    case .controlling: ICEPriority.pair(controlling: localPriority, controlled: remotePriority)
    case .controlled: ICEPriority.pair(controlling: remotePriority, controlled: localPriority)
    }
  }

  /// The PRIORITY a check carries: that of the peer-reflexive candidate it may reveal (section 7.1.1).
  var checkPriority: UInt32 { ICECandidate.Kind.peerReflexive.typePreference << 24 | localPriority & 0x00FF_FFFF }

  /// Ends the check under way.
  mutating func settle(_ state: State) {
    self.state = state
    transaction = nil
    nextTransmission = .distantFuture
  }
}

/// The path a full agent sends on, with what keeps it (RFC 7675).
struct ICESelection: Sendable {
  let path: TransportPath
  let checkPriority: UInt32
  /// The credentials the path was nominated under; during a restart not the newest.
  var generation: ICEGeneration
  var consentExpiry: Instant
  var nextCheck: Instant
  /// The checks whose answer would renew consent: those of the last 10 s or so.
  var transactions: (STUNTransactionID?, STUNTransactionID?) = (nil, nil)
}
