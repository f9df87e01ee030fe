import JSON5

/// What is wrong with a layout file, with line and column.
package typealias LayoutFault = JSONFault

/// Every fault of a layout file, in the order of its text; at least one.
package struct LayoutFaults: Error, Sendable {
  package var faults: [LayoutFault]
}

extension LayoutTemplate {
  /// Reads a layout file, JSON or JSON5.
  ///
  /// - Parameter name: what the template is called if the file does not say.
  /// - Throws: all faults found, so that an author can mend them in one go.
  package init(parsing bytes: [UInt8], name: String) throws(LayoutFaults) {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: bytes)
    } catch {
      throw LayoutFaults(faults: [error])
    }
    try self.init(value, name: name)
  }

  /// Decodes a layout that was read already.
  package init(_ value: JSONValue, name: String) throws(LayoutFaults) {
    let decoder = JSONDecoder()
    let template = LayoutDecoder(decoder: decoder).template(value, name: name)
    guard let template, decoder.faults.isEmpty else {
      throw LayoutFaults(faults: decoder.faults.sorted { $0.position < $1.position })
    }
    self = template
  }
}

/// Decodes the parts of a template; faults gather in `decoder`, and what is wrong is left at its default.
struct LayoutDecoder {
  let decoder: JSONDecoder
  var unitsWidth = 360
  var unitsHeight = 360
  var defaults = SlotStyle()

  init(decoder: JSONDecoder) { self.decoder = decoder }

  /// Greatest side of the coordinate space.
  private static let unitsMax = 100_000

  func template(_ value: JSONValue, name: String) -> LayoutTemplate? {
    guard let object = decoder.object(value, allowing: Self.templateKeys) else { return nil }
    object.require("variants")
    _ = object.string("$schema")
    var part = self
    (part.unitsWidth, part.unitsHeight) = units(object)
    if let style = object.object("slotDefaults", allowing: Self.styleKeys) {
      part.defaults = part.style(style, over: SlotStyle())
    }
    var template = LayoutTemplate(
      name: self.name(object) ?? name, about: object.string("about"), unitsWidth: part.unitsWidth,
      unitsHeight: part.unitsHeight, background: background(object), variants: part.variants(object),
      overflow: choice("overflow", object) ?? .count)
    if let foreground = object.object("foreground", allowing: Self.foregroundKeys) {
      foreground.require("image")
      template.foregroundImage = file("image", foreground)
      template.foregroundFit = choice("fit", foreground) ?? .cover
    }
    if let seconds = object.number("rotateSeconds", in: 1...3600) { template.rotateSeconds = seconds }
    if let milliseconds = object.integer("transitionMs", in: 0...5000) { template.transitionMilliseconds = milliseconds }
    template.selfView = choice("self", object) ?? .shown
    return template
  }

  private func background(_ object: JSONObject) -> LayoutBackground {
    var result = LayoutBackground(color: LayoutColor(red: 0x10, green: 0x14, blue: 0x18))
    guard let background = object.object("background", allowing: Self.backgroundKeys) else { return result }
    if let color = color("color", background) { result.color = color }
    result.image = file("image", background)
    result.fit = choice("fit", background) ?? .cover
    return result
  }

  /// A word of a closed list.
  func choice<Choice: CaseIterable & RawRepresentable<String>>(_ key: String, _ object: JSONObject) -> Choice? {
    object.string(key, oneOf: Choice.allCases.map(\.rawValue)).flatMap(Choice.init(rawValue:))
  }

