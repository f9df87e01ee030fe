import Compositing
import Dispatch
import Layouts
import PixelKernels
import RawMedia
import Synchronization
import Testing

@Suite struct SharingTests {
  private static let text = "{slotDefaults: {label: false}, variants: [{grid: {columns: 2, rows: 2}}]}"

  private func people(_ count: Int) -> [String: SceneParticipant] {
    var people: [String: SceneParticipant] = [:]
    for index in 0..<count {
      people["p\(index)"] = SceneParticipant(name: "p\(index)", picture: CompositorTests.picture(CompositorTests.red, 641, 361))
    }
    return people
  }

  @Test func aPictureIsScaledOnceForAllCanvases() throws {
    let resources = CanvasResources()
    var canvases = [Canvas(resources), Canvas(resources), Canvas(resources)]
    var people = people(4)
    let tile = 320 * 180
    for round in 0..<6 {
      for id in people.keys { people[id]?.picture = CompositorTests.picture(CompositorTests.green, 640, 362 + round) }
      let scene = try CompositorTests.scene(Self.text, people, width: 640, height: 360)
      let before = canvases.reduce(0) { $0 + $1.compositor.pixelsScaled }
      for index in canvases.indices { canvases[index].draw(scene) }
      let scaled = canvases.reduce(0) { $0 + $1.compositor.pixelsScaled } - before
      // In the first round, and whenever sizes change, the first canvas does not know yet that others will follow.
      #expect(scaled <= 2 * 4 * tile)
    }
    let scene = try CompositorTests.scene(Self.text, people, width: 640, height: 360)
    for index in canvases.indices { canvases[index].draw(scene) }
    for id in people.keys { people[id]?.picture = CompositorTests.picture(CompositorTests.blue, 640, 367) }
    let before = canvases.reduce(0) { $0 + $1.compositor.pixelsScaled }
    let next = try CompositorTests.scene(Self.text, people, width: 640, height: 360)
    for index in canvases.indices { canvases[index].draw(next) }
    #expect(canvases.reduce(0) { $0 + $1.compositor.pixelsScaled } - before == 4 * tile)
    canvases.removeAll()
    #expect(resources.scaled.kept.count == 0 && resources.scaled.kept.byteCount == 0)
  }

  @Test func nothingIsKeptForOneCanvasWithoutOverlaps() throws {
    let resources = CanvasResources()
    let canvas = Canvas(resources)
    canvas.draw(try CompositorTests.scene(Self.text, people(4), width: 640, height: 360))
    #expect(resources.scaled.kept.count == 0)
    let overlapping =
      "{slotDefaults: {label: false}, variants: [{slots: [{x: 0, y: 0, width: 360, height: 360}, "
      + "{x: 9, y: 9, width: 90, height: 90, z: 1}]}]}"
    canvas.draw(try CompositorTests.scene(overlapping, people(2), width: 640, height: 360))
    #expect(resources.scaled.kept.count == 2)
  }

  @Test func canvasesOfManyThreadsDrawTheSame() throws {
    let resources = CanvasResources()
    let canvases = (0..<4).map { _ in Canvas(resources) }
    let wrong = Atomic<Int>(0)
    for round in 0..<12 {
      var people = people(4)
      for id in people.keys {
        people[id]?.picture = CompositorTests.picture(
          round % 2 == 0 ? CompositorTests.green : CompositorTests.blue, 99, 77 + round % 3)
      }
      let scene = try CompositorTests.scene(Self.text, people, width: 640, height: 360)
      let expected = Canvas(CanvasResources())
      expected.draw(scene)
      DispatchQueue.concurrentPerform(iterations: canvases.count) { index in
        canvases[index].draw(scene)
        if let a = canvases[index].last, let b = expected.last, !CompositorTests.same(a, b) { wrong.add(1, ordering: .relaxed) }
      }
    }
    #expect(wrong.load(ordering: .relaxed) == 0)
  }

  /// One canvas as its thread owns it.
  private final class Canvas: @unchecked Sendable {
    // Unchecked because each is used by one thread at a time.
    var compositor: Compositor
    var last: Picture?
    init(_ resources: CanvasResources) { compositor = Compositor(width: 640, height: 360, resources: resources) }
    func draw(_ scene: Scene) { last = compositor.compose(scene).picture }
  }
}
