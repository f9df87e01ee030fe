import Timing

/// Says by how much the playout delay is to change before a frame is played: a little at a time while somebody speaks, more where he
/// pauses. A change is heard, a wait is not: what the network needs is done at once, and all else is put off until somebody pauses.
/// Only what makes sound and picture part for all to see is not put off for ever, but done so slowly that it is hardly noticed.
///
/// A frame must be here at the tick it is taken in, though what was handed out before it is heard first. So only some delays make
/// sense, `grain` apart, with ticks of 20 ms and frames as long as theirs; what lies between two of them is waited for in vain.
///
///     ──┼────────────┼────────────┼──▶ delay
///       target ≤ ────┘ here is right; a change begun is carried on until it is
struct DelayAdjuster {
  /// No sooner is there another change while somebody speaks.
  private var nextInSpeech: Instant?
  /// Since when there has been a little too much delay.
  private var excessSince: Instant?
  private var isShrinking = false
  /// Since when sound has run too far ahead of its picture, and whether it is being held back.
  private var aheadSince: Instant?
  private var isHoldingBack = false
  /// Whether the delay last grew for a picture: then nothing presses when it is too much.
  private var grewForPicture = false

  /// 5 ms: how much less the target must become than what would let the delay come down by a grain, and how much more before the
  /// delay grows while somebody speaks.
  private static let hysteresis = 240
  /// A change while somebody speaks is followed by none for so many times its length.
  private static let spacing: Int64 = 6
  /// The same where nothing presses: a twentieth faster or slower.
  private static let spacingOfPatience: Int64 = 20
  private static let changeMaxInSpeech = 240
  private static let changeMaxInPause = 480
  /// What is borne, 45 ms, and for how long: until there is a pause, and until it is taken out of speech. As much is borne of too
  /// little delay for the picture.
  private static let bearable = 2_160
  private static let patienceInPause = Interval.seconds(5)
  private static let patience = Interval.seconds(20)
  /// So long sound that runs ahead of its picture waits for a pause.
  private static let patienceAhead = Interval.seconds(2)

  /// How far apart the delays that make sense are, in samples.
  static func grain(ofFrames duration: Int) -> Int {
    var (a, b) = (PlayoutBuffer.samplesPerTick, duration)
    while b > 0 { (a, b) = (b, a % b) }
    return max(a, FrameDuration.step)
  }

  /// What a frame of this length waits for others of its tick at most: where the tick takes several, the last must be here too.
  static func wait(ofFrames duration: Int) -> Interval {
    .ticks(Int64(PlayoutBuffer.samplesPerTick - grain(ofFrames: duration)), at: 48_000)
  }

  /// - Parameters:
  ///   - delay: of the frame as it would be played.
  ///   - target: what the network needs.
  ///   - wish: what the picture needs.
  ///   - carry: samples handed out that are heard before it.
  /// - Returns: samples to put in, or below zero to take out, a multiple of 2.5 ms; 0 mostly.
  mutating func change(
    delay: Interval, target: Interval, wish: Interval, carry: Int, duration: Int, isPause: Bool, at now: Instant
  ) -> Int {
    let grain = Self.grain(ofFrames: duration)
    let idle = carry % grain
    let spare = delay - Self.wait(ofFrames: duration)
    let excess = Int((spare - max(target, wish)).ticks(at: 48_000)) - idle
    guard excess < 0 else {
      (aheadSince, isHoldingBack) = (nil, false)
      return shrink(-idle - max(excess - Self.hysteresis, 0) / grain * grain, excess, duration, isPause: isPause, at: now)
    }
    (excessSince, isShrinking) = (nil, false)
    let missing = Int((spare - target).ticks(at: 48_000)) - idle
    if missing < 0 {
      grewForPicture = false
      guard isPause || missing <= -Self.hysteresis else { return 0 }
    } else {
      guard holdsBack(by: excess, isPause: isPause, at: now) else { return 0 }
      grewForPicture = true
    }
    let wanted = (grain - 1 - (missing < 0 ? missing : excess)) / grain * grain - idle
    return step(wanted, duration: duration, isPause: isPause, at: now)
  }

  /// Whether sound that is too early for its picture is to be held back now.
  private mutating func holdsBack(by excess: Int, isPause: Bool, at now: Instant) -> Bool {
    let since = aheadSince ?? now
    aheadSince = since
    isHoldingBack = isHoldingBack || excess <= -Self.bearable && now - since >= Self.patienceAhead
    return isHoldingBack || isPause
  }

  /// - Parameter wanted: what the delay should change by, zero or below.
  private mutating func shrink(_ wanted: Int, _ excess: Int, _ duration: Int, isPause: Bool, at now: Instant) -> Int {
    guard wanted < 0 else {
      (excessSince, isShrinking) = (nil, false)
      return 0
    }
    let since = excessSince ?? now
    excessSince = since
    let lasted = now - since
    isShrinking =
      isShrinking || excess >= Self.bearable || lasted >= (isPause ? Self.patienceInPause : Self.patience) || lasted < .zero
    return isShrinking ? step(wanted, duration: duration, isPause: isPause, at: now) : 0
  }

  /// The part of a change that is made at once.
  private mutating func step(_ wanted: Int, duration: Int, isPause: Bool, at now: Instant) -> Int {
    if let nextInSpeech, now < nextInSpeech, nextInSpeech - now < .seconds(1) { return 0 }
    let most = isPause ? Self.changeMaxInPause : Self.changeMaxInSpeech
    let change = min(abs(wanted), most, wanted < 0 ? duration : most) / FrameDuration.step * FrameDuration.step
    let spacing = grewForPicture ? Self.spacingOfPatience : Self.spacing
    nextInSpeech = isPause ? nil : now + .ticks(Int64(change), at: 48_000) * spacing
    return wanted < 0 ? -change : change
  }
}
