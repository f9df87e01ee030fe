import CPixelKernels
import PixelKernels
import RawMedia
import TestSupport
import Testing

@Suite struct DrawingTests {
  /// An overlay of one colour and one alpha.
  private func overlay(_ width: Int, _ height: Int, red: UInt8, green: UInt8, blue: UInt8, alpha: Int) -> Overlay {
    func part(_ value: UInt8) -> UInt8 { UInt8((Int(value) * alpha + 127) / 255) }
    let pixels = Array(repeating: [part(blue), part(green), part(red), UInt8(alpha)], count: width * height).flatMap { $0 }
    return Overlay(premultiplied: pixels, stride: 4 * width, width: width, height: height)
  }

  @Test func blendingIsBitExactAtEveryWidthAndAlpha() {
    var random = SeededRandom(seed: 7)
    for width in 1...200 {
      var (out, over, alpha) = (Plane(width: width, height: 1), Plane(width: width, height: 1), Plane(width: width, height: 1))
      out.fill(&random, extremes: width % 2 == 0)
      over.fill(&random, extremes: width % 3 == 0)
      alpha.fill(&random, extremes: width % 5 == 0)
      let results = [pk_scalar(), pk_neon(), pk_avx2(), pk_avx512(), pk_avx512vnni()].compactMap { $0 }.map { table in
        var result = out
        result.bytes.withUnsafeMutableBufferPointer {
          table.pointee.blend($0.baseAddress! + 64, [UInt8](over.bytes[64...]), [UInt8](alpha.bytes[64...]), Int32(width))
        }
        return result
      }
      #expect(results.allSatisfy { $0.guardsHold && $0.bytes == results[0].bytes })
      for x in 0..<width {
        let exact = (Double(out[x, 0]) * Double(255 - alpha[x, 0]) + Double(over[x, 0]) * Double(alpha[x, 0])) / 255
        #expect(abs(Double(results[0][x, 0]) - exact) <= 0.51)
      }
    }
  }

  @Test(arguments: Rotation.allCases)
  func turningPutsEverySampleInItsPlaceWithEverySet(rotation: Rotation) {
    var random = SeededRandom(seed: 11)
    for (width, height) in [(1, 1), (8, 8), (17, 31), (64, 24), (33, 9), (7, 16)] {
      var source = Plane(width: width, height: height, stride: width + 5)
      source.fill(&random, extremes: false)
      let (turnedWidth, turnedHeight) = rotation.swapsSides ? (height, width) : (width, height)
      for set in KernelSet.available {
        var turned = Plane(width: turnedWidth, height: turnedHeight, stride: turnedWidth + 3)
        source.bytes.withUnsafeBufferPointer { from in
          turned.bytes.withUnsafeMutableBufferPointer { to in
            rotatePlane(
              from.baseAddress! + 64, stride: source.stride, width: width, height: height, to: to.baseAddress! + 64,
              stride: turned.stride, by: rotation, kernels: set)
          }
        }
        #expect(turned.guardsHold)
        for y in 0..<height {
          for x in 0..<width {
            let place =
              switch rotation {
              case .none: (x, y)
              case .quarter: (height - 1 - y, x)
              case .half: (width - 1 - x, height - 1 - y)
              case .threeQuarters: (y, width - 1 - x)
              }
            #expect(turned[place.0, place.1] == source[x, y])
          }
        }
      }
    }
  }

  @Test func degreesThatAreNoQuarterTurnsAreNone() {
    #expect(Rotation(degreesClockwise: 450) == .quarter && Rotation(degreesClockwise: -90) == .threeQuarters)
    #expect(Rotation(degreesClockwise: 45) == .none)
  }

  @Test func fillingAndCopyingStayInsideTheirArea() {
    let picture = Picture(width: 64, height: 48)
    picture.fill(.black)
    let green = YUVColor(red: 0, green: 200, blue: 0)
    picture.fill(PixelArea(x: -10, y: 40, width: 20, height: 100), with: green)
    #expect(picture.luma[47 * picture.lumaStride + 9] == green.y && picture.luma[47 * picture.lumaStride + 10] == 16)
    #expect(picture.chromaBlue[23 * picture.chromaStride + 4] == green.u)
    #expect(picture.chromaBlue[19 * picture.chromaStride + 4] == 128)
    let other = Picture(width: 64, height: 48)
    other.fill(.black)
    other.copy(PixelArea(x: 4, y: 44, width: 4, height: 4), from: picture)
    #expect(other.luma[44 * other.lumaStride + 4] == green.y && other.luma[44 * other.lumaStride + 8] == 16)
    #expect(other.chromaRed[22 * other.chromaStride + 3] == green.v)
  }

  @Test func anOpaqueOverlayHasItsColourAndAClearOneChangesNothing() {
    let picture = Picture(width: 32, height: 32)
    picture.fill(.black)
    picture.blend(overlay(8, 8, red: 255, green: 255, blue: 255, alpha: 0), x: 0, y: 0)
    #expect(picture.luma[0] == 16 && picture.chromaBlue[0] == 128)
    picture.blend(overlay(8, 8, red: 200, green: 10, blue: 10, alpha: 255), x: 28, y: -4)
    let red = YUVColor(red: 200, green: 10, blue: 10)
    #expect(picture.luma[3 * picture.lumaStride + 31] == red.y && picture.luma[4 * picture.lumaStride + 31] == 16)
    #expect(picture.chromaRed[picture.chromaStride + 15] == red.v)
    picture.blend(overlay(8, 8, red: 255, green: 255, blue: 255, alpha: 128), x: 8, y: 8)
    #expect((123...128).contains(picture.luma[8 * picture.lumaStride + 8]))
  }

  @Test func coloursComeBackFromPixels() {
    let picture = Picture(width: 3, height: 3)
    for (r, g, b) in [(255, 255, 255), (0, 0, 0), (200, 30, 60), (10, 220, 90)] as [(UInt8, UInt8, UInt8)] {
      picture.fill(YUVColor(red: r, green: g, blue: b))
      var pixels = [UInt8](repeating: 0, count: 3 * 4 * 3)
      convert(picture, to: &pixels, stride: 12, order: .bgra)
      let last = Array(pixels.suffix(4)).map(Int.init)
      #expect(abs(last[0] - Int(b)) < 4 && abs(last[1] - Int(g)) < 4 && abs(last[2] - Int(r)) < 4 && last[3] == 255)
      convert(picture, to: &pixels, stride: 12, order: .rgba)
      #expect(abs(Int(pixels[0]) - Int(r)) < 4)
    }
  }
}
