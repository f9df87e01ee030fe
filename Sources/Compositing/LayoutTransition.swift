import Layouts
import Timing

/// A tile as it is shown at a moment.
package struct MovingTile: Equatable, Sendable {
  /// With the rectangle it has at that moment.
  package var tile: Tile
  /// 0 not seen, 1 opaque.
  package var opacity = 1.0
  /// The size it has when it rests, in pixels: letters do not grow on the way.
  package var restingWidth: Int
  package var restingHeight: Int
  /// Whether it has no place any more and fades out.
  package var isLeaving = false
  /// Whether its rectangle is not its last.
  package var isMoving = false

  package init(_ tile: Tile) {
    self.tile = tile
    (restingWidth, restingHeight) = (tile.rectangle.width, tile.rectangle.height)
  }
}

/// The way from one arrangement of tiles to another, as a function of the time since it began.
///
/// Whoever is in both moves from place to place; newcomers fade in and grow a little, those who leave fade out where they are. Slow
/// at both ends.
package struct LayoutTransition: Sendable {
  package let from: [MovingTile]
  package let to: [Tile]
  package let duration: Interval

  /// Newcomers begin at this part of their size.
  private static let growthStart = 0.8

  /// - Parameters:
  ///   - from: what was shown when it began, which may be on its way itself.
  ///   - to: the new arrangement, farthest first.
  ///   - duration: until all are in place.
  package init(from: [MovingTile], to: [Tile], duration: Interval) {
    (self.from, self.to, self.duration) = (from, to, duration)
  }

  /// What is shown after so long, farthest first; exactly the new arrangement once `duration` is over.
  package func tiles(after elapsed: Interval) -> [MovingTile] {
    guard duration > .zero, elapsed < duration else { return to.map { MovingTile($0) } }
    let progress = Self.eased(Double(max(elapsed.nanoseconds, 0)) / Double(duration.nanoseconds))
    var sources: [MovingTile?] = from
    let arriving = to.map { tile -> MovingTile in
      guard let subject = Subject(tile) else { return MovingTile(tile) }
      guard let index = sources.firstIndex(where: { $0.map { Subject($0.tile) } == subject }), let source = sources[index]
      else {
        return entering(tile, progress)
      }
      sources[index] = nil
      return moving(source, tile, progress)
    }
    let leaving = sources.compactMap { $0 }.filter { Subject($0.tile) != nil }.map { source -> MovingTile in
      var moved = source
      moved.opacity = source.opacity * (1 - progress)
      (moved.isLeaving, moved.isMoving) = (true, true)
      return moved
    }
    // Of equal z, those who leave lie farther; sorting is stable by the index.
    return (leaving + arriving).enumerated().sorted { ($0.element.tile.z, $0.offset) < ($1.element.tile.z, $1.offset) }
      .map(\.element)
  }

  private func moving(_ source: MovingTile, _ tile: Tile, _ progress: Double) -> MovingTile {
    var moved = MovingTile(tile)
    moved.opacity = source.opacity + (1 - source.opacity) * progress
    let (old, new) = (source.tile.rectangle, tile.rectangle)
    moved.isMoving = old != new
    func between(_ a: Int, _ b: Int) -> Int { Int((Double(a) + Double(b - a) * progress).rounded()) }
    let (left, top) = (between(old.x, new.x), between(old.y, new.y))
    moved.tile.rectangle = PixelRectangle(
      x: left, y: top, width: between(old.right, new.right) - left, height: between(old.bottom, new.bottom) - top)
    return moved
  }

  private func entering(_ tile: Tile, _ progress: Double) -> MovingTile {
    var moved = MovingTile(tile)
    moved.opacity = progress
    moved.isMoving = true
    let margin = (1 - Self.growthStart) * (1 - progress) / 2
    let box = tile.rectangle
    let (dx, dy) = (Int((Double(box.width) * margin).rounded()), Int((Double(box.height) * margin).rounded()))
    moved.tile.rectangle = PixelRectangle(x: box.x + dx, y: box.y + dy, width: box.width - 2 * dx, height: box.height - 2 * dy)
    return moved
  }

  /// Slow, fast, slow: 3t² - 2t³.
  private static func eased(_ part: Double) -> Double {
    let part = min(max(part, 0), 1)
    return part * part * (3 - 2 * part)
  }

  /// What stays the same while a tile moves.
  private enum Subject: Equatable {
    case person(String)
    case image(String)
    case more

    init?(_ tile: Tile) {
      switch tile.content {
      case .person(let id): self = .person(id)
      case .image(let file): self = .image(file)
      case .more: self = .more
      case .empty: return nil
      }
    }
  }
}

/// Notices when tiles get other places, and lets them move there.
struct Motion {
  private var target: [Tile]?
  private var start: (tiles: [MovingTile], time: Instant, duration: Interval)?
  private var shown: [MovingTile] = []

  /// Whether tiles are on their way.
  var isUnderway: Bool { start != nil }

  /// What to show now.
  ///
  /// - Parameters:
  ///   - duration: how long a change that begins now takes; zero to jump.
  ///   - now: nil to jump, and end what is underway.
  mutating func tiles(for tiles: [Tile], duration: Interval, at now: Instant?) -> [MovingTile] {
    // At rest, and the same array: mostly.
    if start == nil, let target, target == tiles { return shown }
    if let target, let now, duration > .zero {
      if !Self.areAlike(target, tiles) { start = (shown, now, duration) }
    } else {
      start = nil
    }
    target = tiles
    if let start, let now, now - start.time < start.duration {
      shown = LayoutTransition(from: start.tiles, to: tiles, duration: start.duration).tiles(after: now - start.time)
    } else {
      start = nil
      shown = tiles.map { MovingTile($0) }
    }
    return shown
  }

  /// Whether the same are at the same places.
  private static func areAlike(_ a: [Tile], _ b: [Tile]) -> Bool {
    a.count == b.count
      && zip(a, b).allSatisfy { old, new in
        old.slot == new.slot && old.rectangle == new.rectangle && old.z == new.z && isAlike(old.content, new.content)
      }
  }

  /// A count that changes is no other tile.
  private static func isAlike(_ a: Tile.Content, _ b: Tile.Content) -> Bool {
    if case .more = a, case .more = b { return true }
    return a == b
  }
}
