import PixelKernels

/// What may differ between two stacks of sheets: every pixel that shows a layer which is not in both, and no other.
func damage(from old: [Sheet], to new: [Sheet], canvas: PixelArea) -> Region {
  if old.count == new.count, zip(old, new).allSatisfy({ $0 === $1 }) { return Region() }
  let matches: [Int?]
  if old.count == new.count, zip(old, new).allSatisfy({ $0.key == $1.key }) {
    matches = old.indices.map { Optional($0) }
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
  // Most are as they were, and need no region.
  let own = new.indices.map { index in
    guard let match = matches[index] else { return Region(new[index].area) }
    return old[match] === new[index] ? Region() : difference(old[match], new[index])
  }
  let isWhole = old.count == new.count && matches.allSatisfy { $0 != nil }
  let gone = isWhole ? [] : Set(old.indices).subtracting(matches.compactMap { $0 })

  var region = Region()
  for index in gone { region.insert(old[index].area.intersection(canvas)) }
  for index in new.indices.reversed() where !own[index].isEmpty {
    var rest = own[index]
    // What lies above and stays hides what changes beneath.
    for above in new.indices[(index + 1)...] where rest.touches(new[above].area) {
      guard let match = matches[above] else { continue }
      for area in own[above].isEmpty ? new[above].opaqueAreas : lasting(old[match], new[above]) { rest.subtract(area) }
    }
    region.formUnion(rest)
  }
  return region
}

/// Where two versions of a sheet differ by themselves.
private func difference(_ old: Sheet, _ new: Sheet) -> Region {
  var region = Region()
  if old === new { return region }
  guard old.radius == new.radius, old.opacity == new.opacity, old.area == new.area else {
    region.insert(old.area)
    region.insert(new.area)
    return region
  }
  if new.isNewPicture(in: old), let picture = new.pictureLayer {
    region.insert(new.layers[picture].area)
    for layer in new.layers[(picture + 1)...] where layer.hides { region.subtract(layer.area) }
    return region
  }
  guard old.layers != new.layers else { return region }
  // From the nearest down, so that what stays hides what changes beneath it. Both have their layers in the order of the roles.
  var hiding: [PixelArea] = []
  var (a, b) = (old.layers.count - 1, new.layers.count - 1)
  while a >= 0 || b >= 0 {
    let roles = (a >= 0 ? old.layers[a].role.rawValue : -1, b >= 0 ? new.layers[b].role.rawValue : -1)
    if roles.0 == roles.1, old.layers[a] == new.layers[b] {
      if new.layers[b].hides { hiding.append(new.layers[b].area) }
      (a, b) = (a - 1, b - 1)
      continue
    }
    var own = Region()
    if roles.0 >= roles.1 { own.insert(old.layers[a].area) }
    if roles.1 >= roles.0 { own.insert(new.layers[b].area) }
    (a, b) = (roles.0 >= roles.1 ? a - 1 : a, roles.1 >= roles.0 ? b - 1 : b)
    for area in hiding { own.subtract(area) }
    region.formUnion(own)
  }
  return region
}

/// Where a sheet shows the same as before and nothing from beneath.
private func lasting(_ old: Sheet, _ new: Sheet) -> [PixelArea] {
  guard old.radius == new.radius, old.opacity == new.opacity, old.area == new.area else { return [] }
  // A changed opaque layer is damage itself, so it does not matter that it hides.
  guard !new.isGroup else { return old.layers == new.layers ? new.opaqueAreas : [] }
  return new.layers.filter { $0.hides && old.layers.contains($0) }.map(\.area)
}
