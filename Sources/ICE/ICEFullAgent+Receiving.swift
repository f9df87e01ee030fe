import Bytes
import Timing

/// What comes in.
extension ICEFullAgent {
  /// Takes one STUN datagram; answers and checks are built in `arena` and told in `outputs`.
  public mutating func receive(
    _ datagram: Span<UInt8>, from path: TransportPath, at now: Instant, arena: inout PacketArena, outputs: inout [ICEOutput]
  ) {
    guard !isFailed, let message = STUNMessage(datagram), message.hasValidFingerprint != false,
      take(message, from: path, at: now, arena: &arena, outputs: &outputs)
    else {
      rejectedCount &+= 1
      return
    }
    handleTimeout(at: now, arena: &arena, outputs: &outputs)
  }

  /// False where the message proved nothing and changed nothing.
  private mutating func take(
    _ message: borrowing STUNMessage, from path: TransportPath, at now: Instant, arena: inout PacketArena,
    outputs: inout [ICEOutput]
  ) -> Bool {
    switch message.type {
    case .bindingRequest: takeRequest(message, from: path, at: now, arena: &arena, outputs: &outputs)
    case .bindingSuccess, .bindingError:
      takeConsent(message, from: path, at: now) || takeResponse(message, from: path, at: now, outputs: &outputs)
    default: false
    }
  }

  private mutating func takeRequest(
    _ request: borrowing STUNMessage, from path: TransportPath, at now: Instant, arena: inout PacketArena,
    outputs: inout [ICEOutput]
  ) -> Bool {
    let isCurrent = current.authenticates(request)
    guard isCurrent || previous?.authenticates(request) == true else { return false }
    let key = isCurrent ? current.localKey : (previous ?? current).localKey
    let answer: ICEResponse.Answer
    if request.unknownAttributeCount > 0 {
      answer = .unknownAttribute
    } else if !settleRoles(request) {
      answer = .roleConflict
    } else {
      switch seen.note(request.transactionID, from: path) {
      case .replayed: return false
      case .retransmitted: break
      case .fresh: takeFresh(request, from: path, isCurrent: isCurrent, at: now, outputs: &outputs)
      }
      answer = .success
    }
    ICEResponse.send(answer, to: request, on: path, key: key, arena: &arena, outputs: &outputs)
    return true
  }

  /// RFC 8445 section 7.3.1.1: changes our role where the peer's tie-breaker wins; false where the peer is to change its own.
  private mutating func settleRoles(_ request: borrowing STUNMessage) -> Bool {
    switch role {
    case .controlling:
      guard let theirs = request.controlling else { return true }
      if tieBreaker >= theirs { return false }
      become(.controlled)
    case .controlled:
      guard let theirs = request.controlled else { return true }
      if tieBreaker < theirs { return false }
      become(.controlling)
    }
    return true
  }

  private mutating func become(_ role: Role) {
    self.role = role
    for index in pairs.indices {
      pairs[index].isNominating = false
      pairs[index].isNominatedByPeer = false
    }
    nominateAt = nil
  }

  /// Lets a check of the peer's take effect: it may reveal an address, nominate, and calls for a check of ours (section 7.3.1).
  private mutating func takeFresh(
    _ request: borrowing STUNMessage, from path: TransportPath, isCurrent: Bool, at now: Instant, outputs: inout [ICEOutput]
  ) {
    paths.note(path, at: now, nominated: request.useCandidate, keeping: selection?.path)
    guard isCurrent, let index = pairIndex(for: path, priority: request.priority ?? 1) else { return }
    let isNomination = request.useCandidate && role == .controlled
    switch pairs[index].state {
    case .succeeded:
      if isNomination { select(index, at: now, outputs: &outputs) }
    case .inProgress:
      if isNomination { pairs[index].isNominatedByPeer = true }
      if pairs[index].transmissions > 1 { pairs[index].nextTransmission = now }
    case .waiting, .failed:
      if isNomination { pairs[index].isNominatedByPeer = true }
      pairs[index].isTriggered = true
    }
  }

  /// The pair of a path; a new one where the peer's address is not known yet.
  private mutating func pairIndex(for path: TransportPath, priority: UInt32) -> Int? {
    if let index = pairs.firstIndex(where: { $0.path == path }) { return index }
    guard path.transport == .udp, let local = locals.first(where: { $0.socket == path.socket }) else { return nil }
    return pair(local, Remote(address: path.remote, priority: priority))
  }

  /// Takes an answer to a consent check; false where it is none.
  private mutating func takeConsent(_ response: borrowing STUNMessage, from path: TransportPath, at now: Instant) -> Bool {
    guard let kept = selection, kept.path == path, response.type == .bindingSuccess,
      response.unknownAttributeCount == 0,
      kept.transactions.0 == response.transactionID || kept.transactions.1 == response.transactionID,
      let key = kept.generation.remoteKey, response.verifyIntegrity(key)
    else { return false }
    selection?.transactions = (nil, nil)
    selection?.consentExpiry = now + ICETiming.consentLifetime
    paths.note(path, at: now, nominated: true, keeping: path)
    return true
  }

  /// Takes an answer to a connectivity check (section 7.2.5); false where it is none.
  private mutating func takeResponse(
    _ response: borrowing STUNMessage, from path: TransportPath, at now: Instant, outputs: inout [ICEOutput]
  ) -> Bool {
    let id = response.transactionID
    // An answer from elsewhere than where the check went proves nothing (section 7.2.5.2.1). The pair is not failed by it, or
    // whoever can copy an answer could fail every pair; a path that does not work both ways fails by running out of time.
    guard let index = pairs.firstIndex(where: { $0.transaction == id }), let key = current.remoteKey,
      pairs[index].path == path, response.unknownAttributeCount == 0, response.verifyIntegrity(key)
    else { return false }
    if response.type == .bindingError {
      takeError(response.errorCode, of: index)
      return true
    }
    paths.note(path, at: now, nominated: false, keeping: selection?.path)
    pairs[index].settle(.succeeded)
    if pairs[index].isNominating || (pairs[index].isNominatedByPeer && role == .controlled) {
      pairs[index].isNominating = false
      pairs[index].isNominatedByPeer = false
      select(index, at: now, outputs: &outputs)
    }
    return true
  }

  private mutating func takeError(_ code: UInt16?, of index: Int) {
    guard code == 487 else {
      pairs[index].isNominating = false
      pairs[index].settle(.failed)
      return
    }
    // The peer has our role and the greater tie-breaker. Only one of several such answers changes anything.
    if role == pairs[index].roleAtSending { become(role.opposite) }
    pairs[index].settle(.waiting)
    pairs[index].isTriggered = true
  }
}
