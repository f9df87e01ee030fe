import JSON5

/// The `<image>` elements of one layout, in the order in which FreeSWITCH reads them.
struct FreeSWITCHImages {
  let layout: XMLElement
  let name: String
  /// In pixels. FreeSWITCH keeps one variable for the whole layout: what an image sets stays for those after it.
  private var border: Int
  private var borderIsOwnOfAnImage = false

  /// FreeSWITCH has room for so many and writes past it.
  static let imagesMax = 64

  init(layout: XMLElement, name: String) {
    (self.layout, self.name) = (layout, name)
    border = Self.border(layout["border"]) ?? 0
  }

  private static func border(_ text: String?) -> Int? { text.map { min(max(number($0), 0), 50) } }

  /// The slots; those on top of others get a greater `z`.
  mutating func slots(into result: inout LayoutImport) -> [DraftLayout.Slot] {
    var slots: [(slot: DraftLayout.Slot, isOverlapping: Bool)] = []
    for image in layout.children("image") {
      guard slots.count < Self.imagesMax else {
        result.note(
          image.line, "\(quoted(name)): FreeSWITCH has room for \(Self.imagesMax) images and overruns it; the rest is left out")
        break
      }
      guard let slot = slot(image, into: &result) else { continue }
      slots.append((slot, Self.isTrue(image["overlap"])))
    }
    return Self.stacked(slots)
  }

  /// FreeSWITCH draws images with `overlap` in a second pass, and each pass in the order of the file.
  private static func stacked(_ slots: [(slot: DraftLayout.Slot, isOverlapping: Bool)]) -> [DraftLayout.Slot] {
    var result = slots.map(\.slot)
    var drawn: [Int] = []
    for pass in [false, true] {
      for index in slots.indices where slots[index].isOverlapping == pass {
        let below = drawn.filter { result[$0].overlaps(result[index]) }.map { result[$0].z }.max()
        result[index].z = below.map { $0 + 1 } ?? (pass ? 1 : 0)
        drawn.append(index)
      }
    }
    return result
  }

  private mutating func slot(_ image: XMLElement, into result: inout LayoutImport) -> DraftLayout.Slot? {
    let numbers = ["x", "y", "scale", "hscale"].map { key in image[key].map { Self.number($0) } }
    for key in ["x", "y", "scale", "hscale", "border"] {
      guard let text = image[key], Int(text) == nil else { continue }
      result.note(image.line, "\(key) is \(quoted(text)), of which FreeSWITCH reads \(Self.number(text))")
    }
    takeBorder(image, into: &result)
    guard let x = numbers[0], let y = numbers[1], let scale = numbers[2], x >= 0, y >= 0, scale >= 0 else {
      result.note(image.line, "\(quoted(name)): an image without x, y and scale, none below 0, is skipped, as by FreeSWITCH")
      return nil
    }
    let height = numbers[3].flatMap { $0 == -1 ? nil : $0 } ?? scale
    guard let slot = clamped(x, y, scale, height, image, into: &result) else { return nil }
    return complete(slot, image, into: &result)
  }

  private mutating func takeBorder(_ image: XMLElement, into result: inout LayoutImport) {
    if let own = Self.border(image["border"]) {
      (border, borderIsOwnOfAnImage) = (own, own > 0)
      if own == 0 { result.note(image.line, "border 0 means the conference's video-border-size, taken as none") }
    } else if borderIsOwnOfAnImage {
      result.note(
        image.line, "\(quoted(name)): the border of an earlier image sticks to this one, as in FreeSWITCH")
    }
    guard border > 0, image["border"] != nil || (layout["border"] != nil && !borderIsOwnOfAnImage) else { return }
    result.note(
      layout.line, of: name, "borders are pixels there, taken as on a canvas 720 high; their colour is the conference's")
  }

