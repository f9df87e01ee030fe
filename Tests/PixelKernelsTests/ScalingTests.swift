import CPixelKernels
import Glibc
import PixelKernels
import RawMedia
import TestSupport
import Testing

/// Sets to be held beside the reference.
private var accelerated: [KernelSet] { Array(KernelSet.available.dropFirst()) }

@Suite struct ScalingTests {
  /// Something like a photograph: gradients, curves, fine texture.
  static func scene(_ x: Int, _ y: Int) -> UInt8 {
    let (a, b) = (Double(x), Double(y))
    let value = 110 + 50 * sin(a / 37) * cos(b / 23) + 40 * sin((a + b) / 5) + 0.1 * a + (Int(a / 16) ^ Int(b / 16)).double
    return UInt8(clamping: Int(value))
  }

  @Test func theReferenceIsAlwaysThereAndTheBestIsTheLast() {
    #expect(KernelSet.available.first?.name == "scalar")
    #expect(KernelSet.available.last?.name == KernelSet.best.name)
    #expect(Set(KernelSet.available.map(\.name)).count == KernelSet.available.count)
  }

  @Test(arguments: 0..<6)
  func everySetGivesTheReferencesBitsAtAnySizeOffsetAndStride(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    for _ in 0..<60 {
      let size = (Int.random(in: 1...300, using: &random), Int.random(in: 1...60, using: &random))
      var source = Plane(
        width: size.0, height: size.1, stride: size.0 + .random(in: 0...40, using: &random),
        offset: .random(in: 0...63, using: &random))
      source.fill(&random, extremes: seed % 2 == 1)
      let crop = Self.crop(size.0, size.1, whole: Bool.random(using: &random), &random)
      let (width, height) = (Int.random(in: 1...330, using: &random), Int.random(in: 1...50, using: &random))
      let plan = ScalePlan(planeWidth: size.0, planeHeight: size.1, crop: crop, width: width, height: height)
      let (stride, offset) = (width + Int.random(in: 0...40, using: &random), Int.random(in: 0...63, using: &random))
      let reference = source.scaled(plan, stride: stride, offset: offset, kernels: .scalar)
      #expect(reference.guardsHold)
      for set in accelerated {
        let result = source.scaled(plan, stride: stride, offset: offset, kernels: set)
        #expect(result.bytes == reference.bytes, "\(set.name) \(size) \(crop) to \(width)x\(height)")
      }
    }
  }

  private static func crop(_ width: Int, _ height: Int, whole: Bool, _ random: inout SeededRandom) -> CropRectangle {
    if whole { return CropRectangle(x: 0, y: 0, width: Double(width), height: Double(height)) }
    let (w, h) = (
      Double.random(in: 0.5...Double(width), using: &random), Double.random(in: 0.5...Double(height), using: &random)
    )
    return CropRectangle(
      x: .random(in: 0...Double(width) - w, using: &random), y: .random(in: 0...Double(height) - h, using: &random), width: w,
      height: h)
  }

  @Test func halvingIsBitExactWhereverRowsBegin() {
    var random = SeededRandom(seed: 17)
    for width in [2, 31, 32, 33, 63, 64, 96, 97, 160, 161] {
      var source = Plane(width: 2 * width, height: 20, stride: 2 * width + 64, offset: 64)
      source.fill(&random, extremes: width == 96)
      let plan = ScalePlan(
        planeWidth: 2 * width, planeHeight: 20, crop: CropRectangle(x: 0, y: 0, width: Double(2 * width), height: 20),
        width: width, height: 10)
      for offset in 0..<64 {
        let stride = (width + 63) & ~63
        let reference = source.scaled(plan, stride: stride, offset: offset, kernels: .scalar)
        for set in accelerated {
          #expect(source.scaled(plan, stride: stride, offset: offset, kernels: set).bytes == reference.bytes)
        }
      }
    }
  }

  @Test func everyWidthFromOneTo130IsBitExactAtEveryKindOfRatio() {
    var random = SeededRandom(seed: 99)
    for width in 1...130 {
      for ratio in [0.3, 0.97, 1.5, 1.99, 2, 2.5, 3.7, 4, 4.4, 5.1, 9.3, 17.2] {
        let size = max(Int(Double(width) * ratio), 1)
        var source = Plane(width: size, height: 4, offset: width % 64)
        source.fill(&random, extremes: width % 3 == 0)
        let plan = ScalePlan(
          planeWidth: size, planeHeight: 4, crop: CropRectangle(x: 0, y: 0, width: Double(size), height: 4), width: width,
          height: ratio == 2 ? 2 : ratio == 4 ? 1 : 3)
        let reference = source.scaled(plan, stride: width + 1, offset: 7, kernels: .scalar)
        #expect(reference.guardsHold)
        for set in accelerated {
          #expect(source.scaled(plan, stride: width + 1, offset: 7, kernels: set).bytes == reference.bytes)
        }
      }
    }
  }

