import Timing

/// Where people hear one another: the room itself, or one of its side rooms. One mix, and what is played into it.
final class SoundPlace {
  /// Name of the side room; nil for the room itself.
  let name: String?
  let mix: RoomMix
  /// Numbers of those who are in the mix. The mix ticks while there are any.
  var members: Set<UInt32> = []
  /// What is played to those who hear nobody, and who they are.
  var waiting: (prompt: Prompt.ID, audience: Prompt.Audience)?
  /// While a tone sounds, others are left out: fifty who come together are one tone.
  var toneEnds = Instant.zero

  init(name: String?, mix: RoomMix) {
    self.name = name
    self.mix = mix
  }
}
