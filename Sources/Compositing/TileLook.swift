import Layouts
import PixelKernels
import RawMedia

/// All that decides the pixels of a tile: equal looks are equal pixels, once their images are loaded.
struct TileLook: Equatable {
  enum Subject: Equatable {
    /// Kept alive while it is shown, so that its identity cannot pass to another picture.
    case picture(Picture, Rotation, isFrozen: Bool)
    case placeholder(name: String, LayoutPlaceholder, avatar: ImageReference?)
    case image(String)
    case more(Int)

    static func == (a: Subject, b: Subject) -> Bool {
      switch (a, b) {
      case (.picture(let x, let turnX, let frozenX), .picture(let y, let turnY, let frozenY)):
        x === y && turnX == turnY && frozenX == frozenY
      case (.placeholder(let x, let styleX, let avatarX), .placeholder(let y, let styleY, let avatarY)):
        x == y && styleX == styleY && avatarX == avatarY
      case (.image(let x), .image(let y)): x == y
      case (.more(let x), .more(let y)): x == y
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
  /// The size it has when it rests, which decides that of its letters.
  var restingWidth: Int
  var restingHeight: Int
  var isMoving: Bool
  /// 255 unless it fades in or out.
  var opacity: UInt8
  /// Whose picture it is.
  var person: String?
  var subject: Subject
  var fit: LayoutFit
  /// Of the corners, in pixels: even, at most half of either side.
  var radius: Int
  var border: Border?
  /// Pixels at each edge that belong to the border, also while there is none: labels keep their place when somebody speaks.
  var borderWidth = 0
  var label: Label?
  /// What a tile that is blended as a whole shows where it has nothing.
  var background: LayoutColor

  /// Nil for a tile that shows nothing: an empty slot, somebody unknown, an area of no pixels.
  init?(_ moving: MovingTile, _ participants: [String: SceneParticipant], background: LayoutColor, canvas: PixelArea) {
    let tile = moving.tile
    area = Self.even(tile.rectangle).intersection(canvas)
    guard !area.isEmpty, moving.opacity > 0.002 else { return nil }
    let isResting = !moving.isMoving
    restingWidth = isResting ? area.width : max(moving.restingWidth & ~1, 2)
    restingHeight = isResting ? area.height : max(moving.restingHeight & ~1, 2)
    isMoving = moving.isMoving
    opacity = UInt8(min(max((moving.opacity * 255).rounded(), 0), 255))
    fit = tile.style.fit
    self.background = background
    let radius = Int((min(tile.style.radius * tile.pixelsPerUnit, 4096) / 2).rounded()) * 2
    self.radius = max(min(radius, min(area.width, area.height) / 2 & ~1), 0)
    switch tile.content {
    case .empty:
      guard tile.style.empty == .placeholder else { return nil }
      // Its image, else its colour: there is no name to show.
      var style = tile.style.placeholder
      if style.kind != .image { style.kind = .color }
      subject = .placeholder(name: "", style, avatar: nil)
    case .more(let count): subject = .more(count)
    case .image(let file): subject = .image(file)
    case .person(let id):
      guard let person = participants[id] else { return nil }
      let name = displayName(person.name)
      self.person = id
      if let picture = person.picture {
        subject = .picture(picture, Rotation(degreesClockwise: person.rotationDegrees), isFrozen: person.isFrozen)
        if person.isScreen, fit == .cover { fit = .contain }
      } else {
        // In place of a picture there is room for a whole text.
        subject = .placeholder(name: displayName(person.name, scalarsMax: 256), tile.style.placeholder, avatar: person.avatar)
      }
      borderWidth = Self.borderWidth(tile, area)
      border = Self.border(tile.style.border, isSpeaking: person.isSpeaking, borderWidth)
      label = Self.label(tile, name, person)
    }
  }

  /// The picture that is shown now, where nothing but the picture changed, and that not its size.
  func newPicture(since old: TileLook) -> Picture? {
    guard case .picture(let new, _, _) = subject, case .picture(let before, let rotation, let isFrozen) = old.subject,
      new.width == before.width, new.height == before.height
    else { return nil }
    var same = old
    same.subject = .picture(new, rotation, isFrozen: isFrozen)
    return same == self ? new : nil
  }

  /// The same with another picture of the same size.
  func showing(_ picture: Picture) -> TileLook {
    guard case .picture(_, let rotation, let isFrozen) = subject else { return self }
    var look = self
    look.subject = .picture(picture, rotation, isFrozen: isFrozen)
    return look
  }

  /// The same tile elsewhere on its way out, whoever it showed being gone.
  func leaving(_ moving: MovingTile, canvas: PixelArea) -> TileLook? {
    var look = self
    look.area = Self.even(moving.tile.rectangle).intersection(canvas)
    look.opacity = UInt8(min(max((moving.opacity * 255).rounded(), 0), 255))
    look.isMoving = true
    look.radius = min(radius, min(look.area.width, look.area.height) / 2 & ~1)
    return look.area.isEmpty || look.opacity == 0 ? nil : look
  }

  /// Edges on even pixels, since chroma has half the resolution: each is moved to the even pixel at or before it, so that
  /// neighbours still share theirs and the far edges of an even canvas stay where they are.
  static func even(_ rectangle: PixelRectangle) -> PixelArea {
    let (left, top) = (rectangle.x & ~1, rectangle.y & ~1)
    return PixelArea(x: left, y: top, width: rectangle.right & ~1 - left, height: rectangle.bottom & ~1 - top)
  }

  private static func borderWidth(_ tile: Tile, _ area: PixelArea) -> Int {
    guard tile.style.border.width > 0 else { return 0 }
    let width = max(Int((tile.style.border.width * tile.pixelsPerUnit / 2).rounded()) * 2, 2)
    return min(width, min(area.width, area.height) / 4 & ~1)
  }

  private static func border(_ style: LayoutBorder, isSpeaking: Bool, _ width: Int) -> Border? {
    guard width > 0, let color = (isSpeaking ? style.activeColor : nil) ?? style.color else { return nil }
    return Border(width: width, color: color)
  }

  private static func label(_ tile: Tile, _ name: String, _ person: SceneParticipant) -> Label? {
    guard let style = tile.style.label else { return nil }
    let text =
      style.text == "{name}"
      ? name
      : labelText(style.text) { word in
        switch word {
        case "name": name
        case "role": displayName(person.role ?? "")
        case "index": String(tile.slot + 1)
        default: nil
        }
      }
    return text.isEmpty && !person.isMuted ? nil : Label(text: text, isMuted: person.isMuted, style: style)
  }
}

/// A template with its `{words}` replaced, each once, so that no name can bring in another word; unknown words stay as they are.
func labelText(_ template: String, _ value: (Substring) -> String?) -> String {
  var result = ""
  var rest = template[...]
  while let open = rest.firstIndex(of: "{") {
    result += rest[..<open]
    rest = rest[open...]
    guard let close = rest.firstIndex(of: "}") else { break }
    if let value = value(rest[rest.index(after: open)..<close]) {
      result += value
      rest = rest[rest.index(after: close)...]
    } else {
      result += "{"
      rest = rest.dropFirst()
    }
  }
  return result + rest
}

extension YUVColor {
  init(_ color: LayoutColor) { self.init(red: color.red, green: color.green, blue: color.blue) }
}
