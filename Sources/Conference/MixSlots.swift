import AudioMixing

/// Who has which slot in a room's sum.
///
/// A slot is kept until packets of every length begin anew, and for a tick at least: no packet, and no encoder's look-ahead, has a
/// voice in it that its listeners were not to hear.
struct MixSlots {
  enum Owner {
    case voice(MixSeat)
    case prompt(Prompt)
  }

  /// Whose what is in a slot is, and whether he has left: until the slot is free, it is kept from whom it was kept from.
  struct Holding {
    fileprivate(set) var owner: Owner
    fileprivate(set) var hasLeft = false

    fileprivate var isPrompt: Bool { if case .prompt = owner { true } else { false } }
  }

  /// Nil where a slot is free.
  private var holdings = [Holding?](repeating: nil, count: MixHistory.slotMax)
  /// The last tick in which something was added.
  private var lastActive = [Int64](repeating: .min, count: MixHistory.slotMax)
  /// Slots from here on are free.
  private var end = 0

  /// Prompts have no more, so that who speaks finds one.
  static let promptsMax = MixHistory.slotMax / 2
  /// Ticks after which packets of every length begin: 120 ms.
  static let cycle: Int64 = 6

  /// The slots that may not be free.
  var range: Range<Int> { 0..<end }

  subscript(slot: Int) -> Holding? { holdings[slot] }

  /// The voice that is in a slot, unless it has left.
  func voice(in slot: Int) -> MixSeat? {
    guard let holding = holdings[slot], !holding.hasLeft, case .voice(let seat) = holding.owner else { return nil }
    return seat
  }

  /// - Returns: nil where all are taken, or all that prompts may have.
  mutating func take(_ owner: Owner) -> Int? {
    let holding = Holding(owner: owner)
    if holding.isPrompt, holdings.count(where: { $0?.isPrompt == true }) >= Self.promptsMax { return nil }
    guard let slot = holdings.firstIndex(where: { $0 == nil }) else { return nil }
    holdings[slot] = holding
    end = max(end, slot + 1)
    return slot
  }

  /// Nothing more is added to a slot.
  mutating func leave(_ slot: Int) { holdings[slot]?.hasLeft = true }

  /// Who hears a prompt from now on; to be called in the first tick of a cycle.
  mutating func setAudience(_ audience: Prompt.Audience, ofPromptIn slot: Int) {
    guard case .prompt(var prompt) = holdings[slot]?.owner else { return }
    prompt.audience = audience
    holdings[slot]?.owner = .prompt(prompt)
  }

  /// Notes that something was added to a slot.
  mutating func touch(_ slot: Int, at tick: Int64) { lastActive[slot] = tick }

  /// Whether something was added to a slot in the last ticks.
  ///
  /// - Parameter tick: the first of them.
  func isActive(_ slot: Int, since tick: Int64) -> Bool { lastActive[slot] >= tick }

  /// Frees what was left long enough ago; to be called in the first tick of a cycle.
  ///
  /// - Parameter body: told each owner whose slot is free now.
  /// - Returns: whether any was freed.
  mutating func free(at tick: Int64, _ body: (Owner) -> Void) -> Bool {
    var hasFreed = false
    for slot in 0..<end where lastActive[slot] <= tick - 2 {
      guard let holding = holdings[slot] else { continue }
      if case .voice(let seat) = holding.owner, seat.isHeard, !holding.hasLeft { continue }
      if case .prompt = holding.owner, !holding.hasLeft { continue }
      holdings[slot] = nil
      body(holding.owner)
      hasFreed = true
    }
    while end > 0, holdings[end - 1] == nil { end -= 1 }
    return hasFreed
  }
}
