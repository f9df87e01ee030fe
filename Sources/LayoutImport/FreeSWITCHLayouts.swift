import JSON5

/// FreeSWITCH's `conference_layouts.conf.xml`: each layout and each group becomes one file.
///
/// Both have 360 units on either side, so that numbers carry over. What FreeSWITCH does by accident is done as it does it where
/// pictures depend on it, and told in a note.
enum FreeSWITCHLayouts {
  /// What one `<layout>` came to.
  private struct Layout {
    var draft: DraftLayout
    var line: Int
  }

  static let unitsMax = 360
  static let layoutsMax = 1000
  static let membersMax = 100

  static func read(_ root: XMLElement, into result: inout LayoutImport) throws(JSONFault) {
    let settings = root.first("layout-settings") ?? root
    guard let list = settings.first("layouts") else {
      throw JSONFault(line: root.line, column: 1, message: "there is no <layouts> in this file; is it conference_layouts?")
    }
    if root.first("X-PRE-PROCESS") != nil { result.note(root.line, "X-PRE-PROCESS was not followed") }
    let layouts = layouts(list, into: &result)
    for layout in layouts { result.add(layout.draft, line: layout.line, suffix: "-layout") }
    guard !layouts.isEmpty else { return }
    for group in settings.children("groups").flatMap({ $0.children("group") }).prefix(layoutsMax) {
      add(group, layouts, into: &result)
    }
    noteWhatHoldsForAll(list.line, into: &result)
  }

  private static func noteWhatHoldsForAll(_ line: Int, into result: inout LayoutImport) {
    result.note(
      line, "FreeSWITCH cuts positions and sizes down to whole pixels, here edges are rounded: they may differ by a pixel")
    result.note(line, "FreeSWITCH writes no names unless a banner asks for it: \"label\": false, delete it to see names")
  }

  // MARK: Layouts

  /// In document order; of two with one name the later counts, as in FreeSWITCH.
  private static func layouts(_ list: XMLElement, into result: inout LayoutImport) -> [Layout] {
    var layouts: [Layout] = []
    for element in list.children("layout").prefix(layoutsMax) {
      guard let name = element["name"], !name.isEmpty else {
        result.note(element.line, "a layout without a name is skipped, as by FreeSWITCH")
        continue
      }
      guard let draft = draft(element, name, into: &result) else { continue }
      if let index = layouts.firstIndex(where: { $0.draft.name == name }) {
        result.note(element.line, "a second layout \(quoted(name)) replaces the one of line \(layouts[index].line)")
        layouts.remove(at: index)
      }
      layouts.append(Layout(draft: draft, line: element.line))
    }
    return layouts
  }

  private static func draft(_ element: XMLElement, _ name: String, into result: inout LayoutImport) -> DraftLayout? {
    var draft = DraftLayout(name: name, comment: "\(name), from FreeSWITCH")
    draft.backgroundImage = image("bgimg", element, into: &result)
    draft.foregroundImage = image("fgimg", element, into: &result)
    for key in ["transition-in", "transition-out"] where element[key] != nil {
      result.note(element.line, "\(quoted(name)): \(key) plays a file between layouts, which has no counterpart")
    }
    var reader = FreeSWITCHImages(layout: element, name: name)
    let slots = reader.slots(into: &result)
    guard !slots.isEmpty else {
      result.note(element.line, "\(quoted(name)) has no usable image and is left out")
      return nil
    }
    draft.variants = [.init(slots: slots)]
    return draft
  }

  /// The last part of a picture's path: pictures lie below the folder of the layout here.
  private static func image(_ key: String, _ element: XMLElement, into result: inout LayoutImport) -> String? {
    guard let path = element[key] else { return nil }
    guard let file = path.split(separator: "/").last.map(String.init), file != ".", file != "..", file.utf8.count <= 255,
      !file.contains("\\")
    else {
      result.note(element.line, "\(key) \(quoted(path)) names no file and is left out")
      return nil
    }
    if file != path { result.note(element.line, "\(key): copy \(quoted(path)) to the folder of the layout") }
    return file
  }

  // MARK: Groups

  private static func add(_ group: XMLElement, _ layouts: [Layout], into result: inout LayoutImport) {
    guard let name = group["name"], !name.isEmpty else {
      result.note(group.line, "a group without a name is skipped, as by FreeSWITCH")
      return
    }
    var draft = DraftLayout(name: name, comment: "group \(name), from FreeSWITCH")
    var slotsMost = 0
    for member in group.children("layout").prefix(membersMax) {
      let wanted = trimmed(member.text)
      if wanted != member.text {
        result.note(member.line, "FreeSWITCH takes the space around \(quoted(wanted)) as part of the name and finds no layout")
      }
      guard let layout = layouts.first(where: { $0.draft.name == wanted }) else {
        result.note(member.line, "group \(quoted(name)): there is no layout \(quoted(wanted)); it is skipped, as by FreeSWITCH")
        continue
      }
      merge(layout.draft, into: &draft, line: member.line, &result)
      noteReach(layout.draft, &slotsMost, line: member.line, group: name, into: &result)
    }
    guard !draft.variants.isEmpty else {
      result.note(group.line, "group \(quoted(name)) has no usable layout and is left out")
      return
    }
    result.add(draft, line: group.line, suffix: "-group")
  }

  private static func merge(_ layout: DraftLayout, into group: inout DraftLayout, line: Int, _ result: inout LayoutImport) {
    for variant in layout.variants { group.variants.append(.init(comment: layout.name, slots: variant.slots)) }
    let isFirst = group.variants.count == layout.variants.count
    if isFirst {
      (group.backgroundImage, group.foregroundImage) = (layout.backgroundImage, layout.foregroundImage)
    } else if (layout.backgroundImage, layout.foregroundImage) != (group.backgroundImage, group.foregroundImage) {
      result.note(line, "\(quoted(layout.name)) has other pictures than the group's first layout, whose pictures count here")
    }
  }

  /// FreeSWITCH walks the group in its order and takes the first layout with enough images, and so do we with variants.
  private static func noteReach(
    _ layout: DraftLayout, _ slotsMost: inout Int, line: Int, group: String, into result: inout LayoutImport
  ) {
    let slots = layout.variants.first?.slots ?? []
    if slots.count <= slotsMost {
      result.note(
        line, "group \(quoted(group)): \(quoted(layout.name)) has no more images than one before it and is never chosen")
    }
    slotsMost = max(slotsMost, slots.count)
    if slots.contains(where: { $0.source?.hasPrefix("re") == true || $0.source?.hasPrefix("role") == true }) {
      result.note(
        line, "FreeSWITCH counts reserved images of \(quoted(layout.name)) as places when it picks from a group, here they wait"
      )
    }
  }

  private static func trimmed(_ text: String) -> String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
    let tail = text.drop(while: isSpace)
    return String(tail.reversed().drop(while: isSpace).reversed())
  }
}
