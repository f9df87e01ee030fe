/// How a gain moves within one tick: in a straight line from `start` over its first `rampSamples`, then it is `end`.
struct GainCurve: Sendable {
  let start: Gain
  let end: Gain
  /// Samples a channel; 0 switches at once.
  let rampSamples: Int

  /// Applies the curve to one channel.
  ///
  /// - Parameters:
  ///   - input: samples, `inputStride` apart.
  ///   - output: as many, `outputStride` apart.
  func apply(
    to input: UnsafeBufferPointer<Int16>, from inputStart: Int, by inputStride: Int,
    into output: UnsafeMutableBufferPointer<Int32>, from outputStart: Int, by outputStride: Int, sampleCount: Int
  ) {
    let ramp = start == end ? 0 : min(max(rampSamples, 0), sampleCount)
    var (from, to) = (inputStart, outputStart)
    // The gain with 16 more bits behind the point, so that steps do not add up to an error.
    var exact = Int(start.rawValue) << 16
    let step = ((Int(end.rawValue) - Int(start.rawValue)) << 16) / (ramp + 1)
    for _ in 0..<ramp {
      exact &+= step
      output[to] = Gain(rawValue: UInt16(truncatingIfNeeded: exact >> 16)).apply(to: input[from])
      from &+= inputStride
      to &+= outputStride
    }
    for _ in ramp..<sampleCount {
      output[to] = end.apply(to: input[from])
      from &+= inputStride
      to &+= outputStride
    }
  }
}
