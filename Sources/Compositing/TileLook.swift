import Layouts
import PixelKernels
import RawMedia

/// All that decides the pixels of a tile: equal looks are equal pixels.
struct TileLook: Equatable {
  enum Subject: Equatable {
    /// Kept alive while it is shown, so that its identity cannot pass to another picture.
    case picture(Picture, Rotation, isFrozen: Bool)
    case placeholder(name: String, LayoutPlaceholder)
    case more(Int)
    /// A plain colour, for pictures from files.
    case plain

    static func == (a: Subject, b: Subject) -> Bool {
      switch (a, b) {
      case (.picture(let x, let turnX, let frozenX), .picture(let y, let turnY, let frozenY)):
        x === y && turnX == turnY && frozenX == frozenY
      case (.placeholder(let x, let styleX), .placeholder(let y, let styleY)): x == y && styleX == styleY
      case (.more(let x), .more(let y)): x == y
      case (.plain, .plain): true
      default: false
      }
    }
  }

  struct Border: Equatable {
    /// Pixels, even.
    var width: Int
    var color: LayoutColor
  }

  struct Label: Equatable {
    var text: String
    var isMuted: Bool
    var style: LayoutLabel
  }

  var area: PixelArea
  var subject: Subject
  var fit: LayoutFit
  /// Of the corners, in pixels: even, at most half of either side.
  var radius: Int
  var border: Border?
  var label: Label?

  /// Nil for a tile that shows nothing: an empty slot, somebody unknown, an area of no pixels.
  init?(_ tile: Tile, _ participants: [String: SceneParticipant], canvas: PixelArea) {
    area = Self.even(tile.rectangle).intersection(canvas)
    fit = tile.style.fit
    let radius = Int((min(tile.style.radius * tile.pixelsPerUnit, 4096) / 2).rounded()) * 2
    self.radius = max(min(radius, min(area.width, area.height) / 2 & ~1), 0)
    guard !area.isEmpty else { return nil }
    switch tile.content {
    case .empty: return nil
    case .more(let count): subject = .more(count)
    case .image: subject = .plain
    case .person(let id):
      guard let person = participants[id] else { return nil }
      let name = displayName(person.name)
      if let picture = person.picture {
        subject = .picture(picture, Rotation(degreesClockwise: person.rotationDegrees), isFrozen: person.isFrozen)
      } else {
        subject = .placeholder(name: name, tile.style.placeholder)
      }
      border = Self.border(tile, isSpeaking: person.isSpeaking, area)
      label = Self.label(tile.style.label, name, person)
    }
  }

  /// Edges on even pixels, since chroma has half the resolution: each is moved to the even pixel at or before it, so that
  /// neighbours still share theirs and the far edges of an even canvas stay where they are.
  static func even(_ rectangle: PixelRectangle) -> PixelArea {
    let (left, top) = (rectangle.x & ~1, rectangle.y & ~1)
    return PixelArea(x: left, y: top, width: rectangle.right & ~1 - left, height: rectangle.bottom & ~1 - top)
  }

  private static func border(_ tile: Tile, isSpeaking: Bool, _ area: PixelArea) -> Border? {
    let style = tile.style.border
    let color = (isSpeaking ? style.activeColor : nil) ?? style.color
    guard style.width > 0, let color else { return nil }
    let width = max(Int((style.width * tile.pixelsPerUnit / 2).rounded()) * 2, 2)
    return Border(width: min(width, min(area.width, area.height) / 4 & ~1), color: color)
  }

  private static func label(_ style: LayoutLabel?, _ name: String, _ person: SceneParticipant) -> Label? {
    guard let style else { return nil }
    let text =
      style.text == "{name}"
      ? name : style.text.replacing("{role}", with: displayName(person.role ?? "")).replacing("{name}", with: name)
    return text.isEmpty && !person.isMuted ? nil : Label(text: text, isMuted: person.isMuted, style: style)
  }
}

extension YUVColor {
  init(_ color: LayoutColor) { self.init(red: color.red, green: color.green, blue: color.blue) }
}
