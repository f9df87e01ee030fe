import Layouts
import PixelKernels
import RawMedia

/// How pictures of one size go into tiles of one size.
struct Placement {
  /// Upper left corner within the tile, even.
  var x: Int
  var y: Int
  /// Whether the picture leaves a part of the tile free.
  var hasBars: Bool
  /// To be turned afterwards where the picture asks for it.
  var plan: PictureScalePlan

  /// Shapes that differ by less are taken to be the same: a strip of three pixels is not worth an odd scaling ratio.
  private static let shapeTolerance = 0.01

  /// - Parameters: width, height: of the tile, even.
  init(pictureWidth: Int, pictureHeight: Int, rotation: Rotation, fit: LayoutFit, width: Int, height: Int) {
    // As if the tile were turned back: the source is scaled upright, then turned.
    let (tileWidth, tileHeight) = rotation.swapsSides ? (height, width) : (width, height)
    let source = (width: Double(pictureWidth), height: Double(pictureHeight))
    let shape = (source.width / source.height) / (Double(tileWidth) / Double(tileHeight))
    let isAlike = abs(shape - 1) < Self.shapeTolerance
    var crop = CropRectangle(x: 0, y: 0, width: source.width, height: source.height)
    var size = (width: tileWidth, height: tileHeight)
    switch fit {
    case .cover where !isAlike:
      if shape > 1 { crop.width /= shape } else { crop.height *= shape }
      (crop.x, crop.y) = ((source.width - crop.width) / 2, (source.height - crop.height) / 2)
    case .contain where !isAlike:
      if shape > 1 {
        size.height = max(Int((Double(tileHeight) / shape / 2).rounded()) * 2, 2)
      } else {
        size.width = max(Int((Double(tileWidth) * shape / 2).rounded()) * 2, 2)
      }
    default: break
    }
    plan = PictureScalePlan(
      pictureWidth: pictureWidth, pictureHeight: pictureHeight, crop: crop, width: size.width, height: size.height)
    let shown = rotation.swapsSides ? (size.height, size.width) : (size.width, size.height)
    (x, y) = ((width - shown.0) / 4 * 2, (height - shown.1) / 4 * 2)
    hasBars = shown != (width, height)
  }
}

/// Placements computed once; sizes of pictures and tiles seldom change.
struct PlacementCache {
  private struct Key: Hashable {
    var pictureWidth: Int
    var pictureHeight: Int
    var rotation: Rotation
    var fit: LayoutFit
    var width: Int
    var height: Int
  }

  private var placements: [Key: Placement] = [:]
  /// More than a canvas of the most slots has in a quiet hour; beyond it everything is computed anew.
  private static let countMax = 256

  mutating func placement(of picture: Picture, rotation: Rotation, fit: LayoutFit, width: Int, height: Int) -> Placement {
    let key = Key(
      pictureWidth: picture.width, pictureHeight: picture.height, rotation: rotation, fit: fit, width: width, height: height)
    if let found = placements[key] { return found }
    if placements.count >= Self.countMax { placements.removeAll(keepingCapacity: true) }
    let placement = Placement(
      pictureWidth: picture.width, pictureHeight: picture.height, rotation: rotation, fit: fit, width: width, height: height)
    placements[key] = placement
    return placement
  }
}

/// Where pictures are scaled to before they are turned into their tiles; a picture of each size, bounded.
struct TurningPictures {
  private var pictures: [Picture] = []

  /// As many sizes as a layout usually has.
  private static let countMax = 4

  mutating func take(width: Int, height: Int) -> Picture {
    if let found = pictures.first(where: { $0.width == width && $0.height == height }) { return found }
    if pictures.count >= Self.countMax { pictures.removeFirst() }
    let picture = Picture(width: width, height: height)
    pictures.append(picture)
    return picture
  }
}
