import Layouts
import PixelKernels
import RawMedia

/// What of a picture is shown in a tile, and at which size.
struct Fitting {
  /// In pixels of the source.
  var crop: CropRectangle
  /// Pixels of the tile that are covered, even.
  var width: Int
  var height: Int

  /// Shapes that differ by less are taken to be the same: a strip of three pixels is not worth an odd scaling ratio.
  private static let shapeTolerance = 0.01

  /// - Parameters: width, height: of the tile, even.
  init(sourceWidth: Int, sourceHeight: Int, fit: LayoutFit, width: Int, height: Int) {
    let source = (width: Double(sourceWidth), height: Double(sourceHeight))
    let shape = (source.width / source.height) / (Double(width) / Double(height))
    let isAlike = abs(shape - 1) < Self.shapeTolerance
    crop = CropRectangle(x: 0, y: 0, width: source.width, height: source.height)
    (self.width, self.height) = (width, height)
    switch fit {
    case .cover where !isAlike:
      if shape > 1 { crop.width /= shape } else { crop.height *= shape }
      (crop.x, crop.y) = ((source.width - crop.width) / 2, (source.height - crop.height) / 2)
    case .contain where !isAlike:
      if shape > 1 {
        self.height = max(Int((Double(height) / shape / 2).rounded()) * 2, 2)
      } else {
        self.width = max(Int((Double(width) * shape / 2).rounded()) * 2, 2)
      }
    default: break
    }
  }
}

/// How pictures of one size go into tiles of one size.
///
/// A class, since each picture shown holds one and its tables are many.
final class Placement: Sendable {
  /// All that decides it.
  struct Shape: Hashable, Sendable {
    var pictureWidth: Int
    var pictureHeight: Int
    var rotation: Rotation
    var fit: LayoutFit
    var width: Int
    var height: Int
  }

  /// Upper left corner within the tile, even.
  let x: Int
  let y: Int
  /// Pixels of the tile that are covered, even.
  let width: Int
  let height: Int
  /// To be turned afterwards where the picture asks for it.
  let plan: PictureScalePlan

  init(_ shape: Shape) {
    // As if the tile were turned back: the source is scaled upright, then turned.
    let swaps = shape.rotation.swapsSides
    let fitting = Fitting(
      sourceWidth: shape.pictureWidth, sourceHeight: shape.pictureHeight, fit: shape.fit,
      width: swaps ? shape.height : shape.width, height: swaps ? shape.width : shape.height)
    plan = PictureScalePlan(
      pictureWidth: shape.pictureWidth, pictureHeight: shape.pictureHeight, crop: fitting.crop, width: fitting.width,
      height: fitting.height)
    (width, height) = swaps ? (fitting.height, fitting.width) : (fitting.width, fitting.height)
    (x, y) = ((shape.width - width) / 4 * 2, (shape.height - height) / 4 * 2)
  }
}

/// Placements computed once; sizes of pictures and tiles seldom change.
struct PlacementCache {
  private var placements: [Placement.Shape: Placement] = [:]
  /// Sizes of one tick, which several tiles on their way may have.
  private var passing: [Placement.Shape: Placement] = [:]
  private static let passingMax = 64
  /// More than a canvas of the most slots has in a quiet hour; beyond it everything is computed anew.
  private static let countMax = 512

  /// - Parameter keeps: false for sizes that last one tick.
  mutating func placement(_ shape: Placement.Shape, keeps: Bool) -> Placement {
    if let found = placements[shape] ?? passing[shape] { return found }
    let placement = Placement(shape)
    guard keeps else {
      if passing.count >= Self.passingMax { passing.removeAll(keepingCapacity: true) }
      passing[shape] = placement
      return placement
    }
    if placements.count >= Self.countMax { placements.removeAll(keepingCapacity: true) }
    placements[shape] = placement
    return placement
  }
}

/// Scales pictures and turns them upright; one for each canvas.
struct PictureDrawer: ~Copyable, Sendable {
  private let kernels: KernelSet
  private var scaler: PlaneScaler
  /// What is scaled before it is turned into its place: as many sizes as a layout usually has.
  private var turning: [Picture] = []
  private static let turningMax = 4
  /// Pixels written so far; what tests hold against the pixels that changed.
  private(set) var pixelsScaled = 0

  init(kernels: KernelSet) {
    self.kernels = kernels
    scaler = PlaneScaler(kernels: kernels)
  }

  /// Draws a whole picture with its upper left corner at `x`, `y`, both even.
  mutating func draw(_ picture: Picture, _ placement: Placement, _ rotation: Rotation, on canvas: Picture, x: Int, y: Int) {
    pixelsScaled += placement.width * placement.height
    guard rotation != .none else {
      scaler.scale(picture, into: canvas, x: x, y: y, placement.plan)
      return
    }
    let scaled = takeTurning(placement.plan.width, placement.plan.height)
    scaler.scale(picture, into: scaled, x: 0, y: 0, placement.plan)
    rotatePlane(
      scaled.luma, stride: scaled.lumaStride, width: scaled.width, height: scaled.height,
      to: canvas.luma + y * canvas.lumaStride + x, stride: canvas.lumaStride, by: rotation, kernels: kernels)
    let offset = y / 2 * canvas.chromaStride + x / 2
    for (from, to) in [(scaled.chromaBlue, canvas.chromaBlue), (scaled.chromaRed, canvas.chromaRed)] {
      rotatePlane(
        from, stride: scaled.chromaStride, width: scaled.chromaWidth, height: scaled.chromaHeight, to: to + offset,
        stride: canvas.chromaStride, by: rotation, kernels: kernels)
    }
  }

  private mutating func takeTurning(_ width: Int, _ height: Int) -> Picture {
    if let found = turning.first(where: { $0.width == width && $0.height == height }) { return found }
    if turning.count >= Self.turningMax { turning.removeFirst() }
    let picture = Picture(width: width, height: height)
    turning.append(picture)
    return picture
  }
}
