import Layouts
import RawMedia

/// A layout with made-up people: what `tutti layouts render` writes and `preview.png` answers. Drawn by the live compositor.
package enum LayoutPreview {
  private static let names = [
    "Ada", "Ben", "Chiara", "David", "Emeka", "Fatima", "Goran", "Hana", "Ivo", "Jun", "Kim", "Leila",
  ]

  /// The tiles for so many people, of whom the first has the floor and the second shares a screen. The first have the roles that the
  /// layout has slots for.
  package static func tiles(_ template: LayoutTemplate, participants: Int, width: Int, height: Int) -> [Tile] {
    var solver = LayoutSolver(template, width: width, height: height)
    let people = zip(0..<max(participants, 0), roles(of: participants, template))
    solver.arrange(
      people.map { LayoutPerson(id: name($0), role: $1, hasFloor: $0 == 0, sharesScreen: $0 == 1) })
    return solver.tiles(width: width, height: height)
  }

  private static func roles(of participants: Int, _ template: LayoutTemplate) -> [String] {
    let wanted = template.roles.prefix(max(participants, 0))
    return wanted + Array(repeating: "panelist", count: max(participants - wanted.count, 0))
  }

  private static func name(_ index: Int) -> String {
    let round = index / names.count
    return names[index % names.count] + (round > 0 ? " \(round + 1)" : "")
  }

  /// - Parameters:
  ///   - width, height: pixels; odd ones are lowered to even, all are kept between 16 and 4096.
  ///   - resources: text and images; without a library of images the layout's are left out. Images are waited for.
  package static func picture(
    _ template: LayoutTemplate, participants: Int, width: Int, height: Int, resources: CanvasResources = CanvasResources()
  ) -> Picture {
    let (width, height) = (min(max(width, 16), 4096) & ~1, min(max(height, 16), 4096) & ~1)
    let tiles = tiles(template, participants: participants, width: width, height: height)
    let people = zip(0..<max(participants, 0), roles(of: participants, template)).map {
      (name($0), SceneParticipant(name: name($0), role: $1, isSpeaking: $0 == 0))
    }
    var compositor = Compositor(width: width, height: height, resources: resources)
    let scene = Scene(tiles: tiles, participants: Dictionary(people, uniquingKeysWith: { $1 }), layout: template)
    let picture = compositor.compose(scene).picture
    guard let images = resources.images else { return picture }
    images.waitUntilLoaded()
    return compositor.compose(scene).picture
  }

  /// The same as a drawing of rectangles, each with its number and whom it shows.
  package static func svg(_ template: LayoutTemplate, participants: Int, width: Int, height: Int) -> String {
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\">",
      "<rect width=\"\(width)\" height=\"\(height)\" fill=\"\(template.background.color.opaque)\"/>",
    ]
    for tile in tiles(template, participants: participants, width: width, height: height) {
      let box = tile.rectangle
      let (fill, text): (String, String) =
        switch tile.content {
        case .person(let id): (color(of: id).description, id)
        case .more(let count): ("#2a313a", "+\(count)")
        case .image(let file): ("#2a313a", file)
        case .empty: ("none", "")
        }
      let title = escaped([tile.slotID ?? "\(tile.slot)", text].filter { !$0.isEmpty }.joined(separator: ": "))
      lines.append(
        "<rect x=\"\(box.x)\" y=\"\(box.y)\" width=\"\(box.width)\" height=\"\(box.height)\" fill=\"\(fill)\" stroke=\"#8090a0\"/>"
      )
      lines.append(
        "<text x=\"\(box.x + box.width / 2)\" y=\"\(box.y + box.height / 2)\" font-family=\"sans-serif\" "
          + "font-size=\"\(max(box.height / 10, 8))\" text-anchor=\"middle\" dominant-baseline=\"middle\" fill=\"#ffffff\">"
          + "\(title)</text>")
    }
    return (lines + ["</svg>", ""]).joined(separator: "\n")
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in displayName(text) {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }
}

extension LayoutColor {
  fileprivate var opaque: LayoutColor { LayoutColor(red: red, green: green, blue: blue) }
}
