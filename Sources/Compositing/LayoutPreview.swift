import Layouts
import RawMedia

/// A layout with made-up people on one canvas, drawn by the live compositor: what `tutti layouts render`, the previews of the HTTP
/// interface and the page for authors show.
package struct LayoutPreview: Sendable {
  package let template: LayoutTemplate
  package let people: PreviewPeople
  /// Pixels, even, 16 to 4096.
  package let width: Int
  package let height: Int
  /// Farthest first.
  package let tiles: [Tile]
  /// The variant that was chosen, from 0.
  package let variant: Int

  /// - Parameters: width, height: odd ones are lowered to even, all are kept between 16 and 4096.
  package init(_ template: LayoutTemplate, _ people: PreviewPeople, width: Int, height: Int) {
    (self.template, self.people) = (template, people)
    (self.width, self.height) = (min(max(width, 16), 4096) & ~1, min(max(height, 16), 4096) & ~1)
    var solver = LayoutSolver(template, width: self.width, height: self.height)
    solver.arrange(people.layoutPeople(of: template))
    tiles = solver.tiles(width: self.width, height: self.height)
    variant = solver.variantIndex ?? 0
  }

  /// - Parameter resources: text and images; without a library of images the layout's are left out. Images are waited for.
  package func picture(_ resources: CanvasResources = CanvasResources()) -> Picture {
    var compositor = Compositor(width: width, height: height, resources: resources)
    let scene = Scene(tiles: tiles, participants: people.sceneParticipants(of: template), layout: template)
    let picture = compositor.compose(scene).picture
    guard let images = resources.images else { return picture }
    images.waitUntilLoaded()
    return compositor.compose(scene).picture
  }

  /// The same as a drawing of rectangles, each with its number and whom it shows.
  package var svg: String {
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\">",
      "<rect width=\"\(width)\" height=\"\(height)\" fill=\"\(template.background.color.opaque)\"/>",
    ]
    for tile in tiles {
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

  private func escaped(_ text: String) -> String {
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
