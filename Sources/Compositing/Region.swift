import PixelKernels

/// A set of pixels as rectangles that do not overlap.
struct Region: Equatable {
  private(set) var areas: [PixelArea] = []

  init() {}
  init(_ area: PixelArea) { if !area.isEmpty { areas = [area] } }

  var isEmpty: Bool { areas.isEmpty }
  var pixelCount: Int { areas.reduce(0) { $0 + $1.width * $1.height } }

  mutating func insert(_ area: PixelArea) {
    guard !area.isEmpty, !areas.contains(where: { $0.intersection(area) == area }) else { return }
    subtract(area)
    areas.append(area)
  }

  mutating func formUnion(_ other: Region) {
    for area in other.areas { insert(area) }
  }

  mutating func subtract(_ hole: PixelArea) {
    guard areas.contains(where: { !$0.intersection(hole).isEmpty }) else { return }
    var rest: [PixelArea] = []
    rest.reserveCapacity(areas.count + 3)
    for area in areas {
      let cut = area.intersection(hole)
      guard !cut.isEmpty else {
        rest.append(area)
        continue
      }
      let (bottom, right) = (area.y + area.height, area.x + area.width)
      let parts = [
        PixelArea(x: area.x, y: area.y, width: area.width, height: cut.y - area.y),
        PixelArea(x: area.x, y: cut.y, width: cut.x - area.x, height: cut.height),
        PixelArea(x: cut.x + cut.width, y: cut.y, width: right - cut.x - cut.width, height: cut.height),
        PixelArea(x: area.x, y: cut.y + cut.height, width: area.width, height: bottom - cut.y - cut.height),
      ]
      for part in parts where !part.isEmpty { rest.append(part) }
    }
    areas = rest
  }

  func intersection(_ area: PixelArea) -> Region {
    var result = Region()
    for own in areas {
      let common = own.intersection(area)
      if !common.isEmpty { result.areas.append(common) }
    }
    return result
  }

  func touches(_ area: PixelArea) -> Bool { areas.contains { !$0.intersection(area).isEmpty } }

  func covers(_ area: PixelArea) -> Bool {
    var rest = Region(area)
    for own in areas where !rest.isEmpty { rest.subtract(own) }
    return rest.isEmpty
  }

  /// The same pixels, or more, in at most `countMax` rectangles: neighbours of one height or width are joined; where that does not
  /// suffice, one rectangle holds all.
  func joined(countMax: Int = 256) -> Region {
    var result = self
    var isJoined = areas.count < 2
    while !isJoined {
      isJoined = true
      search: for a in result.areas.indices {
        for b in result.areas.indices where b > a {
          guard let both = Self.join(result.areas[a], result.areas[b]) else { continue }
          result.areas[a] = both
          result.areas.remove(at: b)
          isJoined = false
          break search
        }
      }
    }
    guard result.areas.count > countMax, let first = areas.first else { return result }
    return Region(
      areas.reduce(first) { sum, area in
        let (x, y) = (min(sum.x, area.x), min(sum.y, area.y))
        return PixelArea(
          x: x, y: y, width: max(sum.x + sum.width, area.x + area.width) - x,
          height: max(sum.y + sum.height, area.y + area.height) - y)
      })
  }

  private static func join(_ a: PixelArea, _ b: PixelArea) -> PixelArea? {
    if a.x == b.x, a.width == b.width, a.y + a.height == b.y || b.y + b.height == a.y {
      return PixelArea(x: a.x, y: min(a.y, b.y), width: a.width, height: a.height + b.height)
    }
    if a.y == b.y, a.height == b.height, a.x + a.width == b.x || b.x + b.width == a.x {
      return PixelArea(x: min(a.x, b.x), y: a.y, width: a.width + b.width, height: a.height)
    }
    return nil
  }
}
