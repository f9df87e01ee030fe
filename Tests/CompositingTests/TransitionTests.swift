import Compositing
import Layouts
import RawMedia
import Testing
import Timing

@Suite struct TransitionTests {
  private static let duration = Interval.milliseconds(300)

  private func tiles(_ text: String, _ ids: [String]) throws -> [Tile] {
    var solver = try CompositorTests.solver(text)
    solver.arrange(ids.map { LayoutPerson(id: $0) })
    return solver.tiles(width: 640, height: 360)
  }

  private let single = "{slotDefaults: {label: false}, variants: [{grid: {columns: 1, rows: 1}}]}"
  private let pair = "{slotDefaults: {label: false}, variants: [{grid: {columns: 2, rows: 1}}]}"

  private func tile(_ id: String, _ tiles: [MovingTile]) -> MovingTile? {
    tiles.first { $0.tile.content == .person(id) }
  }

  @Test func whoStaysMovesFromPlaceToPlace() throws {
    let transition = LayoutTransition(
      from: try tiles(single, ["a"]).map { MovingTile($0) }, to: try tiles(pair, ["a", "b"]), duration: Self.duration)
    let start = try #require(tile("a", transition.tiles(after: .zero)))
    #expect(start.tile.rectangle == PixelRectangle(x: 0, y: 0, width: 640, height: 360) && start.opacity == 1)
    let middle = try #require(tile("a", transition.tiles(after: .milliseconds(150))))
    #expect(middle.tile.rectangle == PixelRectangle(x: 0, y: 0, width: 480, height: 360))
    #expect(middle.restingWidth == 320 && middle.isMoving)
    let end = transition.tiles(after: Self.duration)
    #expect(end == (try tiles(pair, ["a", "b"]).map { MovingTile($0) }))
  }

  @Test func theWayIsSlowAtBothEnds() throws {
    let transition = LayoutTransition(
      from: try tiles(single, ["a"]).map { MovingTile($0) }, to: try tiles(pair, ["a"]), duration: Self.duration)
    let widths = (0...10).map { tile("a", transition.tiles(after: .milliseconds(30 * $0)))?.tile.rectangle.width ?? 0 }
    let steps = zip(widths, widths.dropFirst()).map { $0 - $1 }
    #expect(steps.allSatisfy { $0 > 0 } && (steps.first ?? 0) < steps[4] / 3 && (steps.last ?? 0) < steps[5] / 3)
  }

  @Test func newcomersFadeInAndGrowAndLeaversFadeOut() throws {
    let transition = LayoutTransition(
      from: try tiles(pair, ["a", "b"]).map { MovingTile($0) }, to: try tiles(pair, ["a", "c"]), duration: Self.duration)
    let start = transition.tiles(after: .zero)
    #expect(tile("b", start)?.opacity == 1 && tile("c", start)?.opacity == 0)
    let middle = transition.tiles(after: .milliseconds(150))
    let (leaver, newcomer) = (try #require(tile("b", middle)), try #require(tile("c", middle)))
    #expect(leaver.isLeaving && leaver.opacity == 0.5 && newcomer.opacity == 0.5)
    #expect(newcomer.tile.rectangle == PixelRectangle(x: 336, y: 18, width: 288, height: 324))
    #expect(middle.firstIndex { $0.isLeaving } == 0, "who leaves lies behind")
    #expect(tile("b", transition.tiles(after: Self.duration)) == nil)
  }

  @Test func aTransitionThatIsInterruptedGoesOnFromWhereItIs() throws {
    var compositor = Compositor(width: 640, height: 360)
    func scene(_ text: String) throws -> Scene {
      Scene(
        tiles: try tiles(text, ["a"]), participants: ["a": SceneParticipant(name: "a", picture: picture)],
        background: CompositorTests.ground, transition: Self.duration)
    }
    let picture = CompositorTests.picture(CompositorTests.red)
    let start = Instant.zero + .seconds(5)
    _ = compositor.compose(try scene(single), at: start)
    _ = compositor.compose(try scene(pair), at: start)
    let half = compositor.compose(try scene(pair), at: start + .milliseconds(150))
    #expect(half.isMoving && edge(half.picture) == 480)
    let turned = compositor.compose(try scene(single), at: start + .milliseconds(160))
    #expect(turned.isMoving && !turned.changed, "a new way begins where the last picture was")
    var last = 480
    for step in 1...12 {
      let width = edge(compositor.compose(try scene(single), at: start + .milliseconds(160 + 25 * Int64(step))).picture)
      #expect(width >= last && width % 2 == 0)
      last = width
    }
    #expect(last == 640)
  }

  /// Where the red ends in the middle row.
  private func edge(_ picture: Picture) -> Int {
    (0..<picture.width).first { !CompositorTests.near(CompositorTests.at(picture, $0, 180), CompositorTests.red) }
      ?? picture.width
  }

  @Test func whoIsGoneIsStillSeenFadingOut() throws {
    var compositor = Compositor(width: 640, height: 360)
    let people = [
      "a": SceneParticipant(name: "a", picture: CompositorTests.picture(CompositorTests.red)),
      "b": SceneParticipant(name: "b", picture: CompositorTests.picture(YUVColor(y: 235, u: 128, v: 128))),
    ]
    func compose(_ ids: [String], _ milliseconds: Int64) throws -> Composition {
      compositor.compose(
        Scene(
          tiles: try tiles(pair, ids), participants: people.filter { ids.contains($0.key) }, background: CompositorTests.ground,
          transition: Self.duration), at: .zero + .milliseconds(milliseconds))
    }
    _ = try compose(["a", "b"], 0)
    _ = try compose(["a"], 10)
    var last = 256
    for time in stride(from: 40, through: 300, by: 20) {
      let light = Int(CompositorTests.at(try compose(["a"], Int64(time)).picture, 480, 180).y)
      #expect(light < last && light > 25)
      last = light
    }
    let end = try compose(["a"], 320)
    #expect(!end.isMoving && CompositorTests.at(end.picture, 480, 180) == YUVColor(CompositorTests.ground))
    #expect(try !compose(["a"], 340).changed)
  }

  @Test func withoutADurationOrATimeTilesJump() throws {
    for (duration, now) in [(Interval.zero, Instant.zero as Instant?), (Self.duration, nil)] {
      var compositor = Compositor(width: 640, height: 360)
      for text in [single, pair] {
        let scene = Scene(
          tiles: try tiles(text, ["a"]),
          participants: ["a": SceneParticipant(name: "a", picture: CompositorTests.picture(CompositorTests.red))],
          background: CompositorTests.ground, transition: duration)
        let result = compositor.compose(scene, at: now)
        #expect(!result.isMoving && edge(result.picture) == (text == pair ? 320 : 640))
      }
    }
  }
}
