import RawMedia

/// A small picture with transparency, ready to be blended: labels, initials, rounded corners.
///
/// Planes are 4:2:0 like a picture's, with alpha at luma and at chroma resolution (0 clear, 255 opaque) and no padding.
package final class Overlay: @unchecked Sendable {
  // Unchecked because the planes are written in `init` and only read afterwards.
  /// Pixels, even.
  package let width: Int
  package let height: Int
  let luma: UnsafeMutablePointer<UInt8>
  var alpha: UnsafeMutablePointer<UInt8> { luma + width * height }
  var chromaBlue: UnsafeMutablePointer<UInt8> { alpha + width * height }
  var chromaRed: UnsafeMutablePointer<UInt8> { chromaBlue + width * height / 4 }
  var chromaAlpha: UnsafeMutablePointer<UInt8> { chromaRed + width * height / 4 }

  /// Bytes the planes take, for bounds on caches.
  package var byteCount: Int { width * height * 2 + width * height / 4 * 3 }

  /// - Parameters:
  ///   - premultiplied: rows of pixels, blue first (0xAARRGGBB in the machine's order on little-endian machines), their colours
  ///     already multiplied by alpha, as Cairo draws them.
  ///   - stride: bytes from row to row.
  ///   - width, height: pixels, even, 2 to `Picture.sideMax`.
  package init(premultiplied pixels: UnsafePointer<UInt8>, stride: Int, width: Int, height: Int) {
    precondition(width >= 2 && height >= 2 && width % 2 == 0 && height % 2 == 0, "an overlay has even sides")
    (self.width, self.height) = (width, height)
    luma = .allocate(capacity: width * height * 2 + width * height / 4 * 3)
    for y in Swift.stride(from: 0, to: height, by: 2) {
      for x in Swift.stride(from: 0, to: width, by: 2) { convertBlock(pixels + y * stride + 4 * x, stride, x, y) }
    }
  }

  /// What lies at `area` of a picture, with a transparency of its own.
  ///
  /// - Parameters:
  ///   - area: on even pixels, inside the picture.
  ///   - alpha: one value for each pixel of the area, row by row.
  package init(copying picture: Picture, area: PixelArea, alpha mask: [UInt8]) {
    (width, height) = (area.width, area.height)
    precondition(width >= 2 && height >= 2 && width % 2 == 0 && height % 2 == 0, "an overlay has even sides")
    precondition(mask.count == width * height, "a mask has one value for each pixel")
    luma = .allocate(capacity: width * height * 2 + width * height / 4 * 3)
    alpha.update(from: mask, count: mask.count)
    for y in 0..<height {
      (luma + y * width).update(from: picture.luma + (area.y + y) * picture.lumaStride + area.x, count: width)
    }
    let half = width / 2
    for y in 0..<height / 2 {
      let from = (area.y / 2 + y) * picture.chromaStride + area.x / 2
      (chromaBlue + y * half).update(from: picture.chromaBlue + from, count: half)
      (chromaRed + y * half).update(from: picture.chromaRed + from, count: half)
      for x in 0..<half {
        let place = 2 * y * width + 2 * x
        let sum = Int(mask[place]) + Int(mask[place + 1]) + Int(mask[place + width]) + Int(mask[place + width + 1])
        chromaAlpha[y * half + x] = UInt8((sum + 2) / 4)
      }
    }
  }

  deinit { luma.deallocate() }

  /// Four pixels: luma of each; the colour of all, weighed by alpha, which premultiplied sums are already.
  private func convertBlock(_ pixels: UnsafePointer<UInt8>, _ stride: Int, _ x: Int, _ y: Int) {
    var (red, green, blue, alphas) = (0, 0, 0, 0)
    for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
      let pixel = pixels + dy * stride + 4 * dx
      let (b, g, r, a) = (Int(pixel[0]), Int(pixel[1]), Int(pixel[2]), Int(pixel[3]))
      let place = (y + dy) * width + x + dx
      luma[place] = Self.color(r, g, b, a).y
      alpha[place] = UInt8(a)
      (red, green, blue, alphas) = (red + r, green + g, blue + b, alphas + a)
    }
    let color = Self.color(red, green, blue, alphas)
    let place = y / 2 * (width / 2) + x / 2
    (chromaBlue[place], chromaRed[place], chromaAlpha[place]) = (color.u, color.v, UInt8((alphas + 2) / 4))
  }

  private static func color(_ red: Int, _ green: Int, _ blue: Int, _ alpha: Int) -> YUVColor {
    guard alpha > 0 else { return .black }
    func full(_ part: Int) -> UInt8 { UInt8(clamping: (part * 255 + alpha / 2) / alpha) }
    return YUVColor(red: full(red), green: full(green), blue: full(blue))
  }
}
