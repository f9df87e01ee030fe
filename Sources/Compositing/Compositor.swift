import Layouts
import PixelKernels
import RawMedia
import Synchronization
import Timing

/// Draws one canvas: scene in, picture out, redrawing only what changed.
///
///     var compositor = Compositor(width: 1280, height: 720, resources: resourcesOfTheRoom)
///     let composition = compositor.compose(scene, at: now)      // at each tick of the canvas
///     if composition.changed { encode(composition.picture, composition.damage) }
///
///     Scene ─Motion─▶ tiles as they stand now ─TileLook, SheetBuilder─▶ sheets of layers ─Damage─▶ what differs ─SheetPainter─▶ picture
///
/// Pictures shown are held until they are replaced, so the pools they come from need one picture more for each canvas, and two more
/// where `resources` are shared. Used by one thread at a time.
package struct Compositor: ~Copyable, Sendable {
  package let width: Int
  package let height: Int
  private var ring = CanvasRing()
  private var builder: SheetBuilder
  private var painter: SheetPainter
  private var motion = Motion()
  private var sheets: [Sheet] = []
  /// The tiles of the tick before, and what each showed.
  private var shownTiles: [MovingTile] = []
  private var shown: [ShownTile] = []
  private var current: Picture?
  /// Which images the sheets were made with.
  private var imageRevision = 0
  private var scenery: Scenery?

  /// Looks up fonts where `resources` are new, which takes some 50 ms the first time in a process: no work for a tick.
  ///
  /// - Parameters:
  ///   - width, height: pixels, even, 16 to `Picture.sideMax`.
  ///   - resources: what the canvases of the room have in common.
  package init(width: Int, height: Int, resources: CanvasResources = CanvasResources(), kernels: KernelSet = .best) {
    let sides = 16...Picture.sideMax
    precondition(
      sides.contains(width) && sides.contains(height) && width % 2 == 0 && height % 2 == 0, "a canvas has even sides from 16")
    self.width = width
    self.height = height
    builder = SheetBuilder(resources)
    painter = SheetPainter(kernels: kernels, scaled: resources.scaled)
  }

  /// Pixels written so far, and those of them that were scaled: what composing costs, without a clock.
  package var pixelsDrawn: Int { painter.pixelsDrawn }
  package var pixelsScaled: Int { painter.pixelsScaled }

  private var bounds: PixelArea { .init(x: 0, y: 0, width: width, height: height) }

  /// - Parameter now: nil where tiles are to jump to their places whatever the scene says.
  package mutating func compose(_ scene: Scene, at now: Instant? = nil) -> Composition {
    let new = makeSheets(scene, at: now)
    let isMoving = motion.isUnderway
    let changes = current == nil ? Region(bounds) : damage(from: sheets, to: new, canvas: bounds)
    sheets = new
    painter.need(new)
    if let current, changes.isEmpty { return Composition(picture: current, changed: false, damage: [], isMoving: isMoving) }

    let (picture, index, stale) = ring.take(width: width, height: height)
    // Whoever let go of it on another thread is done reading before this thread writes.
    atomicMemoryFence(ordering: .acquiring)
    repair(picture, stale: stale, except: changes)
    painter.paint(new, changes, on: picture)
    ring.complete(index, damage: changes)
    current = picture
    return Composition(
      picture: picture, changed: true, damage: changes.joined().areas.map(PixelRectangle.init), isMoving: isMoving)
  }

  /// Forgets what was drawn, so that everything is drawn again; for tests and benchmarks.
  package mutating func forget() {
    current = nil
    ring.forget()
    painter.forget()
  }

  /// Brings an older picture up to the current one, leaving out what is drawn anew anyway.
  private func repair(_ picture: Picture, stale: Region?, except changes: Region) {
    guard let current, current !== picture else { return }
    var rest = stale ?? Region(bounds)
    for area in changes.areas where !rest.isEmpty { rest.subtract(area) }
    for area in rest.areas { picture.copy(area, from: current) }
  }

  // MARK: Sheets

  /// Keys of what lies behind and before the tiles, and of those who leave.
  private enum Key {
    static let background = -2, backgroundImage = -1, leaving = 1 << 20, foreground = Int.max
  }

  private mutating func makeSheets(_ scene: Scene, at now: Instant?) -> [Sheet] {
    let bounds = bounds
    let tiles = motion.tiles(for: scene.tiles, duration: scene.transition, at: now)
    let revision = builder.resources.images?.revision ?? 0
    defer { imageRevision = revision }
    let new = Scenery(scene, revision: revision)
    let isSame = new == scenery
    scenery = new
    var result: [Sheet] = []
    result.reserveCapacity(tiles.count + 3)
    result.append(sheet(Key.background, isSame) { $0.ground(scene.background, key: Key.background, canvas: bounds) })
    if let image = scene.backgroundImage {
      let sheet = sheet(Key.backgroundImage, isSame) {
        $0.canvasImage(image, scene.backgroundFit, key: Key.backgroundImage, canvas: bounds)
      }
      result.append(sheet)
    }
    let mayStay = isSame && tiles == shownTiles
    if !mayStay {
      shownTiles = tiles
      shown = tiles.map { ShownTile($0.tile) }
    }
    for index in tiles.indices {
      if !mayStay || !shown[index].show(scene.participants) {
        shown[index].participant = shown[index].person.flatMap { scene.participants[$0] }
        shown[index].sheet = sheet(of: tiles[index], index, scene, at: result.count, mayStay: revision == imageRevision)
      }
      if let sheet = shown[index].sheet { result.append(sheet) }
    }
    if let image = scene.foregroundImage {
      let sheet = sheet(Key.foreground, isSame) {
        $0.canvasImage(image, scene.foregroundFit, key: Key.foreground, canvas: bounds)
      }
      result.append(sheet)
    }
    return result
  }

  /// A tile's sheet, as it was where it may stay; nil for a tile that shows nothing.
  ///
  /// - Parameter place: where in the list of sheets it comes, which is mostly where it was before.
  private mutating func sheet(of tile: MovingTile, _ index: Int, _ scene: Scene, at place: Int, mayStay: Bool) -> Sheet? {
    let look =
      tile.isLeaving
      ? lastLook(of: tile.tile.content)?.leaving(tile, canvas: bounds)
      : TileLook(tile, scene.participants, background: scene.background, canvas: bounds)
    guard let look else { return nil }
    let key = tile.isLeaving ? Key.leaving + index : tile.tile.slot
    let old = sheets.indices.contains(place) && sheets[place].key == key ? place : sheets.firstIndex { $0.key == key }
    if let old, sheets[old].look == look, !sheets[old].isPending, mayStay { return sheets[old] }
    return builder.sheet(look, key: key, replacing: old.map { sheets[$0] })
  }

  /// What lies behind or before the tiles, as it was where it may stay.
  private func sheet(_ key: Int, _ isSame: Bool, _ make: (SheetBuilder) -> Sheet) -> Sheet {
    if isSame, let old = sheets.first(where: { $0.key == key }), !old.isPending { return old }
    return make(builder)
  }

  /// What decides what lies behind and before the tiles.
  private struct Scenery: Equatable {
    var background: LayoutColor
    var backgroundImage: String?
    var backgroundFit: LayoutFit
    var foregroundImage: String?
    var foregroundFit: LayoutFit
    var revision: Int

    init(_ scene: Scene, revision: Int) {
      background = scene.background
      (backgroundImage, backgroundFit) = (scene.backgroundImage, scene.backgroundFit)
      (foregroundImage, foregroundFit) = (scene.foregroundImage, scene.foregroundFit)
      self.revision = revision
    }
  }

  /// How somebody looked who has no place any more, and perhaps is gone.
  private func lastLook(of content: Tile.Content) -> TileLook? {
    for sheet in sheets {
      guard let look = sheet.look else { continue }
      switch (content, look.subject) {
      case (.person(let id), _) where look.person == id: return look
      case (.image(let wanted), .image(let file)) where wanted == file: return look
      case (.more, .more): return look
      default: continue
      }
    }
    return nil
  }
}

extension PixelRectangle {
  init(_ area: PixelArea) { self.init(x: area.x, y: area.y, width: area.width, height: area.height) }
}
