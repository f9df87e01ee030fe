import Glibc
import RawMedia

extension Picture {
  /// Whether both pictures have the same samples within `area`, which is on even pixels; no, if it is not inside both.
  ///
  /// Chroma is compared wherever the area touches it. Ends at the first row that differs.
  package func isEqual(to other: Picture, within area: PixelArea) -> Bool {
    guard area.x >= 0, area.y >= 0, !area.isEmpty else { return area.isEmpty }
    let (right, bottom) = (area.x + area.width, area.y + area.height)
    guard right <= min(width, other.width), bottom <= min(height, other.height) else { return false }
    let (left, top, chromaRight, chromaBottom) = (area.x / 2, area.y / 2, (right + 1) / 2, (bottom + 1) / 2)
    return Self.rowsAreEqual(
      luma + area.y * lumaStride + area.x, lumaStride, other.luma + area.y * other.lumaStride + area.x, other.lumaStride,
      area.width, area.height)
      && [(chromaBlue, other.chromaBlue), (chromaRed, other.chromaRed)].allSatisfy { mine, theirs in
        Self.rowsAreEqual(
          mine + top * chromaStride + left, chromaStride, theirs + top * other.chromaStride + left, other.chromaStride,
          chromaRight - left, chromaBottom - top)
      }
  }

  /// Whether both pictures have the same size and samples.
  package func isEqual(to other: Picture) -> Bool {
    width == other.width && height == other.height
      && isEqual(to: other, within: PixelArea(x: 0, y: 0, width: width, height: height))
  }

  /// The C library's comparison is written for each processor already.
  private static func rowsAreEqual(
    _ a: UnsafePointer<UInt8>, _ aStride: Int, _ b: UnsafePointer<UInt8>, _ bStride: Int, _ width: Int, _ height: Int
  ) -> Bool {
    for y in 0..<height where memcmp(a + y * aStride, b + y * bStride, width) != 0 { return false }
    return true
  }
}
