import Compositing
import Layouts
import PixelKernels
import RawMedia
import TestSupport
import Testing
import Timing

/// A room that changes at random: pictures, people, layouts, styles, the time between two ticks.
struct RandomScene {
  private var random: SeededRandom
  private var people: [String: SceneParticipant] = [:]
  private var present: [String] = ["a", "b", "c"]
  private var solver: LayoutSolver
  private var text = 0
  private var transition = Interval.zero
  private(set) var now = Instant.zero
  static let width = 320
  static let height = 180

  private static let styles = [
    "border: {width: 3, color: '#222222'}", "radius: 20, border: {width: 3}",
    "radius: 360, border: {width: 4, color: '#aa0000'}",
    "fit: 'contain', border: {width: 2, color: '#11223380'}", "label: false, placeholder: 'color'",
    "label: {position: 'top', text: '{role}: {name}'}",
  ]
  private static let variants = [
    "{grid: {columns: 2, rows: 2, gap: 3}}", "{grid: {columns: 3, rows: 3}}",
    "{slots: [{x: 0, y: 0, width: 360, height: 360}, {x: 200, y: 200, width: 140, height: 140, z: 2}, "
      + "{x: 100, y: 150, width: 140, height: 140, z: 1}, {x: 20, y: 20, width: 61, height: 61, z: 1, fit: 'contain'}]}",
    "{slots: [{x: 30, y: 30, width: 300, height: 300, radius: 40}, {x: 10, y: 10, width: 200, height: 100, z: 1, radius: 9}, "
      + "{x: 150, y: 90, width: 111, height: 111, z: 3}]}",
  ]
  private static let colors = [
    YUVColor(red: 200, green: 30, blue: 30), YUVColor(red: 30, green: 180, blue: 40), YUVColor(red: 20, green: 40, blue: 190),
  ]

  init(seed: Int) throws {
    random = SeededRandom(seed: UInt64(seed) &* 77)
    solver = try CompositorTests.solver("{variants: [\(Self.variants[0])]}")
    for id in "abcdefg".map(String.init) { people[id] = SceneParticipant(name: id, role: "host") }
    for id in present {
      let picture = picture()
      people[id]?.picture = picture
    }
  }

  /// Noise scaled is a good witness: no two pixels are alike.
  private mutating func picture() -> Picture {
    let (width, height) = (Int.random(in: 1...90, using: &random), Int.random(in: 1...90, using: &random))
    let picture = Picture(width: width, height: height)
    picture.fill(Self.colors.randomElement(using: &random) ?? .black)
    for y in 0..<height {
      for x in 0..<width { picture.luma[y * picture.lumaStride + x] = .random(in: 16...235, using: &random) }
    }
    return picture
  }

  mutating func next() throws -> Scene {
    now += .milliseconds(.random(in: 0...60, using: &random))
    for _ in 0..<Int.random(in: 0...3, using: &random) { try change() }
    solver.arrange(
      present.map { LayoutPerson(id: $0, hasFloor: people[$0]?.isSpeaking ?? false) })
    return Scene(
      tiles: solver.tiles(width: Self.width, height: Self.height), participants: people.filter { present.contains($0.key) },
      background: solver.template.background.color, transition: transition)
  }

  private mutating func change() throws {
    let id = present.randomElement(using: &random) ?? "a"
    switch Int.random(in: 0..<16, using: &random) {
    case 0:
      let style = Self.styles.randomElement(using: &random) ?? ""
      let variant = Self.variants.randomElement(using: &random) ?? ""
      solver.template = try CompositorTests.solver("{slotDefaults: {\(style)}, variants: [\(variant)]}").template
    case 1: people[id]?.isSpeaking.toggle()
    case 2: people[id]?.picture = nil
    case 3: people[id]?.name = "name \(Int.random(in: 0...99, using: &random))"
    case 4: people[id]?.rotationDegrees = [0, 90, 180, 270, 45, -90].randomElement(using: &random) ?? 0
    case 5: people[id]?.isMuted.toggle()
    case 6: people[id]?.isFrozen.toggle()
    case 7: people[id]?.isScreen.toggle()
    case 8: if present.count > 1 { present.removeAll { $0 == id } }
    case 9: if let new = people.keys.sorted().first(where: { !present.contains($0) }) { present.append(new) }
    case 10: transition = [.zero, .milliseconds(300), .milliseconds(100)].randomElement(using: &random) ?? .zero
    case 11: present.shuffle(using: &random)
    default:
      let picture = picture()
      people[id]?.picture = picture
    }
  }
}

