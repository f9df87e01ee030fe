import PixelKernels

/// What may differ between two stacks of sheets: every pixel that shows a layer which is not in both, and no other.
func damage(from old: [Sheet], to new: [Sheet], canvas: PixelArea) -> Region {
  let before = Dictionary(old.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
  let matches = new.map { before[$0.key] }
  // Sheets that changed their order may show differently wherever they meet.
  var last = -1
  for match in matches.compactMap({ $0 }) {
    guard match > last else { return Region(canvas) }
    last = match
  }
  var region = Region()
  var kept = Set(old.indices)
  for match in matches.compactMap({ $0 }) { kept.remove(match) }
  for index in kept { region.insert(old[index].area.intersection(canvas)) }

  // From the nearest down, so that what lies above and stays hides what changes beneath.
  var hiding: [PixelArea] = []
  for (sheet, match) in zip(new, matches).reversed() {
    var own = Region()
    if let match { own = difference(old[match], sheet) } else { own.insert(sheet.area) }
    for area in hiding where !own.isEmpty { own.subtract(area) }
    region.formUnion(own)
    if let match { hiding += lasting(old[match], sheet) }
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
