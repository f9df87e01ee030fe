import Layouts
import Testing

/// Which variant is used, and how slots close up.
@Suite struct LayoutChoiceTests {
  private func solver(_ text: String, _ aspect: LayoutAspect = .landscape) throws -> LayoutSolver {
    LayoutSolver(try LayoutTemplate(parsing: Array(text.utf8), name: "test"), aspect: aspect)
  }

  private func people(_ ids: String, sharing: Character? = nil, floor: Character? = nil) -> [LayoutPerson] {
    ids.map { LayoutPerson(id: String($0), hasFloor: $0 == floor, sharesScreen: $0 == sharing) }
  }

  private func shown(_ solver: LayoutSolver) -> String {
    solver.contents.map { if case .person(let id) = $0 { id } else if case .more(let count) = $0 { "\(count)" } else { "." } }
      .joined()
  }

  private func one(_ more: String = "") -> String { "{\(more) grid: {columns: 1, rows: 1}}" }

  @Test func theShapeOfTheCanvasChooses() throws {
    let text = "{variants: [\(one("aspect: 'portrait',")), \(one("aspect: 'square',")), \(one("aspect: 'any',"))]}"
    for (size, index) in [((720, 1280), 0), ((500, 500), 1), ((1280, 720), 2)] {
      var solver = try solver(text, LayoutAspect(width: size.0, height: size.1))
      solver.arrange(people("a"))
      #expect(solver.variantIndex == index)
    }
  }

  @Test func aVariantWhoseWhenHoldsGoesBeforeThoseWithoutOne() throws {
    let text =
      "{variants: [{grid: {columns: 3, rows: 3}}, {when: 'screen', slots: [{x: 0, y: 0, width: 9, height: 9, source: 'screen'}, "
      + "{x: 9, y: 0, width: 9, height: 9}, {x: 18, y: 0, width: 9, height: 9}]}]}"
    var solver = try solver(text)
    solver.arrange(people("abcd"))
    #expect(solver.variantIndex == 0 && shown(solver) == "abcd.....")
    solver.arrange(people("abcd", sharing: "c"))
    #expect(solver.variantIndex == 1 && shown(solver) == "ca2")
    solver.arrange(people("abcd"))
    #expect(solver.variantIndex == 0)
  }

  @Test func conditionsAskForRolesKeysFloorAndPictures() throws {
    for (when, person) in [
      ("role:host", LayoutPerson(id: "a", role: "host", sendsVideo: false)),
      ("reserved:desk", LayoutPerson(id: "a", sendsVideo: false, pinnedSlot: "desk")),
      ("floor", LayoutPerson(id: "a", hasFloor: true, sendsVideo: false)), ("video", LayoutPerson(id: "a")),
    ] {
      var solver = try solver("{variants: [\(one("when: '\(when)',")), \(one("when: ['no-\(when)', 'no-screen'],"))]}")
      solver.arrange([person])
      #expect(solver.variantIndex == 0)
      solver.arrange([LayoutPerson(id: "b", sendsVideo: false)])
      #expect(solver.variantIndex == 1)
      solver.arrange([LayoutPerson(id: "b", sendsVideo: false, sharesScreen: true)])
      #expect(solver.variantIndex == 1, "where none suits the last is used")
    }
  }

  @Test func tooManyPeopleGetTheLastVariantOfTheirCanvas() throws {
    let text = "{variants: [{aspect: 'portrait', grid: {columns: 1, rows: 3}}, {grid: {columns: 3, rows: 1}}]}"
    for (aspect, index) in [(LayoutAspect.portrait, 0), (.landscape, 1), (.square, 1)] {
      var solver = try solver(text, aspect)
      solver.arrange(people("abcde"))
      #expect(solver.variantIndex == index && shown(solver) == "ab3")
    }
  }

