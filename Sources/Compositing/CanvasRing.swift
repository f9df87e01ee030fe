import RawMedia

/// The pictures a canvas is drawn into by turns, and what was drawn since each was last complete.
///
/// A picture that others still hold is never drawn on. What happened since a picture was last used is repaired from the newest.
struct CanvasRing {
  private struct Slot {
    var picture: Picture
    /// What the newest picture shows otherwise; nil for all of it.
    var stale: Region?
  }
  private var slots: [Slot] = []
  /// Pictures made because all the ring's own were in use.
  private(set) var misses = 0

  /// One being drawn, one shown, and what encoders and snapshots hold meanwhile.
  private static let capacity = 6

  /// A picture nobody else holds, and what of it is not as the newest is; nil for all. The one that needs least repair is taken.
  mutating func take(width: Int, height: Int) -> (picture: Picture, index: Int?, stale: Region?) {
    var best: Int?
    for index in slots.indices where isKnownUniquelyReferenced(&slots[index].picture) {
      if let found = best, Self.cost(slots[found]) <= Self.cost(slots[index]) { continue }
      best = index
    }
    if let best { return (slots[best].picture, best, slots[best].stale) }
    let picture = Picture(width: width, height: height)
    guard slots.count < Self.capacity else {
      misses += 1
      return (picture, nil, nil)
    }
    slots.append(Slot(picture: picture, stale: nil))
    return (picture, slots.count - 1, nil)
  }

  /// Takes none of the pictures to show anything; their memory stays.
  mutating func forget() {
    for index in slots.indices { slots[index].stale = nil }
  }

  private static func cost(_ slot: Slot) -> Int { slot.stale?.pixelCount ?? .max }

  /// Notes that the picture taken is the newest now, and differs by `damage` from the newest before.
  mutating func complete(_ taken: Int?, damage: Region) {
    for index in slots.indices {
      if index == taken {
        slots[index].stale = Region()
      } else if var stale = slots[index].stale {
        stale.formUnion(damage)
        slots[index].stale = stale.joined(countMax: 64)
      }
    }
  }
}