  private func name(_ object: JSONObject) -> String? {
    guard let name = object.string("name"), let value = object["name"] else { return nil }
    let allowed = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
      default: false
      }
    }
    if allowed, (1...64).contains(name.utf8.count) { return name }
    decoder.fault(at: value.position, "a name has 1 to 64 of A-Z a-z 0-9 . _ -")
    return nil
  }

  private func units(_ object: JSONObject) -> (Int, Int) {
    guard let list = object.array("units") else { return (360, 360) }
    let sides = list.compactMap { side in side.integer.flatMap { (1...Self.unitsMax).contains($0) ? $0 : nil } }
    guard list.count == 2, sides.count == 2 else {
      decoder.fault(
        at: object["units"]?.position ?? object.position, "'units' are two whole numbers from 1 to \(Self.unitsMax)")
      return (360, 360)
    }
    return (sides[0], sides[1])
  }

  private func variants(_ object: JSONObject) -> [LayoutVariant] {
    guard let list = object.array("variants", countMax: LayoutTemplate.variantsMax) else { return [] }
    if list.isEmpty, let value = object["variants"] { decoder.fault(at: value.position, "a layout has at least one variant") }
    return list.compactMap(variant)
  }

  private func variant(_ value: JSONValue) -> LayoutVariant? {
    guard let object = decoder.object(value, allowing: Self.variantKeys) else { return nil }
    guard object["slots"] != nil || object["grid"] != nil else {
      decoder.fault(at: value.position, "a variant has 'slots' or a 'grid'")
      return nil
    }
    _ = object.string("about")
    var variant = LayoutVariant(aspect: nil, conditions: conditions(object), slots: [])
    if let aspect = object.string("aspect", oneOf: ["any"] + LayoutAspect.allCases.map(\.rawValue)) {
      variant.aspect = LayoutAspect(rawValue: aspect)
    }
    if let list = object.array("slots", countMax: LayoutTemplate.slotsMax) { variant.slots = slots(list, object) }
    if let value = object["grid"], let object = object.object("grid", allowing: Self.gridKeys) {
      variant.slots += grid(object)
      if variant.slots.count > LayoutTemplate.slotsMax {
        decoder.fault(at: value.position, "a variant has at most \(LayoutTemplate.slotsMax) slots, with its grid")
      }
    }
    return variant
  }

  private func conditions(_ object: JSONObject) -> [LayoutCondition] {
    guard let value = object["when"] else { return [] }
    let words = value.array ?? [value]
    var result: [LayoutCondition] = []
    for word in words.prefix(20) {
      guard let text = word.string else {
        let _: String? = object.mismatch("when", word, "a condition such as \"screen\", or a list of them")
        continue
      }
      guard let condition = LayoutCondition(text) else {
        let choices = LayoutCondition.words + LayoutCondition.words.map { "no-" + $0 }
        let advice = nearest(to: text, among: choices).map { ", did you mean '\($0)'?" } ?? ""
        decoder.fault(
          at: word.position,
          "'when' is one of \(LayoutCondition.words.joined(separator: ", ")), or one of these after 'no-', "
            + "not \(quoted(text))\(advice)")
        continue
      }
      var opposite = condition
      opposite.isPresent.toggle()
      if result.contains(opposite) {
        decoder.fault(at: word.position, "this is the contrary of a condition before it, so the variant is never used")
      }
      result.append(condition)
    }
    return result
  }

  private func slots(_ list: [JSONValue], _ object: JSONObject) -> [LayoutSlot] {
    if list.isEmpty { decoder.fault(at: object["slots"]?.position ?? object.position, "a variant has at least one slot") }
    var seen: Set<String> = []
    return list.compactMap { value in
      guard let slot = slot(value) else { return nil }
      if let id = slot.id, !seen.insert(id).inserted {
        decoder.fault(at: value["id"]?.position ?? value.position, "two slots of this variant have the id \(quoted(id))")
      }
      return slot
    }
  }

  /// The regular slots of a grid, row by row.
  private func grid(_ object: JSONObject) -> [LayoutSlot] {
    object.require("columns", "rows")
    let columns = object.integer("columns", in: 1...20) ?? 1
    let rows = object.integer("rows", in: 1...20) ?? 1
    let gap = object.number("gap", in: 0...Double(Self.unitsMax)) ?? 0
    let (left, across) = span("x", "width", unitsWidth, object)
    let (top, down) = span("y", "height", unitsHeight, object)
    let width = (across - gap * Double(columns - 1)) / Double(columns)
    let height = (down - gap * Double(rows - 1)) / Double(rows)
    guard width > 0, height > 0 else {
      decoder.fault(at: object["gap"]?.position ?? object.position, "the gaps leave no room for the slots")
      return []
    }
    var slot = LayoutSlot(id: nil, x: 0, y: 0, width: width, height: height, style: style(object, over: defaults))
    slot.z = object.integer("z", in: -1000...1000) ?? 0
    slot.source = source(object) ?? .any
    return (0..<columns * rows).map { index in
      slot.x = left + Double(index % columns) * (width + gap)
      slot.y = top + Double(index / columns) * (height + gap)
      return slot
    }
  }

  /// Start and length of a grid along one side; from its start to the end of the canvas where the file does not say.
  private func span(_ startKey: String, _ lengthKey: String, _ units: Int, _ object: JSONObject) -> (Double, Double) {
    if object[lengthKey] != nil { return side(startKey, lengthKey, units, object) }
    let start = object.number(startKey) ?? 0
    guard start >= 0, start < Double(units) else {
      decoder.fault(at: object[startKey]?.position ?? object.position, "'\(startKey)' lies off the canvas of \(units) units")
      return (0, Double(units))
    }
    return (start, Double(units) - start)
  }
}
