import EncodedMedia
import Timing

/// A picture on its way to many, that waits for sound to leave with.
struct HeldPicture {
  let frame: PacketizedFrame
  /// It waits no longer.
  let end: Instant
}

/// When the sound of an output is due next, by when the last came and how far apart they are.
struct SoundCadence {
  private var last: (sent: Instant, sampled: Instant)?
  /// Between the last two; zero where they are no neighbours.
  private var spacing = Interval.zero

  /// The longest packets of Opus that are common; what comes more seldom is a pause.
  private static let spacingMax = Interval.milliseconds(60)
  /// How late sound may be before it is taken to pause: a turn of the loop and what mixing varies by.
  static let lateness = Interval.milliseconds(4)

  mutating func sent(sampledAt sampled: Instant, at now: Instant) {
    let apart = last.map { sampled - $0.sampled } ?? .zero
    spacing = apart <= Self.spacingMax ? apart : .zero
    last = (now, sampled)
  }

  /// When the next is due, perhaps a little ago; nil where none is to be expected.
  func due(at now: Instant) -> Instant? {
    guard let last, spacing > .zero else { return nil }
    let due = last.sent + spacing
    return now - due <= Self.lateness ? due : nil
  }
}

/// What more than half of many say, found in one pass without counting each: Boyer and Moore, "MJRTY", 1981. Where nothing has that
/// many voices, one of those that were heard.
struct MajorityVote<Choice: Equatable> {
  private(set) var winner: Choice?
  private var lead = 0

  mutating func add(_ choice: Choice?) {
    if lead == 0 { winner = choice }
    lead &+= winner == choice ? 1 : -1
  }
}

/// Pictures for many leave together with the sound that is due next.
///
///     picture ─▶ held ─┐
///     sound ───────────┴▶ for each receiver: picture, sound ─▶ one message for the kernel
///
/// Handing the kernel a message costs several times what cutting one more packet off it does, and a receiver's memory is gone through
/// once for both. Of 50 packets of sound and 30 pictures a second 30 messages of 80 are saved. A picture waits for that as long as
/// sound is apart, and sound for nothing: whoever is among a few is sent pictures as they come.
extension Endpoint {
  /// The longest that a picture waits: from one packet of sound to the next.
  static let heldMax = Interval.milliseconds(20)

  /// Keeps a picture until sound comes to leave with; false where it should leave now.
  mutating func hold(_ frame: PacketizedFrame, _ output: Output, _ id: OutputID, at now: Instant) -> Bool {
    guard output.receivers.count >= audienceMin, let companion = output.companion,
      let due = outputs[companion]?.cadence.due(at: now), due - now <= Self.heldMax
    else { return false }
    output.held = HeldPicture(frame: frame, end: max(due, now) + SoundCadence.lateness)
    held.append(id)
    return true
  }

  /// Sends the picture of an output that waits, if there is one.
  mutating func releaseHeld(
    _ id: OutputID, at now: Instant, into outputs: inout PeerOutputs, flush: (inout PeerOutputs) -> Void
  ) {
    guard let index = held.firstIndex(of: id) else { return }
    held.remove(at: index)
    guard let output = self.outputs[id], let picture = output.takeHeld() else { return }
    sendPictures(picture.frame, output, id, at: now, into: &outputs, flush: flush)
  }

  /// Sends the pictures whose sound did not come.
  mutating func releaseOverdue(at now: Instant, into outputs: inout PeerOutputs, flush: (inout PeerOutputs) -> Void) {
    for id in held where self.outputs[id]?.held.map({ $0.end <= now }) ?? true {
      releaseHeld(id, at: now, into: &outputs, flush: flush)
    }
  }

  /// When a picture that waits has waited long enough; nil where none does.
  var nextHeldEnd: Instant? { held.compactMap { outputs[$0]?.held?.end }.min() }

  /// Sends sound to all who receive it, and before it to each of them the pictures that waited for it.
  ///
  /// - Returns: false where none did, and nothing was sent.
  mutating func sendTogether(
    _ frame: PacketizedFrame, _ output: Output, _ id: OutputID, at now: Instant, into outputs: inout PeerOutputs,
    flush: (inout PeerOutputs) -> Void
  ) -> Bool {
    guard held.contains(where: { self.outputs[$0]?.companion == id }) else { return false }
    jointFrames &+= 1
    var served = 0
    for pictures in held {
      guard let shown = self.outputs[pictures], shown.companion == id, let picture = shown.takeHeld() else { continue }
      served &+= sendPictures(picture.frame, shown, pictures, with: (frame, id), at: now, into: &outputs, flush: flush)
    }
    held.removeAll { self.outputs[$0]?.held == nil }
    guard served < output.receivers.count else { return true }
    for receiver in output.receivers where receiver.peer.lastJoint != jointFrames {
      _ = send(frame, to: receiver.peer, at: now, into: &outputs, flush: flush)
    }
    return true
  }
}
