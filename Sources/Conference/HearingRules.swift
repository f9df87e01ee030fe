/// Whom one participant hears, and who hears him.
package struct HearingRules: Sendable, Equatable {
  /// Hears nothing.
  package var isDeaf = false
  /// Members of one group sit in one place and hear each other there: they are left out of one another's mixes.
  package var group: String?
  /// Where set, he is heard by these alone.
  package var whispersTo: Set<UInt32>?
  /// These do not hear him.
  package var mutedFor: Set<UInt32> = []
  /// Name of the audio output he hears; `auto` for what his line carries; nil for the room's first.
  package var audioOutput: String?

  package init() {}

  /// Whether `listener` hears `speaker`.
  static func hears(_ listener: (number: UInt32, rules: HearingRules), _ speaker: (number: UInt32, rules: HearingRules)) -> Bool
  {
    if listener.number == speaker.number { return false }
    if let group = speaker.rules.group, group == listener.rules.group { return false }
    if let audience = speaker.rules.whispersTo, !audience.contains(listener.number) { return false }
    return speaker.rules.mutedFor.isEmpty || !speaker.rules.mutedFor.contains(listener.number)
  }
}
