import CPango
import Layouts
import PixelKernels

/// Draws text of any script with Pango. Used by one thread at a time.
final class TextRenderer: @unchecked Sendable {
  // Unchecked because its handles are its own, and whoever owns it moves it as a whole.
  private let fonts: UnsafeMutableRawPointer
  private let context: UnsafeMutableRawPointer
  private let layout: UnsafeMutableRawPointer

  /// Letters smaller than this cannot be read; pixels.
  static let sizeMin = 11.0

  private let warnings: CompositingWarnings

  /// Nil where there is no font at all: then nothing is written, which is better than not to run.
  init?(warnings: CompositingWarnings) {
    guard let fonts = cpango_font_map_new() else { return nil }
    guard let context = cpango_context_new(fonts) else {
      cpango_unref(fonts)
      return nil
    }
    guard cpango_has_fonts(fonts, context) != 0, let layout = cpango_layout_new(context) else {
      cpango_unref(context)
      cpango_unref(fonts)
      return nil
    }
    (self.fonts, self.context, self.layout, self.warnings) = (fonts, context, layout, warnings)
    _ = set("Aa…", size: 16, widthMax: 10, isBold: true)  // Loads what the first name would wait for.
  }

  deinit {
    cpango_unref(layout)
    cpango_unref(context)
    cpango_unref(fonts)
  }

  /// Sets the text to draw next: letters `size` pixels high, cut with an ellipsis at `widthMax` pixels, or wrapped there.
  ///
  /// - Parameter heightMax: what several lines may take, in pixels; 0 for one line.
  /// - Returns: its width and height in pixels; several lines are centred in the whole of `widthMax`.
  private func set(
    _ text: String, size: Double, widthMax: Int, heightMax: Int = 0, isBold: Bool
  ) -> (width: Int, height: Int) {
    lay(text, size: size, widthMax: widthMax, heightMax: heightMax, isBold: isBold)
    if cpango_layout_unknown(layout) > 0 {
      if let missing = firstMissing(text) { warnings.tell(.missingLetter(missing)) }
      lay(text, size: size, widthMax: widthMax, heightMax: heightMax, isBold: isBold)
    }
    var (width, height): (Int32, Int32) = (0, 0)
    cpango_layout_size(layout, &width, &height)
    return (cpango_layout_lines(layout) > 1 ? widthMax : min(Int(width), widthMax), Int(height))
  }

  private func lay(_ text: String, size: Double, widthMax: Int, heightMax: Int = 0, isBold: Bool) {
    var text = text
    text.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) { bytes in
        cpango_layout_set(
          layout, bytes.baseAddress, Int32(bytes.count), size, Int32(widthMax), Int32(heightMax), isBold ? 1 : 0)
      }
    }
  }

  /// The first character that is drawn as a box. The layout holds another text afterwards.
  private func firstMissing(_ text: String) -> Unicode.Scalar? {
    text.unicodeScalars.first { scalar in
      guard !scalar.isASCII else { return false }
      lay(String(Character(scalar)), size: 16, widthMax: 1000, isBold: false)
      return cpango_layout_unknown(layout) > 0
    }
  }

  /// One line in a box with round corners and, before it, a crossed-out microphone where the person is muted.
  ///
  /// - Parameter widthMax: pixels the whole box may take.
  func label(_ label: TileLook.Label, size: Double, widthMax: Int) -> Overlay? {
    let margin = max(Int(size * 0.4), 3)
    let sign = label.isMuted ? Int(size) : 0
    let room = widthMax - 2 * margin - sign - (sign > 0 ? margin : 0)
    guard room > Int(size) || label.text.isEmpty else { return nil }
    let line = set(label.text, size: size, widthMax: max(room, 1), isBold: false)
    let textWidth = label.text.isEmpty ? 0 : line.width
    let gap = sign > 0 && textWidth > 0 ? margin : 0
    let (width, height) = ((textWidth + sign + gap + 2 * margin + 1) & ~1, (min(line.height, Int(size * 2)) + margin + 1) & ~1)
    guard let surface = CairoSurface(width: width, height: height) else { return nil }
    surface.fillRounded(width: Double(width), height: Double(height), radius: size * 0.3, label.style.background)
    if sign > 0 { drawMutedMicrophone(surface, x: Double(margin), size: Double(sign)) }
    surface.setColor(label.style.color)
    cairo_move_to(surface.context, Double(margin + sign + gap), Double(height - line.height) / 2)
    cpango_show(surface.context, layout)
    return surface.overlay()
  }

  /// A microphone on its stand and a stroke across, in a square at `x` in the middle of the height.
  private func drawMutedMicrophone(_ surface: CairoSurface, x: Double, size: Double) {
    let cairo = surface.context
    let line = max(size / 11, 1)
    let (middle, top) = (x + size / 2, (Double(surface.height) - size) / 2)
    surface.setColor(LayoutColor(red: 0xFF, green: 0x5A, blue: 0x5A))
    cairo_set_line_width(cairo, line)
    cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND)
    let (head, headTop, headBottom) = (size * 0.15, top + size * 0.22, top + size * 0.45)
    cairo_new_path(cairo)
    cairo_arc(cairo, middle, headTop, head, .pi, 2 * .pi)
    cairo_arc(cairo, middle, headBottom, head, 0, .pi)
    cairo_close_path(cairo)
    cairo_fill(cairo)
    cairo_arc(cairo, middle, headBottom, size * 0.28, 0, .pi)
    cairo_stroke(cairo)
    cairo_move_to(cairo, middle, headBottom + size * 0.28)
    cairo_line_to(cairo, middle, top + size * 0.9)
    cairo_move_to(cairo, middle - size * 0.16, top + size * 0.9)
    cairo_line_to(cairo, middle + size * 0.16, top + size * 0.9)
    cairo_move_to(cairo, x + size * 0.12, top + size * 0.1)
    cairo_line_to(cairo, x + size * 0.88, top + size * 0.9)
    cairo_stroke(cairo)
  }

  /// One line of large letters on a lighter disc, or without one.
  ///
  /// - Parameter heightMax: pixels that a text may take which is too long for a line: it wraps, and where that is not enough its
  ///   letters become smaller; 0 cuts it after one line.
  func emblem(_ text: String, size: Double, widthMax: Int, heightMax: Int, isOnDisc: Bool) -> Overlay? {
    var line = set(text, size: size, widthMax: max(widthMax, 2), heightMax: heightMax, isBold: true)
    var smaller = size
    while heightMax > 0, cpango_layout_is_cut(layout) != 0, smaller > Self.sizeMin {
      smaller = max((smaller * 0.85).rounded(.down), Self.sizeMin)
      line = set(text, size: smaller, widthMax: max(widthMax, 2), heightMax: heightMax, isBold: true)
    }
    let disc = isOnDisc ? Int(size * 2.2) : 0
    let width = (max(line.width, disc) + 1) & ~1
    let height = (max(min(line.height, max(Int(size * 2), heightMax)), disc) + 1) & ~1
    guard let surface = CairoSurface(width: width, height: height) else { return nil }
    if isOnDisc {
      cairo_arc(surface.context, Double(width) / 2, Double(height) / 2, Double(disc) / 2, 0, 2 * .pi)
      surface.setColor(LayoutColor(red: 255, green: 255, blue: 255, alpha: 0x30))
      cairo_fill(surface.context)
    }
    surface.setColor(LayoutColor(red: 255, green: 255, blue: 255, alpha: 0xF0))
    cairo_move_to(surface.context, Double(width - line.width) / 2, Double(height - line.height) / 2)
    cpango_show(surface.context, layout)
    return surface.overlay()
  }
}
