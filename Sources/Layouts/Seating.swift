/// One attempt to seat people in the slots of a variant: special slots first, then old places, then whoever waits.
struct Seating {
  let slots: [LayoutSlot]
  /// What each slot shows.
  private(set) var contents: [Tile.Content]
  /// Who has no slot yet, in the order they are to be seated.
  private(set) var waiting: [LayoutPerson]
  private var previous: [Tile.Content]
  /// The slots that somebody was given for good: not to be taken from him for the floor.
  private var fixed: Set<Int> = []
  /// Who is seated after all others and not in the floor's slot.
  private let last: String?
  /// The slot that will show how many are missing.
  private var countSlot: Int?
  /// The next turn of those who are shown in turn; nil where nobody gives way.
  private var rotation: (order: [String], turn: Int)?

  /// - Parameter previous: what each slot showed before; empty if that was another variant.
  init(slots: [LayoutSlot], people: [LayoutPerson], previous: [Tile.Content], last: String? = nil) {
    self.slots = slots
    self.previous = previous
    self.last = last
    waiting = people
    contents = slots.map { if case .image(let file) = $0.source { .image(file) } else { .empty } }
  }

  mutating func fill() {
    seatPinned()
    // Who was in such a slot stays there before another may take it.
    for isReturning in [true, false] {
      for index in slots.indices {
        switch slots[index].source {
        case .role(let role): seatMatching(index, isReturning) { $0.role == role }
        case .screen: seatMatching(index, isReturning) { $0.sharesScreen }
        default: break
        }
      }
    }
    seatFloor()
    giveWay()
    keepPlaces()
    fillFloorSlots()
    seatWaiting()
  }

  /// Keeps the last slot open to anybody for the count, unless it is the only one.
  mutating func keepSlotForCount() {
    let open = slots.indices.filter { slots[$0].source == .any || slots[$0].source == .floor }
    guard open.count > 1 else { return }
    countSlot = open.last { slots[$0].source == .any }
  }

  /// Lets everybody be shown in turn.
  ///
  /// - Parameter order: the order of the turns, which must not follow from who is shown.
  mutating func rotate(_ order: [String], by turn: Int) { rotation = (order, turn) }

  /// Lets who has the floor take the seat of whoever sits last, should he be without one.
  mutating func showFloor() {
    guard let holder = waiting.first(where: \.hasFloor) else { return }
    let open = slots.indices.filter { slots[$0].source == .any && $0 != countSlot && !fixed.contains($0) }
    guard let index = open.last, case .person = contents[index] else { return }
    contents[index] = .person(holder.id)
  }

  /// Writes how many are missing into the slot kept for it.
  mutating func writeCount() {
    guard let countSlot else { return }
    contents[countSlot] = waiting.isEmpty ? .empty : .more(waiting.count)
  }

  // MARK: Steps

  private func isFree(_ index: Int) -> Bool { contents[index] == .empty && index != countSlot }

  private mutating func seat(_ person: LayoutPerson, _ index: Int) {
    contents[index] = .person(person.id)
    waiting.removeAll { $0.id == person.id }
  }

  private mutating func seatPinned() {
    for person in waiting {
      guard let pin = person.pinnedSlot else { continue }
      let number = Int(pin)
      let index =
        slots.firstIndex { $0.id == pin || $0.source == .reserved(pin) }
        ?? number.flatMap { slots.indices.contains($0) ? $0 : nil }
      guard let index, isFree(index) else { continue }
      seat(person, index)
      fixed.insert(index)
    }
  }

  /// Seats the first who matches, or only who was there before.
  private mutating func seatMatching(_ index: Int, _ isReturning: Bool, _ matches: (LayoutPerson) -> Bool) {
    guard isFree(index), let person = waiting.first(where: { matches($0) && (!isReturning || before($0.id) == index) })
    else { return }
    seat(person, index)
    fixed.insert(index)
  }

  /// The slot where somebody was before.
  private func before(_ id: String) -> Int? { previous.firstIndex(of: .person(id)) }

  /// Gives the floor slot to who has the floor, and his old place to whom he displaces.
  private mutating func seatFloor() {
    guard let holder = waiting.first(where: { $0.hasFloor && $0.id != last }),
      let index = slots.indices.first(where: { Self.wantsFloor(slots[$0]) && isFree($0) })
    else { return }
    let old = before(holder.id)
    seat(holder, index)
    fixed.insert(index)
    guard previous.indices.contains(index), case .person(let id) = previous[index], id != holder.id, let old, isFree(old),
      Self.isOpen(slots[old]), let displaced = waiting.first(where: { $0.id == id })
    else { return }
    seat(displaced, old)
  }

  private static func wantsFloor(_ slot: LayoutSlot) -> Bool { slot.source == .floor || slot.source == .floorOnly }
  private static func isOpen(_ slot: LayoutSlot) -> Bool { slot.source == .any || slot.source == .floor }

  /// Takes as many as there are places from the row, those of this turn, and the places from all others. Who is shown in two turns
  /// running stays where he is.
  private mutating func giveWay() {
    guard let rotation else { return }
    let places = slots.indices.count { isFree($0) && Self.isOpen(slots[$0]) }
    guard places > 0, places < waiting.count else { return }
    let ranks = Dictionary(rotation.order.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    waiting.sort { (ranks[$0.id] ?? .max) < (ranks[$1.id] ?? .max) }
    let start = Int((rotation.turn.magnitude % UInt(waiting.count)) * UInt(places) % UInt(waiting.count))
    waiting = Array(waiting[start...] + waiting[..<start])
    let shown = Set(waiting.prefix(places).map(\.id))
    previous = previous.map { if case .person(let id) = $0, !shown.contains(id) { .empty } else { $0 } }
  }

  private mutating func keepPlaces() {
    for person in waiting {
      guard let index = before(person.id), isFree(index), Self.isOpen(slots[index]) else { continue }
      seat(person, index)
    }
  }

  /// A floor slot does not stay empty while anybody could fill it: who waits, else who sits in an ordinary slot.
  private mutating func fillFloorSlots() {
    guard let index = slots.indices.first(where: { slots[$0].source == .floor && isFree($0) }) else { return }
    let seen = rotation == nil ? waiting.first { $0.sendsVideo && $0.id != last } : nil
    if let person = seen ?? waiting.first(where: { $0.id != last }) {
      seat(person, index)
    } else if let from = slots.indices.first(where: { place in
      if case .person = contents[place] { return slots[place].source == .any && !fixed.contains(place) }
      return false
    }) {
      contents.swapAt(index, from)
    }
  }

  /// Fills the free slots in the order of the file; where they do not suffice, those who send a picture come first, unless it is
  /// everybody's turn.
  private mutating func seatWaiting() {
    let free = slots.indices.filter { isFree($0) && Self.isOpen(slots[$0]) }
    let isShort = waiting.count > free.count && rotation == nil
    let row = isShort ? waiting.filter(\.sendsVideo) + waiting.filter { !$0.sendsVideo } : waiting
    for (index, person) in zip(free, row) { seat(person, index) }
  }
}
