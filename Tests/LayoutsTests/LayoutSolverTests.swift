import Layouts
import TestSupport
import Testing

@Suite struct LayoutSolverTests {
  private func solver(_ text: String) throws -> LayoutSolver {
    LayoutSolver(try LayoutTemplate(parsing: Array(text.utf8), name: "test"))
  }

  private func people(_ ids: String, floor: Character? = nil) -> [LayoutPerson] {
    ids.map { LayoutPerson(id: String($0), hasFloor: $0 == floor) }
  }

  /// What is shown, a letter a slot: `.` for an empty one, a digit for a count.
  private func shown(_ solver: LayoutSolver) -> String {
    solver.contents.map {
      switch $0 {
      case .person(let id): id
      case .more(let count): String(count)
      case .image: "#"
      case .empty: "."
      }
    }.joined()
  }

  private static let grids = "{variants: [{grid: {columns: 2, rows: 1}}, {grid: {columns: 2, rows: 2}}]}"
  private static let speaker =
    "{variants: [{slots: [{x: 0, y: 0, width: 300, height: 360, source: 'floor'}, {x: 300, y: 0, width: 60, height: 90}, "
    + "{x: 300, y: 90, width: 60, height: 90}, {x: 300, y: 180, width: 60, height: 90}]}]}"

  @Test func theFirstVariantWithEnoughSlotsIsUsed() throws {
    var solver = try solver(Self.grids)
    solver.arrange(people("ab"))
    #expect(solver.variantIndex == 0 && shown(solver) == "ab")
    solver.arrange(people("abc"))
    #expect(solver.variantIndex == 1 && shown(solver) == "abc.")
  }

  @Test func nobodyMovesWhenAnotherLeavesOrJoins() throws {
    var solver = try solver(Self.grids)
    solver.arrange(people("abcd"))
    solver.arrange(people("acd"))
    #expect(shown(solver) == "a.cd")
    solver.arrange(people("acde"))
    #expect(shown(solver) == "aecd")
  }

  @Test func anotherVariantKeepsTheOrder() throws {
    var solver = try solver(Self.grids)
    solver.arrange(people("abcd"))
    solver.arrange(people("bcd"))
    solver.arrange(people("bcde"))
    #expect(shown(solver) == "ebcd")
    solver.arrange(people("ed"))
    #expect(shown(solver) == "ed")
  }

  @Test func theFloorSwapsPlacesWithWhomItDisplaces() throws {
    var solver = try solver(Self.speaker)
    solver.arrange(people("abcd", floor: "a"))
    #expect(shown(solver) == "abcd")
    solver.arrange(people("abcd", floor: "c"))
    #expect(shown(solver) == "cbad")
    solver.arrange(people("abcd"))
    #expect(shown(solver) == "cbad", "whoever spoke last stays")
    solver.arrange(people("abd"))
    #expect(shown(solver) == "b.ad", "an empty floor slot is filled")
  }

  @Test func floorOnlyStaysEmptyWithoutAFloor() throws {
    var solver = try solver(
      "{variants: [{slots: [{x: 0, y: 0, width: 9, height: 9, source: 'floor-only'}, {x: 9, y: 0, width: 9, height: 9}, "
        + "{x: 18, y: 0, width: 9, height: 9}]}]}")
    solver.arrange(people("ab"))
    #expect(shown(solver) == ".ab")
    solver.arrange(people("ab", floor: "b"))
    #expect(shown(solver) == "ba.")
    solver.arrange(people("ab"))
    #expect(shown(solver) == ".ab")
  }

  @Test func rolesScreensAndReservedSlotsTakeTheirOwn() throws {
    var solver = try solver(
      "{variants: [{slots: [{x: 0, y: 0, width: 9, height: 9}, {x: 9, y: 0, width: 9, height: 9, source: 'role:host'}, "
        + "{x: 18, y: 0, width: 9, height: 9, source: 'screen'}, {x: 27, y: 0, width: 9, height: 9, source: 'reserved:desk'}, "
        + "{x: 36, y: 0, width: 9, height: 9, source: 'image:a.png'}, {id: 'corner', x: 45, y: 0, width: 9, height: 9}]}]}")
    solver.arrange([
      LayoutPerson(id: "a"), LayoutPerson(id: "h", role: "host"), LayoutPerson(id: "s", sharesScreen: true),
      LayoutPerson(id: "r", pinnedSlot: "desk"), LayoutPerson(id: "c", pinnedSlot: "corner"),
    ])
    #expect(shown(solver) == "ahsr#c")
    #expect(solver.slot(of: "c")?.index == 5 && solver.slot(of: "c")?.id == "corner" && solver.slot(of: "x") == nil)
    solver.arrange([LayoutPerson(id: "a", pinnedSlot: "5")])
    #expect(shown(solver) == "....#a")
  }

  @Test func moreThanFitAreCounted() throws {
    var solver = try solver(Self.grids)
    solver.arrange(people("abcdef"))
    #expect(shown(solver) == "abc3")
    solver.arrange(people("abcdef", floor: "f"))
    #expect(shown(solver) == "abf3", "who has the floor is shown")
    solver.arrange(people("abcdef"))
    #expect(shown(solver) == "abf3", "and stays")
  }

