/// A layout as its file describes it: rectangles in its own units and who belongs into them. Knows no pixels.
package struct LayoutTemplate: Equatable, Sendable {
  package var name: String
  /// What it is for, in the author's words.
  package var about: String?
  /// Size of the coordinate space of the slots, both at least 1.
  package var unitsWidth: Int
  package var unitsHeight: Int
  package var background: LayoutBackground
  /// Name of a picture laid over everything.
  package var foregroundImage: String?
  package var foregroundFit = LayoutFit.cover
  /// At least one; the first that suits canvas and people and has enough slots is used, else the last that suits them, one
  /// that names the shape of the canvas before one that does not.
  package var variants: [LayoutVariant]
  package var overflow: LayoutOverflow
  /// How long each turn of overflow `rotate` lasts.
  package var rotateSeconds = 10.0
  /// How long tiles take to move, grow and fade when people come, go or change places; 0 to cut. Another layout always cuts.
  package var transitionMilliseconds = 0
  /// What somebody sees of himself in a picture made for him.
  package var selfView = LayoutSelfView.shown

  /// The roles that it has slots for, sorted.
  package var roles: [String] {
    let named = variants.flatMap(\.slots).compactMap { if case .role(let role) = $0.source { role } else { nil } }
    return Set(named).sorted()
  }

  package static let slotsMax = 400
  package static let variantsMax = 100
}

/// One arrangement of slots.
package struct LayoutVariant: Equatable, Sendable {
  /// The canvases it is meant for; nil for all.
  package var aspect: LayoutAspect?
  /// All must hold for the variant to be used.
  package var conditions: [LayoutCondition] = []
  /// In the order of the file; the index of a slot in this list is its number.
  package var slots: [LayoutSlot]
}

/// What lies behind the slots.
package struct LayoutBackground: Equatable, Sendable {
  package var color: LayoutColor
  package var image: String?
  /// How the image fills the canvas.
  package var fit = LayoutFit.cover
}

/// The shape of a canvas.
package enum LayoutAspect: String, CaseIterable, Sendable {
  /// Wider than high.
  case landscape
  /// Higher than wide.
  case portrait
  case square

  package init(width: Int, height: Int) { self = width > height ? .landscape : width < height ? .portrait : .square }
}

/// What must be so for a variant to be used.
package struct LayoutCondition: Hashable, Sendable {
  package enum Subject: Hashable, Sendable {
    /// Somebody shares a screen.
    case screen
    /// Somebody holds the floor.
    case floor
    /// Somebody sends a picture.
    case video
    /// Somebody has this role.
    case role(String)
    /// Somebody was given this key.
    case reserved(String)
  }

  package var subject: Subject
  /// False where nobody may: `no-screen`.
  package var isPresent = true

  /// Whether it is so among these people.
  package func holds(among people: [LayoutPerson]) -> Bool {
    let isThere = people.contains { person in
      switch subject {
      case .screen: person.sharesScreen
      case .floor: person.hasFloor
      case .video: person.sendsVideo
      case .role(let role): person.role == role
      case .reserved(let key): person.pinnedSlot == key
      }
    }
    return isThere == isPresent
  }
}

/// What somebody sees of himself in a picture made for him.
package enum LayoutSelfView: String, CaseIterable, Sendable {
  /// Himself like everybody else.
  case shown
  /// Never himself.
  case hidden
  /// Himself in the last place, and never in the floor's slot while another could have it.
  case last
}

/// What is seen of a slot that shows nobody.
package enum LayoutEmptySlot: String, CaseIterable, Sendable {
  /// Nothing: the background.
  case background
  /// The slot's placeholder without a name: its image, else its colour.
  case placeholder
  /// Nothing, and the slots in a row with it close up around the middle, as do rows that are left.
  case collapse
}

/// More people than slots.
package enum LayoutOverflow: String, CaseIterable, Sendable {
  /// The last free slot shows how many are not shown.
  case count
  /// The free slots show everybody in turn.
  case rotate
  case hide
}

/// One rectangle of a layout.
package struct LayoutSlot: Equatable, Sendable {
  package var id: String?
  /// Edges in units of the template; fractions are allowed.
  package var x: Double
  package var y: Double
  package var width: Double
  package var height: Double
  /// Greater is nearer; ties in file order.
  package var z = 0
  package var source = LayoutSource.any
  package var style = SlotStyle()
  /// Where the slot's voice is heard, -1 (left) to 1 (right); nil to follow the slot's place.
  package var audioPan: Double?
}

