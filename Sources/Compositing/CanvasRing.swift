import RawMedia

/// The pictures a canvas is drawn into by turns, each with the moment it was last complete.
///
/// A picture that others still hold is never drawn on. What happened since a picture was last used is repaired from the newest.
struct CanvasRing {
  private var pictures: [(picture: Picture, generation: Int)] = []
  private var next = 0
  /// Pictures made because all the ring's own were in use.
  private(set) var misses = 0

  /// One being drawn, one shown, and what encoders and snapshots hold meanwhile.
  private static let capacity = 6

  /// A picture nobody else holds, and the generation it shows; nil for one whose contents are undefined.
  mutating func take(width: Int, height: Int) -> (picture: Picture, index: Int?, generation: Int?) {
    for _ in pictures.indices {
      next = next + 1 < pictures.count ? next + 1 : 0
      if isKnownUniquelyReferenced(&pictures[next].picture) { return (pictures[next].picture, next, pictures[next].generation) }
    }
    let picture = Picture(width: width, height: height)
    guard pictures.count < Self.capacity else {
      misses += 1
      return (picture, nil, nil)
    }
    pictures.append((picture, 0))
    next = pictures.count - 1
    return (picture, next, nil)
  }

  /// Notes that a picture taken from the ring shows `generation`.
  mutating func complete(_ index: Int?, generation: Int) {
    if let index { pictures[index].generation = generation }
  }
}
