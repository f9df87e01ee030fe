import Layouts
import TestSupport
import Testing

/// Rooms by seed: people come, go, speak, share; nobody changes his place without a reason.
@Suite struct StableSeatingTests {
  /// A room over time, with what each step was.
  private struct Room {
    enum Step { case join, leave, floor(to: String?), screen }
    var random: SeededRandom
    var people: [LayoutPerson] = []
    private var count = 0

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func step() -> Step {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<4 where people.count < 30:
        count += 1
        people.append(LayoutPerson(id: "p\(count)", sendsVideo: Int.random(in: 0..<4, using: &random) > 0))
        return .join
      case 4..<7 where !people.isEmpty:
        people.remove(at: .random(in: people.indices, using: &random))
        return .leave
      case 7 where !people.isEmpty:
        let sharer = Int.random(in: -1..<people.count, using: &random)
        for index in people.indices { people[index].sharesScreen = index == sharer }
        return .screen
      default:
        let holder = people.isEmpty ? -1 : Int.random(in: -1..<people.count, using: &random)
        for index in people.indices { people[index].hasFloor = index == holder }
        return .floor(to: holder < 0 ? nil : people[holder].id)
      }
    }
  }

  private func id(_ content: Tile.Content) -> String? { if case .person(let id) = content { id } else { nil } }

  /// Who was shown before, is shown now, and sits elsewhere.
  private func moved(_ before: [Tile.Content], _ after: [Tile.Content]) -> Set<String> {
    var moved: Set<String> = []
    for (index, content) in before.enumerated() {
      guard let id = id(content), let now = after.firstIndex(of: .person(id)), now != index else { continue }
      moved.insert(id)
    }
    return moved
  }

  @Test(arguments: ShippedLayouts.names)
  func placesChangeOnlyForAReason(name: String) throws {
    let template = try ShippedLayouts.template(name)
    guard template.overflow != .rotate else { return }
    for seed in 0..<12 as Range<UInt64> {
      var room = Room(seed: seed)
      var solver = LayoutSolver(template, aspect: LayoutAspect.allCases[Int(seed % 3)])
      for _ in 0..<300 {
        let (before, variant) = (solver.contents, solver.variantIndex)
        let step = room.step()
        solver.arrange(room.people)
        let shown = solver.contents.compactMap(id)
        #expect(Set(shown).count == shown.count && Set(shown).isSubset(of: room.people.map(\.id)))
        if let holder = room.people.first(where: \.hasFloor) { #expect(shown.contains(holder.id)) }
        guard variant == solver.variantIndex else { continue }
        let moved = moved(before, solver.contents)
        let overflows = solver.contents.contains { if case .more = $0 { true } else { false } }
        switch step {
        case .join: #expect(moved.isEmpty, "\(name) \(seed)")
        // Whoever takes the free floor slot, or the free screen.
        case .leave: #expect(moved.count <= 1 || overflows, "\(name) \(seed) \(moved)")
        // The new holder and whom he displaces.
        case .floor(let to): #expect(moved.count <= 2 && (moved.isEmpty || to != nil), "\(name) \(seed) \(moved)")
        // Whoever shared, whoever shares, and who moves to where they were.
        case .screen: #expect(moved.count <= 3, "\(name) \(seed) \(moved)")
        }
      }
    }
  }

  @Test(arguments: ShippedLayouts.names)
  func theSamePeopleTwiceChangeNothing(name: String) throws {
    let template = try ShippedLayouts.template(name)
    for seed in 20..<30 as Range<UInt64> {
      var room = Room(seed: seed)
      var solver = LayoutSolver(template)
      for _ in 0..<200 {
        _ = room.step()
        solver.arrange(room.people)
        let before = solver.contents
        solver.arrange(room.people)
        #expect(solver.contents == before, "\(name) \(seed)")
      }
    }
  }
}
