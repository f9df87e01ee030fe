import CongestionControl
import EncodedMedia
import Timing

/// What one peer is given of pictures: which rung of his ladder, and which of its frames.
///
///     estimate ─▶ RungChoice ─▶ rung forwarded, rung awaited     frame ─▶ LayerForwarding ─▶ sent or left out
struct PictureReception {
  /// What is to become of a frame.
  enum Verdict {
    case leftOut
    /// It is of the rung that is awaited: he is switched to it if it is a keyframe.
    case awaited
    case forwarded
  }

  // First what each frame is judged by.
  /// Until when he is given no picture, because the first probe will soon tell which suits him; nil once it did.
  private(set) var patienceEnd: Instant?
  private var layers = LayerForwarding()
  private(set) var choice: RungChoice { didSet { layers.layersMax = choice.forwardedLayers } }
  let ladder: VideoLadder
  /// The outputs he counts as a receiver of: what he is sent and what he waits for.
  private(set) var joined: [OutputID] = []
  /// Whether he was ever sent a picture: frames of the past would be behind what he has.
  var hasPicture = false
  /// Since when the base layer of an output he named is thought not to fit, and what had been sent then; nil while it is.
  private var tight: (since: Instant, bytesSent: Int)?
  /// Whether it did not for long.
  private var lacksRoom = false
  /// Frames that were not sent for want of room, those above his layers not counted.
  private(set) var framesRefused = 0

  /// Bytes from its beginning that `judge` goes through.
  static let judgingByteCount = MemoryLayout<Instant?>.stride &+ MemoryLayout<LayerForwarding>.stride &+ 64

  /// - Parameters:
  ///   - estimate: of what the path carries of pictures, in bits per second; nil for the least of them, where it is soon to be told.
  ///   - maximum: what he wants at most, in bits per second.
  ///   - previous: what he was given before; a rung that is in both ladders goes on, and what he joined he has joined still.
  init(_ ladder: VideoLadder, estimate: Int?, maximum: Int = .max, after previous: PictureReception?) {
    self.ladder = ladder
    let steps = ladder.steps
    let kept = previous?.forwardedOutput.flatMap { ladder.index(of: $0) }
    choice = RungChoice(steps, estimate: ladder.isAutomatic ? min(estimate ?? steps.least, maximum) : .max, forwarding: kept)
    if kept != nil, let previous { layers = previous.layers }
    layers.layersMax = choice.forwardedLayers
    joined = previous?.joined ?? []
    hasPicture = previous?.hasPicture ?? false
    // Who waits to learn of his path waits no longer because there is another output.
    patienceEnd = previous?.patienceEnd
  }

  /// How long the first probe is waited for: on a line of 40 kb/s it takes 0.3 s behind as much of handshake and sound; then its round
  /// trip, and what a receiver takes to tell.
  static let patience = Interval.milliseconds(1_500)

  /// Gives him nothing before something is told of his path, or for too long nothing is.
  mutating func wait(at now: Instant) { patienceEnd = now + Self.patience }

  /// Begins with what suits him, if it is time; with the least of pictures where still nothing is known.
  ///
  /// - Parameters:
  ///   - estimate: nil where nothing is known yet.
  ///   - maximum: what he wants at most, in bits per second.
  /// - Returns: whether he begins now.
  mutating func begin(estimate: Int?, maximum: Int, at now: Instant) -> Bool {
    guard let patienceEnd, estimate != nil || now >= patienceEnd else { return false }
    self.patienceEnd = nil
    choice = RungChoice(choice.ladder, estimate: min(estimate ?? choice.ladder.least, maximum))
    return true
  }

  /// The output whose pictures he is sent now; nil before the first keyframe and with sound alone.
  var forwardedOutput: OutputID? { choice.forwardedRung.map { ladder.rungs[$0].output } }
  var awaitedOutput: OutputID? { patienceEnd == nil ? choice.awaitedRung.map { ladder.rungs[$0].output } : nil }
  /// Of the output he is sent; 0 for no picture.
  var forwardedLayers: Int { choice.forwardedLayers }

  func isWanted(_ output: OutputID) -> Bool { output == forwardedOutput || output == awaitedOutput }

  mutating func judge(_ frame: PacketizedFrame, of rung: Int) -> Verdict {
    guard patienceEnd == nil else { return .leftOut }
    if choice.awaitedRung == rung { return .awaited }
    guard choice.forwardedRung == rung else { return .leftOut }
    guard !layers.admits(frame) else { return .forwarded }
    layers.leftOut(frame)
    return .leftOut
  }

  /// A frame that was to be forwarded was sent.
  mutating func sent(_ frame: PacketizedFrame) { layers.forwarded(frame) }

  /// A frame that was to be forwarded found no room.
  mutating func refused(_ frame: PacketizedFrame) {
    framesRefused &+= 1
    leaveOut(frame)
  }

  /// A frame went by while he had no connection.
  mutating func missed(_ frame: PacketizedFrame, of rung: Int) {
    if judge(frame, of: rung) == .forwarded { leaveOut(frame) }
  }

  private mutating func leaveOut(_ frame: PacketizedFrame) {
    if frame.temporal?.layer ?? 0 == 0 { choice.baseWasLeftOut() } else { layers.leftOut(frame) }
  }

  /// Frames of a rung were lost before anybody could be sent them.
  mutating func interrupted(_ rung: Int) {
    if choice.forwardedRung == rung { choice.baseWasLeftOut() }
  }

  /// The awaited rung's keyframe was sent.
  mutating func begins(with frame: PacketizedFrame, of rung: Int) {
    guard choice.keyframe(of: rung) else { return }
    layers = LayerForwarding(layersMax: choice.forwardedLayers)
    layers.forwarded(frame)
    hasPicture = true
  }

  /// Whether to `update` though there is no news: the last has held for long enough.
  func isRiseDue(at now: Instant) -> Bool { choice.riseDeadline.map { $0 <= now } ?? false }

  /// - Parameters:
  ///   - estimate: of what the path carries of pictures, in bits per second.
  ///   - bytesSent: of pictures, ever.
  /// - Returns: whether another rung or layer was chosen.
  mutating func update(estimate: Int, bytesSent: Int, wasProbed: Bool, at now: Instant) -> Bool {
    noteRoom(estimate, bytesSent: bytesSent, at: now)
    return choice.update(estimate: max(estimate, floor), wasProbed: wasProbed, at: now)
  }

  /// What is sent at least, in bits per second: the base layer of an output he named, which is not left out for an estimate that falls
  /// for a moment. Where it does not fit for longer, pictures end, so that sound comes through.
  var floor: Int { lacksRoom || choice.chosen.rung == nil ? 0 : ladder.floor }

  /// A picture that hardly moves takes less than its output may: there is no room only where more was sent than fits.
  private mutating func noteRoom(_ estimate: Int, bytesSent: Int, at now: Instant) {
    guard estimate < ladder.floor else {
      (tight, lacksRoom) = (nil, false)
      return
    }
    let before = tight ?? (now, bytesSent)
    tight = before
    let elapsed = now - before.since
    guard !lacksRoom, elapsed >= Self.insistence else { return }
    lacksRoom = Double(bytesSent &- before.bytesSent) * 8 > Double(estimate) * elapsed.seconds
    tight = (now, bytesSent)
  }

  private static let insistence = Interval.seconds(4)

  /// Notes that he joined or left the receivers of an output.
  mutating func note(_ output: OutputID, isReceiver: Bool) {
    if isReceiver { joined.append(output) } else { joined.removeAll { $0 == output } }
  }
}
