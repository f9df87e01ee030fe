import Layouts
import PixelKernels
import RawMedia

/// Draws one canvas: scene in, picture out, redrawing only what changed.
///
///     var compositor = Compositor(width: 1280, height: 720)
///     let composition = compositor.compose(scene)      // at each tick of the canvas
///     if composition.changed { encode(composition.picture) }
///
/// A tile is redrawn when its picture is another object, or its rectangle, border, label or turn changed, or a tile below it was
/// redrawn. Another layout redraws everything. Pictures shown are held until they are replaced, so the pools they come from need
/// one picture more for each canvas. Used by one thread at a time.
package struct Compositor: ~Copyable, Sendable {
  package let width: Int
  package let height: Int
  private var ring = CanvasRing()
  private var painter: TilePainter
  private var looks: [TileLook] = []
  /// For each tile the generation it was last drawn in.
  private var drawn: [Int] = []
  /// For each tile those farther ones it overlaps; places do not change between two drawings of the whole.
  private var beneath: [[Int]] = []
  /// For each tile with round corners what lies beneath them.
  private var corners: [RoundCorners?] = []
  private var cornerMasks = CornerMasks()
  private var background: LayoutColor?
  /// Counts compositions that changed something.
  private var generation = 0
  /// The generation everything was last drawn in.
  private var wholeGeneration = 0
  private var current: Picture?

  /// Looks up fonts, which takes some 50 ms the first time in a process: no work for a tick.
  ///
  /// - Parameters: width, height: pixels, even, 16 to `Picture.sideMax`.
  package init(width: Int, height: Int) {
    let sides = 16...Picture.sideMax
    precondition(
      sides.contains(width) && sides.contains(height) && width % 2 == 0 && height % 2 == 0, "a canvas has even sides from 16")
    self.width = width
    self.height = height
    painter = TilePainter()
  }

  /// Pictures made although the canvas keeps some: more of them are in use than were thought of.
  package var poolMisses: Int { ring.misses }

  /// Whether the machine has no font at all: names are left out then, and the operator should know.
  package var lacksFonts: Bool { painter.lacksFonts }

  private var bounds: PixelArea { .init(x: 0, y: 0, width: width, height: height) }

  package mutating func compose(_ scene: Scene) -> Composition {
    let bounds = bounds
    let looks = scene.tiles.compactMap { TileLook($0, scene.participants, canvas: bounds) }
    let isWhole =
      current == nil || background != scene.background || looks.count != self.looks.count
      || zip(looks, self.looks).contains { $0.area != $1.area || $0.radius != $1.radius }
    let dirty = isWhole ? Array(looks.indices) : dirtyTiles(looks)
    if let current, !isWhole, dirty.isEmpty { return Composition(picture: current, changed: false, damage: []) }

    generation += 1
    let (picture, index, age) = ring.take(width: width, height: height)
    self.looks = looks
    background = scene.background
    if isWhole {
      wholeGeneration = generation
      drawn = Array(repeating: generation, count: looks.count)
      corners = Array(repeating: nil, count: looks.count)
      beneath = looks.indices.map { index in
        (0..<index).filter { !looks[$0].area.intersection(looks[index].area).isEmpty }
      }
      picture.fill(YUVColor(scene.background))
    } else {
      repair(picture, age: age, except: dirty)
    }
    for tile in dirty where !isWhole && looks[tile].radius > 0 && isBeneathDirty(tile, dirty) {
      picture.fill(looks[tile].area, with: YUVColor(scene.background))
    }
    painter.begin(background: YUVColor(scene.background))
    for tile in dirty {
      keepCorners(tile, dirty, on: picture)
      painter.paint(looks[tile], on: picture)
      corners[tile]?.restore(on: picture)
      drawn[tile] = generation
    }
    ring.complete(index, generation: generation)
    current = picture
    let damage = isWhole ? [bounds] : dirty.map { looks[$0].area }
    return Composition(picture: picture, changed: true, damage: damage.map(PixelRectangle.init))
  }

  /// Tiles to be drawn, farthest first: those whose looks changed and those lying over them; and since corners of a tile show
  /// what lies beneath, all of that where any of it changed.
  private func dirtyTiles(_ looks: [TileLook]) -> [Int] {
    var isDirty = looks.indices.map { looks[$0] != self.looks[$0] }
    var isSettled = !isDirty.contains(true)
    while !isSettled {
      isSettled = true
      for index in looks.indices {
        guard beneath[index].contains(where: { isDirty[$0] }) else { continue }
        for tile in looks[index].radius > 0 ? beneath[index] + [index] : [index] where !isDirty[tile] {
          isDirty[tile] = true
          isSettled = false
        }
      }
    }
    return looks.indices.filter { isDirty[$0] }
  }

  /// Whether something beneath a tile is drawn anew.
  private func isBeneathDirty(_ tile: Int, _ dirty: [Int]) -> Bool {
    beneath[tile].contains { dirty.contains($0) }
  }

  /// Keeps what lies beneath the corners of a tile about to be drawn, if it was drawn anew itself.
  private mutating func keepCorners(_ tile: Int, _ dirty: [Int], on picture: Picture) {
    let look = looks[tile]
    guard look.radius > 0 else { return corners[tile] = nil }
    if corners[tile]?.radius == look.radius, !isBeneathDirty(tile, dirty) { return }
    corners[tile] = RoundCorners(look.area, radius: look.radius, of: picture, masks: &cornerMasks)
  }

  /// Brings a picture of an earlier generation up to the current one, leaving out what is drawn anew anyway.
  private func repair(_ picture: Picture, age: Int?, except dirty: [Int]) {
    guard let current, current !== picture else { return }
    guard let age, age >= wholeGeneration else {
      picture.copy(bounds, from: current)
      return
    }
    var rest = dirty[...]
    for index in looks.indices {
      if rest.first == index {
        rest.removeFirst()
      } else if drawn[index] > age {
        picture.copy(looks[index].area, from: current)
      }
    }
  }
}

extension PixelRectangle {
  init(_ area: PixelArea) { self.init(x: area.x, y: area.y, width: area.width, height: area.height) }
}
