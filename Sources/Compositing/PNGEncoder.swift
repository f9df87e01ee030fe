import PixelKernels
import RawMedia

/// Writes pictures as PNG files: snapshots and previews.
package enum PNGEncoder {
  /// The picture as the bytes of a PNG file; empty where memory is short.
  package static func encode(_ picture: Picture) -> [UInt8] {
    guard let surface = CairoSurface(width: picture.width, height: picture.height, opaque: true) else { return [] }
    _ = surface.withPixels { pixels, stride in convert(picture, to: pixels, stride: stride, order: .bgra) }
    return surface.png()
  }
}