  @Test func emptySlotsOfARowCloseUpAroundTheMiddle() throws {
    var solver = try solver("{variants: [{grid: {columns: 3, rows: 3, empty: 'collapse'}}]}")
    solver.arrange(people("abcdefgh"))
    #expect(solver.places[6].x == 60 && solver.places[7].x == 180 && solver.places[0].x == 0)
    solver.arrange(people("abcde"))
    #expect(solver.places[0].y == 60 && solver.places[3].x == 60 && solver.places[3].y == 180 && solver.places[4].x == 180)
    solver.arrange(people("ace"))
    #expect(shown(solver) == "a.c.e....")
    #expect(solver.places[0].x == 60 && solver.places[2].x == 180 && solver.places[4].x == 120)
    #expect(abs((solver.slot(of: "e")?.audioPan ?? 1)) < 1e-9, "the voice follows the place")
    let tiles = solver.tiles(width: 360, height: 360)
    #expect(tiles.map(\.slot) == [0, 2, 4])
    #expect(tiles[2].rectangle == PixelRectangle(x: 120, y: 180, width: 120, height: 120))
  }

  @Test func stripsCloseUpAndOtherSlotsStay() throws {
    var solver = try solver(
      "{slotDefaults: {empty: 'collapse'}, variants: [{slots: [{x: 0, y: 0, width: 270, height: 360}], "
        + "grid: {columns: 1, rows: 4, x: 270}}]}")
    solver.arrange(people("abc"))
    #expect(solver.places[0].x == 0 && solver.places[1].y == 90 && solver.places[2].y == 180)
  }

  @Test func aCircleIsTheMiddleOfItsSlot() throws {
    var solver = try solver("{variants: [{grid: {columns: 2, rows: 1, radius: 'circle'}}]}")
    solver.arrange(people("ab"))
    let tile = solver.tiles(width: 1280, height: 720)[1]
    #expect(tile.rectangle == PixelRectangle(x: 640, y: 40, width: 640, height: 640))
    #expect(tile.style.radius * tile.pixelsPerUnit == 320)
  }

  @Test func oneMaySeeHimselfOrNotOrLast() throws {
    for (policy, expected) in [("shown", "abc."), ("hidden", "bc.."), ("last", "bca.")] {
      var solver = try solver("{self: '\(policy)', variants: [{grid: {columns: 2, rows: 2}}]}")
      solver.arrange(people("abc"), viewer: "a")
      #expect(shown(solver) == expected)
      guard policy == "last" else { continue }
      solver.arrange(people("abcd"), viewer: "a")
      #expect(shown(solver) == "bcda")
    }
    var solver = try solver(
      "{self: 'last', variants: [{slots: [{x: 0, y: 0, width: 9, height: 9, source: 'floor'}, {x: 9, y: 0, width: 9, height: 9}]}]}"
    )
    solver.arrange(people("ab", floor: "a"), viewer: "a")
    #expect(shown(solver) == "ba", "another is in the floor's slot")
    solver.arrange(people("a", floor: "a"), viewer: "a")
    #expect(shown(solver) == "a.", "unless there is no other")
  }

  @Test func tilesSayHowLongTheyMove() throws {
    var solver = try solver("{transitionMs: 250, rotateSeconds: 3, variants: [{grid: {columns: 2, rows: 1}}]}")
    solver.arrange(people("a"))
    #expect(solver.tiles(width: 64, height: 64).allSatisfy { $0.transitionMilliseconds == 250 })
    #expect(solver.template.rotateSeconds == 3)
  }

  @Test func rolesKeepTheirPlaces() throws {
    var solver = try solver("{variants: [{grid: {columns: 3, rows: 1, source: 'role:panelist'}}]}")
    func panel(_ ids: String) -> [LayoutPerson] { ids.map { LayoutPerson(id: String($0), role: "panelist") } }
    solver.arrange(panel("abc"))
    solver.arrange(panel("bc"))
    #expect(shown(solver) == ".bc")
    solver.arrange(panel("bcd"))
    #expect(shown(solver) == "dbc")
  }
}
