import Bytes
import CongestionControl
import EncodedMedia
import Timing

/// Who receives which output, and the frames on their way to them.
///
///     frame ─▶ packets, once ─▶ sound: everybody           ─▶ PeerSession
///                            └▶ pictures: PictureReception ─▶ PeerSession
extension Endpoint {
  mutating func subscribeToSound(_ id: PeerID, _ output: OutputID?) {
    guard let peer = peers[id], peer.audio != output else { return }
    if let old = peer.audio { leave(old, peer) }
    peer.audio = output
    peer.session.soundWillChange()
    if let output { join(output, peer, rung: 0) }
  }

  /// - Parameter ladder: what the peer can be given of pictures; nil for none.
  mutating func subscribe(
    _ id: PeerID, to ladder: VideoLadder?, at now: Instant, into outputs: inout PeerOutputs,
    flush: (inout PeerOutputs) -> Void
  ) {
    guard let peer = peers[id], peer.pictures?.ladder != ladder else { return }
    guard let ladder, !ladder.rungs.isEmpty else {
      for output in peer.pictures?.joined ?? [] { leave(output, peer) }
      peer.pictures = nil
      peer.session.pacePictures(expecting: nil, at: now)
      return
    }
    let expected = ladder.isAutomatic ? 0 : ladder.rungs[0].layers.last?.bitsPerSecond ?? 0
    peer.session.pacePictures(expecting: ladder.isMeasured ? expected : nil, floor: ladder.floor, at: now)
    let previous = peer.pictures
    let isUnsure = peer.session.isPathUnsure
    peer.pictures = PictureReception(
      ladder, estimate: isUnsure ? nil : peer.session.pictureEstimate, maximum: peer.session.pictureMaximum, after: previous)
    if ladder.isAutomatic, previous == nil, isUnsure { peer.pictures?.wait(at: now) }
    // An output he keeps is never without a receiver meanwhile: it would begin its numbers anew.
    for output in previous?.joined ?? [] {
      if let rung = ladder.index(of: output) { self.outputs[output]?.place(peer, onRung: rung) }
    }
    settle(peer, at: now)
    if previous?.forwardedOutput != nil, peer.pictures?.choice.chosen.rung == nil {
      peer.observer.peer(peer.id, didSwitchTo: nil)
    }
    schedule(peer)
    if previous == nil { tellMeasurements(of: peer) }
    giveFirstPicture(peer, at: now, into: &outputs, flush: flush)
  }

  /// Sends who waits for his first picture what is at hand, or asks for it.
  private mutating func giveFirstPicture(
    _ peer: Peer, at now: Instant, into outputs: inout PeerOutputs, flush: (inout PeerOutputs) -> Void
  ) {
    guard let awaited = peer.pictures?.awaitedOutput, let entry = self.outputs[awaited] else { return }
    if !catchUp(peer, entry, awaited, at: now, into: &outputs, flush: flush) {
      requestFirstKeyframe(of: entry, awaited, for: peer, at: now)
    }
  }

  /// Has the peer join and leave outputs so that it receives what was chosen for it, and asks for the keyframe it is to begin with.
  private mutating func settle(_ peer: Peer, at now: Instant) {
    guard let pictures = peer.pictures else { return }
    for output in pictures.joined where !pictures.isWanted(output) { leave(output, peer) }
    for output in [pictures.forwardedOutput, pictures.awaitedOutput] {
      guard let output, !pictures.joined.contains(output), let rung = pictures.ladder.index(of: output) else { continue }
      join(output, peer, rung: rung)
    }
    if pictures.ladder.isMeasured { want(for: peer) }
    // Who begins may find a keyframe at hand.
    if pictures.hasPicture, let awaited = pictures.awaitedOutput, let entry = outputs[awaited] {
      requestFirstKeyframe(of: entry, awaited, for: peer, at: now)
    }
  }

  /// The peer may have told something of its path: chooses again what it is given.
  mutating func adaptPictures(of peer: Peer, at now: Instant) {
    guard peer.pictures?.patienceEnd == nil else {
      // He may begin: at the end of this turn.
      if !peer.session.isPathUnsure { schedule(peer, now) }
      return
    }
    let news = peer.session.takePathNews()
    guard news.isNew || peer.pictures?.isRiseDue(at: now) == true, peer.pictures?.ladder.isMeasured == true,
      !peer.session.isPathUnsure
    else { return }
    let before = peer.pictures?.choice.forwardedRung
    let estimate = peer.session.pictureEstimate
    let bytesSent = peer.session.pictureBytesSent
    let hasChanged =
      peer.pictures?.update(estimate: estimate, bytesSent: bytesSent, wasProbed: news.wasProbed, at: now) ?? false
    if peer.pictures?.ladder.isAutomatic == false { peer.session.paceAtLeast(peer.pictures?.floor ?? 0, at: now) }
    // What sound takes may have changed, if nothing else has.
    want(for: peer)
    guard hasChanged else { return schedule(peer, peer.pictures?.choice.riseDeadline) }
    if before != nil, peer.pictures?.choice.forwardedRung == nil { peer.session.removeUnsentPictures() }
    settle(peer, at: now)
    if before != nil, peer.pictures?.choice.chosen.rung == nil { peer.observer.peer(peer.id, didSwitchTo: nil) }
  }

