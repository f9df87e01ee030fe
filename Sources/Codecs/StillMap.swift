/// A part of a picture in which something may have changed, in pixels; may reach beyond the picture.
package struct DamageRectangle: Hashable, Sendable {
  package var x: Int
  package var y: Int
  package var width: Int
  package var height: Int

  package init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }
}

/// Which macroblocks of an output are at rest: unchanged for so long that the encoder has made them as good as they get.
///
///     changed or keyframe ──▶ active, refined by each frame ── `refinementFrames` without damage ──▶ at rest
///              ▲                                                                                        │
///              └──────────── damage, keyframe ◀──── also for some frames, by turns, now and then ◀──────┘
///
/// A block put to rest too early keeps the poor picture it has: 15 frames cost up to 4 dB, 60 next to nothing. And since
/// filters work over the edges of what rests, each row of blocks is taken up for a few frames by turns, and mended.
package struct StillMap: Sendable {
  package static let blockSize = 16
  /// Frames a block is coded after its last change before it rests.
  package let refinementFrames: Int
  package let columns: Int
  package let rows: Int
  /// Row by row: 1 for a block that may change, 0 for one at rest.
  package private(set) var activity: [UInt8]
  /// Blocks at rest.
  package private(set) var restingCount = 0
  /// Frames each block was coded since its last change; not beyond `refinementFrames`.
  private var codedFrames: [UInt8]
  private var mendedRow = 0
  private var framesInRow = 0

  /// A row is taken up for as many frames, and after the last one as many pass before the first.
  private static let mendingFrames = 2
  private static let pauseRows = 30

  /// - Parameters:
  ///   - width, height: of the picture, in pixels.
  ///   - refinementFrames: 1 to 255.
  package init(width: Int, height: Int, refinementFrames: Int = 60) {
    columns = (max(width, 1) + Self.blockSize - 1) / Self.blockSize
    rows = (max(height, 1) + Self.blockSize - 1) / Self.blockSize
    self.refinementFrames = min(max(refinementFrames, 1), 255)
    activity = Array(repeating: 1, count: columns * rows)
    codedFrames = Array(repeating: 0, count: columns * rows)
  }

  /// Whether nothing is left to be refined.
  package var isRefined: Bool { restingCount == activity.count }

  /// The next frame is about to be coded; afterwards `activity` holds for it.
  ///
  /// - Parameters:
  ///   - damage: what may have changed since the frame before; nil for everything.
  ///   - isBase: whether the frame is of the base layer; what is coded in others is not there to be shown again.
  package mutating func advance(damage: [DamageRectangle]?, asKeyframe: Bool, isBase: Bool = true) {
    guard let damage, !asKeyframe else { return restart() }
    for rectangle in damage { take(rectangle) }
    rest(countsFrame: isBase)
    mend()
  }

  /// A whole new picture, or one whose coding began anew.
  package mutating func restart() {
    for index in activity.indices {
      activity[index] = 1
      codedFrames[index] = 0
    }
    restingCount = 0
  }

  private mutating func take(_ rectangle: DamageRectangle) {
    guard rectangle.width > 0, rectangle.height > 0 else { return }
    let left = max(rectangle.x, 0) / Self.blockSize
    let top = max(rectangle.y, 0) / Self.blockSize
    let right = min((rectangle.x &+ rectangle.width &- 1) / Self.blockSize, columns - 1)
    let bottom = min((rectangle.y &+ rectangle.height &- 1) / Self.blockSize, rows - 1)
    guard left <= right, top <= bottom, rectangle.x &+ rectangle.width > 0, rectangle.y &+ rectangle.height > 0 else { return }
    for row in top...bottom {
      for index in (row * columns + left)...(row * columns + right) { codedFrames[index] = 0 }
    }
  }

  private mutating func rest(countsFrame: Bool) {
    let enough = UInt8(refinementFrames)
    restingCount = 0
    for index in codedFrames.indices {
      if codedFrames[index] >= enough {
        activity[index] = 0
        restingCount += 1
      } else {
        activity[index] = 1
        if countsFrame { codedFrames[index] += 1 }
      }
    }
  }

  private mutating func mend() {
    framesInRow += 1
    if framesInRow >= Self.mendingFrames {
      framesInRow = 0
      mendedRow = mendedRow + 1 < rows + Self.pauseRows ? mendedRow + 1 : 0
    }
    guard mendedRow < rows, restingCount > 0, restingCount < activity.count else { return }
    for index in (mendedRow * columns)..<((mendedRow + 1) * columns) where activity[index] == 0 {
      activity[index] = 1
      restingCount -= 1
    }
  }
}
