import AudioMixing

/// Who has which slot in a room's sum.
///
/// A slot is kept until packets of every length begin anew, and for a tick at least: no packet, and no encoder's look-ahead, has a
/// voice in it that its listeners were not to hear.
struct MixSlots {
  enum Holder {
    case free
    case voice(MixSeat)
    case prompt(Prompt.ID)
    /// Empty since that tick, and soon to be free.
    case left(since: Int64)
  }

  private var holders = [Holder](repeating: .free, count: MixHistory.slotMax)
  /// The last tick in which something was added.
  private var lastActive = [Int64](repeating: .min, count: MixHistory.slotMax)
  /// Slots from here on are free.
  private var end = 0

  /// Ticks after which packets of every length begin: 120 ms.
  static let cycle: Int64 = 6

  /// The slots that may not be free.
  var range: Range<Int> { 0..<end }

  subscript(slot: Int) -> Holder { holders[slot] }

  /// - Returns: nil where all are taken.
  mutating func take(_ holder: Holder) -> Int? {
    for slot in holders.indices {
      guard case .free = holders[slot] else { continue }
      holders[slot] = holder
      end = max(end, slot + 1)
      return slot
    }
    return nil
  }

  mutating func leave(_ slot: Int, at tick: Int64) { holders[slot] = .left(since: tick) }

  /// Notes that something was added to a slot.
  mutating func touch(_ slot: Int, at tick: Int64) { lastActive[slot] = tick }

  /// Whether something was added to a slot in the last ticks.
  ///
  /// - Parameter tick: the first of them.
  func isActive(_ slot: Int, since tick: Int64) -> Bool { lastActive[slot] >= tick }

  /// Frees what was left long enough ago; to be called in the first tick of a cycle.
  ///
  /// - Parameter body: told each slot before it is freed, and whose it is.
  /// - Returns: whether any was freed.
  mutating func free(at tick: Int64, _ body: (Int, Holder) -> Void) -> Bool {
    var hasFreed = false
    for slot in 0..<end {
      let isSilent = tick - 2 >= lastActive[slot]
      switch holders[slot] {
      case .left(let since) where tick - 2 >= since: break
      case .voice(let seat) where !seat.isHeard && isSilent: break
      default: continue
      }
      body(slot, holders[slot])
      holders[slot] = .free
      hasFreed = true
    }
    while end > 0, case .free = holders[end - 1] { end -= 1 }
    return hasFreed
  }
}
