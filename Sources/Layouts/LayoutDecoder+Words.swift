/// The keys of a layout file; `Layouts/schema.json` has the same.
extension LayoutDecoder {
  static let templateKeys = [
    "$schema", "name", "about", "units", "background", "foreground", "slotDefaults", "variants", "overflow", "rotateSeconds",
    "transitionMs", "self",
  ]
  static let backgroundKeys = ["color", "image", "fit"]
  static let foregroundKeys = ["image", "fit"]
  static let variantKeys = ["about", "aspect", "when", "slots", "grid"]
  static let gridKeys = ["columns", "rows", "gap", "x", "y", "width", "height", "z", "source"] + styleKeys
  static let slotKeys = ["id", "x", "y", "width", "height", "z", "source", "audioPan"] + styleKeys
  static let styleKeys = ["fit", "border", "radius", "label", "placeholder", "empty"]
  static let borderKeys = ["width", "color", "activeColor"]
  static let labelKeys = ["position", "text", "size", "color", "background"]
  static let placeholderKeys = ["kind", "color", "image"]
}

/// Every kind of object of a layout file with the keys that it takes, by its name in the schema.
package let layoutKeys: [String: [String]] = [
  "template": LayoutDecoder.templateKeys, "background": LayoutDecoder.backgroundKeys,
  "foreground": LayoutDecoder.foregroundKeys, "variant": LayoutDecoder.variantKeys, "grid": LayoutDecoder.gridKeys,
  "slot": LayoutDecoder.slotKeys, "slotDefaults": LayoutDecoder.styleKeys, "borderObject": LayoutDecoder.borderKeys,
  "labelObject": LayoutDecoder.labelKeys, "placeholderObject": LayoutDecoder.placeholderKeys,
]

extension LayoutLabel {
  /// What a text may hold in braces.
  static let words = ["name", "role"]
}

extension LayoutCondition {
  /// As they stand in a file; each may have `no-` before it.
  static let words = ["screen", "floor", "video", "role:NAME", "reserved:KEY"]

  /// A condition as it stands in a file, such as `no-screen`; nil for anything else.
  init?(_ text: String) {
    let isPresent = !text.hasPrefix("no-")
    let word = isPresent ? text[...] : text.dropFirst(3)
    switch word {
    case "screen": self.init(subject: .screen, isPresent: isPresent)
    case "floor": self.init(subject: .floor, isPresent: isPresent)
    case "video": self.init(subject: .video, isPresent: isPresent)
    default:
      guard let colon = word.firstIndex(of: ":") else { return nil }
      let name = String(word[word.index(after: colon)...])
      switch word[..<colon] {
      case "role" where !name.isEmpty: self.init(subject: .role(name), isPresent: isPresent)
      case "reserved" where !name.isEmpty: self.init(subject: .reserved(name), isPresent: isPresent)
      default: return nil
      }
    }
  }
}
