import RawMedia

/// Which quantizer makes a keyframe as large as it may be, and no larger.
///
/// libvpx finds it from how far off the last keyframe was, of which there are few: it takes the coarsest, and makes up for it with
/// a frame as large as fifteen others right after. Here the size is reckoned from the picture itself,
///
///     bytes = yield · detail / step
///
/// where `step` is what the quantizer divides by, `detail` how much neighbouring samples differ, and `yield` what keyframes before
/// came to by that rule.
struct KeyframeQuantizer {
  /// What each quantizer divides by, rising.
  private let steps: [Int]
  private var yield: Double

  init(isVP9: Bool) {
    steps = isVP9 ? Self.stepsOfVP9 : Self.stepsOfVP8
    yield = isVP9 ? Self.firstYieldOfVP9 : Self.firstYieldOfVP8
  }

  /// As finely as possible within a size.
  ///
  /// - Parameters:
  ///   - detail: of the picture, as `Self.detail` has it.
  ///   - byteCount: about as large as the keyframe may be.
  ///   - bounds: quantizers to choose from, within 0 and 63.
  func quantizer(detail: Double, byteCount: Int, within bounds: ClosedRange<Int>) -> Int {
    let step = yield * detail / Double(max(byteCount, 1))
    let finest = steps.firstIndex { Double($0) >= step } ?? steps.count - 1
    return min(max(finest, bounds.lowerBound), bounds.upperBound)
  }

  /// Learns what a keyframe came to.
  mutating func observe(byteCount: Int, quantizer: Int, detail: Double) {
    guard detail > 0, steps.indices.contains(quantizer) else { return }
    let seen = Double(byteCount) * Double(steps[quantizer]) / detail
    yield = min(max(seen, yield / Self.changeMax), yield * Self.changeMax)
  }

  /// How much neighbouring samples of the luma differ, summed up.
  static func detail(of picture: Picture) -> Double {
    var sum = 0
    for y in stride(from: 0, to: picture.height - 1, by: rowStep) {
      let row = picture.luma + y * picture.lumaStride
      let below = row + picture.lumaStride
      var rowSum: Int32 = 0
      for x in 0..<max(picture.width - 1, 0) {
        rowSum &+= abs(Int32(row[x]) - Int32(row[x + 1])) &+ abs(Int32(row[x]) - Int32(below[x]))
      }
      sum += Int(rowSum)
    }
    return Double(sum * rowStep)
  }

  /// One row in so many is looked at.
  private static let rowStep = 4
  /// One odd keyframe does not spoil the next by more.
  private static let changeMax = 4.0
  private static let firstYieldOfVP8 = 0.31
  private static let firstYieldOfVP9 = 1.14
  private static let stepsOfVP8 = [
    4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 19, 21, 22, 23,
    24, 25, 27, 28, 29, 30, 31, 32, 33, 34, 35, 37, 39, 41, 43, 45,
    47, 49, 51, 53, 55, 57, 60, 64, 68, 72, 78, 84, 90, 96, 102, 108,
    114, 122, 131, 140, 149, 158, 167, 177, 189, 201, 213, 225, 239, 254, 269, 284,
  ]
  private static let stepsOfVP9 = [
    4, 11, 15, 19, 23, 27, 31, 35, 39, 43, 47, 51, 55, 59, 63, 67,
    71, 75, 79, 83, 87, 91, 95, 99, 104, 112, 120, 128, 136, 144, 152, 164,
    176, 188, 200, 215, 231, 247, 265, 285, 305, 329, 353, 380, 408, 440, 474, 510,
    550, 593, 639, 689, 743, 801, 864, 933, 1007, 1087, 1173, 1267, 1369, 1479, 1628, 1828,
  ]
}