  /// Who has a connection again goes on with a keyframe where he missed pictures: it is asked for, since the next may be long in coming.
  func resumePictures(of peer: Peer, at now: Instant) {
    guard let pictures = peer.pictures, pictures.hasPicture, let awaited = pictures.awaitedOutput, let output = outputs[awaited]
    else { return }
    requestFirstKeyframe(of: output, awaited, for: peer, at: now)
  }

  /// Has who waited to learn of his path begin, once something is known of it. His sound may have to change for it.
  mutating func beginPictures(
    of peer: Peer, at now: Instant, into outputs: inout PeerOutputs, flush: (inout PeerOutputs) -> Void
  ) {
    let estimate = peer.session.isPathUnsure ? nil : peer.session.pictureEstimate
    guard peer.pictures?.begin(estimate: estimate, maximum: peer.session.pictureMaximum, at: now) == true else { return }
    settle(peer, at: now)
    tellMeasurements(of: peer)
    giveFirstPicture(peer, at: now, into: &outputs, flush: flush)
  }

  private func want(for peer: Peer) {
    // Asked where it lies: a copy of the choice would be counted in each of its arrays.
    guard let wanted = peer.pictures?.choice.wantedBitsPerSecond, let least = peer.pictures?.choice.ladder.least else { return }
    peer.session.wantPictures(wanted, least: least)
  }

  private mutating func join(_ id: OutputID, _ peer: Peer, rung: Int) {
    let output = outputs[id] ?? Output()
    output.receivers.append(.init(peer: peer, rung: rung))
    outputs[id] = output
    guard peer.audio != id else { return }
    peer.pictures?.note(id, isReceiver: true)
    peer.observer.peer(peer.id, isReceiver: true, of: id)
  }

  mutating func leave(_ id: OutputID, _ peer: Peer) {
    if let output = outputs[id] {
      output.receivers.removeAll { $0.peer === peer }
      if output.receivers.isEmpty { outputs[id] = nil }
    }
    guard peer.audio != id else { return }
    peer.pictures?.note(id, isReceiver: false)
    peer.observer.peer(peer.id, isReceiver: false, of: id)
  }

  // MARK: Frames

  mutating func send(
    _ frame: EncodedFrame, _ id: OutputID, at now: Instant, into outputs: inout PeerOutputs,
    flush: (inout PeerOutputs) -> Void
  ) {
    guard let output = self.outputs[id], !output.receivers.isEmpty else { return }
    let packetized = output.packetizer.packetize(frame)
    if frame.codec.kind == .video {
      releaseHeld(id, at: now, into: &outputs, flush: flush)
      if hold(packetized, output, id, at: now) { return }
      sendPictures(packetized, output, id, at: now, into: &outputs, flush: flush)
    } else {
      output.cadence.sent(sampledAt: frame.time, at: now)
      if !held.isEmpty, sendTogether(packetized, output, id, at: now, into: &outputs, flush: flush) { return }
      for (index, receiver) in output.receivers.enumerated() {
        output.prefetch(after: index, .audio)
        _ = send(packetized, to: receiver.peer, at: now, into: &outputs, flush: flush)
      }
    }
  }

  /// Has all who receive an output wait for its next keyframe, because pictures of it were lost, and asks for that.
  mutating func interrupt(
    _ id: OutputID, at now: Instant, into outputs: inout PeerOutputs, flush: (inout PeerOutputs) -> Void
  ) {
    // A picture that waits is of before the loss.
    releaseHeld(id, at: now, into: &outputs, flush: flush)
    guard let output = self.outputs[id] else { return }
    output.recent.removeAll()
    for receiver in output.receivers {
      receiver.peer.pictures?.interrupted(receiver.rung)
      guard receiver.peer.pictures?.awaitedOutput == id else { continue }
      requestFirstKeyframe(of: output, id, for: receiver.peer, at: now)
    }
  }

