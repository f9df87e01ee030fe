import CPixelKernels
import RawMedia

/// A rectangle of a picture in whole pixels.
package struct PixelArea: Hashable, Sendable {
  package var x: Int
  package var y: Int
  package var width: Int
  package var height: Int

  package init(x: Int, y: Int, width: Int, height: Int) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  package var isEmpty: Bool { width <= 0 || height <= 0 }

  /// What both cover; empty where they do not meet.
  package func intersection(_ other: PixelArea) -> PixelArea {
    let (left, top) = (max(x, other.x), max(y, other.y))
    let right = min(x + width, other.x + other.width), bottom = min(y + height, other.y + other.height)
    return PixelArea(x: left, y: top, width: max(right - left, 0), height: max(bottom - top, 0))
  }
}

extension Picture {
  private var bounds: PixelArea { .init(x: 0, y: 0, width: width, height: height) }

  /// Fills what of `area` lies inside the picture. Chroma is filled where the area touches it, so areas should be even.
  package func fill(_ area: PixelArea, with color: YUVColor) {
    let area = area.intersection(bounds)
    guard !area.isEmpty else { return }
    Self.fill(luma + area.y * lumaStride + area.x, stride: lumaStride, area.width, area.height, color.y)
    let (left, top) = (area.x / 2, area.y / 2)
    let (width, height) = ((area.x + area.width + 1) / 2 - left, (area.y + area.height + 1) / 2 - top)
    Self.fill(chromaBlue + top * chromaStride + left, stride: chromaStride, width, height, color.u)
    Self.fill(chromaRed + top * chromaStride + left, stride: chromaStride, width, height, color.v)
  }

  private static func fill(_ start: UnsafeMutablePointer<UInt8>, stride: Int, _ width: Int, _ height: Int, _ value: UInt8) {
    let rows = UnsafeMutableRawPointer(start)
    // The sides of borders: a call for each row would take longer than its samples.
    switch width {
    case 1: fill(rows, stride, width, height, by: value)
    case 2...3: fill(rows, stride, width, height, by: UInt16(value) &* 0x0101)
    case 4...7: fill(rows, stride, width, height, by: UInt32(value) &* 0x0101_0101)
    case 8...16: fill(rows, stride, width, height, by: UInt64(value) &* 0x0101_0101_0101_0101)
    default: for y in 0..<height { (start + y * stride).update(repeating: value, count: width) }
    }
  }

  /// Fills rows as wide as a word to twice as wide, by two words each.
  @inline(__always)
  private static func fill<Word: FixedWidthInteger>(
    _ rows: UnsafeMutableRawPointer, _ stride: Int, _ width: Int, _ height: Int, by word: Word
  ) {
    let last = width - MemoryLayout<Word>.size
    for y in 0..<height {
      rows.storeBytes(of: word, toByteOffset: y * stride, as: Word.self)
      rows.storeBytes(of: word, toByteOffset: y * stride + last, as: Word.self)
    }
  }

  /// Copies what of `area` lies inside this picture and `other`, at the same place in both. Areas are even.
  package func copy(_ area: PixelArea, from other: Picture) {
    let area = area.intersection(bounds).intersection(other.bounds)
    guard !area.isEmpty else { return }
    for y in area.y..<area.y + area.height {
      (luma + y * lumaStride + area.x).update(from: other.luma + y * other.lumaStride + area.x, count: area.width)
    }
    let (left, right) = (area.x / 2, (area.x + area.width + 1) / 2)
    for y in area.y / 2..<(area.y + area.height + 1) / 2 {
      let (to, from) = (y * chromaStride + left, y * other.chromaStride + left)
      (chromaBlue + to).update(from: other.chromaBlue + from, count: right - left)
      (chromaRed + to).update(from: other.chromaRed + from, count: right - left)
    }
  }

  /// Lays `overlay` over the picture with its corner at `x`, `y`, both even; what falls outside, or outside of `clip`, is left out.
  package func blend(_ overlay: Overlay, x: Int, y: Int, within clip: PixelArea? = nil, kernels: KernelSet = .best) {
    let area = PixelArea(x: x, y: y, width: overlay.width, height: overlay.height).intersection(clip ?? bounds)
      .intersection(bounds)
    guard !area.isEmpty, area.x % 2 == 0, area.y % 2 == 0 else { return }
    let blend = kernels.table.pointee.blend!
    for row in 0..<area.height {
      let from = (area.y - y + row) * overlay.width + area.x - x
      blend(luma + (area.y + row) * lumaStride + area.x, overlay.luma + from, overlay.alpha + from, Int32(area.width))
    }
    let width = Int32((area.width + 1) / 2)
    for row in 0..<(area.height + 1) / 2 {
      let from = ((area.y - y) / 2 + row) * (overlay.width / 2) + (area.x - x) / 2
      let to = (area.y / 2 + row) * chromaStride + area.x / 2
      blend(chromaBlue + to, overlay.chromaBlue + from, overlay.chromaAlpha + from, width)
      blend(chromaRed + to, overlay.chromaRed + from, overlay.chromaAlpha + from, width)
    }
  }
}