  @Test func thoseWithAPictureComeFirstWhereNotAllFit() throws {
    var solver = try solver(Self.grids)
    var all = people("abcdef")
    all[0].sendsVideo = false
    solver.arrange(all)
    #expect(shown(solver) == "bcd3")
  }

  @Test func hidingShowsNoCountAndRotatingShowsEverybody() throws {
    var hiding = try solver("{variants: [{grid: {columns: 2, rows: 1}}], overflow: 'hide'}")
    hiding.arrange(people("abc"))
    #expect(shown(hiding) == "ab")
    var rotating = try solver("{variants: [{grid: {columns: 2, rows: 1}}], overflow: 'rotate'}")
    var seen: Set<Character> = []
    for turn in 0..<3 {
      rotating.arrange(people("abcde"), turn: turn)
      seen.formUnion(shown(rotating))
    }
    #expect(seen == Set("abcde"))
  }

  @Test func withinATurnNobodyMovesAndWhoIsShownTwiceStays() throws {
    var solver = try solver("{variants: [{grid: {columns: 3, rows: 1}}], overflow: 'rotate'}")
    solver.arrange(people("abc"), turn: 7)
    solver.arrange(people("abcd"), turn: 7)
    #expect(shown(solver) == "abc", "who comes within a turn waits for the next")
    solver.arrange(people("abcd"), turn: 9)
    #expect(shown(solver) == "abd", "of the row d, a, b the two who were shown keep their places")
    solver.arrange(people("abcd", floor: "c"), turn: 9)
    #expect(shown(solver) == "abc", "who has the floor is shown")
    var some = people("abcd")
    for index in [1, 3] { some[index].sendsVideo = false }
    var seen = ""
    for turn in 10..<15 {
      solver.arrange(some, turn: turn)
      seen += shown(solver)
    }
    #expect(Set(seen) == Set("abcd"), "those without a picture have their turn too")
  }

  @Test func oneExcludedIsNotShown() throws {
    var solver = try solver(Self.grids)
    solver.arrange(people("abc"), excluding: ["a"])
    #expect(shown(solver) == "bc")
  }

  @Test func aNewTemplateKeepsTheOrder() throws {
    var solver = try solver(Self.grids)
    solver.arrange(people("abcd"))
    solver.arrange(people("bcda"))
    solver.template = try self.solver("{variants: [{grid: {columns: 5, rows: 1}}]}").template
    solver.arrange(people("bcda"))
    #expect(shown(solver) == "abcd.")
  }

  @Test func neighboursShareTheirEdgesAtAnySize() throws {
    for columns in 1...20 {
      let solver = try solver("{units: [100, 37], variants: [{grid: {columns: \(columns), rows: 3}}]}")
      var arranged = solver
      arranged.arrange(people("a"))
      for width in [16, 101, 320, 501, 1279, 1920] {
        let tiles = arranged.tiles(width: width, height: 99)
        for row in 0..<3 {
          var edge = 0
          for tile in tiles[row * columns..<(row + 1) * columns] {
            #expect(tile.rectangle.x == edge)
            edge = tile.rectangle.right
          }
          #expect(edge == width)
        }
      }
    }
  }

  @Test func tilesComeFarthestFirstAndPanFollowsThePlace() throws {
    var solver = try solver(
      "{variants: [{slots: [{x: 0, y: 0, width: 180, height: 9, z: 2}, {x: 180, y: 0, width: 180, height: 9}, "
        + "{x: 0, y: 9, width: 360, height: 9, audioPan: 1}]}]}")
    solver.arrange(people("abc"))
    let tiles = solver.tiles(width: 360, height: 360)
    #expect(tiles.map(\.slot) == [1, 2, 0])
    #expect(tiles.map(\.audioPan) == [0.5, 1, -0.5])
  }

  @Test func anyComingAndGoingSeatsEverybodyOnce() throws {
    var random = SeededRandom(seed: 5)
    for text in [Self.grids, Self.speaker] {
      var solver = try solver(text)
      var here: [LayoutPerson] = []
      for step in 0..<2000 {
        if Bool.random(using: &random) || here.isEmpty {
          here.append(LayoutPerson(id: "p\(step)", sendsVideo: Bool.random(using: &random)))
        } else {
          here.remove(at: .random(in: here.indices, using: &random))
        }
        if here.count > 7 { here.removeFirst(5) }
        let floor = here.isEmpty ? -1 : Int.random(in: -1..<here.count, using: &random)
        for index in here.indices { here[index].hasFloor = index == floor }
        let before = solver.contents, variant = solver.variantIndex
        solver.arrange(here)
        let seated = solver.contents.compactMap { if case .person(let id) = $0 { id } else { nil } }
        let more = solver.contents.compactMap { if case .more(let count) = $0 { count } else { nil } }.first ?? 0
        #expect(Set(seated).count == seated.count && seated.count + more == here.count)
        // In a plain grid that was not full nobody moves.
        guard text == Self.grids, variant == solver.variantIndex, more == 0 else { continue }
        for (old, new) in zip(before, solver.contents) {
          if case .person(let id) = old, here.contains(where: { $0.id == id }) { #expect(old == new) }
        }
      }
    }
  }
}
