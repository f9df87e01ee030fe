import RawMedia

/// A made-up camera picture: a head before a textured wall, gently moving, with a sensor's noise. Costs a codec about what a
/// person before a webcam does, and is the same in every run.
package struct CameraScene {
  package let width: Int
  package let height: Int
  private let wall: [UInt8]
  private let skin: [UInt8]
  private var random: SeededRandom

  private static let textureSide = 1024

  package init(width: Int, height: Int, seed: UInt64) {
    self.width = width
    self.height = height
    random = SeededRandom(seed: seed)
    wall = Self.texture(octaves: [(128, 50), (32, 30), (8, 14), (4, 6)], using: &random)
    skin = Self.texture(octaves: [(64, 40), (16, 30), (4, 16)], using: &random)
  }

  /// Draws the picture of frame `index` at 30 a second.
  ///
  /// - Parameter lift: added to the luma, to make another colour of the same picture.
  package mutating func draw(_ index: Int, lift: Int = 0, on picture: Picture) {
    let sway = Self.sway(index)
    let (centreX, centreY) = (width / 2 + sway.x * width / 640, height * 5 / 11 + sway.y * height / 360)
    let (radiusX, radiusY) = (width / 7, height * 3 / 10)
    var noise = random.next()
    for y in 0..<height {
      let row = picture.luma + y * picture.lumaStride
      for x in 0..<width {
        let (dx, dy) = (x - centreX, y - centreY)
        let isHead = dx * dx * radiusY * radiusY + dy * dy * radiusX * radiusX < radiusX * radiusX * radiusY * radiusY
        let isBody = dy > radiusY * 3 / 4 && abs(dx) < radiusX + (dy - radiusY * 3 / 4) * 2
        let sample = isHead || isBody ? Self.at(skin, dx, dy) : Self.at(wall, x, y)
        noise = noise &* 6_364_136_223_846_793_005 &+ 1
        let grain = Int(truncatingIfNeeded: noise >> 60) % 5 - 2
        row[x] = UInt8(clamping: sample + (isHead ? 30 : isBody ? -30 : 0) + grain + lift)
      }
    }
    for y in 0..<picture.chromaHeight {
      for x in 0..<picture.chromaWidth {
        let (dx, dy) = (2 * x - centreX, 2 * y - centreY)
        let isHead = dx * dx * radiusY * radiusY + dy * dy * radiusX * radiusX < radiusX * radiusX * radiusY * radiusY
        picture.chromaBlue[y * picture.chromaStride + x] = isHead ? 112 : 132
        picture.chromaRed[y * picture.chromaStride + x] = isHead ? 150 : 122
      }
    }
  }

  /// Where the head has gone, a few pixels from frame to frame.
  private static func sway(_ index: Int) -> (x: Int, y: Int) {
    func swing(_ period: Int, _ reach: Int) -> Int {
      let phase = index % period * 4 * reach / period
      return phase < reach ? phase : phase < 3 * reach ? 2 * reach - phase : phase - 4 * reach
    }
    return (swing(75, 40), swing(50, 10))
  }

  private static func at(_ texture: [UInt8], _ x: Int, _ y: Int) -> Int {
    Int(texture[(y & (textureSide - 1)) * textureSide + (x & (textureSide - 1))])
  }

  /// Value noise around 110, whose edges meet those opposite: for each octave the distance of its grid points, which divides the
  /// texture's side, and their reach.
  private static func texture(octaves: [(Int, Int)], using random: inout SeededRandom) -> [UInt8] {
    var sums = [Int](repeating: 110, count: textureSide * textureSide)
    for (cell, reach) in octaves {
      let side = textureSide / cell
      let grid = (0..<side * side).map { _ in Int.random(in: -reach...reach, using: &random) }
      for y in 0..<textureSide {
        let (row, fractionY) = y.quotientAndRemainder(dividingBy: cell)
        let (above, below) = (row * side, (row + 1) % side * side)
        for x in 0..<textureSide {
          let (column, fractionX) = x.quotientAndRemainder(dividingBy: cell)
          let next = (column + 1) % side
          let top = grid[above + column] * (cell - fractionX) + grid[above + next] * fractionX
          let bottom = grid[below + column] * (cell - fractionX) + grid[below + next] * fractionX
          sums[y * textureSide + x] += (top * (cell - fractionY) + bottom * fractionY) / (cell * cell)
        }
      }
    }
    return sums.map { UInt8(clamping: $0) }
  }
}
