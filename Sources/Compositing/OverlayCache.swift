import Layouts
import PixelKernels

/// Text drawn once and kept while it is used; bounded in bytes.
struct OverlayCache {
  enum Key: Hashable {
    case label(text: String, isMuted: Bool, color: LayoutColor, background: LayoutColor, size: Int, widthMax: Int)
    case emblem(text: String, size: Int, widthMax: Int, isOnDisc: Bool)
    case ring(width: Int, height: Int, radius: Int, border: Int, color: LayoutColor)
    case veil(width: Int, height: Int)
  }

  private var overlays: [Key: (overlay: Overlay?, used: Int)] = [:]
  private var byteCount = 0
  /// Counts up with each composition.
  var tick = 0

  /// What all overlays together may take: labels of about a thousand people.
  private static let bytesMax = 16 << 20

  /// The overlay for `key`, drawn if it is not there; nil where drawing failed, which is remembered too.
  mutating func overlay(_ key: Key, draw: () -> Overlay?) -> Overlay? {
    if let found = overlays[key] {
      overlays[key]?.used = tick
      return found.overlay
    }
    let overlay = draw()
    overlays[key] = (overlay, tick)
    byteCount += Self.cost(overlay)
    if byteCount > Self.bytesMax { evict() }
    return overlay
  }

  private static func cost(_ overlay: Overlay?) -> Int { (overlay?.byteCount ?? 0) + 200 }

  /// Lets go of what was used longest ago, down to half the bound.
  private mutating func evict() {
    for (key, entry) in overlays.sorted(by: { $0.value.used < $1.value.used }) {
      guard byteCount > Self.bytesMax / 2 else { return }
      overlays[key] = nil
      byteCount -= Self.cost(entry.overlay)
    }
  }
}
