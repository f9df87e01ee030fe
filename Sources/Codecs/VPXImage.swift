import CVPX
import RawMedia

extension vpx_image_t {
  /// Copies a decoded image into a picture of the pool; full range becomes limited range.
  func copy(within limits: PictureLimits, pool: inout PicturePool) throws(CodecError) -> Picture {
    guard fmt == VPX_IMG_FMT_I420 || fmt == VPX_IMG_FMT_YV12, bit_depth == 8 || bit_depth == 0 else { throw .unsupportedFormat }
    let (width, height) = (Int(d_w), Int(d_h))
    guard limits.allow(width: width, height: height) else { throw .tooLarge }
    guard let luma = planes.0, let blue = planes.1, let red = planes.2 else { throw .malformed }
    let picture = pool.take(width: width, height: height)
    let sources = (
      PlaneCopy(luma, stride: Int(stride.0)), PlaneCopy(blue, stride: Int(stride.1)), PlaneCopy(red, stride: Int(stride.2))
    )
    picture.take(sources, isFullRange: range == VPX_CR_FULL_RANGE)
    return picture
  }
}

extension Picture {
  /// Fills the picture from planes of its size: luma, blue and red.
  func take(_ planes: (PlaneCopy, PlaneCopy, PlaneCopy), isFullRange: Bool) {
    let (chromaWidth, chromaHeight) = (chromaWidth, chromaHeight)
    if isFullRange {
      planes.0.run(to: luma, stride: lumaStride, width: width, height: height, mapping: FullRange.luma)
      planes.1.run(to: chromaBlue, stride: chromaStride, width: chromaWidth, height: chromaHeight, mapping: FullRange.chroma)
      planes.2.run(to: chromaRed, stride: chromaStride, width: chromaWidth, height: chromaHeight, mapping: FullRange.chroma)
    } else {
      planes.0.run(to: luma, stride: lumaStride, width: width, height: height)
      planes.1.run(to: chromaBlue, stride: chromaStride, width: chromaWidth, height: chromaHeight)
      planes.2.run(to: chromaRed, stride: chromaStride, width: chromaWidth, height: chromaHeight)
    }
  }
}
