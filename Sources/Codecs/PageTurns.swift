/// When a shared screen changes so much that the change belongs into the base layer at once, whatever the pattern of layers has in its
/// place: coded in upper layers a new page would be coded again and again, with the few bits that these have, until a base frame comes.
///
///     page turned        small changes             scrolled
///         0         2         1         2         0    2    0    2    0        every other frame, so that layers can still be left out
struct PageTurns {
  private var wasLarge = false
  private var wasBase = false

  /// Whether half of the picture or more has changed.
  ///
  /// - Parameter damage: nil where that is not known.
  static func isLarge(_ damage: [DamageRectangle]?, width: Int, height: Int) -> Bool {
    guard let damage else { return true }
    let pixels = damage.reduce(0) { sum, area in
      sum &+ min(max(area.width, 0), width) &* min(max(area.height, 0), height)
    }
    return pixels &* 2 >= width &* height
  }

  /// Whether the frame that is due is to be of the base layer.
  func wantsBase(isLarge: Bool) -> Bool { isLarge && !(wasLarge && wasBase) }

  /// The frame is about to be coded.
  mutating func note(isLarge: Bool, isBase: Bool) { (wasLarge, wasBase) = (isLarge, isBase) }
}
