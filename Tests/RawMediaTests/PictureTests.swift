import RawMedia
import Testing

@Test(arguments: [(1, 1), (17, 31), (640, 360), (641, 359), (1920, 1080)])
func planesAreAlignedAndDoNotOverlap(width: Int, height: Int) {
  let picture = Picture(width: width, height: height)
  for plane in [picture.luma, picture.chromaBlue, picture.chromaRed] { #expect(Int(bitPattern: plane) % 64 == 0) }
  #expect(picture.lumaStride >= width && picture.chromaStride >= picture.chromaWidth)
  // Whole macroblocks of 16x16 fit.
  let (columns, rows) = ((width + 15) / 16, (height + 15) / 16)
  #expect(picture.lumaStride >= 16 * columns && picture.chromaStride >= 8 * columns)
  #expect(picture.chromaBlue - picture.luma == picture.lumaStride * 16 * rows)
  #expect(picture.chromaRed - picture.chromaBlue == picture.chromaStride * 8 * rows)
  #expect(picture.byteCount == picture.chromaRed - picture.luma + picture.chromaStride * 8 * rows)
  picture.fill(YUVColor(y: 1, u: 2, v: 3))
  #expect(picture.luma[picture.lumaStride * (height - 1) + width - 1] == 1)
  #expect(picture.chromaBlue[picture.chromaStride * (picture.chromaHeight - 1)] == 2)
  #expect(picture.chromaRed[picture.chromaStride * picture.chromaHeight - 1] == 3)
}

@Test func primaryColoursConvertAsBT601Says() {
  #expect(YUVColor(red: 255, green: 255, blue: 255) == YUVColor(y: 235, u: 128, v: 128))
  #expect(YUVColor(red: 0, green: 0, blue: 0) == .black)
  #expect(YUVColor(red: 255, green: 0, blue: 0) == YUVColor(y: 82, u: 90, v: 240))
}

@Test func aPictureIsUsedAgainOnlyOnceNobodyHoldsIt() {
  var pool = PicturePool(capacity: 2)
  let held = pool.take(width: 64, height: 64)
  for _ in 0..<10 {
    let other = pool.take(width: 64, height: 64)
    #expect(other !== held)
  }
  let misses = pool.misses
  #expect(misses == 0)
  let large = pool.take(width: 128, height: 64)
  #expect(large.width == 128)
}
