import JSON5

/// Layouts of Open WebRTC Toolkit: a room with views, one view, its `video`, its `layout`, or a bare list of templates. Each view
/// becomes one file, each of its templates a variant.
enum OWTLayouts {
  static let viewsMax = 100
  static let inputsMax = 100
  static let regionsMax = 400
  /// As many as a layout has variants.
  static let templatesMax = 100

  static func read(_ root: JSONValue, name: String, into result: inout LayoutImport) throws(JSONFault) {
    if let views = root["views"]?.array ?? (root.array?.first?["video"] != nil ? root.array : nil) {
      for (index, view) in views.prefix(viewsMax).enumerated() {
        let label = view["label"]?.string ?? (views.count == 1 ? name : "\(name)-\(index + 1)")
        try read(video: view["video"] ?? view, name: label, into: &result)
      }
    } else {
      try read(
        video: root["video"] ?? root["mediaMixing"]?["video"] ?? root, name: root["label"]?.string ?? name, into: &result)
    }
  }

  private static func read(video: JSONValue, name: String, into result: inout LayoutImport) throws(JSONFault) {
    let layout = video["layout"] ?? video
    let templates = layout["templates"] ?? layout
    let custom = templates["custom"] ?? (templates.array != nil ? templates : nil)
    guard custom != nil || templates["base"] != nil else {
      throw JSONFault(video.position, "neither 'templates' nor a list of templates is here; is it a view or a room of OWT?")
    }
    var list = base(templates, video, isBare: templates.array != nil, into: &result)
    for template in (custom?.array ?? []).prefix(templatesMax) {
      guard let read = read(template, into: &result) else { continue }
      OWTTemplate.insert(read, into: &list)
    }
    let line = video.position.line
    guard let draft = draft(list, name: name, line: line, into: &result) else {
      result.note(line, "\(quoted(name)) has no usable template and is left out")
      return
    }
    result.add(complete(draft, layout, video, into: &result), line: line, suffix: "-view")
  }

  private static func base(
    _ templates: JSONValue, _ video: JSONValue, isBare: Bool, into result: inout LayoutImport
  ) -> [OWTTemplate] {
    let base = templates["base"]?.string ?? (isBare ? "void" : "fluid")
    if !["fluid", "lecture", "void"].contains(base) {
      result.note(templates.position.line, "base \(quoted(base)) is unknown; OWT takes fluid")
    }
    // Of older versions, -1 is as many as come.
    let said = video["maxInput"]?.integer ?? 16
    let count = said == -1 ? 16 : said
    if !(1...inputsMax).contains(count) { result.note(video.position.line, "maxInput is taken as 1 to \(inputsMax)") }
    return OWTTemplate.base(base, inputsMax: min(max(count, 1), inputsMax))
  }

  // MARK: Templates of the author's

  private static func read(_ template: JSONValue, into result: inout LayoutImport) -> OWTTemplate? {
    guard let regions = template["region"]?.array ?? template.array, !regions.isEmpty else {
      result.note(template.position.line, "a template without regions is skipped")
      return nil
    }
    if regions.count > regionsMax { result.note(template.position.line, "regions beyond \(regionsMax) are left out") }
    let usable = regions.prefix(regionsMax).compactMap { region($0, into: &result) }
    return usable.isEmpty ? nil : OWTTemplate(custom: usable)
  }

  private static func region(_ value: JSONValue, into result: inout LayoutImport) -> OWTTemplate.Region? {
    let line = value.position.line
    if let shape = value["shape"]?.string, shape != "rectangle" {
      result.note(line, "shape \(quoted(shape)) is never drawn by OWT; the region is a rectangle")
    }
    // Regions of older versions have one size for both sides.
    let area = value["area"] ?? value
    let size = area["relativesize"]
    let sides = [area["left"], area["top"], area["width"] ?? size, area["height"] ?? size].map(fraction)
    guard let left = sides[0], let top = sides[1], let width = sides[2], let height = sides[3], width.numerator > 0,
      height.numerator > 0, left.value < 1, top.value < 1
    else {
      result.note(line, "a region without left, top, width and height on the canvas, such as \"2/3\", is skipped")
      return nil
    }
    if left.value + width.value > 1.000_001 || top.value + height.value > 1.000_001 {
      result.note(line, "a region reaches off the canvas and is cut")
    }
    return OWTTemplate.Region(left: left, top: top, width: width, height: height)
  }

