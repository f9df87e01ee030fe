import PixelKernels

/// What may differ between two stacks of sheets: every pixel that shows a layer which is not in both, and no other.
func damage(from old: [Sheet], to new: [Sheet], canvas: PixelArea) -> Region {
  let matches: [Int?]
  if old.count == new.count, zip(old, new).allSatisfy({ $0.key == $1.key }) {
    matches = Array(old.indices)
  } else {
    let before = Dictionary(old.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
    matches = new.map { before[$0.key] }
  }
  // Sheets that changed their order may show differently wherever they meet.
  var last = -1
  for match in matches {
    guard let match else { continue }
    guard match > last else { return Region(canvas) }
    last = match
  }
  let own = zip(new, matches).map { sheet, match in match.map { difference(old[$0], sheet) } ?? Region(sheet.area) }
  let gone = Set(old.indices).subtracting(matches.compactMap { $0 })
  guard !gone.isEmpty || own.contains(where: { !$0.isEmpty }) else { return Region() }

  var region = Region()
  for index in gone { region.insert(old[index].area.intersection(canvas)) }
  // From the nearest down, so that what lies above and stays hides what changes beneath.
  var hiding: [PixelArea] = []
  for (index, sheet) in new.enumerated().reversed() {
    var rest = own[index]
    for area in hiding where !rest.isEmpty { rest.subtract(area) }
    region.formUnion(rest)
    if let match = matches[index] { hiding += own[index].isEmpty ? sheet.opaqueAreas : lasting(old[match], sheet) }
  }
  return region
}

/// Where two versions of a sheet differ by themselves.
private func difference(_ old: Sheet, _ new: Sheet) -> Region {
  var region = Region()
  guard old.radius == new.radius, old.opacity == new.opacity, old.area == new.area else {
    region.insert(old.area)
    region.insert(new.area)
    return region
  }
  guard old.layers != new.layers else { return region }
  var hiding: [PixelArea] = []
  for role in Set(old.layers.map(\.role)).union(new.layers.map(\.role)).sorted(by: >) {
    let (a, b) = (old.layers.first { $0.role == role }, new.layers.first { $0.role == role })
    if let a, a == b {
      if a.isOpaque { hiding.append(a.area) }
      continue
    }
    var own = Region()
    for layer in [a, b] { if let layer { own.insert(layer.area) } }
    for area in hiding where !own.isEmpty { own.subtract(area) }
    region.formUnion(own)
  }
  return region
}

/// Where a sheet shows the same as before and nothing from beneath.
private func lasting(_ old: Sheet, _ new: Sheet) -> [PixelArea] {
  guard old.radius == new.radius, old.opacity == new.opacity, old.area == new.area else { return [] }
  // A changed opaque layer is damage itself, so it does not matter that it hides.
  guard !new.isGroup else { return old.layers == new.layers ? new.opaqueAreas : [] }
  return new.layers.filter { $0.isOpaque && old.layers.contains($0) }.map(\.area)
}
