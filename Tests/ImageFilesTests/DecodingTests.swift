import ImageFiles
import TestSupport
import Testing

@Suite struct DecodingTests {
  private func pixel(_ image: DecodedImage, _ x: Int, _ y: Int) -> [UInt8] {
    Array(image.pixels[4 * (y * image.width + x)..<4 * (y * image.width + x) + 4])
  }

  @Test func aPNGKeepsItsPixelsAndPremultipliesThem() throws {
    let bytes = MadeUp.png(width: 5, height: 3) { x, y in (UInt8(40 * x), UInt8(60 * y), 200, x == 4 ? 128 : 255) }
    let image = try DecodedImage(decoding: bytes, name: "a.png")
    #expect(image.width == 5 && image.height == 3 && !image.isOpaque)
    #expect(pixel(image, 2, 1) == [200, 60, 80, 255])
    #expect(pixel(image, 4, 2) == [100, 60, 80, 128])
  }

  @Test func aPNGWithoutTransparencyIsOpaque() throws {
    let bytes = MadeUp.png(width: 4, height: 4) { _, _ in (1, 2, 3, 255) }
    #expect(try DecodedImage(decoding: bytes, name: "a.png").isOpaque)
  }

  @Test(arguments: [false, true])
  func aJPEGShowsItsColours(progressive: Bool) throws {
    let bytes = MadeUp.jpeg(width: 65, height: 33, progressive: progressive) { x, _ in x < 32 ? (200, 30, 30) : (30, 30, 200) }
    let image = try DecodedImage(decoding: bytes, name: "a.jpg")
    #expect(image.width == 65 && image.height == 33 && image.isOpaque)
    #expect(zip(pixel(image, 8, 16), [30, 30, 200, 255]).allSatisfy { abs(Int($0) - $1) < 8 })
    #expect(zip(pixel(image, 56, 16), [200, 30, 30, 255]).allSatisfy { abs(Int($0) - $1) < 8 })
  }

  @Test func aPhotographIsTurnedUpright() throws {
    // Upper left quarter white, the rest black; where it lies afterwards follows from EXIF's table.
    let jpeg = MadeUp.jpeg(width: 64, height: 32) { x, y in x < 32 && y < 16 ? (255, 255, 255) : (0, 0, 0) }
    let corners: [UInt8: (right: Bool, bottom: Bool, swapped: Bool)] = [
      1: (false, false, false), 2: (true, false, false), 3: (true, true, false), 4: (false, true, false),
      5: (false, false, true), 6: (true, false, true), 7: (true, true, true), 8: (false, true, true),
    ]
    for (orientation, expected) in corners {
      for isLittle in [false, true] {
        let image = try DecodedImage(decoding: MadeUp.turned(jpeg, orientation: orientation, isLittle: isLittle), name: "a")
        #expect((image.width, image.height) == (expected.swapped ? (32, 64) : (64, 32)))
        for right in [false, true] {
          for bottom in [false, true] {
            let (x, y) = (image.width * (right ? 3 : 1) / 4, image.height * (bottom ? 3 : 1) / 4)
            #expect((pixel(image, x, y)[0] > 128) == (right == expected.right && bottom == expected.bottom), "\(orientation)")
          }
        }
      }
    }
  }

  @Test func aDecompressionBombIsRefusedByItsHeader() throws {
    // A few bytes that would become 40 GB, and an image of no bytes at all behind an honest header.
    for (width, height) in [(100_000, 100_000), (16_384, 16_384), (4097, 4097), (1, 16_385), (0x7FFF_FFFF, 0x7FFF_FFFF)] {
      let bytes = MadeUp.png(width: width, height: height, data: [0x78, 0x01])
      #expect { try DecodedImage(decoding: bytes, name: "bomb.png") } throws: { ($0 as? ImageFileError)?.kind == .tooLarge }
    }
    var jpeg = MadeUp.jpeg(width: 16, height: 16) { _, _ in (0, 0, 0) }
    let frame = try #require(jpeg.indices.first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
    for index in frame + 5..<frame + 9 { jpeg[index] = 0xFF }
    #expect { try DecodedImage(decoding: jpeg, name: "bomb.jpg") } throws: { ($0 as? ImageFileError)?.kind == .tooLarge }
  }

  @Test func limitsHoldForBytesPixelsAndSides() throws {
    let bytes = MadeUp.png(width: 20, height: 10) { _, _ in (0, 0, 0, 255) }
    for limits in [ImageLimits(bytesMax: bytes.count - 1), ImageLimits(pixelsMax: 199), ImageLimits(sideMax: 19)] {
      #expect { try DecodedImage(decoding: bytes, name: "a", limits: limits) } throws: {
        ($0 as? ImageFileError)?.kind == .tooLarge
      }
    }
    #expect(
      try DecodedImage(decoding: bytes, name: "a", limits: ImageLimits(bytesMax: bytes.count, pixelsMax: 200)).width == 20)
  }

  @Test func largeImagesAreMadeSmaller() throws {
    let limits = ImageLimits(sideKept: 100)
    let png = MadeUp.png(width: 451, height: 203) { _, _ in (10, 20, 30, 255) }
    let image = try DecodedImage(decoding: png, name: "a", limits: limits)
    #expect((100..<200).contains(image.width) && image.height == 50 && pixel(image, 99, 49) == [30, 20, 10, 255])
    let jpeg = MadeUp.jpeg(width: 851, height: 203) { _, _ in (10, 20, 30) }
    #expect((100..<200).contains(try DecodedImage(decoding: jpeg, name: "a", limits: limits).width))
  }

  @Test func truncatedFilesAreRefusedOrShowWhatIsThere() {
    let png = MadeUp.png(width: 9, height: 7) { x, y in (UInt8(x), UInt8(y), 0, 255) }
    for count in 0..<png.count - 16 {
      #expect(throws: ImageFileError.self) { try DecodedImage(decoding: Array(png.prefix(count)), name: "a") }
    }
    let jpeg = MadeUp.jpeg(width: 24, height: 16) { x, y in (UInt8(x * 9), UInt8(y * 9), 7) }
    for count in 0..<jpeg.count {
      if let image = try? DecodedImage(decoding: Array(jpeg.prefix(count)), name: "a") { #expect(image.width == 24) }
    }
  }

  @Test func anyBytesAreFine() {
    var random = SeededRandom(seed: 7)
    let jpeg = MadeUp.turned(
      MadeUp.jpeg(width: 24, height: 16, progressive: true) { _, _ in (1, 2, 3) }, orientation: 6, isLittle: true)
    let png = MadeUp.png(width: 9, height: 7) { x, y in (UInt8(x), UInt8(y), 0, 99) }
    let limits = ImageLimits(pixelsMax: 1 << 20)
    for round in 0..<3000 {
      var bytes = round % 2 == 0 ? jpeg : png
      for _ in 0...Int.random(in: 0..<6, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
      }
      _ = try? DecodedImage(decoding: bytes, name: "a", limits: limits)
      let noise = (0..<Int.random(in: 0...60, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = try? DecodedImage(decoding: (round % 2 == 0 ? [0xFF, 0xD8, 0xFF, 0xE1] : []) + noise, name: "a", limits: limits)
    }
  }
}
