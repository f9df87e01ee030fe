/// One template of Open WebRTC Toolkit: regions, in order of importance.
struct OWTTemplate {
  struct Region {
    var left: Fraction
    var top: Fraction
    var width: Fraction
    var height: Fraction
  }
  var regions: [Region]

  private init(_ regions: [Region]) { self.regions = regions }

  init(custom regions: [Region]) { self.init(regions) }

  /// The templates OWT makes up by itself for at most so many inputs; `fluid` for a name it does not know.
  static func base(_ name: String, inputsMax: Int) -> [OWTTemplate] {
    switch name {
    case "void": []
    case "lecture": lecture(inputsMax: inputsMax)
    default: fluid(inputsMax: inputsMax)
    }
  }

  /// Squares of k by k.
  private static func fluid(inputsMax: Int) -> [OWTTemplate] {
    var sides = 1
    while sides * sides < inputsMax { sides += 1 }
    return (1...sides).map { side in
      OWTTemplate((0..<side * side).map { square($0 % side, $0 / side, 1, of: side) })
    }
  }

  /// One large with others around it: right of it from the top, then below it from the right.
  ///
  /// OWT also makes one of 13 regions, after that of 14, which is never chosen; it is left out.
  private static func lecture(inputsMax: Int) -> [OWTTemplate] {
    var templates = [OWTTemplate([square(0, 0, 1, of: 1)]), OWTTemplate([square(0, 0, 2, of: 3)] + corner(2, of: 3))]
    if inputsMax > 6 {
      for sides in 4...max(4, min((inputsMax + 1) / 2, 7)) {
        templates.append(OWTTemplate([square(0, 0, sides - 1, of: sides)] + corner(sides - 1, of: sides)))
      }
    }
    if inputsMax > 14 {
      for sides in 5...min((inputsMax + 6) / 4, 7) {
        let around = corner(sides - 2, of: sides) + corner(sides - 1, of: sides)
        templates.append(OWTTemplate([square(0, 0, sides - 2, of: sides)] + around))
      }
    }
    return templates
  }

  /// The squares in column `edge` down to row `edge`, then those of row `edge` back to the left.
  private static func corner(_ edge: Int, of sides: Int) -> [Region] {
    (0...edge).map { square(edge, $0, 1, of: sides) } + (0..<edge).reversed().map { square($0, edge, 1, of: sides) }
  }

  private static func square(_ x: Int, _ y: Int, _ size: Int, of sides: Int) -> Region {
    Region(
      left: Fraction(x, sides), top: Fraction(y, sides), width: Fraction(size, sides), height: Fraction(size, sides))
  }

  /// Puts a template of the author's among others: in the place of the first with as many regions, else before the first with
  /// more, else last.
  static func insert(_ template: OWTTemplate, into templates: inout [OWTTemplate]) {
    let count = template.regions.count
    guard let index = templates.firstIndex(where: { $0.regions.count >= count }) else { return templates.append(template) }
    if templates[index].regions.count == count {
      templates[index] = template
    } else {
      templates.insert(template, at: index)
    }
  }
}
