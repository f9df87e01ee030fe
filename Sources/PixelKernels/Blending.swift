import CPixelKernels
import RawMedia

/// For each pixel of an area how much of a picture is seen there: 0 nothing, 255 all of it.
package final class AlphaMask: Sendable {
  package let width: Int
  package let height: Int
  /// Row by row without padding, at luma's and at chroma's resolution.
  let luma: [UInt8]
  let chroma: [UInt8]

  /// - Parameters:
  ///   - width, height: pixels, even.
  ///   - luma: one value for each pixel, row by row.
  package init(width: Int, height: Int, luma: [UInt8]) {
    precondition(width % 2 == 0 && height % 2 == 0 && luma.count == width * height, "a mask has even sides and all its values")
    (self.width, self.height, self.luma) = (width, height, luma)
    let half = width / 2
    chroma = (0..<half * (height / 2)).map { index in
      let place = index / half * 2 * width + index % half * 2
      return UInt8((Int(luma[place]) + Int(luma[place + 1]) + Int(luma[place + width]) + Int(luma[place + width + 1]) + 2) / 4)
    }
  }
}

extension Picture {
  /// Copies a part of another picture, whose upper left corner lies at `x`, `y` of this one.
  ///
  /// - Parameters:
  ///   - area: the part, in pixels of this picture; all values even.
  package func copy(_ area: PixelArea, from other: Picture, x: Int, y: Int) {
    let area = clipped(area, other, x, y)
    guard !area.isEmpty else { return }
    for row in area.y..<area.y + area.height {
      (luma + row * lumaStride + area.x).update(from: other.luma + (row - y) * other.lumaStride + area.x - x, count: area.width)
    }
    for row in area.y / 2..<(area.y + area.height) / 2 {
      let (to, from) = (row * chromaStride + area.x / 2, (row - y / 2) * other.chromaStride + (area.x - x) / 2)
      (chromaBlue + to).update(from: other.chromaBlue + from, count: area.width / 2)
      (chromaRed + to).update(from: other.chromaRed + from, count: area.width / 2)
    }
  }

  /// Blends a part of another picture, whose upper left corner lies at `x`, `y` of this one, over what is there.
  ///
  /// - Parameters:
  ///   - mask: of the other picture's size; nil to see all of it.
  ///   - opacity: 255 for what the mask says, less for proportionally less.
  ///   - area: the part, in pixels of this picture; all values even.
  package func blend(
    _ other: Picture, x: Int, y: Int, mask: AlphaMask?, opacity: UInt8, within area: PixelArea, kernels: KernelSet = .best
  ) {
    precondition(mask.map { $0.width == other.width && $0.height == other.height } ?? true, "a mask has its picture's size")
    let area = clipped(area, other, x, y)
    guard !area.isEmpty else { return }
    let blend = kernels.table.pointee.blend!
    var alphas = [UInt8](repeating: opacity, count: area.width)
    for row in area.y..<area.y + area.height {
      let from = (row - y) * other.lumaStride + area.x - x
      if let mask { Self.fill(&alphas, mask.luma, (row - y) * mask.width + area.x - x, area.width, opacity) }
      blend(luma + row * lumaStride + area.x, other.luma + from, alphas, Int32(area.width))
    }
    for row in area.y / 2..<(area.y + area.height) / 2 {
      let (to, from) = (row * chromaStride + area.x / 2, (row - y / 2) * other.chromaStride + (area.x - x) / 2)
      if let mask {
        Self.fill(&alphas, mask.chroma, (row - y / 2) * (mask.width / 2) + (area.x - x) / 2, area.width / 2, opacity)
      }
      blend(chromaBlue + to, other.chromaBlue + from, alphas, Int32(area.width / 2))
      blend(chromaRed + to, other.chromaRed + from, alphas, Int32(area.width / 2))
    }
  }

  /// Lays a colour over an area, everywhere as opaque as `alpha` says (0 to 255). The area is even.
  package func tint(_ area: PixelArea, with color: YUVColor, alpha: UInt8, kernels: KernelSet = .best) {
    let area = area.intersection(PixelArea(x: 0, y: 0, width: width, height: height))
    guard !area.isEmpty else { return }
    let blend = kernels.table.pointee.blend!
    let alphas = [UInt8](repeating: alpha, count: area.width)
    let (y, u, v) = (
      [UInt8](repeating: color.y, count: area.width), [UInt8](repeating: color.u, count: area.width),
      [UInt8](repeating: color.v, count: area.width)
    )
    for row in area.y..<area.y + area.height { blend(luma + row * lumaStride + area.x, y, alphas, Int32(area.width)) }
    for row in area.y / 2..<(area.y + area.height) / 2 {
      let to = row * chromaStride + area.x / 2
      blend(chromaBlue + to, u, alphas, Int32(area.width / 2))
      blend(chromaRed + to, v, alphas, Int32(area.width / 2))
    }
  }

  private func clipped(_ area: PixelArea, _ other: Picture, _ x: Int, _ y: Int) -> PixelArea {
    area.intersection(PixelArea(x: 0, y: 0, width: width & ~1, height: height & ~1))
      .intersection(PixelArea(x: x, y: y, width: other.width & ~1, height: other.height & ~1))
  }

  private static func fill(_ alphas: inout [UInt8], _ mask: [UInt8], _ start: Int, _ count: Int, _ opacity: UInt8) {
    for index in 0..<count {
      let alpha = Int(mask[start + index])
      alphas[index] = opacity == 255 ? UInt8(alpha) : UInt8((alpha * Int(opacity) + 127) / 255)
    }
  }
}
