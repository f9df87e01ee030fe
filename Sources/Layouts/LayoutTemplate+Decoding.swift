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
    let keys = ["$schema", "name", "units", "background", "foreground", "slotDefaults", "variants", "overflow"]
    guard let object = decoder.object(value, allowing: keys) else { return nil }
    object.require("variants")
    var part = self
    (part.unitsWidth, part.unitsHeight) = units(object)
    if let style = object.object("slotDefaults", allowing: Self.styleKeys) {
      part.defaults = part.style(style, over: SlotStyle())
    }
    let background = object.object("background", allowing: ["color", "image"])
    let foreground = object.object("foreground", allowing: ["image"])
    let overflow = object.string("overflow", oneOf: LayoutOverflow.allCases.map(\.rawValue))
    return LayoutTemplate(
      name: self.name(object) ?? name, unitsWidth: part.unitsWidth, unitsHeight: part.unitsHeight,
      background: LayoutBackground(
        color: background.flatMap { color("color", $0) } ?? LayoutColor(red: 0x10, green: 0x14, blue: 0x18),
        image: background.flatMap { file("image", $0) }),
      foregroundImage: foreground.flatMap { file("image", $0) }, variants: part.variants(object),
      overflow: overflow.flatMap(LayoutOverflow.init(rawValue:)) ?? .count)
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
    guard let object = decoder.object(value, allowing: ["slots", "grid"]) else { return nil }
    let slots: [LayoutSlot]
    switch (object["slots"], object["grid"]) {
    case (nil, nil):
      decoder.fault(at: value.position, "a variant has 'slots' or a 'grid'")
      return nil
    case (_?, let grid?):
      decoder.fault(at: grid.position, "a variant has either 'slots' or a 'grid', not both")
      return nil
    case (nil, _?):
      slots = object.object("grid", allowing: ["columns", "rows", "gap"]).map(grid) ?? []
    case (_?, nil):
      slots = object.array("slots", countMax: LayoutTemplate.slotsMax).map { self.slots($0, object) } ?? []
    }
    return LayoutVariant(slots: slots)
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
    let width = (Double(unitsWidth) - gap * Double(columns - 1)) / Double(columns)
    let height = (Double(unitsHeight) - gap * Double(rows - 1)) / Double(rows)
    guard width > 0, height > 0 else {
      decoder.fault(at: object["gap"]?.position ?? object.position, "the gaps leave no room for the slots")
      return []
    }
    return (0..<columns * rows).map { index in
      LayoutSlot(
        id: nil, x: Double(index % columns) * (width + gap), y: Double(index / columns) * (height + gap), width: width,
        height: height, style: defaults)
    }
  }
}
