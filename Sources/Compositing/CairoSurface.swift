import CPango
import Layouts
import PixelKernels

/// A Cairo image being drawn on; the only place that touches Cairo's handles.
final class CairoSurface {
  let width: Int
  let height: Int
  private let surface: OpaquePointer
  let context: OpaquePointer

  /// Pixels a side; more than any canvas has.
  private static let sideMax = 16_384

  /// A clear image with transparency; nil where it is too large or memory is short.
  init?(width: Int, height: Int, opaque: Bool = false) {
    guard (1...Self.sideMax).contains(width), (1...Self.sideMax).contains(height) else { return nil }
    guard
      let surface = cairo_image_surface_create(opaque ? CAIRO_FORMAT_RGB24 : CAIRO_FORMAT_ARGB32, Int32(width), Int32(height))
    else { return nil }
    guard cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS, let context = cairo_create(surface) else {
      cairo_surface_destroy(surface)
      return nil
    }
    (self.width, self.height, self.surface, self.context) = (width, height, surface, context)
  }

  deinit {
    cairo_destroy(context)
    cairo_surface_destroy(surface)
  }

  func setColor(_ color: LayoutColor) {
    cairo_set_source_rgba(
      context, Double(color.red) / 255, Double(color.green) / 255, Double(color.blue) / 255, Double(color.alpha) / 255)
  }

  func fillRounded(width: Double, height: Double, radius: Double, _ color: LayoutColor) {
    addRounded(width: width, height: height, radius: radius, inset: 0)
    setColor(color)
    cairo_fill(context)
  }

  /// A frame inside a box with round corners.
  func strokeRounded(width: Double, height: Double, radius: Double, line: Double, _ color: LayoutColor) {
    addRounded(width: width, height: height, radius: radius, inset: line / 2)
    setColor(color)
    cairo_set_line_width(context, line)
    cairo_stroke(context)
  }

  private func addRounded(width: Double, height: Double, radius: Double, inset: Double) {
    let bend = max(min(radius, width / 2, height / 2) - inset, 0)
    let (left, top) = (inset + bend, inset + bend), (right, bottom) = (width - inset - bend, height - inset - bend)
    cairo_new_path(context)
    for (x, y, quarter) in [(right, top, 3.0), (right, bottom, 0.0), (left, bottom, 1.0), (left, top, 2.0)] {
      cairo_arc(context, x, y, bend, quarter * .pi / 2, (quarter + 1) * .pi / 2)
    }
    cairo_close_path(context)
  }

  /// Reads or writes the pixels: blue, green, red, alpha, premultiplied.
  func withPixels<R>(_ body: (UnsafeMutablePointer<UInt8>, _ stride: Int) -> R) -> R? {
    cairo_surface_flush(surface)
    guard let data = cairo_image_surface_get_data(surface) else { return nil }
    let result = body(data, Int(cairo_image_surface_get_stride(surface)))
    cairo_surface_mark_dirty(surface)
    return result
  }

  /// The image as an overlay; sides must be even.
  func overlay() -> Overlay? {
    withPixels { Overlay(premultiplied: $0, stride: $1, width: width, height: height) }
  }

  /// The image as PNG; empty where memory is short.
  func png() -> [UInt8] {
    let bytes = ByteSink()
    let status = cairo_surface_write_to_png_stream(
      surface,
      { sink, data, count in
        guard let sink, let data else { return CAIRO_STATUS_WRITE_ERROR }
        Unmanaged<ByteSink>.fromOpaque(sink).takeUnretainedValue().bytes += UnsafeBufferPointer(start: data, count: Int(count))
        return CAIRO_STATUS_SUCCESS
      }, Unmanaged.passUnretained(bytes).toOpaque())
    return status == CAIRO_STATUS_SUCCESS ? bytes.bytes : []
  }

  private final class ByteSink { var bytes: [UInt8] = [] }
}