@Suite struct IncrementalTests {
  /// Whatever changed when, also while tiles are on their way, and whichever pictures others hold: the result is what drawing
  /// everything gives, and outside of the damage nothing differs.
  @Test(arguments: 0..<8)
  func anySequenceOfChangesEqualsDrawingAnew(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    var scenes = try RandomScene(seed: seed)
    let resources = CanvasResources()
    var compositor = Compositor(width: RandomScene.width, height: RandomScene.height, resources: resources)
    var anew = Compositor(width: RandomScene.width, height: RandomScene.height)
    var held: [Picture] = []
    for step in 0..<250 {
      let scene = try scenes.next()
      let before = held.last
      let result = compositor.compose(scene, at: scenes.now)
      anew.forget()
      let whole = anew.compose(scene, at: scenes.now).picture
      guard CompositorTests.same(result.picture, whole) else {
        Issue.record("seed \(seed), step \(step): differs from drawing everything")
        return
      }
      if let before, let place = Self.firstChange(before, result.picture, outside: result.damage) {
        Issue.record("seed \(seed), step \(step): \(place) changed outside of the damage")
        return
      }
      #expect(result.changed != result.damage.isEmpty)
      #expect(result.damage.allSatisfy { $0.x % 2 == 0 && $0.y % 2 == 0 && $0.width % 2 == 0 && $0.height % 2 == 0 })
      held.append(result.picture)
      if held.count > .random(in: 1...9, using: &random) { held.removeFirst(held.count / 2) }
    }
    #expect(compositor.pixelsDrawn < anew.pixelsDrawn)
  }

  private static func firstChange(_ a: Picture, _ b: Picture, outside damage: [PixelRectangle]) -> (Int, Int)? {
    for y in 0..<a.height {
      for x in 0..<a.width where CompositorTests.at(a, x, y) != CompositorTests.at(b, x, y) {
        let isTold = damage.contains { x >= $0.x && x < $0.right && y >= $0.y && y < $0.bottom }
        if !isTold { return (x, y) }
      }
    }
    return nil
  }

  /// Several canvases of one room, some without one member, share what they scale and draw the same as each for itself.
  @Test(arguments: 0..<3)
  func canvasesThatShareDrawTheSame(seed: Int) throws {
    var scenes = try RandomScene(seed: seed + 100)
    let resources = CanvasResources()
    var one = Compositor(width: RandomScene.width, height: RandomScene.height, resources: resources)
    var other = Compositor(width: RandomScene.width, height: RandomScene.height, resources: resources)
    var alone = Compositor(width: RandomScene.width, height: RandomScene.height)
    for _ in 0..<150 {
      let scene = try scenes.next()
      let expected = alone.compose(scene, at: scenes.now).picture
      #expect(CompositorTests.same(one.compose(scene, at: scenes.now).picture, expected))
      #expect(CompositorTests.same(other.compose(scene, at: scenes.now).picture, expected))
    }
  }

  /// Sixteen people, three of whom move: counted in pixels written, which is what composing costs.
  @Test func thirteenStillTilesCostNothing() throws {
    let text = "{slotDefaults: {border: {width: 2, color: '#000000'}}, variants: [{grid: {columns: 4, rows: 4}}]}"
    var people: [String: SceneParticipant] = [:]
    for index in 0..<16 {
      people["p\(index)"] = SceneParticipant(name: "p\(index)", picture: CompositorTests.picture(CompositorTests.red))
    }
    var some = Compositor(width: 1280, height: 720)
    var all = Compositor(width: 1280, height: 720)
    _ = some.compose(try CompositorTests.scene(text, people, width: 1280, height: 720))
    let start = some.pixelsDrawn
    for _ in 0..<10 {
      for index in [2, 7, 11] { people["p\(index)"]?.picture = CompositorTests.picture(CompositorTests.green) }
      let scene = try CompositorTests.scene(text, people, width: 1280, height: 720)
      _ = some.compose(scene)
      all.forget()
      _ = all.compose(scene)
    }
    #expect((some.pixelsDrawn - start) * 4 < all.pixelsDrawn)
  }
}
