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

extension Layer {
  /// Whether it is worth the while to know that nothing beneath it is seen: borders hide little, and cut regions to shreds.
  var hides: Bool { isOpaque && area.width > 8 && area.height > 8 }
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
///
/// A class, so that what stays from tick to tick is known by its identity and nothing of it is copied.
final class Sheet: @unchecked Sendable {
  // Unchecked: it is not changed any more once it was sealed.

  /// The number of the slot; those who leave have numbers of their own, and what lies behind and before all has the least and greatest.
  let key: Int
  let area: PixelArea
  /// Of the corners, in pixels, even.
  let radius: Int
  /// 255 unless the tile fades in or out.
  let opacity: UInt8
  /// What the layers were made from; nil for what is no tile.
  let look: TileLook?
  /// Farthest first, in the order of their roles. None reaches out of `area`.
  var layers: [Layer]
  /// Whether something of it is still being loaded, so that it is to be made again.
  var isPending = false

  /// The sheet it was made from, where only the picture is another.
  private var origin: ObjectIdentifier?

  /// Where nothing beneath is seen; said by `seal`.
  private(set) var opaqueAreas: [PixelArea] = []
  /// The layer with the picture, if there is one; said by `seal`.
  private(set) var pictureLayer: Int?
  /// What of each layer is seen where all of the sheet is; said by `seal`.
  private(set) var seen: [Region] = []

  init(key: Int, area: PixelArea, radius: Int = 0, opacity: UInt8 = 255, layers: [Layer] = [], look: TileLook? = nil) {
    (self.key, self.area, self.radius, self.opacity, self.layers, self.look) = (key, area, radius, opacity, layers, look)
  }

  /// A sheet that was sealed with another picture of the same size.
  init(_ old: Sheet, look: TileLook, picture: Picture) {
    (key, area, radius, opacity, layers) = (old.key, old.area, old.radius, old.opacity, old.layers)
    (opaqueAreas, pictureLayer, seen) = (old.opaqueAreas, old.pictureLayer, old.seen)
    self.look = look
    origin = ObjectIdentifier(old)
    guard let pictureLayer, case .picture(var placed) = layers[pictureLayer].content else { return }
    placed.picture = picture
    layers[pictureLayer].content = .picture(placed)
  }

  /// Whether it was made from that sheet, of before, and only its picture is another.
  func isNewPicture(in old: Sheet) -> Bool { key == old.key && origin == ObjectIdentifier(old) }

  /// Whether the layers are drawn flat first and then blended as a whole.
  var isGroup: Bool { radius > 0 || opacity < 255 }

  var placedPicture: PlacedPicture? {
    guard let pictureLayer, case .picture(let placed) = layers[pictureLayer].content else { return nil }
    return placed
  }

  /// For each layer what of a region shows it.
  func visible(in region: Region) -> [Region] { region.areas == [area] ? seen : Self.visible(layers, region) }

  private static func visible(_ layers: [Layer], _ region: Region) -> [Region] {
    var rest = region
    var result = Array(repeating: Region(), count: layers.count)
    for index in layers.indices.reversed() where !rest.isEmpty {
      result[index] = rest.intersection(layers[index].area)
      if layers[index].hides { rest.subtract(layers[index].area) }
    }
    return result
  }

  /// Finds what is seen of it and beneath it, once all layers are there.
  func seal() {
    pictureLayer = layers.firstIndex { if case .picture = $0.content { true } else { false } }
    seen = Self.visible(layers, Region(area))
    guard opacity == 255 else { return opaqueAreas = [] }
    guard radius > 0 else {
      opaqueAreas = layers.filter(\.hides).map(\.area)
      if opaqueAreas.contains(area) { opaqueAreas = [area] }
      return
    }
    // Corners leave a cross; between its arms an inner square as large as fits into the arcs.
    let inset = (Int(Double(radius) * 0.3) + 2) & ~1
    opaqueAreas = [(radius, 0), (0, radius), (inset, inset)].map { dx, dy in
      PixelArea(x: area.x + dx, y: area.y + dy, width: area.width - 2 * dx, height: area.height - 2 * dy)
    }.filter { !$0.isEmpty }
  }
}
