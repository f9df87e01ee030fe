import RawMedia

/// Pictures of people and of a screen who are not there: enough to see how a slot cuts what it shows.
enum PreviewPicture {
  /// Who stands before a coloured wall, head and shoulders, 16:9.
  static func person(_ index: Int) -> Picture { people[index % people.count] }

  private static let people: [Picture] = walls.indices.map { index in
    let picture = Picture(width: 640, height: 360)
    let wall = walls[index]
    let figure = YUVColor(red: wall.0 / 3 + 18, green: wall.1 / 3 + 20, blue: wall.2 / 3 + 26)
    let light = YUVColor(red: wall.0, green: wall.1, blue: wall.2)
    paint(picture) { x, y in
      let share = max(ellipse(x, y, 320, 145, 62, 76), ellipse(x, y, 320, 392, 168, 150))
      // The wall is lighter above.
      return mixed(YUVColor(y: UInt8(clamping: Int(light.y) - y / 9), u: light.u, v: light.v), figure, share)
    }
    return picture
  }

  /// A slide of 16:10: a heading, lines of text and a chart.
  static let screen: Picture = {
    let picture = Picture(width: 960, height: 600)
    let paper = YUVColor(red: 247, green: 248, blue: 250)
    let ink = YUVColor(red: 52, green: 64, blue: 78)
    let faint = YUVColor(red: 176, green: 186, blue: 198)
    let accent = YUVColor(red: 42, green: 139, blue: 118)
    let bars = [96, 150, 120, 210, 264]
    paint(picture) { x, y in
      if x < 16 || y < 16 || x >= 944 || y >= 584 { return faint }
      if (72..<112).contains(y), (72..<520).contains(x) { return ink }
      if (180..<500).contains(y), (72..<440).contains(x), (y - 180) % 56 < 18 {
        return x < 440 - (y / 56 % 3) * 60 ? faint : paper
      }
      let bar = (x - 540) / 70
      if bars.indices.contains(bar), x >= 540, (x - 540) % 70 < 48, y < 500, y >= 500 - bars[bar] {
        return bar == 4 ? accent : faint
      }
      if (500..<504).contains(y), (530..<900).contains(x) { return ink }
      return paper
    }
    return picture
  }()

  /// Walls that differ in colour and in brightness.
  private static let walls: [(UInt8, UInt8, UInt8)] = [
    (96, 150, 186), (206, 152, 104), (112, 166, 122), (190, 118, 128), (140, 126, 182), (196, 176, 98),
    (88, 160, 160), (176, 138, 170), (150, 160, 100), (120, 136, 160), (204, 132, 92), (104, 142, 206),
  ]

  /// How much of a pixel lies within an ellipse, in 256ths: its edge is two pixels wide.
  private static func ellipse(_ x: Int, _ y: Int, _ centreX: Int, _ centreY: Int, _ radiusX: Int, _ radiusY: Int) -> Int {
    let (across, down) = (Double(x - centreX) / Double(radiusX), Double(y - centreY) / Double(radiusY))
    let depth = (1 - (across * across + down * down).squareRoot()) * Double(min(radiusX, radiusY))
    return Int(min(max((depth + 1) * 128, 0), 256))
  }

  private static func mixed(_ a: YUVColor, _ b: YUVColor, _ share: Int) -> YUVColor {
    func mix(_ a: UInt8, _ b: UInt8) -> UInt8 { UInt8(clamping: (Int(a) * (256 - share) + Int(b) * share) / 256) }
    return YUVColor(y: mix(a.y, b.y), u: mix(a.u, b.u), v: mix(a.v, b.v))
  }

  private static func paint(_ picture: Picture, _ color: (Int, Int) -> YUVColor) {
    for y in 0..<picture.height {
      for x in 0..<picture.width {
        let color = color(x, y)
        picture.luma[y * picture.lumaStride + x] = color.y
        guard x & 1 == 0, y & 1 == 0 else { continue }
        picture.chromaBlue[y / 2 * picture.chromaStride + x / 2] = color.u
        picture.chromaRed[y / 2 * picture.chromaStride + x / 2] = color.v
      }
    }
  }
}