  @Test(arguments: [
    (640, 360, 426, 240), (640, 360, 256, 144), (1280, 720, 426, 240), (640, 360, 182, 102), (641, 359, 320, 180),
  ])
  func shrinkingIsTheMeanOverTheAreaTo58Decibels(size: (Int, Int, Int, Int)) {
    var source = Plane(width: size.0, height: size.1)
    source.fill(Self.scene)
    let crop = CropRectangle(x: 0, y: 0, width: Double(size.0), height: Double(size.1))
    let plan = ScalePlan(planeWidth: size.0, planeHeight: size.1, crop: crop, width: size.2, height: size.3)
    let result = source.scaled(plan, stride: size.2, offset: 64, kernels: .best)
    let exact = exactArea(source, crop, width: size.2, height: size.3)
    // Rounding to whole samples alone leaves 58.9 dB.
    #expect(psnr(result, exact) > 58)
    #expect(errorMax(result, exact) < 0.6)
  }

  @Test func aCropAtFractionsOfASampleIsHonoured() {
    var source = Plane(width: 640, height: 360)
    source.fill(Self.scene)
    let crop = CropRectangle(x: 80.3, y: 11.7, width: 400.5, height: 300.25)
    let plan = ScalePlan(planeWidth: 640, planeHeight: 360, crop: crop, width: 213, height: 120)
    let result = source.scaled(plan, stride: 213, offset: 0, kernels: .best)
    #expect(psnr(result, exactArea(source, crop, width: 213, height: 120)) > 58)
  }

  @Test func enlargingIsTheLineBetweenNeighbours() {
    var source = Plane(width: 160, height: 90)
    source.fill(Self.scene)
    let crop = CropRectangle(x: 0, y: 0, width: 160, height: 90)
    let plan = ScalePlan(planeWidth: 160, planeHeight: 90, crop: crop, width: 426, height: 240)
    let result = source.scaled(plan, stride: 426, offset: 0, kernels: .best)
    #expect(psnr(result, exactLine(source, crop, width: 426, height: 240)) > 58)
  }

  @Test func anEvenAreaKeepsItsValueAtEveryRatio() {
    for size in [1, 2, 17, 31, 160, 359, 641, 1280] {
      for value in [0, 1, 16, 127, 128, 235, 254, 255] as [UInt8] {
        var source = Plane(width: size, height: 20)
        source.fill { _, _ in value }
        for (width, height) in [(1, 1), (20, 10), (33, 7), (200, 40)] {
          let crop = CropRectangle(x: 0, y: 0, width: Double(size), height: 20)
          let plan = ScalePlan(planeWidth: size, planeHeight: 20, crop: crop, width: width, height: height)
          let result = source.scaled(plan, stride: width, offset: 0, kernels: .best)
          #expect(result.bytes.prefix(width * height).allSatisfy { $0 == value }, "\(size) to \(width)x\(height)")
        }
      }
    }
  }

  @Test func sameSizeCopiesAndExactlyHalfAverages() {
    var source = Plane(width: 64, height: 32)
    var random = SeededRandom(seed: 4)
    source.fill(&random, extremes: false)
    let crop = CropRectangle(x: 3, y: 5, width: 40, height: 20)
    let same = source.scaled(
      ScalePlan(planeWidth: 64, planeHeight: 32, crop: crop, width: 40, height: 20), stride: 40, offset: 0, kernels: .best)
    let half = source.scaled(
      ScalePlan(planeWidth: 64, planeHeight: 32, crop: crop, width: 20, height: 10), stride: 20, offset: 0, kernels: .best)
    #expect(same[7, 9] == source[10, 14] && same[39, 19] == source[42, 24])
    let sum = [(13, 15), (14, 15), (13, 16), (14, 16)].map { Int(source[$0.0, $0.1]) }.reduce(0, +)
    #expect(half[5, 5] == UInt8((sum + 2) / 4))
  }

  @Test func exactlyAQuarterAveragesSixteen() {
    var source = Plane(width: 200, height: 40)
    var random = SeededRandom(seed: 5)
    source.fill(&random, extremes: false)
    let crop = CropRectangle(x: 8, y: 4, width: 160, height: 32)
    let plan = ScalePlan(planeWidth: 200, planeHeight: 40, crop: crop, width: 40, height: 8)
    let result = source.scaled(plan, stride: 41, offset: 3, kernels: .best)
    #expect(result.guardsHold && psnr(result, exactArea(source, crop, width: 40, height: 8)) > 58)
    let sum = (0..<16).map { Int(source[8 + 4 * 7 + $0 % 4, 4 + 4 * 5 + $0 / 4]) }.reduce(0, +)
    #expect(result[7, 5] == UInt8((sum + 8) / 16))
  }

  @Test func setsAreReallyDifferentCode() {
    let tables = [pk_scalar(), pk_neon(), pk_avx2(), pk_avx512(), pk_avx512vnni()].compactMap { $0?.pointee }
    #expect(tables.count == KernelSet.available.count)
    let samples = tables.map { unsafeBitCast($0.weigh_samples, to: Int.self) }
    #expect(Set(samples).count == tables.count)
    for set in tables.dropFirst() {
      #expect(unsafeBitCast(set.weigh_rows, to: Int.self) != unsafeBitCast(tables[0].weigh_rows, to: Int.self))
      #expect(unsafeBitCast(set.halve, to: Int.self) != unsafeBitCast(tables[0].halve, to: Int.self))
      #expect(unsafeBitCast(set.quarter, to: Int.self) != unsafeBitCast(tables[0].quarter, to: Int.self))
      #expect(unsafeBitCast(set.blend, to: Int.self) != unsafeBitCast(tables[0].blend, to: Int.self))
    }
  }

