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
///              └───────── damage, keyframe ◀──── also for two frames, by turns, more finely ◀───────────────┘
///
/// A block put to rest keeps the picture it has, and that is coarse for as long as the rate control makes up for the keyframe before
/// it. So what rests is coded again, a few rows at a time, as soon as that can be done notably more finely than it ever was, and so on
/// step by step: in the end it is better than frames without end would make it. What counts is the quantizer that the frame turned
/// out to have. And since filters work over the edges of what rests, rows are taken up in the same way now and then, and mended.
/// Frames of upper temporal layers refine nothing, since nobody builds on them: they have what changed since the base frame.
///
/// Quantizers are counted in steps of the codec, finer ones lower.
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
  /// What they are to be coded with.
  package private(set) var finerQuantizer = 0
  /// Blocks at rest.
  package private(set) var restingCount = 0
  /// Base frames each block was coded in since its last change; not beyond `refinementFrames`.
  private var codedFrames: [UInt8]
  /// The finest quantizer each was coded with since then.
  private var finest: [UInt8]
  private let rowsPerTurn: Int
  /// By how much finer than a frame blocks of it can be coded.
  private let reach: Int
  /// Rows that are being refined, and for how many frames more.
  private var turnRows = 0..<0
  private var framesLeft = 0
  /// The first row being mended; beyond the last while none is.
  private var mendedRow: Int

  /// Rows refined together, and for how many frames.
  private static let rowsRefined = 3
  private static let turnFrames = 2
  /// When all rows have been mended as many rows' turns pass before the first.
  private static let pauseRows = 150
  /// Nothing is coded more finely than this,
  private static let quantizerMin = 3
  /// nor for less of a difference; the first frame of a turn goes so far at most, lest it becomes much larger than others are.
  private static let stepMin = 3
  private static let stepMax = 12

  /// - Parameters:
  ///   - width, height: of the picture, in pixels.
  ///   - refinementFrames: 1 to 255.
  ///   - rowsPerTurn: rows mended together, 1 or more: as many as there are frames to each of the base layer.
  ///   - reach: by how many steps of the quantizer blocks can be coded more finely than their frame, 0 or more.
  package init(width: Int, height: Int, refinementFrames: Int = 30, rowsPerTurn: Int = 1, reach: Int = 0) {
    columns = (max(width, 1) + Self.blockSize - 1) / Self.blockSize
    rows = (max(height, 1) + Self.blockSize - 1) / Self.blockSize
    self.refinementFrames = min(max(refinementFrames, 1), 255)
    self.rowsPerTurn = max(rowsPerTurn, 1)
    self.reach = max(reach, 0)
    mendedRow = rows
    activity = Array(repeating: 1, count: columns * rows)
    finerBlocks = Array(repeating: 0, count: columns * rows)
    codedFrames = Array(repeating: 0, count: columns * rows)
    finest = Array(repeating: .max, count: columns * rows)
  }

  /// The next frame is about to be coded; afterwards `activity` and `finerBlocks` hold for it.
  ///
  /// - Parameters:
  ///   - damage: what may have changed since the frame before; nil for everything.
  ///   - isBase: whether the frame is of the base layer; what is coded in others is not there to be shown again.
  ///   - quantizer: what a frame of the base layer is likely to be coded with.
  package mutating func advance(damage: [DamageRectangle]?, asKeyframe: Bool, isBase: Bool = true, quantizer: Int = 0) {
    guard let damage, !asKeyframe else { return restart(isCoded: asKeyframe || isBase) }
    for rectangle in damage { take(rectangle) }
    if isBase { restAndRefine() } else { showChanges() }
    if isBase { takeUpRows(quantizer) }
  }

  /// The frame was coded.
  ///
  /// - Parameters:
  ///   - quantizer: what its blocks were coded with,
  ///   - finer: and those of `finerBlocks`.
  package mutating func note(quantizer: Int, finer: Int, isBase: Bool) {
    guard isBase else { return }
    let (quantizer, finer) = (UInt8(clamping: quantizer), UInt8(clamping: finer))
    for index in activity.indices where activity[index] != 0 {
      finest[index] = min(finest[index], finerBlocks[index] != 0 ? finer : quantizer)
    }
  }

  /// A whole new picture, or one whose coding began anew.
  private mutating func restart(isCoded: Bool) {
    for index in activity.indices {
      activity[index] = 1
      finerBlocks[index] = 0
      codedFrames[index] = isCoded ? 1 : 0
      finest[index] = .max
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
        finest[index] = .max
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

  private mutating func takeUpRows(_ quantizer: Int) {
    guard restingCount > 0 else { return framesLeft = 0 }
    let target = max(quantizer - reach, Self.quantizerMin)
    finerQuantizer = target
    if framesLeft > 0 {
      framesLeft -= 1
      takeUp(turnRows)
    } else if let row = rowToRefine(coarserThan: target + Self.stepMin - 1) {
      turnRows = row..<min(row + Self.rowsRefined, rows)
      framesLeft = Self.turnFrames - 1
      finerQuantizer = max(target, coarsest(in: turnRows) - Self.stepMax)
      takeUp(turnRows)
    } else if restingCount < activity.count {
      // Where nothing moves, nothing is filtered.
      mendedRow = mendedRow + rowsPerTurn < rows + Self.pauseRows ? mendedRow + rowsPerTurn : 0
      takeUp(min(mendedRow, rows)..<min(mendedRow + rowsPerTurn, rows))
    }
  }

  /// The next row, from those refined last on, in which a block at rest is coarser than that.
  private func rowToRefine(coarserThan quantizer: Int) -> Int? {
    for step in 0..<rows {
      let row = (turnRows.upperBound + step) % rows
      if coarsest(in: row..<row + 1) > quantizer { return row }
    }
    return nil
  }

  /// The coarsest quantizer of blocks at rest; 0 where none rests.
  private func coarsest(in rows: Range<Int>) -> Int {
    var result: UInt8 = 0
    for index in (rows.lowerBound * columns)..<(rows.upperBound * columns) where activity[index] == 0 {
      result = max(result, finest[index])
    }
    return Int(result)
  }

  private mutating func takeUp(_ rows: Range<Int>) {
    for index in (rows.lowerBound * columns)..<(rows.upperBound * columns) where activity[index] == 0 {
      activity[index] = 1
      restingCount -= 1
      finerBlocks[index] = 1
      finerCount += 1
    }
  }
}
