import PixelKernels
import RawMedia

/// What lies beneath the four corners of a tile, to be laid back over them once the tile is drawn: so it looks round.
struct RoundCorners {
  let radius: Int
  private let patches: [(overlay: Overlay, x: Int, y: Int)]

  /// Keeps the corners of `area` before the tile is drawn there.
  ///
  /// - Parameter radius: pixels, even, at most half of either side.
  init(_ area: PixelArea, radius: Int, of canvas: Picture, masks: inout CornerMasks) {
    self.radius = radius
    let (right, bottom) = (area.x + area.width - radius, area.y + area.height - radius)
    let places = [(area.x, area.y), (right, area.y), (area.x, bottom), (right, bottom)]
    patches = zip(places, masks.corners(radius: radius)).map { place, mask in
      let corner = PixelArea(x: place.0, y: place.1, width: radius, height: radius)
      return (Overlay(copying: canvas, area: corner, alpha: mask), place.0, place.1)
    }
  }

  func restore(on canvas: Picture) {
    for patch in patches { canvas.blend(patch.overlay, x: patch.x, y: patch.y) }
  }
}

/// For each radius how much of each pixel lies outside the arc: upper left, upper right, lower left, lower right corner.
struct CornerMasks {
  private var masks: [Int: [[UInt8]]] = [:]

  /// More than layouts have radii.
  private static let countMax = 16

  mutating func corners(radius: Int) -> [[UInt8]] {
    if let found = masks[radius] { return found }
    if masks.count >= Self.countMax { masks.removeAll() }
    let upperLeft = (0..<radius * radius).map { index in
      let (x, y) = (Double(index % radius) + 0.5, Double(index / radius) + 0.5)
      let (dx, dy) = (Double(radius) - x, Double(radius) - y)
      let outside = (dx * dx + dy * dy).squareRoot() - Double(radius) + 0.5
      return UInt8(min(max(outside, 0), 1) * 255)
    }
    func mirrored(_ mask: [UInt8]) -> [UInt8] {
      (0..<radius).flatMap { mask[$0 * radius..<($0 + 1) * radius].reversed() }
    }
    let lowerRight = Array(upperLeft.reversed())
    let corners = [upperLeft, mirrored(upperLeft), mirrored(lowerRight), lowerRight]
    masks[radius] = corners
    return corners
  }
}
