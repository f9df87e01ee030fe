import Bytes
import Timing

/// What goes out, and when.
extension ICEFullAgent {
  /// When `handleTimeout` wants to be called; nil where never.
  public var nextDeadline: Instant? {
    var deadline = Instant.distantFuture
    switch state {
    case .checking(let until), .disconnected(let until): deadline = until
    case .connected: break
    case .failed: return nil
    }
    if let selection { deadline = Swift.min(deadline, Swift.min(selection.consentExpiry, selection.nextCheck)) }
    for pair in pairs { deadline = Swift.min(deadline, pair.nextTransmission) }
    if nextCheck() != nil { deadline = Swift.min(deadline, nextPacedCheck) }
    if let nominateAt, role == .controlling, !isNominated { deadline = Swift.min(deadline, nominateAt) }
    return deadline == .distantFuture ? nil : deadline
  }

  /// Does everything that is due: checks, retransmissions, nomination, consent.
  public mutating func handleTimeout(at now: Instant, arena: inout PacketArena, outputs: inout [ICEOutput]) {
    guard !isFailed else { return }
    paths.expire(at: now)
    keepConsent(at: now, arena: &arena, outputs: &outputs)
    retransmit(at: now, arena: &arena, outputs: &outputs)
    nominate(at: now)
    if now >= nextPacedCheck, let index = nextCheck() {
      start(index, at: now, arena: &arena, outputs: &outputs)
      nextPacedCheck = now + ICETiming.pacing
    }
    switch state {
    case .checking(let until), .disconnected(let until):
      guard now >= until else { return }
      state = .failed
      pairs.removeAll()
      paths.removeAll()
      outputs.append(.failed)
    case .connected, .failed: break
    }
  }

  /// The pair to check next: triggered ones first, then by priority; nil where none waits.
  private func nextCheck() -> Int? {
    guard current.remoteKey != nil else { return nil }
    var best: Int?
    for index in pairs.indices where pairs[index].isTriggered || (pairs[index].state == .waiting && !isNominated) {
      guard let other = best else {
        best = index
        continue
      }
      let (a, b) = (pairs[index], pairs[other])
      let isBetter = a.isTriggered == b.isTriggered ? a.priority(as: role) > b.priority(as: role) : a.isTriggered
      if isBetter { best = index }
    }
    return best
  }

  /// Starts a new transaction on a pair.
  private mutating func start(_ index: Int, at now: Instant, arena: inout PacketArena, outputs: inout [ICEOutput]) {
    pairs[index].isTriggered = false
    pairs[index].state = .inProgress
    pairs[index].transaction = random.transactionID()
    pairs[index].roleAtSending = role
    pairs[index].transmissions = 0
    transmit(index, at: now, arena: &arena, outputs: &outputs)
  }

  private mutating func retransmit(at now: Instant, arena: inout PacketArena, outputs: inout [ICEOutput]) {
    for index in pairs.indices where pairs[index].nextTransmission <= now {
      if pairs[index].transmissions < ICETiming.transmissionsMax {
        transmit(index, at: now, arena: &arena, outputs: &outputs)
      } else {
        pairs[index].isNominating = false
        pairs[index].settle(.failed)
      }
    }
  }

  private mutating func transmit(_ index: Int, at now: Instant, arena: inout PacketArena, outputs: inout [ICEOutput]) {
    guard let transaction = pairs[index].transaction else { return }
    send(
      transaction, on: pairs[index].path, priority: pairs[index].checkPriority, as: pairs[index].roleAtSending,
      nominating: pairs[index].isNominating, under: current, arena: &arena, outputs: &outputs)
    let wait = ICETiming.retransmission * (1 << Int64(pairs[index].transmissions))
    pairs[index].transmissions &+= 1
    // After the last transmission the answer has sixteen times the first timeout (RFC 8489 section 6.2.1).
    let isLast = pairs[index].transmissions >= ICETiming.transmissionsMax
    pairs[index].nextTransmission = now + (isLast ? ICETiming.retransmission * 16 : wait)
  }

