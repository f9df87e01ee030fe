import JSON5

/// What `tutti layouts check` has to say of a file.
package struct LayoutReview: Sendable {
  /// What must be mended, in the order of the text. A file with faults of its form is refused by the server as well; one whose
  /// slots overlap, or whose images are missing, is drawn as well as it can be.
  package private(set) var faults: [LayoutFault] = []
  /// What an author may want to know, in the order of the text.
  package private(set) var notes: [LayoutFault] = []

  /// - Parameters:
  ///   - name: of the file without its ending, which is what rooms know the layout by.
  ///   - sizes: of the canvases in use, in pixels.
  ///   - hasImage: whether there is a file of that path below the layout's folder.
  package init(
    _ bytes: [UInt8], name: String, sizes: [(width: Int, height: Int)] = [], hasImage: (String) -> Bool = { _ in true }
  ) {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: bytes)
    } catch {
      faults = [error]
      return
    }
    findImages(value, key: "", hasImage)
    do throws(LayoutFaults) {
      let template = try LayoutTemplate(value, name: name)
      let places = LayoutPlaces(value)
      if template.name != name, let place = value["name"]?.position {
        notes.append(LayoutFault(place, "rooms know this layout as \(quoted(name)), by the name of its file"))
      }
      findOverlaps(template, places)
      findUnusedVariants(template, places)
      findGaps(template, value["variants"]?.position ?? value.position)
      for size in sizes { findOddEdges(template, places, size.width, size.height) }
    } catch {
      faults += error.faults
    }
    faults.sort { $0.position < $1.position }
    notes.sort { $0.position < $1.position }
  }

  // MARK: Images

  private mutating func findImages(_ value: JSONValue, key: String, _ hasImage: (String) -> Bool) {
    for element in value.array ?? [] { findImages(element, key: key, hasImage) }
    for member in value.members ?? [] { findImages(member.value, key: member.key, hasImage) }
    guard let text = value.string else { return }
    let isSource = key == "source" && text.hasPrefix("image:")
    let path = isSource ? String(text.dropFirst(6)) : text
    guard isSource || key == "image", LayoutDecoder.isPlainPath(path), !hasImage(path) else { return }
    faults.append(LayoutFault(value.position, "there is no image \(quoted(path)) in the folder of the layout"))
  }

  // MARK: Slots

  private mutating func findOverlaps(_ template: LayoutTemplate, _ places: LayoutPlaces) {
    for (variantIndex, variant) in template.variants.enumerated() {
      let slots = variant.slots
      // Those of a grid stand at one place of the text: told together.
      var told: [SourcePosition: (slot: Int, other: Int, count: Int)] = [:]
      for index in slots.indices {
        let other = slots[..<index].firstIndex { $0.z == slots[index].z && Self.overlap($0, slots[index]) }
        guard let other else { continue }
        told[places.slot(index, of: variantIndex), default: (index, other, 0)].count += 1
      }
      for (place, found) in told {
        let title = Self.title(found.slot, slots)
        let which = found.count > 1 ? "\(title) and \(found.count - 1) more overlap" : "\(title) overlaps"
        faults.append(
          LayoutFault(place, "\(which) \(Self.title(found.other, slots)): give the nearer one a greater 'z'"))
      }
    }
  }

  private static func overlap(_ a: LayoutSlot, _ b: LayoutSlot) -> Bool {
    let tolerance = 1e-6
    return a.x + tolerance < b.x + b.width && b.x + tolerance < a.x + a.width && a.y + tolerance < b.y + b.height
      && b.y + tolerance < a.y + a.height
  }

  private static func title(_ index: Int, _ slots: [LayoutSlot]) -> String {
    slots[index].id.map { "slot \(index) (\(quoted($0)))" } ?? "slot \(index)"
  }

  private mutating func findOddEdges(_ template: LayoutTemplate, _ places: LayoutPlaces, _ width: Int, _ height: Int) {
    for (variantIndex, variant) in template.variants.enumerated() {
      if let aspect = variant.aspect, aspect != LayoutAspect(width: width, height: height) { continue }
      let odd = variant.slots.indices.filter { index in
        let box = template.rectangle(of: variant.slots[index], width: width, height: height)
        return (box.x | box.y) & 1 != 0 || (box.right & 1 != 0 && box.right != width)
          || (box.bottom & 1 != 0 && box.bottom != height)
      }
      guard let first = odd.first else { continue }
      let title = Self.title(first, variant.slots)
      let which = odd.count > 1 ? "\(title) and \(odd.count - 1) more begin or end" : "\(title) begins or ends"
      notes.append(
        LayoutFault(
          places.slot(first, of: variantIndex),
          "at \(width)x\(height) \(which) on an odd pixel; drawing starts at the even one before it, and 'units' of \(width) and "
            + "\(height) show where those are"))
    }
  }

  // MARK: Variants

  private mutating func findUnusedVariants(_ template: LayoutTemplate, _ places: LayoutPlaces) {
    let variants = template.variants
    for index in variants.indices {
      let variant = variants[index]
      let room = variant.slots.count { if case .image = $0.source { false } else { true } }
      let before = variants[..<index].firstIndex { earlier in
        Self.covers(earlier, variant) && earlier.slots.count { $0.source == .any || $0.source == .floor } >= room
      }
      // The last one for its situation is used when people are too many for all of them.
      let isLast = !variants[(index + 1)...].contains { Self.covers($0, variant) && $0.aspect == variant.aspect }
      guard let before, !isLast else { continue }
      faults.append(
        LayoutFault(
          places.variant(index),
          "this variant is never used: variant \(before) before it takes as many people; put this one first, or give it a "
            + "'when' or an 'aspect'"))
    }
  }

  /// Whether `a` is looked at wherever `b` is; one with a `when` that holds puts those without one aside.
  private static func covers(_ a: LayoutVariant, _ b: LayoutVariant) -> Bool {
    (a.aspect == nil || a.aspect == b.aspect) && a.conditions.isEmpty == b.conditions.isEmpty
      && Set(a.conditions).isSubset(of: b.conditions)
  }

  /// Tells the first situation that no variant is meant for.
  private mutating func findGaps(_ template: LayoutTemplate, _ position: SourcePosition) {
    let subjects = template.variants.flatMap(\.conditions).map(\.subject)
    let asked = Array(subjects.reduce(into: [LayoutCondition.Subject]()) { if !$0.contains($1) { $0.append($1) } }.prefix(8))
    for aspect in LayoutAspect.allCases {
      for present in 0..<1 << asked.count {
        let holds = { (condition: LayoutCondition) in
          guard let bit = asked.firstIndex(of: condition.subject) else { return true }
          return (present >> bit & 1 == 1) == condition.isPresent
        }
        let isCovered = template.variants.contains { variant in
          (variant.aspect == nil || variant.aspect == aspect) && variant.conditions.allSatisfy(holds)
        }
        if isCovered { continue }
        let situation = asked.enumerated().map { bit, subject in (present >> bit & 1 == 1 ? "" : "no-") + subject.word }
        let whenever = situation.isEmpty ? "" : " with \(situation.joined(separator: ", "))"
        notes.append(
          LayoutFault(
            position,
            "no variant is meant for a \(aspect.rawValue) canvas\(whenever); the last that suits the canvas, else the last, is used"
          ))
        return
      }
    }
  }
}

extension LayoutCondition.Subject {
  /// As it stands in a file.
  fileprivate var word: String {
    switch self {
    case .screen: "screen"
    case .floor: "floor"
    case .video: "video"
    case .role(let role): "role:\(role)"
    case .reserved(let key): "reserved:\(key)"
    }
  }
}
