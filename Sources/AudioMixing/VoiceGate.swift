import Timing

/// Whether somebody speaks, judged by level alone.
///
/// Opens in the very tick that is loud enough, so that no syllable is cut, and closes when it was quiet for a while. What counts
/// as loud adapts to the noise where the speaker is.
package struct VoiceGate: Sendable {
  package struct Settings: Hashable, Sendable {
    /// How far above the noise opens the gate, and how far above it keeps it open, in dB.
    package var opensAbove: Int
    package var staysAbove: Int
    /// The quietest level that can open it, in -dBov.
    package var quietest: UInt8
    /// How long it stays open after the last loud tick.
    package var hold: Interval

    package init(opensAbove: Int = 12, staysAbove: Int = 6, quietest: UInt8 = 60, hold: Interval = .milliseconds(400)) {
      self.opensAbove = opensAbove
      self.staysAbove = staysAbove
      self.quietest = quietest
      self.hold = hold
    }
  }

  package private(set) var isOpen = false
  /// Whether the last tick itself was loud, rather than held.
  package private(set) var isLoud = false
  private let settings: Settings
  private var lastLoud: Instant?
  /// The level of the noise in dB above -127, in 1/256 dB: falls quickly to what is heard, rises slowly.
  private var noise: Int?

  /// 3 dB a second upwards, in 1/256 dB a tick: speech that never pauses for some seconds stays well above.
  private static let rise = 15
  /// The noise can never be taken for louder than -36 dBov, so that nobody is silenced by where he sits.
  private static let noiseMax = (127 - 36) * 256

  package init(settings: Settings = Settings()) { self.settings = settings }

  /// Takes in a tick.
  ///
  /// - Parameter level: in -dBov, 0 to 127.
  /// - Returns: whether the gate is open now.
  @discardableResult
  package mutating func update(level: UInt8, at now: Instant) -> Bool {
    let loudness = 127 - Int(min(level, 127))
    let floor = noise ?? min(loudness * 256, 127 / 2 * 256)
    let margin = isOpen ? settings.staysAbove : settings.opensAbove
    let leastLoudness = 127 - Int(min(settings.quietest, 127))
    isLoud = loudness * 256 >= floor + margin * 256 && loudness >= leastLoudness
    follow(loudness * 256, from: floor)
    if isLoud { lastLoud = now }
    isOpen = lastLoud.map { now - $0 < settings.hold } ?? false
    return isOpen
  }

  /// Whether a level is loud enough to open the gate, or nearly so.
  ///
  /// - Parameter slack: how much less than what opens it counts, in dB.
  package func isNear(level: UInt8, slack: Int) -> Bool {
    let loudness = 127 - Int(min(level, 127)) + slack
    let leastLoudness = 127 - Int(min(settings.quietest, 127))
    return loudness >= leastLoudness && loudness * 256 >= (noise ?? 0) + settings.opensAbove * 256
  }

  /// Shuts at once, as when the participant is muted.
  package mutating func close() {
    isOpen = false
    isLoud = false
    lastLoud = nil
  }

  private mutating func follow(_ loudness: Int, from floor: Int) {
    // A quarter of the way down with each tick; digital silence says nothing of the room.
    let next = loudness < floor ? floor - (floor - loudness + 3) / 4 : floor + Self.rise
    if loudness > 0 { noise = min(next, loudness > floor ? loudness : floor, Self.noiseMax) }
  }
}