  /// Sends a picture to all who receive its output.
  ///
  /// - Parameter sound: what is sent right behind it to those who receive that.
  /// - Returns: how many were sent the sound.
  @discardableResult
  mutating func sendPictures(
    _ frame: PacketizedFrame, _ output: Output, _ id: OutputID, with sound: (frame: PacketizedFrame, output: OutputID)? = nil,
    at now: Instant, into outputs: inout PeerOutputs, flush: (inout PeerOutputs) -> Void
  ) -> Int {
    output.recent.append(frame)
    var served = 0
    var majority = MajorityVote<OutputID>()
    for (index, receiver) in output.receivers.enumerated() {
      output.prefetch(after: index, .video)
      if sound != nil { output.prefetch(after: index, .audio) }
      let peer = receiver.peer
      majority.add(peer.audio)
      guard peer.session.isConnected else {
        peer.pictures?.missed(frame, of: receiver.rung)
        continue
      }
      sendPicture(frame, output, id, to: peer, rung: receiver.rung, at: now, into: &outputs, flush: flush)
      // Who changes from one rung to another receives both.
      guard let sound, peer.audio == sound.output, peer.lastJoint != jointFrames else { continue }
      peer.lastJoint = jointFrames
      served &+= 1
      _ = send(sound.frame, to: peer, at: now, into: &outputs, flush: flush)
    }
    output.companion = majority.winner
    return served
  }

  private mutating func sendPicture(
    _ frame: PacketizedFrame, _ output: Output, _ id: OutputID, to peer: Peer, rung: Int, at now: Instant,
    into outputs: inout PeerOutputs, flush: (inout PeerOutputs) -> Void
  ) {
    switch peer.pictures?.judge(frame, of: rung) {
    case nil, .leftOut: break
    case .forwarded:
      if send(frame, to: peer, at: now, into: &outputs, flush: flush) {
        peer.pictures?.sent(frame)
      } else {
        peer.pictures?.refused(frame)
      }
    case .awaited:
      if frame.isKeyframe {
        begin(peer, with: frame, of: rung, id, at: now, into: &outputs, flush: flush)
      } else if !catchUp(peer, output, id, at: now, into: &outputs, flush: flush) {
        requestFirstKeyframe(of: output, id, for: peer, at: now)
      }
    }
  }

  /// Switches a peer to the output it waits for, unless its path has no room even for that yet.
  private mutating func begin(
    _ peer: Peer, with frame: PacketizedFrame, of rung: Int, _ id: OutputID, at now: Instant,
    into outputs: inout PeerOutputs, flush: (inout PeerOutputs) -> Void
  ) {
    peer.session.removeUnsentPictures()
    peer.session.sourceWillChange(.video)
    guard send(frame, to: peer, at: now, into: &outputs, flush: flush) else {
      peer.pictures?.refused(frame)
      return
    }
    let before = peer.pictures?.joined.count ?? 0
    peer.pictures?.begins(with: frame, of: rung)
    if before > 1 { settle(peer, at: now) }
    peer.observer.peer(peer.id, didSwitchTo: id)
  }

  /// Sends who waits for his first picture the last keyframe and what followed; false where that is not at hand, or more than his path
  /// takes at once.
  private mutating func catchUp(
    _ peer: Peer, _ output: Output, _ id: OutputID, at now: Instant, into outputs: inout PeerOutputs,
    flush: (inout PeerOutputs) -> Void
  ) -> Bool {
    guard let pictures = peer.pictures, !pictures.hasPicture, pictures.awaitedOutput == id,
      let rung = pictures.choice.awaitedRung, peer.session.isConnected, let keyframe = output.recent.frames.first,
      peer.session.hasRoom(forBurst: output.recent.byteCount)
    else { return false }
    begin(peer, with: keyframe, of: rung, id, at: now, into: &outputs, flush: flush)
    for frame in output.recent.frames.dropFirst() {
      sendPicture(frame, output, id, to: peer, rung: rung, at: now, into: &outputs, flush: flush)
    }
    return true
  }

  /// - Returns: false for a picture that found no room on the peer's path.
  mutating func send(
    _ frame: PacketizedFrame, to peer: Peer, at now: Instant, into outputs: inout PeerOutputs,
    flush: (inout PeerOutputs) -> Void
  ) -> Bool {
    // Audio may carry copies of earlier frames, as much as goes into a packet.
    let copies = frame.codec.kind == .audio ? PeerSession.packetSizeMax : 0
    if !outputs.takes(frame.bytes.count &+ frame.ranges.count &* 200 &+ copies) { flush(&outputs) }
    let isSent = peer.session.send(frame, at: now, into: &outputs)
    // Sound waits for nothing.
    if frame.codec.kind == .video, let deadline = peer.session.pacingDeadline {
      schedule(peer, max(deadline, now + .milliseconds(1)))
    }
    return isSent
  }

  /// Asks for a keyframe that a receiver is to begin with, at most once a second for all of them.
  private func requestFirstKeyframe(of output: Output, _ id: OutputID, for peer: Peer, at now: Instant) {
    guard peer.session.isConnected else { return }
    if let last = output.lastRequest, now - last < Self.keyframePatience { return }
    output.lastRequest = now
    peer.observer.peer(peer.id, needsKeyframeOf: id)
  }
}