  /// FreeSWITCH checks no bounds; here a slot ends where the canvas does.
  private func clamped(
    _ x: Int, _ y: Int, _ width: Int, _ height: Int, _ image: XMLElement, into result: inout LayoutImport
  ) -> DraftLayout.Slot? {
    let max = FreeSWITCHLayouts.unitsMax
    guard width > 0, height > 0, x < max, y < max else {
      result.note(image.line, "\(quoted(name)): an image without area on the canvas is left out")
      return nil
    }
    let (fitWidth, fitHeight) = (min(width, max - x), min(height, max - y))
    if (fitWidth, fitHeight) != (width, height) {
      result.note(image.line, "\(quoted(name)): an image reaches off the canvas, which FreeSWITCH does not check; it is cut")
    }
    return DraftLayout.Slot(x: Double(x), y: Double(y), width: Double(fitWidth), height: Double(fitHeight))
  }

  private func complete(
    _ slot: DraftLayout.Slot, _ image: XMLElement, into result: inout LayoutImport
  ) -> DraftLayout.Slot {
    var slot = slot
    slot.source = source(image, into: &result)
    slot.fit = Self.isTrue(image["zoom"]) ? "cover" : nil
    // No wider than our format allows, which is a quarter of the shorter side.
    slot.border = min(Double(border) / 2, 90)
    slot.audioPan = audioPan(slot, image, into: &result)
    return slot
  }

  /// A reservation counts more than the floor, and a role less than a reservation, as FreeSWITCH looks for them.
  private func source(_ image: XMLElement, into result: inout LayoutImport) -> String? {
    let isFloorOnly = Self.isTrue(image["floor-only"])
    // `floor-only` is written into both flags, so that `floor-only="false"` takes `floor` back.
    let isFloor = image["floor-only"] != nil ? isFloorOnly : Self.isTrue(image["floor"])
    let flags = [isFloor, image["reservation-id"] ?? image["reservation_id"] != nil, image["role-id"] != nil]
    if Self.isTrue(image["file-only"]) {
      if isFloor { result.note(image.line, "file-only takes the floor from an image, as in FreeSWITCH") }
      result.note(image.line, "file-only: nothing plays files into tiles here; the slot is reserved:file, for who plays them")
      return "reserved:file"
    }
    if flags.filter({ $0 }).count > 1 {
      result.note(image.line, "an image has one of reservation, role and floor here, in this order")
    }
    if let key = image["reservation-id"] ?? image["reservation_id"], !key.isEmpty {
      result.note(layout.line, of: name, "moderators may take reserved images in FreeSWITCH, here who has the key")
      return "reserved:\(key)"
    }
    if let role = image["role-id"], !role.isEmpty { return "role:\(role)" }
    if isFloorOnly { return "floor-only" }
    return isFloor ? "floor" : nil
  }

  /// Where voices come from: only as the file says. FreeSWITCH's automatic positions divide integers, so that everything left of
  /// the middle is hard left, what stands in the middle is there, and only the right half is graded.
  private func audioPan(_ slot: DraftLayout.Slot, _ image: XMLElement, into result: inout LayoutImport) -> Double? {
    let isAutomatic = Self.isTrue(layout["auto-3d-position"])
    guard let position = image["audio-position"], !isAutomatic, position.lowercased() != "auto" else {
      guard isAutomatic || image["audio-position"] != nil else { return 0 }
      result.note(
        layout.line, of: name, "automatic audio positions divide integers there, so that all on the left is hard left")
      let (center, half) = (slot.x + slot.width / 2, 180.0)
      return center < half ? -1 : center == half ? 0 : (center - half) / half
    }
    let parts = position.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, let x = Double(parts[0]), x.isFinite else {
      result.note(image.line, "audio-position \(quoted(position)) is not x:y:z; the voice is heard in the middle")
      return 0
    }
    result.note(image.line, "of audio-position only the first number, left to right, has a counterpart")
    return min(max(x, -1), 1)
  }

  // MARK: FreeSWITCH's way of reading

  /// What C's `atoi` makes of a text: the digits it begins with, else 0.
  static func number(_ text: String) -> Int {
    var rest = text.drop { $0 == " " || $0 == "\t" }
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest.removeFirst() }
    let digits = rest.prefix { $0.isASCII && $0.isNumber }.prefix(9)
    let value = Int(digits) ?? 0
    return isNegative ? -value : value
  }

  static func isTrue(_ text: String?) -> Bool {
    guard let text = text?.lowercased() else { return false }
    return ["yes", "on", "true", "t", "enabled", "active", "allow"].contains(text) || (Double(text) != nil && number(text) != 0)
  }
}
