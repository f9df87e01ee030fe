import Layouts
import PixelKernels
import RawMedia

/// One thing drawn on a canvas. Equal layers are equal pixels.
struct Layer: Equatable {
  /// What a layer is in its sheet; a sheet has one of each at most, and they lie over each other in this order.
  enum Role: Int, Comparable {
    case base, subject, emblem, veil, borderTop, borderBottom, borderLeft, borderRight, border, label
    static func < (a: Role, b: Role) -> Bool { a.rawValue < b.rawValue }
  }

  enum Content: Equatable {
    case fill(YUVColor, alpha: UInt8)
    case picture(PlacedPicture)
    /// With its upper left corner at `x`, `y`, even; what lies outside of the layer's area is cut.
    case overlay(Overlay, x: Int, y: Int, isOpaque: Bool)

    static func == (a: Content, b: Content) -> Bool {
      switch (a, b) {
      case (.fill(let colorA, let alphaA), .fill(let colorB, let alphaB)): colorA == colorB && alphaA == alphaB
      case (.picture(let a), .picture(let b)): a.picture === b.picture && a.shape == b.shape
      case (.overlay(let a, let xA, let yA, _), .overlay(let b, let xB, let yB, _)): a === b && xA == xB && yA == yB
      default: false
      }
    }
  }

  var role: Role
  /// On the canvas, in pixels, even.
  var area: PixelArea
  var content: Content

  var isOpaque: Bool {
    switch content {
    case .fill(_, let alpha): alpha == 255
    case .picture: true
    case .overlay(_, _, _, let isOpaque): isOpaque
    }
  }
}

/// A picture and how it is brought to its size.
struct PlacedPicture {
  /// Kept alive while it is shown, so that its identity cannot pass to another picture.
  var picture: Picture
  /// Whose it is, for those who draw the same; nil while its size changes.
  var person: String?
  var shape: Placement.Shape
  var placement: Placement
}

/// Layers that are drawn together: a tile, or what lies behind or before all tiles.
struct Sheet {
  /// The number of the slot; those who leave have numbers of their own, and what lies behind and before all has the least and greatest.
  var key: Int
  var area: PixelArea
  /// Of the corners, in pixels, even.
  var radius = 0
  /// 255 unless the tile fades in or out.
  var opacity: UInt8 = 255
  /// Farthest first, in the order of their roles. None reaches out of `area`.
  var layers: [Layer]
  /// What the layers were made from; nil for what is no tile.
  var look: TileLook?
  /// Whether something of it is still being loaded, so that it is to be made again.
  var isPending = false

  /// Whether the layers are drawn flat first and then blended as a whole.
  var isGroup: Bool { radius > 0 || opacity < 255 }

  /// Where nothing beneath is seen; said by `seal`.
  private(set) var opaqueAreas: [PixelArea] = []

  /// Finds where nothing beneath is seen, once all layers are there.
  mutating func seal() {
    guard opacity == 255 else { return opaqueAreas = [] }
    guard radius > 0 else { return opaqueAreas = layers.filter(\.isOpaque).map(\.area) }
    // Corners leave a cross; between its arms an inner square as large as fits into the arcs.
    let inset = (Int(Double(radius) * 0.3) + 2) & ~1
    opaqueAreas = [(radius, 0), (0, radius), (inset, inset)].map { dx, dy in
      PixelArea(x: area.x + dx, y: area.y + dy, width: area.width - 2 * dx, height: area.height - 2 * dy)
    }.filter { !$0.isEmpty }
  }
}
