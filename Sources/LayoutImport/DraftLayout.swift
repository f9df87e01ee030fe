import JSON5

/// A layout about to be written in our format.
struct DraftLayout {
  struct Slot {
    var x: Double
    var y: Double
    var width: Double
    var height: Double
    var z = 0
    /// Nil for anybody.
    var source: String?
    /// Nil for what the layout's slots have.
    var fit: String?
    /// In units of the layout's height.
    var border = 0.0
    var audioPan: Double?

    func overlaps(_ other: Slot) -> Bool {
      x < other.x + other.width && other.x < x + width && y < other.y + other.height && other.y < y + height
    }
  }

  struct Variant {
    /// Said above it in the file; empty for nothing.
    var comment = ""
    var slots: [Slot]
  }

  var name: String
  /// Said on top of the file.
  var comment: String
  var unitsWidth = 360
  var unitsHeight = 360
  var backgroundColor: String?
  var backgroundImage: String?
  var foregroundImage: String?
  var fit = "contain"
  var variants: [Variant] = []

  /// The file: JSON with comments, a line for each slot.
  var text: String {
    var lines = ["// " + Self.oneLine(comment), "{"]
    lines.append("  \"name\": \(Self.quote(name)),")
    lines.append("  \"units\": [\(unitsWidth), \(unitsHeight)],")
    let background = [("color", backgroundColor), ("image", backgroundImage)].compactMap { key, value in
      value.map { "\"\(key)\": \(Self.quote($0))" }
    }
    if !background.isEmpty { lines.append("  \"background\": { \(background.joined(separator: ", ")) },") }
    if let foregroundImage { lines.append("  \"foreground\": { \"image\": \(Self.quote(foregroundImage)) },") }
    lines.append("  \"slotDefaults\": { \"fit\": \"\(fit)\", \"label\": false },")
    lines.append("  \"variants\": [")
    for (index, variant) in variants.enumerated() {
      if !variant.comment.isEmpty { lines.append("    // " + Self.oneLine(variant.comment)) }
      lines += ["    {", "      \"slots\": ["]
      lines += variant.slots.enumerated().map { number, slot in
        "        { \(members(slot)) }" + (number + 1 < variant.slots.count ? "," : "")
      }
      lines += ["      ]", index + 1 < variants.count ? "    }," : "    }"]
    }
    lines += ["  ],", "  \"overflow\": \"hide\"", "}", ""]
    return lines.joined(separator: "\n")
  }

  private func members(_ slot: Slot) -> String {
    var members = [("x", slot.x), ("y", slot.y), ("width", slot.width), ("height", slot.height)].map {
      "\"\($0)\": \(Self.number($1))"
    }
    if slot.z != 0 { members.append("\"z\": \(slot.z)") }
    if let source = slot.source { members.append("\"source\": \(Self.quote(source))") }
    if let fit = slot.fit, fit != self.fit { members.append("\"fit\": \"\(fit)\"") }
    if slot.border > 0 {
      let color = "\"color\": \"#000000\", \"activeColor\": \"#000000\""
      members.append("\"border\": { \"width\": \(Self.number(slot.border)), \(color) }")
    }
    if let pan = slot.audioPan { members.append("\"audioPan\": \(Self.number(pan))") }
    return members.joined(separator: ", ")
  }

  private static func quote(_ text: String) -> String {
    var writer = JSONWriter()
    writer.value(text)
    return writer.text
  }

  private static func number(_ number: Double) -> String {
    var writer = JSONWriter()
    writer.value(number)
    return writer.text
  }

  /// What a file says cannot end the comment it stands in.
  private static func oneLine(_ text: String) -> String {
    String(
      text.unicodeScalars.map { scalar -> Character in
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format: " "
        default: Character(scalar)
        }
      })
  }
}
