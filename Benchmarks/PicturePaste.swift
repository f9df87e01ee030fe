import Glibc
import RawMedia

extension Picture {
  /// Copies all of another picture into this one, which must have room for it.
  ///
  /// - Parameters: left, top: where its corner comes to stand; even.
  func paste(_ other: Picture, left: Int, top: Int) {
    for y in 0..<other.height {
      memcpy(luma + (top + y) * lumaStride + left, other.luma + y * other.lumaStride, other.width)
    }
    for y in 0..<other.chromaHeight {
      let (from, to) = (y * other.chromaStride, (top / 2 + y) * chromaStride + left / 2)
      memcpy(chromaBlue + to, other.chromaBlue + from, other.chromaWidth)
      memcpy(chromaRed + to, other.chromaRed + from, other.chromaWidth)
    }
  }
}
