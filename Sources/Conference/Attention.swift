/// How large a participant is shown, by the canvases that show him: what decides whether his picture is decoded, and at which size.
struct Attention: Sendable {
  private var sizes: [ObjectIdentifier: Int] = [:]
  /// Whether anybody has looked for him at all. Until then his pictures are taken, so that the first one is not missed.
  private(set) var isDecided = false

  /// The largest of his tiles, width times height in pixels of the canvas; 0 while nobody sees him.
  var pixels: Int { sizes.values.max() ?? 0 }
  var isWatched: Bool { !isDecided || pixels > 0 }

  /// - Parameter pixels: of his tile on that canvas; 0 where he has none.
  mutating func note(_ pixels: Int, by canvas: ObjectIdentifier) {
    isDecided = true
    sizes[canvas] = pixels > 0 ? pixels : nil
  }

  /// Nobody makes a picture: there is nothing to be seen on.
  mutating func decide() { isDecided = true }
}
