import AudioMixing
import Timing
import WebRTCTransport

/// A member of a room's mix, as the mix loop knows him.
final class MixSeat {
  let member: RoomMix.Member
  var voice: Voice?
  /// Whether sound is sent to him.
  var receives: Bool
  var rules: HearingRules
  /// Rules that take the place of `rules` where packets of every length begin.
  var newRules: HearingRules?
  /// Whether nothing was known of his line yet, and since when that was looked at.
  var isNew = true
  var newSince: Instant?
  /// Chooses the audio output for him where he does not.
  var choice = RenditionChoice()
  var chosenOutput: String?
  /// What `chosenOutput` becomes where packets of every length begin.
  var nextOutput: String?
  /// The slot his voice has in the mix; nil while he is not heard.
  var slot: Int?
  /// Whether he is to be heard in this tick; a slot is kept for a while after.
  var isHeard = false
  /// Whether he was in the tick before: if he is heard no longer, this one fades him out.
  var wasHeard = false
  /// The output his peer is subscribed to.
  var subscribed: OutputID?
  /// The distinct mix he hears; nil where he receives none.
  var mix: DistinctMix?

  init(_ member: RoomMix.Member) {
    self.member = member
    receives = member.receives
    rules = member.rules
  }

  /// Whether a tick would find nothing to do for him.
  var isAtRest: Bool {
    !isHeard && !wasHeard && newRules == nil && nextOutput == chosenOutput && voice?.isAtRest ?? true
  }

  /// The audio output he is to hear.
  var audioOutput: String? { rules.audioOutput == AudioSettings.automaticOutput ? chosenOutput : rules.audioOutput }
  var number: UInt32 { member.number }
  var isDeaf: Bool { (newRules ?? rules).isDeaf }
}

/// One distinct mix at one rendition, encoded once for all who hear it.
final class DistinctMix {
  /// What it is made of: everything in the room's sum but some slots, at one of the room's renditions.
  struct Key: Hashable {
    var excluded: MixHistory.SlotSet
    var rendition: Int
  }

  let output: OutputID
  /// May change from tick to tick, as people come to be heard whom its listeners do not hear.
  var key: Key
  var encoder: MixEncoder?
  /// What most of its listeners heard before; nil once it has begun.
  var origin: DistinctMix?
  /// The tick its last packet ended with.
  var lastTick: Int64?

  /// Times in succession that nothing was lost.
  private var calmCount = 0

  init(output: OutputID, key: Key) {
    self.output = output
    self.key = key
  }

  /// Ticks were left out until this one: what would have been silence anyway counts as sent.
  func sleep(until tick: Int64) {
    guard let encoder, encoder.isResting, let lastTick else { return }
    let length = Int64(encoder.ticksPerPacket)
    let last = tick / length * length - 1
    guard last > lastTick else { return }
    encoder.rest(ticks: last - lastTick)
    self.lastTick = last
  }

  /// Takes in, once a second, what its listeners lose: believed at once, and over only after ten calm seconds.
  func noteLoss(percent: Int) {
    calmCount = percent > 0 ? 0 : calmCount + 1
    if percent > 0 || calmCount >= 10 { encoder?.lossPercent = percent }
  }
}
