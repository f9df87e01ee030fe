import AudioMixing
import Timing

/// Whether a stream is worth decoding in a tick: cost follows speech.
///
///     stated level near the gate, or none stated, or not to be believed ──▶ decode
///     else ──▶ leave undecoded, but for a look now and then
///
/// Senders state the level of each packet (RFC 6464). Whoever understates it would hide, whoever overstates it would be listened
/// to for nothing: what was decoded is compared with what was stated, and who lied is decoded for a while whatever he states. Who was
/// looked at and was honest is looked at half as often from then on.
struct ListeningPolicy {
  enum Verdict: Equatable {
    case leave
    case decode
    /// Decode this tick, only to compare.
    case look
  }

  /// Why the last ticks were decoded.
  private var decodesUntil = Instant.zero
  private var disbelievesUntil = Instant.zero
  /// The tick of the next look; nil before the first tick.
  private var nextLook: Int64?
  private var ticksBetweenLooks = Self.ticksBetweenLooksMin
  private let number: UInt32

  /// How much below what opens the gate is near it, in dB.
  private static let nearness = 3
  /// Decoding goes on for so long after the level was near the gate, so as not to start anew with every word.
  private static let patience = Interval.seconds(1)
  /// 2 s to 16 s.
  private static let ticksBetweenLooksMin: Int64 = 100
  private static let ticksBetweenLooksMax: Int64 = 800
  /// A stated level off by more is a lie or a fault, in dB; levels are measured over other spans than ticks.
  private static let tolerance = 12
  private static let disbelief = Interval.seconds(30)

  /// - Parameter number: spreads the looks of a room's members over its ticks.
  init(number: UInt32) { self.number = number }

  /// - Parameters:
  ///   - stated: the level in -dBov the sender gave what is due in this tick; nil where he gave none.
  ///   - gate: as it was after the last tick.
  mutating func judge(stated: UInt8?, gate: VoiceGate, tick: Int64, at now: Instant) -> Verdict {
    guard let stated else { return .decode }
    if gate.isOpen || gate.isNear(level: stated, slack: Self.nearness) { decodesUntil = now + Self.patience }
    if now < decodesUntil || now < disbelievesUntil { return .decode }
    let look = nextLook ?? tick + Int64(number % UInt32(Self.ticksBetweenLooksMin))
    nextLook = look
    guard tick >= look else { return .leave }
    nextLook = tick + ticksBetweenLooks
    ticksBetweenLooks = min(ticksBetweenLooks * 2, Self.ticksBetweenLooksMax)
    return .look
  }

  /// Whether what is due would be left undecoded, and nobody need be asked.
  func leaves(stated: UInt8, gate: VoiceGate, tick: Int64, at now: Instant) -> Bool {
    guard !gate.isOpen, !gate.isNear(level: stated, slack: Self.nearness), let nextLook else { return false }
    return tick < nextLook && now >= decodesUntil && now >= disbelievesUntil
  }

  /// Takes in how loud what was decoded really is.
  ///
  /// - Returns: whether the sender is to be disbelieved from now on.
  @discardableResult
  mutating func compare(stated: UInt8?, measured: UInt8, at now: Instant) -> Bool {
    // What is quieter than stated costs decoding but fools nobody: the gate goes by what was measured.
    guard let stated, Int(stated) - Int(measured) > Self.tolerance, measured < 60 else { return false }
    disbelievesUntil = now + Self.disbelief
    ticksBetweenLooks = Self.ticksBetweenLooksMin
    return true
  }
}
