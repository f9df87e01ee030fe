import JSON5

extension LayoutDecoder {
  func slot(_ value: JSONValue) -> LayoutSlot? {
    guard let object = decoder.object(value, allowing: Self.slotKeys) else { return nil }
    object.require("x", "y", "width", "height")
    var slot = LayoutSlot(id: nil, x: 0, y: 0, width: 1, height: 1)
    slot.id = id(object)
    (slot.x, slot.width) = side("x", "width", unitsWidth, object)
    (slot.y, slot.height) = side("y", "height", unitsHeight, object)
    slot.z = object.integer("z", in: -1000...1000) ?? 0
    slot.source = source(object) ?? .any
    slot.style = style(object, over: defaults)
    slot.audioPan = object.number("audioPan", in: -1...1)
    return slot
  }

  /// Start and length along one side, which must lie on the canvas.
  func side(_ startKey: String, _ lengthKey: String, _ units: Int, _ object: JSONObject) -> (Double, Double) {
    let (start, length) = (object.number(startKey), object.number(lengthKey))
    if let start, start < 0, let value = object[startKey] {
      decoder.fault(at: value.position, "'\(startKey)' lies off the canvas, which begins at 0")
    }
    if let length, length <= 0, let value = object[lengthKey] {
      decoder.fault(at: value.position, "'\(lengthKey)' must be greater than 0")
    }
    if let start, let length, start >= 0, length > 0, start + length > Double(units) + 1e-6 {
      let value = start >= Double(units) ? object[startKey] : object[lengthKey]
      decoder.fault(
        at: value?.position ?? object.position,
        "'\(startKey)' and '\(lengthKey)' reach off the canvas, which is \(units) units here")
    }
    return (start ?? 0, length ?? 1)
  }

  private func id(_ object: JSONObject) -> String? {
    guard let id = object.string("id"), let value = object["id"] else { return nil }
    if (1...64).contains(id.utf8.count) { return id }
    decoder.fault(at: value.position, "an 'id' has 1 to 64 bytes")
    return nil
  }

  func source(_ object: JSONObject) -> LayoutSource? {
    guard let text = object.string("source"), let value = object["source"] else { return nil }
    switch text {
    case "any": return .any
    case "floor": return .floor
    case "floor-only": return .floorOnly
    case "screen": return .screen
    default: break
    }
    if let colon = text.firstIndex(of: ":") {
      let rest = String(text[text.index(after: colon)...])
      switch text[..<colon] {
      case "role" where !rest.isEmpty: return .role(rest)
      case "reserved" where !rest.isEmpty: return .reserved(rest)
      case "image":
        if Self.isPlainPath(rest) { return .image(rest) }
        decoder.fault(at: value.position, "an image is a file below the folder of the layout")
        return nil
      default: break
      }
    }
    let choices = ["any", "floor", "floor-only", "screen", "role:NAME", "reserved:KEY", "image:FILE"]
    let advice = nearest(to: text, among: choices).map { ", did you mean '\($0)'?" } ?? ""
    decoder.fault(
      at: value.position, "'source' is one of \(choices.joined(separator: ", ")), not \(quoted(text))\(advice)")
    return nil
  }

  /// What `object` says of a slot's looks, the rest as in `base`.
  func style(_ object: JSONObject, over base: SlotStyle) -> SlotStyle {
    var style = base
    if let fit: LayoutFit = choice("fit", object) { style.fit = fit }
    if let empty: LayoutEmptySlot = choice("empty", object) { style.empty = empty }
    if let value = object["radius"] { radius(value, object, &style) }
    if let value = object["border"] { border(value, object, &style.border) }
    if let value = object["label"] { label(value, object, &style.label) }
    if let value = object["placeholder"] { placeholder(value, object, &style.placeholder) }
    return style
  }

  private func radius(_ value: JSONValue, _ parent: JSONObject, _ style: inout SlotStyle) {
    let unitsMax = max(unitsWidth, unitsHeight)
    if value.string == "circle" {
      style.isCircle = true
    } else if let radius = value.number, (0...Double(unitsMax)).contains(radius) {
      (style.radius, style.isCircle) = (radius, false)
    } else {
      let _: Double? = parent.mismatch("radius", value, "a number from 0 to \(unitsMax) or \"circle\"")
    }
  }

