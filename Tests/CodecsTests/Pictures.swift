import Glibc
import RawMedia

/// Pictures that a formula gives, and how near a decoded one comes.
enum TestPicture {
  /// The picture of the fixtures: see Fixtures/README.md.
  static func luma(_ x: Int, _ y: Int, _ t: Int) -> UInt8 { UInt8(40 + abs((x + y + 4 * t) % 256 - 128)) }

  static func make(width: Int, height: Int, time: Int) -> Picture {
    let picture = Picture(width: width, height: height)
    for y in 0..<height {
      for x in 0..<width { picture.luma[y * picture.lumaStride + x] = luma(x, y, time) }
    }
    for y in 0..<picture.chromaHeight {
      for x in 0..<picture.chromaWidth {
        picture.chromaBlue[y * picture.chromaStride + x] = x < picture.chromaWidth / 2 ? 90 : 160
        picture.chromaRed[y * picture.chromaStride + x] = y < picture.chromaHeight / 2 ? 110 : 150
      }
    }
    return picture
  }

  /// Luma PSNR in dB; 99 where they are equal.
  static func psnr(_ a: Picture, _ b: Picture, mapping: (UInt8) -> Double = { Double($0) }) -> Double {
    guard a.width == b.width, a.height == b.height else { return 0 }
    var error = 0.0
    for y in 0..<a.height {
      for x in 0..<a.width {
        error += pow(mapping(a.luma[y * a.lumaStride + x]) - Double(b.luma[y * b.lumaStride + x]), 2)
      }
    }
    error /= Double(a.width * a.height)
    return error == 0 ? 99 : 10 * log10(255 * 255 / error)
  }

  static func chroma(_ picture: Picture, atX x: Int, y: Int) -> (blue: Int, red: Int) {
    let index = y / 2 * picture.chromaStride + x / 2
    return (Int(picture.chromaBlue[index]), Int(picture.chromaRed[index]))
  }
}

extension TestPicture {
  /// Luma PSNR of the left half alone, less a column of blocks at its edge, in dB.
  static func leftHalfPSNR(_ a: Picture, _ b: Picture) -> Double {
    var error = 0
    let columns = a.width / 2 - 16
    for y in 0..<a.height {
      for x in 0..<columns {
        let difference = Int(a.luma[y * a.lumaStride + x]) - Int(b.luma[y * b.lumaStride + x])
        error += difference * difference
      }
    }
    return error == 0 ? 99 : 10 * log10(255 * 255 / (Double(error) / Double(columns * a.height)))
  }
}