  private static func fraction(_ value: JSONValue?) -> Fraction? {
    guard let value else { return nil }
    return value.string.flatMap { Fraction($0) } ?? value.number.flatMap { Fraction($0) }
  }

  // MARK: Ours

  private static func draft(
    _ templates: [OWTTemplate], name: String, line: Int, into result: inout LayoutImport
  ) -> DraftLayout? {
    let regions = templates.flatMap(\.regions)
    guard !regions.isEmpty else { return nil }
    let width = Fraction.commonDenominator(regions.flatMap { [$0.left, $0.width] })
    let height = Fraction.commonDenominator(regions.flatMap { [$0.top, $0.height] })
    if width == nil || height == nil {
      result.note(line, "the fractions have no small common denominator: units are 10000 and some slots have decimals")
    }
    var draft = DraftLayout(name: name, comment: "\(name), from Open WebRTC Toolkit")
    (draft.unitsWidth, draft.unitsHeight) = (width ?? 10_000, height ?? 10_000)
    draft.variants = templates.prefix(templatesMax).map { template in
      .init(slots: stacked(template.regions.map { slot($0, draft.unitsWidth, draft.unitsHeight) }))
    }
    return draft
  }

  private static func slot(_ region: OWTTemplate.Region, _ unitsWidth: Int, _ unitsHeight: Int) -> DraftLayout.Slot {
    let (width, height) = (Double(unitsWidth), Double(unitsHeight))
    let scaled = { (part: Fraction, units: Double) in units * Double(part.numerator) / Double(part.denominator) }
    let (x, y) = (scaled(region.left, width), scaled(region.top, height))
    return DraftLayout.Slot(
      x: x, y: y, width: min(scaled(region.width, width), width - x), height: min(scaled(region.height, height), height - y))
  }

  /// Later regions lie over earlier ones.
  private static func stacked(_ slots: [DraftLayout.Slot]) -> [DraftLayout.Slot] {
    var slots = slots
    for index in slots.indices {
      slots[index].z = slots[..<index].filter { $0.overlaps(slots[index]) }.map { $0.z + 1 }.max() ?? 0
    }
    return slots
  }

  private static func complete(
    _ draft: DraftLayout, _ layout: JSONValue, _ video: JSONValue, into result: inout LayoutImport
  ) -> DraftLayout {
    var draft = draft
    let line = video.position.line
    draft.fit = isCropped(layout, video) ? "cover" : "contain"
    draft.backgroundColor = color(video["bkColor"] ?? video["bgColor"] ?? video["parameters"]?["bgColor"])
    // `avCoordinated` of older versions.
    if video["keepActiveInputPrimary"]?.bool != false, video["avCoordinated"]?.integer != 0 {
      for index in draft.variants.indices { draft.variants[index].slots[0].source = "floor" }
      result.note(line, "the first region is the floor's, as with keepActiveInputPrimary: who loses it takes the other's place")
    }
    result.note(line, "inputs beyond the largest template are not shown, as in OWT: \"overflow\": \"hide\"")
    return draft
  }

  /// `fitPolicy`; `crop` of older versions, in `layout` or in `video`, is true or 1.
  private static func isCropped(_ layout: JSONValue, _ video: JSONValue) -> Bool {
    if let policy = layout["fitPolicy"]?.string { return policy == "crop" }
    let crop = layout["crop"] ?? video["crop"]
    return crop?.bool ?? (crop?.integer == 1)
  }

  private static let colors = ["white": "#ffffff", "blue": "#0000ff", "green": "#00ff00"]

  /// `{r, g, b}` of 0 to 255, or a word of older versions; OWT paints black without.
  private static func color(_ value: JSONValue?) -> String {
    if let word = value?.string { return colors[word] ?? "#000000" }
    let parts = ["r", "g", "b"].map { min(max(value?[$0]?.integer ?? 0, 0), 255) }
    return "#" + parts.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
