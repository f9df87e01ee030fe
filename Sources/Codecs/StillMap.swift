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
///     changed or keyframe ──▶ active, refined by each base frame ── `refinementFrames` without damage ──▶ at rest
///              ▲                                                                                            │
///              └────────────── damage, keyframe ◀──── also for two frames, by turns, finely ◀──────────────┘
///
/// A block put to rest early keeps the picture it has, so soon after it is coded with a finer quantizer, a few rows at a time, and
/// is then better than frames without end would make it. And since filters work over the edges of what rests, rows are taken up
/// in the same way now and then, and mended. Frames of upper temporal layers refine nothing, since nobody builds on them: they have what
/// changed since the base frame.
package struct StillMap: Sendable {
  package static let blockSize = 16
  /// Base frames a block is coded in after its last change before it rests.
  package let refinementFrames: Int
  package let columns: Int
  package let rows: Int
  /// Row by row: 1 for a block that may change, 0 for one at rest.
  package private(set) var activity: [UInt8]
  /// Row by row: 1 for a block to be coded more finely than the frame. Changes with base frames alone.
  package private(set) var finerBlocks: [UInt8]
  /// Blocks to be coded more finely.
  package private(set) var finerCount = 0
  /// Blocks at rest.
  package private(set) var restingCount = 0
  /// Base frames each block was coded in since its last change; not beyond `refinementFrames`.
  private var codedFrames: [UInt8]
  /// Those each block was coded in more finely; not beyond `turnFrames`.
  private var finerFrames: [UInt8]
  private let rowsPerTurn: Int
  /// Rows that are taken up.
  private var turnRows = 0..<0
  private var framesInTurn = 0
  /// The first row being mended; beyond the last while none is.
  private var mendedRow: Int

  /// Rows are taken up for as many frames, and when all have been mended as many rows' turns pass before the first.
  private static let turnFrames = 2
  private static let pauseRows = 150
  /// So many times more rows are coded finely together than are mended.
  private static let finerRows = 3

  /// - Parameters:
  ///   - width, height: of the picture, in pixels.
  ///   - refinementFrames: 1 to 255.
  ///   - rowsPerTurn: rows taken up together, 1 or more: as many as there are frames to each of the base layer.
  package init(width: Int, height: Int, refinementFrames: Int = 30, rowsPerTurn: Int = 1) {
    columns = (max(width, 1) + Self.blockSize - 1) / Self.blockSize
    rows = (max(height, 1) + Self.blockSize - 1) / Self.blockSize
    self.refinementFrames = min(max(refinementFrames, 1), 255)
    self.rowsPerTurn = max(rowsPerTurn, 1)
    mendedRow = rows
    activity = Array(repeating: 1, count: columns * rows)
    finerBlocks = Array(repeating: 0, count: columns * rows)
    codedFrames = Array(repeating: 0, count: columns * rows)
    finerFrames = Array(repeating: 0, count: columns * rows)
  }

  /// Whether nothing is left to be refined.
  package var isRefined: Bool { restingCount == activity.count }

  /// The next frame is about to be coded; afterwards `activity` and `finerBlocks` hold for it.
  ///
  /// - Parameters:
  ///   - damage: what may have changed since the frame before; nil for everything.
  ///   - isBase: whether the frame is of the base layer; what is coded in others is not there to be shown again.
  package mutating func advance(damage: [DamageRectangle]?, asKeyframe: Bool, isBase: Bool = true) {
    guard let damage, !asKeyframe else { return restart(isCoded: asKeyframe || isBase) }
    for rectangle in damage { take(rectangle) }
    if isBase { restAndRefine() } else { showChanges() }
    if isBase { takeUpRows() }
  }

  /// A whole new picture, or one whose coding began anew.
  private mutating func restart(isCoded: Bool) {
    for index in activity.indices {
      activity[index] = 1
      finerBlocks[index] = 0
      codedFrames[index] = isCoded ? 1 : 0
      finerFrames[index] = 0
    }
    (restingCount, finerCount) = (0, 0)
  }

  private mutating func take(_ rectangle: DamageRectangle) {
    guard rectangle.width > 0, rectangle.height > 0 else { return }
    let left = max(rectangle.x, 0) / Self.blockSize
    let top = max(rectangle.y, 0) / Self.blockSize
    let right = min((rectangle.x &+ rectangle.width &- 1) / Self.blockSize, columns - 1)
    let bottom = min((rectangle.y &+ rectangle.height &- 1) / Self.blockSize, rows - 1)
    guard left <= right, top <= bottom, rectangle.x &+ rectangle.width > 0, rectangle.y &+ rectangle.height > 0 else { return }
    for row in top...bottom {
      for index in (row * columns + left)...(row * columns + right) {
        codedFrames[index] = 0
        finerFrames[index] = 0
      }
    }
  }

  /// A base frame: what was coded often enough rests.
  private mutating func restAndRefine() {
    let enough = UInt8(refinementFrames)
    (restingCount, finerCount) = (0, 0)
    for index in codedFrames.indices {
      finerBlocks[index] = 0
      if codedFrames[index] >= enough {
        activity[index] = 0
        restingCount += 1
      } else {
        activity[index] = 1
        codedFrames[index] += 1
      }
    }
  }

  /// A frame of an upper layer: what no base frame has yet.
  private mutating func showChanges() {
    restingCount = 0
    for index in codedFrames.indices {
      activity[index] = codedFrames[index] == 0 ? 1 : 0
      if codedFrames[index] > 0 { restingCount += 1 }
    }
  }

  private mutating func takeUpRows() {
    guard restingCount > 0 else { return }
    if framesInTurn == 0 { turnRows = nextRows() }
    framesInTurn = (framesInTurn + 1) % Self.turnFrames
    takeUp(turnRows)
  }

  private mutating func nextRows() -> Range<Int> {
    let enough = UInt8(refinementFrames)
    let first = codedFrames.indices.first { codedFrames[$0] >= enough && finerFrames[$0] < Self.turnFrames }
    if let first { return first / columns..<min(first / columns + rowsPerTurn * Self.finerRows, rows) }
    // Where nothing moves, nothing is filtered.
    guard restingCount < activity.count else { return 0..<0 }
    mendedRow = mendedRow + rowsPerTurn < rows + Self.pauseRows ? mendedRow + rowsPerTurn : 0
    return min(mendedRow, rows)..<min(mendedRow + rowsPerTurn, rows)
  }

  private mutating func takeUp(_ rows: Range<Int>) {
    for index in (rows.lowerBound * columns)..<(rows.upperBound * columns) where activity[index] == 0 {
      activity[index] = 1
      restingCount -= 1
      finerBlocks[index] = 1
      finerCount += 1
      if finerFrames[index] < Self.turnFrames { finerFrames[index] += 1 }
    }
  }
}
