import Layouts
import PixelKernels
import Synchronization

/// Text and rings drawn once for all canvases of a room and kept while they are used; bounded in bytes.
package final class Lettering: Sendable {
  private enum Key: Hashable {
    case label(text: String, isMuted: Bool, color: LayoutColor, background: LayoutColor, size: Int, widthMax: Int)
    case emblem(text: String, size: Int, widthMax: Int, heightMax: Int, isOnDisc: Bool)
    case ring(width: Int, height: Int, radius: Int, border: Int, color: LayoutColor)
  }
  private struct State: ~Copyable {
    /// Nil where there is no font: then nothing is written.
    var renderer: TextRenderer?
    var overlays: [Key: (overlay: Overlay?, used: Int)] = [:]
    var byteCount = 0
    var uses = 0
  }
  private let state: Mutex<State>
  private let bytesMax: Int

  /// Looks up fonts, which takes some 50 ms the first time in a process: no work for a tick.
  ///
  /// - Parameter bytesMax: what all overlays together may take: labels of about a thousand people.
  package init(bytesMax: Int = 16 << 20, warnings: CompositingWarnings = CompositingWarnings()) {
    self.bytesMax = bytesMax
    let renderer = TextRenderer(warnings: warnings)
    if renderer == nil { warnings.tell(.noFont) }
    state = Mutex(State(renderer: renderer))
  }

  /// Bytes kept at the moment.
  package var byteCount: Int { state.withLock { $0.byteCount } }

  /// One line in a box. Nil where nothing can be drawn.
  func label(_ label: TileLook.Label, size: Int, widthMax: Int) -> Overlay? {
    overlay(
      .label(
        text: label.text, isMuted: label.isMuted, color: label.style.color, background: label.style.background, size: size,
        widthMax: widthMax)
    ) { $0?.label(label, size: Double(size), widthMax: widthMax) }
  }

  /// One line of large letters, on a disc or without.
  ///
  /// - Parameter heightMax: pixels that a text too long for one line may take; 0 cuts it.
  func emblem(_ line: String, size: Int, widthMax: Int, heightMax: Int, isOnDisc: Bool) -> Overlay? {
    overlay(.emblem(text: line, size: size, widthMax: widthMax, heightMax: heightMax, isOnDisc: isOnDisc)) {
      $0?.emblem(line, size: Double(size), widthMax: widthMax, heightMax: heightMax, isOnDisc: isOnDisc)
    }
  }

  /// The border of a tile with round corners.
  func ring(width: Int, height: Int, radius: Int, _ border: TileLook.Border) -> Overlay? {
    overlay(.ring(width: width, height: height, radius: radius, border: border.width, color: border.color)) { _ in
      guard let surface = CairoSurface(width: width, height: height) else { return nil }
      surface.strokeRounded(
        width: Double(width), height: Double(height), radius: Double(radius), line: Double(border.width), border.color)
      return surface.overlay()
    }
  }

  /// The overlay for `key`, drawn if it is not there; that drawing failed is remembered too.
  private func overlay(_ key: Key, draw: (TextRenderer?) -> Overlay?) -> Overlay? {
    state.withLock { state in
      state.uses &+= 1
      if let found = state.overlays[key] {
        state.overlays[key]?.used = state.uses
        return found.overlay
      }
      let overlay = draw(state.renderer)
      state.overlays[key] = (overlay, state.uses)
      state.byteCount += Self.cost(overlay)
      if state.byteCount > bytesMax { Self.evict(&state, to: bytesMax / 2) }
      return overlay
    }
  }

  private static func cost(_ overlay: Overlay?) -> Int { (overlay?.byteCount ?? 0) + 200 }

  /// Lets go of what was used longest ago.
  private static func evict(_ state: inout State, to bytes: Int) {
    for (key, entry) in state.overlays.sorted(by: { $0.value.used < $1.value.used }) {
      guard state.byteCount > bytes else { return }
      state.overlays[key] = nil
      state.byteCount -= cost(entry.overlay)
    }
  }
}