/// Who belongs into a slot.
package enum LayoutSource: Equatable, Sendable {
  case any
  /// Who holds the floor; anybody while nobody does.
  case floor
  /// Who holds the floor; empty while nobody does.
  case floorOnly
  /// Who shares a screen.
  case screen
  case role(String)
  /// Who was given this key.
  case reserved(String)
  /// A picture from a file.
  case image(String)
}

/// How a slot is drawn.
package struct SlotStyle: Equatable, Sendable {
  package var fit = LayoutFit.cover
  package var border = LayoutBorder()
  /// Radius of the corners in units; at most half the shorter side counts.
  package var radius = 0.0
  /// Whether only the circle in the middle of the slot is used; `radius` has no meaning then.
  package var isCircle = false
  /// Nil where no name is shown.
  package var label: LayoutLabel? = LayoutLabel()
  package var placeholder = LayoutPlaceholder()
  package var empty = LayoutEmptySlot.background
}

/// How a picture fills its slot.
package enum LayoutFit: String, CaseIterable, Sendable {
  /// The slot is filled; what sticks out of it is cut.
  case cover
  /// The whole picture is shown; the rest of the slot is background.
  case contain
  /// The slot is filled and the picture distorted.
  case stretch
}

/// The frame of a slot, drawn inside it.
package struct LayoutBorder: Equatable, Sendable {
  /// In units of the template's height; 0 for none.
  package var width = 0.0
  /// Nil: a frame only around who speaks.
  package var color: LayoutColor?
  package var activeColor: LayoutColor? = LayoutColor(red: 0x37, green: 0xA2, blue: 0xFF)
}

/// The name shown in a slot.
package struct LayoutLabel: Equatable, Sendable {
  package enum Position: String, CaseIterable, Sendable {
    case topLeft = "top-left"
    case top
    case topRight = "top-right"
    case bottomLeft = "bottom-left"
    case bottom
    case bottomRight = "bottom-right"
  }

  package var position = Position.bottomLeft
  /// What is written: `{name}` and `{role}` are replaced.
  package var text = "{name}"
  /// Height of the letters as a part of the slot's height; nil for what suits the slot.
  package var size: Double?
  package var color = LayoutColor(red: 255, green: 255, blue: 255)
  package var background = LayoutColor(red: 0, green: 0, blue: 0, alpha: 0x99)
}

/// What a slot shows of somebody without a picture.
package struct LayoutPlaceholder: Equatable, Sendable {
  package enum Kind: String, CaseIterable, Sendable {
    /// Up to two letters of the name on a colour that follows from it.
    case initials
    case name
    /// A plain colour.
    case color
    case image
    /// The person's own image; initials while he has none.
    case avatar
  }

  package var kind = Kind.initials
  /// Nil: a colour that follows from the name.
  package var color: LayoutColor?
  package var image: String?
}

/// A colour of 8-bit sRGB components.
package struct LayoutColor: Hashable, Sendable, CustomStringConvertible {
  package var red: UInt8
  package var green: UInt8
  package var blue: UInt8
  /// 255 is opaque.
  package var alpha: UInt8

  package init(red: UInt8, green: UInt8, blue: UInt8, alpha: UInt8 = 255) {
    (self.red, self.green, self.blue, self.alpha) = (red, green, blue, alpha)
  }

  /// `#rgb`, `#rgba`, `#rrggbb` or `#rrggbbaa`; nil for anything else.
  package init?(_ text: String) {
    guard text.utf8.first == UInt8(ascii: "#") else { return nil }
    let digits = text.utf8.dropFirst().compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == text.utf8.count - 1 else { return nil }
    switch digits.count {
    case 3, 4:
      let bytes = digits.map { UInt8($0 * 17) }
      self.init(red: bytes[0], green: bytes[1], blue: bytes[2], alpha: bytes.count > 3 ? bytes[3] : 255)
    case 6, 8:
      let bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
      self.init(red: bytes[0], green: bytes[1], blue: bytes[2], alpha: bytes.count > 3 ? bytes[3] : 255)
    default: return nil
    }
  }

  /// `#rrggbb`, with alpha where it is not opaque.
  package var description: String {
    let parts = alpha == 255 ? [red, green, blue] : [red, green, blue, alpha]
    return "#" + parts.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
