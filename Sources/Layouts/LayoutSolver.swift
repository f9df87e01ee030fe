/// One who may be shown.
package struct LayoutPerson: Equatable, Sendable {
  package var id: String
  package var role: String?
  package var hasFloor: Bool
  package var sendsVideo: Bool
  package var sharesScreen: Bool
  /// The slot he was given: its id, its number, or the key of a reserved slot.
  package var pinnedSlot: String?

  package init(
    id: String, role: String? = nil, hasFloor: Bool = false, sendsVideo: Bool = true, sharesScreen: Bool = false,
    pinnedSlot: String? = nil
  ) {
    self.id = id
    self.role = role
    self.hasFloor = hasFloor
    self.sendsVideo = sendsVideo
    self.sharesScreen = sharesScreen
    self.pinnedSlot = pinnedSlot
  }
}

/// Decides who is shown where, and remembers it, so that nobody changes place without a reason.
///
/// Reasons are: another variant is needed, the floor or the screen moved, a pin or a role changed, the floor's slot stands empty.
/// When the floor moves, whoever loses the floor slot takes the place its new holder had.
///
///     var solver = LayoutSolver(template)
///     solver.arrange(people)                       // whenever somebody joins, leaves, or gets the floor
///     let tiles = solver.tiles(width: 1280, height: 720)
package struct LayoutSolver: Sendable {
  /// A new template takes effect at the next `arrange`; people keep their order.
  package var template: LayoutTemplate {
    didSet { if template != oldValue { variantIndex = nil } }
  }
  /// The variant in use; nil before the first `arrange`.
  package private(set) var variantIndex: Int?
  /// What each slot of the variant shows.
  package private(set) var contents: [Tile.Content] = []
  /// Who was shown, in the order of their slots.
  private var order: [String] = []

  package init(_ template: LayoutTemplate) { self.template = template }

  /// Assigns people to slots.
  ///
  /// - Parameters:
  ///   - people: in the order they joined; IDs are unique.
  ///   - excluded: who is not shown in this view, such as its own receiver.
  ///   - turn: counts up while people rotate (overflow `rotate`); otherwise without effect.
  package mutating func arrange(_ people: [LayoutPerson], excluding excluded: Set<String> = [], turn: Int = 0) {
    let shown = people.filter { !excluded.contains($0.id) }
    guard let last = template.variants.indices.last else { return }
    for index in template.variants.indices {
      var seating = seating(index, shown)
      seating.fill()
      if !seating.waiting.isEmpty {
        guard index == last else { continue }
        seating = overflowing(index, shown, turn)
      }
      variantIndex = index
      contents = seating.contents
      order = contents.compactMap { if case .person(let id) = $0 { id } else { nil } }
      return
    }
  }

  /// Seats that remember the last arrangement: places in the same variant, the order of people in another.
  private func seating(_ index: Int, _ people: [LayoutPerson]) -> Seating {
    let rank = Dictionary(order.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let sorted = people.enumerated().sorted {
      (rank[$0.element.id] ?? .max, $0.offset) < (rank[$1.element.id] ?? .max, $1.offset)
    }
    let previous = index == variantIndex ? contents : []
    return Seating(slots: template.variants[index].slots, people: sorted.map(\.element), previous: previous)
  }

  private func overflowing(_ index: Int, _ people: [LayoutPerson], _ turn: Int) -> Seating {
    var seating = seating(index, people)
    switch template.overflow {
    case .hide: break
    case .count: seating.keepSlotForCount()
    case .rotate: seating.rotate(by: turn)
    }
    seating.fill()
    seating.showFloor()
    seating.writeCount()
    return seating
  }

  /// The slots on a canvas of this size, farthest first. All slots are there, empty ones as well.
  package func tiles(width: Int, height: Int) -> [Tile] {
    guard let variantIndex, template.variants.indices.contains(variantIndex) else { return [] }
    let slots = template.variants[variantIndex].slots
    let scale = min(Double(width) / Double(template.unitsWidth), Double(height) / Double(template.unitsHeight))
    let tiles = zip(slots.indices, zip(slots, contents)).map { index, pair in
      let (slot, content) = pair
      return Tile(
        slot: index, slotID: slot.id, content: content,
        rectangle: template.rectangle(of: slot, width: width, height: height), z: slot.z, style: slot.style,
        pixelsPerUnit: scale, audioPan: audioPan(slot))
    }
    return tiles.sorted { ($0.z, $0.slot) < ($1.z, $1.slot) }
  }

  /// From where a slot's sound comes: as the file says, else from where it is.
  private func audioPan(_ slot: LayoutSlot) -> Double {
    slot.audioPan ?? (2 * slot.x + slot.width) / Double(template.unitsWidth) - 1
  }

  /// Number and id of the slot that shows a person, and where his sound comes from, -1 left to 1 right; nil when he is not shown.
  package func slot(of person: String) -> (index: Int, id: String?, audioPan: Double)? {
    guard let variantIndex, let index = contents.firstIndex(of: .person(person)) else { return nil }
    let slots = template.variants[variantIndex].slots
    return slots.indices.contains(index) ? (index, slots[index].id, audioPan(slots[index])) : nil
  }
}