  private func border(_ value: JSONValue, _ parent: JSONObject, _ border: inout LayoutBorder) {
    if value.isNull || value.bool == false {
      border.width = 0
      return
    }
    guard let object = parent.object("border", allowing: Self.borderKeys) else { return }
    if let width = object.number("width", in: 0...Double(min(unitsWidth, unitsHeight)) / 4) { border.width = width }
    if let color = color("color", object) { border.color = color }
    if let value = object["activeColor"], value.isNull || value.bool == false {
      border.activeColor = nil
    } else if let color = color("activeColor", object) {
      border.activeColor = color
    }
  }

  private func label(_ value: JSONValue, _ parent: JSONObject, _ label: inout LayoutLabel?) {
    if value.isNull || value.bool == false {
      label = nil
      return
    }
    guard let object = parent.object("label", allowing: Self.labelKeys) else { return }
    var result = label ?? LayoutLabel()
    if let position: LayoutLabel.Position = choice("position", object) { result.position = position }
    if let text = object.string("text"), let value = object["text"] { result.text = labelText(text, value.position) }
    if let size = object.number("size", in: 0.01...1) { result.size = size }
    if let color = color("color", object) { result.color = color }
    if let color = color("background", object) { result.background = color }
    label = result
  }

  /// A label's text, whose words in braces must be known.
  private func labelText(_ text: String, _ position: SourcePosition) -> String {
    if text.unicodeScalars.count > 200 { decoder.fault(at: position, "a label's 'text' has at most 200 characters") }
    for part in text.split(separator: "{", omittingEmptySubsequences: false).dropFirst() {
      guard let end = part.firstIndex(of: "}") else { continue }
      let word = String(part[..<end])
      if LayoutLabel.words.contains(word) { continue }
      let advice = nearest(to: word, among: LayoutLabel.words).map { ", did you mean '{\($0)}'?" } ?? ""
      decoder.fault(
        at: position, "a label's 'text' knows {name} and {role}, not {\(quoted(word).dropFirst().dropLast())}\(advice)")
    }
    return text
  }

  private func placeholder(_ value: JSONValue, _ parent: JSONObject, _ placeholder: inout LayoutPlaceholder) {
    let kinds = LayoutPlaceholder.Kind.allCases.map(\.rawValue)
    if value.string != nil {
      if let kind = parent.string("placeholder", oneOf: kinds) { placeholder.kind = .init(rawValue: kind) ?? .initials }
      return
    }
    guard let object = parent.object("placeholder", allowing: Self.placeholderKeys) else { return }
    if let color = color("color", object) { placeholder.color = color }
    if let image = file("image", object) { (placeholder.image, placeholder.kind) = (image, .image) }
    if let kind = object.string("kind", oneOf: kinds) { placeholder.kind = .init(rawValue: kind) ?? .initials }
  }

  func color(_ key: String, _ object: JSONObject) -> LayoutColor? {
    guard let text = object.string(key), let value = object[key] else { return nil }
    if let color = LayoutColor(text) { return color }
    decoder.fault(at: value.position, "'\(key)' is a colour like \"#1b2a3c\", \"#1b2a3c80\" or \"#fff\", not \(quoted(text))")
    return nil
  }

  func file(_ key: String, _ object: JSONObject) -> String? {
    guard let path = object.string(key), let value = object[key] else { return nil }
    if Self.isPlainPath(path) { return path }
    decoder.fault(at: value.position, "'\(key)' is a file below the folder of the layout")
    return nil
  }

  /// Whether a path stays below the folder it is looked up in.
  static func isPlainPath(_ path: String) -> Bool {
    !path.isEmpty && path.utf8.count <= 255 && !path.utf8.contains(0) && !path.utf8.contains(UInt8(ascii: "\\"))
      && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { $0 != ".." && $0 != "." && !$0.isEmpty }
  }
}
