import RawMedia

/// How the three planes of a picture are scaled into a rectangle of a canvas.
package struct PictureScalePlan: Sendable {
  let luma: ScalePlan
  let chroma: ScalePlan
  package var width: Int { luma.width }
  package var height: Int { luma.height }

  /// - Parameters:
  ///   - pictureWidth, pictureHeight: size of the source in pixels, any parity.
  ///   - crop: the part shown, in pixels of the source.
  ///   - width, height: pixels to write, even.
  package init(pictureWidth: Int, pictureHeight: Int, crop: CropRectangle, width: Int, height: Int) {
    precondition(width > 1 && height > 1 && width % 2 == 0 && height % 2 == 0, "rectangles of 4:2:0 canvases are even")
    luma = ScalePlan(planeWidth: pictureWidth, planeHeight: pictureHeight, crop: crop, width: width, height: height)
    chroma = ScalePlan(
      planeWidth: (pictureWidth + 1) / 2, planeHeight: (pictureHeight + 1) / 2, crop: crop.halved, width: width / 2,
      height: height / 2)
  }
}

extension PlaneScaler {
  /// Scales a picture into `canvas` with its upper left corner at `x`, `y`, both even; the rectangle lies inside the canvas.
  ///
  /// - Parameter part: on even pixels counted from that corner: only this much of the scaled picture is drawn, with the samples
  ///   it has in the whole. What of it lies outside is left out.
  package mutating func scale(
    _ picture: Picture, into canvas: Picture, x: Int, y: Int, _ plan: PictureScalePlan, part: PixelArea? = nil
  ) {
    precondition(
      x >= 0 && y >= 0 && x % 2 == 0 && y % 2 == 0 && x + plan.width <= canvas.width && y + plan.height <= canvas.height,
      "a scaled picture lies inside its canvas on even pixels")
    precondition(part?.isEven != false, "a part of a scaled picture is on even pixels")
    scale(
      picture.luma, stride: picture.lumaStride, to: canvas.luma + y * canvas.lumaStride + x, stride: canvas.lumaStride,
      plan.luma, part: part)
    let offset = y / 2 * canvas.chromaStride + x / 2
    scale(
      picture.chromaBlue, stride: picture.chromaStride, to: canvas.chromaBlue + offset, stride: canvas.chromaStride,
      plan.chroma, part: part?.halved)
    scale(
      picture.chromaRed, stride: picture.chromaStride, to: canvas.chromaRed + offset, stride: canvas.chromaStride,
      plan.chroma, part: part?.halved)
  }
}

extension PixelArea {
  fileprivate var isEven: Bool { (x | y | width | height) & 1 == 0 }
  /// The same on a chroma plane.
  fileprivate var halved: PixelArea { .init(x: x / 2, y: y / 2, width: width / 2, height: height / 2) }
}