  @Test(arguments: 0..<4)
  func aPartHasTheSamplesOfTheWholeAndNothingElseIsWritten(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed) &+ 40)
    for ratio in [0.6, 1, 1.5, 2, 2.7, 4, 5.2, 11] {
      let (width, height) = (Int.random(in: 20...150, using: &random), Int.random(in: 3...20, using: &random))
      let size = (Int(Double(width) * ratio), max(Int(Double(height) * ratio), 1))
      var source = Plane(width: size.0, height: size.1)
      source.fill(&random, extremes: seed % 2 == 1)
      let crop = CropRectangle(x: 0, y: 0, width: Double(size.0), height: Double(size.1))
      let plan = ScalePlan(planeWidth: size.0, planeHeight: size.1, crop: crop, width: width, height: height)
      for set in KernelSet.available {
        let whole = source.scaled(plan, stride: width, offset: 5, kernels: set)
        for _ in 0..<8 {
          let (x, y) = (Int.random(in: 0..<width, using: &random), Int.random(in: 0..<height, using: &random))
          let part = PixelArea(
            x: x, y: y, width: .random(in: 1...width - x, using: &random), height: .random(in: 1...height - y, using: &random))
          let drawn = source.scaled(plan, stride: width, offset: 5, kernels: set, part: part)
          for row in 0..<height {
            for column in 0..<width {
              let isInside = part.intersection(PixelArea(x: column, y: row, width: 1, height: 1)).isEmpty == false
              let expected = isInside ? whole[column, row] : Plane.guardByte
              if drawn[column, row] != expected { Issue.record("\(set.name) \(ratio) \(part) at \(column), \(row)") }
            }
          }
        }
      }
    }
  }

  @Test func aPartOfAPictureIsDrawnInAllThreePlanes() {
    var random = SeededRandom(seed: 3)
    let picture = Picture(width: 320, height: 180)
    for place in 0..<320 * 180 { picture.luma[place] = .random(in: 0...255, using: &random) }
    for place in 0..<picture.chromaStride * 90 {
      (picture.chromaBlue[place], picture.chromaRed[place]) = (UInt8(place & 255), UInt8(place / 3 & 255))
    }
    let (whole, part) = (Picture(width: 214, height: 120), Picture(width: 214, height: 120))
    let plan = PictureScalePlan(
      pictureWidth: 320, pictureHeight: 180, crop: CropRectangle(x: 0, y: 0, width: 320, height: 180), width: 214, height: 120)
    var scaler = PlaneScaler()
    scaler.scale(picture, into: whole, x: 0, y: 0, plan)
    part.fill(.black)
    let area = PixelArea(x: 38, y: 22, width: 100, height: 60)
    scaler.scale(picture, into: part, x: 0, y: 0, plan, part: area)
    #expect(part.isEqual(to: whole, within: area) && !part.isEqual(to: whole))
    #expect(!part.isEqual(to: whole, within: PixelArea(x: 36, y: 22, width: 102, height: 60)))
    part.copy(PixelArea(x: 0, y: 0, width: 214, height: 120), from: whole)
    #expect(part.isEqual(to: whole))
    part.chromaRed[59 * part.chromaStride + 106] ^= 1
    #expect(!part.isEqual(to: whole))
  }

  @Test func anAbsurdCropIsMovedInsideThePlane() {
    var source = Plane(width: 17, height: 31)
    source.fill { _, _ in 90 }
    for crop in [
      CropRectangle(x: -50, y: 90, width: 1e9, height: 4), CropRectangle(x: .nan, y: .infinity, width: .nan, height: -3),
      CropRectangle(x: 16.999, y: 30.999, width: 0, height: 0),
    ] {
      let plan = ScalePlan(planeWidth: 17, planeHeight: 31, crop: crop, width: 24, height: 10)
      let result = source.scaled(plan, stride: 24, offset: 9, kernels: .best)
      #expect(result.guardsHold && result[0, 0] == 90 && result[23, 9] == 90)
    }
  }

  @Test func scalingAllocatesNothing() {
    let (picture, canvas) = (Picture(width: 640, height: 360), Picture(width: 1280, height: 720))
    picture.fill(.black)
    let plan = PictureScalePlan(
      pictureWidth: 640, pictureHeight: 360, crop: CropRectangle(x: 0, y: 0, width: 640, height: 360), width: 426, height: 240)
    var scaler = PlaneScaler()
    scaler.scale(picture, into: canvas, x: 0, y: 0, plan)
    let count = allocations { for _ in 0..<10 { scaler.scale(picture, into: canvas, x: 426, y: 240, plan) } }
    #expect(count == 0)
  }
}

extension Int { fileprivate var double: Double { Double(self) } }
