import AudioMixing

/// Who is to hear which mix, and which mixes there must be for that.
enum MixRouting {
  /// What `listener` does not hear of what is in the room's slots.
  ///
  /// - Parameter ear: the one whose ears he hears with: himself, or whom he follows.
  static func excluded(for ear: MixSeat, slots: MixSlots) -> MixHistory.SlotSet {
    var excluded: MixHistory.SlotSet = 0
    var only: MixHistory.SlotSet = 0
    for slot in slots.range {
      let bit: MixHistory.SlotSet = 1 << UInt64(slot)
      switch slots[slot]?.owner {
      case nil: break
      case .voice(let seat):
        if !HearingRules.hears((ear.number, ear.rules), (seat.number, seat.rules)) { excluded |= bit }
      case .prompt(let prompt):
        if !prompt.audience.contains(ear.number) {
          excluded |= bit
        } else if prompt.placement == .instead {
          only |= bit
        }
      }
    }
    return only == 0 ? excluded : ~only
  }

  private struct Move {
    let from: DistinctMix?
    let key: DistinctMix.Key
    var count: Int

    var isUnchanged: Bool { from?.key == key }
  }

  /// Brings seats to the mixes they are to hear.
  ///
  /// A mix goes on for most of those who heard it, whatever it is made of from now on: for them nothing changes but who is in it,
  /// and their encoder runs on.
  ///
  /// - Parameter wanted: what each seat is to hear; nil for nothing.
  /// - Returns: the mixes that have listeners.
  static func assign(_ wanted: [DistinctMix.Key?], to seats: [MixSeat], outputs: OutputIDSource) -> [DistinctMix] {
    var moves: [Move] = []
    for (seat, key) in zip(seats, wanted) {
      guard let key else { continue }
      if let index = moves.firstIndex(where: { $0.key == key && $0.from === seat.mix }) {
        moves[index].count += 1
      } else {
        moves.append(Move(from: seat.mix, key: key, count: 1))
      }
    }
    moves.sort { ($0.count, $0.isUnchanged ? 1 : 0, $1.key.excluded) > ($1.count, $1.isUnchanged ? 1 : 0, $0.key.excluded) }
    var mixes: [DistinctMix] = []
    for move in moves {
      guard let mix = move.from, mix.key.rendition == move.key.rendition else { continue }
      guard !mixes.contains(where: { $0 === mix || $0.key == move.key }) else { continue }
      mix.key = move.key
      mixes.append(mix)
    }
    for move in moves where !mixes.contains(where: { $0.key == move.key }) {
      let mix = DistinctMix(output: outputs.next(), key: move.key)
      if move.from?.key.rendition == move.key.rendition { mix.origin = move.from }
      mixes.append(mix)
    }
    for (seat, key) in zip(seats, wanted) { seat.mix = key.flatMap { key in mixes.first { $0.key == key } } }
    return mixes
  }
}
