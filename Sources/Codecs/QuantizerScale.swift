/// The 64 quantizers of libvpx's interface as steps of the 128 that VP8 has.
enum QuantizerScale {
  /// By how many steps blocks may be coded more finely than their frame.
  static let reach = 25

  /// The step of a quantizer, 0 to 63.
  static func step(_ quantizer: Int) -> Int { Int(steps[min(max(quantizer, 0), steps.count - 1)]) }

  /// By which quantizer to differ, 0 or below, so that blocks of a frame are coded about as finely as a step.
  static func difference(from quantizer: Int, to step: Int) -> Int {
    let wanted = min(max(self.step(quantizer) - step, 0), reach)
    return -(steps.firstIndex { $0 >= wanted } ?? 0)
  }

  private static let steps: [UInt8] = [
    0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 33, 35, 37, 39, 41, 43,
    45, 47, 49, 51, 53, 55, 57, 59, 61, 64, 67, 70, 73, 76, 79, 82, 85, 88, 91, 94, 97, 100, 103, 106, 109, 112, 115, 118, 121,
    124, 127,
  ]
}
