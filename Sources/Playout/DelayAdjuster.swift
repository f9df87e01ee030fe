import Timing

/// Says by how much the playout delay is to change before a frame is played: a little at a time while somebody speaks, more where it
/// is quiet. A little too much is borne until it is quiet, unless that takes too long: a cut in a word is heard, a wait is not.
///
/// A frame must be here at the tick it is taken in, though what was handed out before it is heard first. So only some delays make
/// sense, `grain` apart, with ticks of 20 ms and frames as long as theirs; what lies between two of them is waited for in vain.
///
///     ──┼────────────┼────────────┼──▶ delay
///       target ≤ ────┘ here is right; a change begun is carried on until it is
struct DelayAdjuster {
  private var pauseEnd: Instant?
  /// Since when there has been a little too much delay.
  private var excessSince: Instant?

  /// 5 ms: how much less the target must become than what would let the delay come down by a grain.
  private static let hysteresis = 240
  /// A change while somebody speaks is followed by a pause of so many times its length.
  private static let pauseFactor: Int64 = 6
  private static let changeMaxInSpeech = 240
  private static let changeMaxInSilence = 480
  /// What is borne, 40 ms, and for how long.
  private static let bearable = 1_920
  private static let patience = Interval.milliseconds(2_500)

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
  ///   - carry: samples handed out that are heard before it.
  /// - Returns: samples to put in, or below zero to take out, a multiple of 2.5 ms; 0 mostly.
  mutating func change(
    delay: Interval, target: Interval, carry: Int, duration: Int, isQuiet: Bool, at now: Instant
  ) -> Int {
    let grain = Self.grain(ofFrames: duration)
    let idle = carry % grain
    let excess = Int((delay - target - Self.wait(ofFrames: duration)).ticks(at: 48_000)) - idle
    let wanted =
      excess < 0
      ? (grain - 1 - excess) / grain * grain - idle
      : -idle - max(excess - Self.hysteresis, 0) / grain * grain
    guard wanted < 0 else {
      excessSince = nil
      return wanted == 0 ? 0 : step(wanted, duration: duration, isQuiet: isQuiet, at: now)
    }
    let since = excessSince ?? now
    excessSince = since
    if !isQuiet, excess < Self.bearable, now - since < Self.patience, now >= since { return 0 }
    return step(wanted, duration: duration, isQuiet: isQuiet, at: now)
  }

  /// The part of a change that is made at once.
  private mutating func step(_ wanted: Int, duration: Int, isQuiet: Bool, at now: Instant) -> Int {
    if let pauseEnd, now < pauseEnd, pauseEnd - now < .seconds(1) { return 0 }
    let most = isQuiet ? Self.changeMaxInSilence : Self.changeMaxInSpeech
    let change = min(abs(wanted), most, wanted < 0 ? duration : most) / FrameDuration.step * FrameDuration.step
    pauseEnd = isQuiet ? nil : now + .ticks(Int64(change), at: 48_000) * Self.pauseFactor
    return wanted < 0 ? -change : change
  }
}
