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
/// Reasons are: another variant is needed, the floor or the screen moved, a pin or a role changed, the floor's slot stands empty,
/// a slot that collapses lost who was in it.
/// When the floor moves, whoever loses the floor slot takes the place its new holder had.
///
///     var solver = LayoutSolver(template, width: 1280, height: 720)
///     solver.arrange(people)                       // whenever somebody joins, leaves, or gets the floor
///     let tiles = solver.tiles(width: 1280, height: 720)
package struct LayoutSolver: Sendable {
  /// A new template takes effect at the next `arrange`; people keep their order.
  package var template: LayoutTemplate {
    didSet { if template != oldValue { (variantIndex, seatedTurn) = (nil, nil) } }
  }
  /// The variant in use; nil before the first `arrange`.
  package private(set) var variantIndex: Int?
  /// What each slot of the variant shows.
  package private(set) var contents: [Tile.Content] = []
  /// Who was shown, in the order of their slots.
  private var order: [String] = []
  /// The turn that people beyond the slots were last seated for; nil while there are slots for all.
  private var seatedTurn: Int?
  /// The slots of the variant, where they lie now that the empty ones have collapsed.
  package private(set) var places: [LayoutSlot] = []
  /// The shape of the canvas, which has a say in the choice of the variant from the next `arrange` on.
  package var aspect: LayoutAspect

  package init(_ template: LayoutTemplate, aspect: LayoutAspect = .landscape) {
    self.template = template
    self.aspect = aspect
  }

  /// - Parameters: width, height: of the canvas; only its shape counts.
  package init(_ template: LayoutTemplate, width: Int, height: Int) {
    self.init(template, aspect: LayoutAspect(width: width, height: height))
  }

  /// Assigns people to slots.
  ///
  /// - Parameters:
  ///   - people: in the order they joined; IDs are unique.
  ///   - excluded: who is not shown in this view, such as its own receiver.
  ///   - turn: the next one lets people beyond the slots take them (overflow `rotate`); within one, everybody keeps his place.
  ///   - viewer: for whom alone the picture is, if it is for one; the template's `self` says how he sees himself.
  package mutating func arrange(
    _ people: [LayoutPerson], excluding excluded: Set<String> = [], turn: Int = 0, viewer: String? = nil
  ) {
    var shown = people.filter { !excluded.contains($0.id) }
    switch template.selfView {
    case .shown: break
    case .hidden: shown.removeAll { $0.id == viewer }
    case .last: shown = shown.filter { $0.id != viewer } + shown.filter { $0.id == viewer }
    }
    let usable = template.variants(for: aspect, people: shown)
    guard let last = usable.last(where: { template.variants[$0].aspect != nil }) ?? usable.last else { return }
    let viewerComesLast = template.selfView == .last ? viewer : nil
    for index in usable {
      var seating = seating(index, shown, viewerComesLast)
      seating.fill()
      guard seating.waiting.isEmpty else { continue }
      seatedTurn = nil
      return use(index, seating)
    }
    use(last, overflowing(last, shown, viewerComesLast, turn))
    seatedTurn = turn
  }

  private mutating func use(_ index: Int, _ seating: Seating) {
    variantIndex = index
    contents = seating.contents
    order = contents.compactMap { if case .person(let id) = $0 { id } else { nil } }
    places = collapsed(template.variants[index].slots, isEmpty: contents.map { $0 == .empty })
  }

  /// Seats that remember the last arrangement: places in the same variant, the order of people in another.
  private func seating(_ index: Int, _ people: [LayoutPerson], _ viewer: String?) -> Seating {
    var rank = Dictionary(order.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    if let viewer { rank[viewer] = nil }
    let sorted = people.enumerated().sorted {
      (rank[$0.element.id] ?? .max, $0.offset) < (rank[$1.element.id] ?? .max, $1.offset)
    }
    var previous = index == variantIndex ? contents : []
    if let viewer { previous = previous.map { $0 == .person(viewer) ? .empty : $0 } }
    return Seating(slots: template.variants[index].slots, people: sorted.map(\.element), previous: previous, last: viewer)
  }

  private func overflowing(_ index: Int, _ people: [LayoutPerson], _ viewer: String?, _ turn: Int) -> Seating {
    var seating = seating(index, people, viewer)
    switch template.overflow {
    case .hide: break
    case .count: seating.keepSlotForCount()
    case .rotate:
      if index == variantIndex, let seatedTurn, seatedTurn != turn { seating.rotate(people.map(\.id), by: turn) }
    }
    seating.fill()
    seating.showFloor()
    seating.writeCount()
    return seating
  }

  /// The slots on a canvas of this size, farthest first. Empty slots are there as well, but for those that
  /// have collapsed.
  package func tiles(width: Int, height: Int) -> [Tile] {
    guard variantIndex != nil else { return [] }
    let scale = min(Double(width) / Double(template.unitsWidth), Double(height) / Double(template.unitsHeight))
    let tiles = zip(places.indices, zip(places, contents)).compactMap { index, pair -> Tile? in
      let (slot, content) = pair
      if content == .empty, slot.style.empty == .collapse { return nil }
      var tile = Tile(
        slot: index, slotID: slot.id, content: content,
        rectangle: template.rectangle(of: slot, width: width, height: height), z: slot.z, style: slot.style,
        pixelsPerUnit: scale, audioPan: audioPan(slot), transitionMilliseconds: template.transitionMilliseconds)
      if slot.style.isCircle { tile.becomeCircle() }
      return tile
    }
    return tiles.sorted { ($0.z, $0.slot) < ($1.z, $1.slot) }
  }

  /// From where a slot's sound comes: as the file says, else from where it is.
  private func audioPan(_ slot: LayoutSlot) -> Double {
    slot.audioPan ?? (2 * slot.x + slot.width) / Double(template.unitsWidth) - 1
  }

  /// Number and id of the slot that shows a person, and where his sound comes from, -1 left to 1 right; nil when he is not shown.
  package func slot(of person: String) -> (index: Int, id: String?, audioPan: Double)? {
    guard let index = contents.firstIndex(of: .person(person)), places.indices.contains(index) else { return nil }
    return (index, places[index].id, audioPan(places[index]))
  }
}

extension LayoutTemplate {
  /// The variants that suit a canvas and these people, in the order of the file.
  ///
  /// Those whose `when` holds put those without one aside. Where none suits, it is the last for such a canvas, else the last of
  /// all: a canvas is never left without one.
  package func variants(for aspect: LayoutAspect, people: [LayoutPerson]) -> [Int] {
    let fitting = variants.indices.filter { variants[$0].aspect == nil || variants[$0].aspect == aspect }
    let suitable = fitting.filter { index in variants[index].conditions.allSatisfy { $0.holds(among: people) } }
    let special = suitable.filter { !variants[$0].conditions.isEmpty }
    if !special.isEmpty { return special }
    if !suitable.isEmpty { return suitable }
    return (fitting.last ?? variants.indices.last).map { [$0] } ?? []
  }
}
