/// A rectangle of a canvas in pixels.
package struct PixelRectangle: Hashable, Sendable {
  package var x: Int
  package var y: Int
  package var width: Int
  package var height: Int

  package init(x: Int, y: Int, width: Int, height: Int) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  package var right: Int { x + width }
  package var bottom: Int { y + height }
}

/// One slot on a canvas and what it shows.
package struct Tile: Equatable, Sendable {
  package enum Content: Equatable, Sendable {
    case person(String)
    /// So many people are not shown.
    case more(Int)
    /// A picture from a file below the layout's folder.
    case image(String)
    case empty
  }

  /// Number of the slot in its variant, from 0.
  package var slot: Int
  package var slotID: String?
  package var content: Content
  package var rectangle: PixelRectangle
  /// Greater is nearer; tiles come sorted, the farthest first.
  package var z: Int
  package var style: SlotStyle
  /// Pixels of one unit of the template, for borders and radii: the smaller of across and down.
  package var pixelsPerUnit: Double
  /// Where the tile's voice is heard, -1 (left) to 1 (right).
  package var audioPan: Double
  /// How long the tile takes to get from where it was, in milliseconds; 0 to be there at once.
  package var transitionMilliseconds = 0

  /// Shrinks the tile to the largest square of even sides in its middle, whose corners are rounded into a circle.
  mutating func becomeCircle() {
    let side = min(rectangle.width, rectangle.height) & ~1
    guard side > 0, pixelsPerUnit > 0 else { return }
    rectangle.x += (rectangle.width - side) / 2
    rectangle.y += (rectangle.height - side) / 2
    (rectangle.width, rectangle.height) = (side, side)
    style.radius = Double(side) / 2 / pixelsPerUnit
  }
}

extension LayoutTemplate {
  /// Where a slot lies on a canvas. An edge is round(units x canvas / units of the template), halves upwards, so slots that
  /// share an edge in the file share it in pixels.
  package func rectangle(of slot: LayoutSlot, width: Int, height: Int) -> PixelRectangle {
    // Edges of slots are sums and quotients of doubles; the small term keeps exact halves from falling to either side.
    func edge(_ place: Double, _ canvas: Int, _ units: Int) -> Int {
      Int((place * Double(canvas) / Double(units) + 0.5 + 1e-6).rounded(.down))
    }
    let (left, top) = (edge(slot.x, width, unitsWidth), edge(slot.y, height, unitsHeight))
    return PixelRectangle(
      x: left, y: top, width: edge(slot.x + slot.width, width, unitsWidth) - left,
      height: edge(slot.y + slot.height, height, unitsHeight) - top)
  }
}
