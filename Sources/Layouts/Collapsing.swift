/// Slots after the empty ones among them collapsed.
///
/// Slots of one size that lie in equal steps make a row, and rows of one shape in equal steps a block, so that every grid is a
/// block and so is a strip of faces. Within a block who is left of a row closes up around its middle, then the rows that are left
/// around the middle of the block. Nothing leaves the block, so nothing comes to overlap.
///
/// - Parameter isEmpty: for each slot, whether it shows nothing.
func collapsed(_ slots: [LayoutSlot], isEmpty: [Bool]) -> [LayoutSlot] {
  guard zip(slots, isEmpty).contains(where: { $0.style.empty == .collapse && $1 }) else { return slots }
  var result = slots
  let members = slots.indices.filter { slots[$0].style.empty == .collapse }
  for block in blocks(rows(members, of: slots), of: slots) {
    for row in block {
      let taken = row.filter { !isEmpty[$0] }
      closeUp(taken.map { [$0] }, of: row.map { slots[$0].x }, in: &result, \.x)
    }
    let taken = block.filter { row in row.contains { !isEmpty[$0] } }
    closeUp(taken, of: block.map { slots[$0[0]].y }, in: &result, \.y)
  }
  return result
}

/// Lays groups of slots around the middle of the places there are, in the same steps.
private func closeUp(
  _ groups: [[Int]], of places: [Double], in slots: inout [LayoutSlot], _ coordinate: WritableKeyPath<LayoutSlot, Double>
) {
  guard places.count > 1, !groups.isEmpty, groups.count < places.count else { return }
  let step = (places[places.count - 1] - places[0]) / Double(places.count - 1)
  let start = places[0] + step * Double(places.count - groups.count) / 2
  for (index, group) in groups.enumerated() {
    for slot in group { slots[slot][keyPath: coordinate] = start + step * Double(index) }
  }
}

/// Slots of one size side by side in equal steps, each row from left to right, the rows from the top.
private func rows(_ members: [Int], of slots: [LayoutSlot]) -> [[Int]] {
  let sorted = members.sorted { (slots[$0].z, slots[$0].y, slots[$0].x) < (slots[$1].z, slots[$1].y, slots[$1].x) }
  return runs(sorted.map { [$0] }, of: slots, \.x) { a, b in
    isNear(a.y, b.y) && isNear(a.width, b.width) && isNear(a.height, b.height) && a.z == b.z
  }
  .map { $0.flatMap { $0 } }
}

/// Rows of one shape below one another in equal steps.
private func blocks(_ rows: [[Int]], of slots: [LayoutSlot]) -> [[[Int]]] {
  let sorted = rows.sorted { a, b in
    let (a, b) = (slots[a[0]], slots[b[0]])
    return (a.z, a.x, a.y) < (b.z, b.x, b.y)
  }
  let shapes = Dictionary(rows.map { row in (row[0], row.map { slots[$0].x }) }, uniquingKeysWith: { $1 })
  return runs(sorted, of: slots, \.y) { a, b in
    isNear(a.x, b.x) && isNear(a.width, b.width) && isNear(a.height, b.height) && a.z == b.z
  }
  .flatMap { run in
    // Rows of other lengths stand apart.
    run.reduce(into: [[[Int]]]()) { parts, row in
      if let above = parts.last?.last, shapes[above[0]]?.count == row.count {
        parts[parts.count - 1].append(row)
      } else {
        parts.append([row])
      }
    }
  }
}

/// Groups of slots, cut where their first slots do not match or leave the step of the run.
private func runs(
  _ groups: [[Int]], of slots: [LayoutSlot], _ coordinate: KeyPath<LayoutSlot, Double>,
  matching: (LayoutSlot, LayoutSlot) -> Bool
) -> [[[Int]]] {
  var runs: [[[Int]]] = []
  for group in groups {
    let slot = slots[group[0]]
    if let run = runs.last, let before = run.last.map({ slots[$0[0]] }), matching(before, slot) {
      let step = slot[keyPath: coordinate] - before[keyPath: coordinate]
      let length = coordinate == \LayoutSlot.x ? slot.width : slot.height
      let first = run.count > 1 ? before[keyPath: coordinate] - slots[run[run.count - 2][0]][keyPath: coordinate] : step
      // Neighbours with more than half a slot between them are no row.
      if isNear(step, first), step > length - 1e-6, step < length * 1.5 {
        runs[runs.count - 1].append(group)
        continue
      }
    }
    runs.append([group])
  }
  return runs
}

private func isNear(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-6 }
