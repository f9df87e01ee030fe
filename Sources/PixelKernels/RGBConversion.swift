import RawMedia

/// The order of the four bytes of a pixel.
package enum PixelOrder: Sendable {
  /// Blue, green, red, alpha: Cairo's RGB24 and ARGB32 on little-endian machines.
  case bgra
  case rgba
}

/// Converts a picture to opaque pixels of four bytes each, BT.601 limited range to full-range sRGB, chroma samples repeated.
///
/// - Parameters:
///   - pixels: room for `stride` x the picture's height bytes.
///   - stride: bytes from row to row, at least four times the picture's width.
package func convert(_ picture: Picture, to pixels: UnsafeMutablePointer<UInt8>, stride: Int, order: PixelOrder) {
  precondition(stride >= 4 * picture.width, "a row of pixels holds the picture's width")
  let (red, blue) = order == .bgra ? (2, 0) : (0, 2)
  for y in 0..<picture.height {
    let luma = picture.luma + y * picture.lumaStride
    let (u, v) = (picture.chromaBlue + y / 2 * picture.chromaStride, picture.chromaRed + y / 2 * picture.chromaStride)
    let row = pixels + y * stride
    for x in 0..<picture.width {
      let (c, d, e) = (298 * (Int32(luma[x]) - 16) + 128, Int32(u[x / 2]) - 128, Int32(v[x / 2]) - 128)
      row[4 * x + red] = UInt8(clamping: (c + 409 * e) >> 8)
      row[4 * x + 1] = UInt8(clamping: (c - 100 * d - 208 * e) >> 8)
      row[4 * x + blue] = UInt8(clamping: (c + 516 * d) >> 8)
      row[4 * x + 3] = 255
    }
  }
}