  private func send(
    _ transaction: STUNTransactionID, on path: TransportPath, priority: UInt32, as role: Role, nominating: Bool,
    under generation: ICEGeneration, arena: inout PacketArena, outputs: inout [ICEOutput]
  ) {
    guard let key = generation.remoteKey else { return }
    let tieBreaker = tieBreaker
    let capacity = 80 + STUN.usernameLengthMax
    let range = arena.append(capacity: Swift.min(capacity, 96 &+ generation.outgoingUsername.count)) { slot in
      let room = slot.count
      var writer = STUNWriter(slot._mutatingExtracting(0..<room), type: .bindingRequest, transactionID: transaction)
      writer.username(generation.outgoingUsername.span)
      writer.priority(priority)
      switch role {
      case .controlling: writer.controlling(tieBreaker)
      case .controlled: writer.controlled(tieBreaker)
      }
      if nominating { writer.useCandidate() }
      return writer.finish(key)
    }
    if let range { outputs.append(.send(range, path)) }
  }

  /// Picks the pair to nominate once the best one is valid or the wait for it is over (RFC 8445 section 8.1.1).
  private mutating func nominate(at now: Instant) {
    guard role == .controlling, !isNominated, !pairs.contains(where: \.isNominating) else { return }
    var best: Int?
    for index in pairs.indices where pairs[index].state == .succeeded {
      if let other = best, pairs[other].priority(as: role) >= pairs[index].priority(as: role) { continue }
      best = index
    }
    guard let best else {
      nominateAt = nil
      return
    }
    let isBest = !pairs.contains { pair in
      (pair.state == .waiting || pair.state == .inProgress) && pair.priority(as: role) > pairs[best].priority(as: role)
    }
    let deadline = nominateAt ?? now + ICETiming.nominationPatience
    nominateAt = deadline
    guard isBest || now >= deadline else { return }
    pairs[best].isNominating = true
    pairs[best].isTriggered = true
    nominateAt = nil
  }

  /// Sends the consent check that is due, and lets consent expire (RFC 7675 section 5.1).
  private mutating func keepConsent(at now: Instant, arena: inout PacketArena, outputs: inout [ICEOutput]) {
    guard var kept = selection else { return }
    guard now < kept.consentExpiry else {
      selection = nil
      isNominated = false
      nominateAt = nil
      state = .disconnected(until: now + patience)
      for index in pairs.indices {
        pairs[index].isNominating = false
        pairs[index].isNominatedByPeer = false
        pairs[index].settle(.waiting)
      }
      outputs.append(.disconnected)
      return
    }
    guard now >= kept.nextCheck else { return }
    let transaction = random.transactionID()
    kept.transactions = (transaction, kept.transactions.0)
    kept.nextCheck = now + consentPause()
    selection = kept
    send(
      transaction, on: kept.path, priority: kept.checkPriority, as: role, nominating: role == .controlling,
      under: kept.generation, arena: &arena, outputs: &outputs)
  }

  /// 0.8 to 1.2 times the interval, so that checks of many sessions do not fall together.
  private mutating func consentPause() -> Interval {
    let fifth = ICETiming.consentInterval / 5
    let jitter = random.number(below: UInt64(clamping: (fifth * 2).nanoseconds))
    return ICETiming.consentInterval + -fifth + .nanoseconds(Int64(clamping: jitter))
  }

  /// Sends media on a pair from now on.
  mutating func select(_ index: Int, at now: Instant, outputs: inout [ICEOutput]) {
    let pair = pairs[index]
    let before = selection?.path
    isNominated = true
    nominateAt = nil
    previous = nil
    selection = ICESelection(
      path: pair.path, checkPriority: pair.checkPriority, generation: current,
      consentExpiry: now + ICETiming.consentLifetime, nextCheck: now + consentPause())
    state = .connected
    // Other checks under way end here, but for those of pairs the peer nominated as well.
    for other in pairs.indices where pairs[other].state == .inProgress && !pairs[other].isNominatedByPeer {
      pairs[other].settle(.waiting)
    }
    guard before != pair.path else { return }
    outputs.append(before == nil ? .connected(pair.path) : .pathChanged(pair.path))
  }
}
