import RawMedia

/// The frequency weighting of ITU-R BS.1770-5 annex 1 at 48 kHz for one channel: a shelf for the head, then a high-pass.
///
/// Works on four samples at once: output and next state are sums of fixed columns, one for each of the four state values and the four
/// samples, worked out once by running the filter in double precision. That is the same filter, rearranged so that a processor has
/// something to do side by side.
struct KWeighting: Sendable {
  private var state = SIMD4<Float>.zero

  /// What the four states and the four samples add to four outputs and to the states after them.
  private struct Columns: Sendable {
    var outputs = InlineArray<8, SIMD4<Float>>(repeating: .zero)
    var states = InlineArray<8, SIMD4<Float>>(repeating: .zero)
  }

  private static let columns = makeColumns()

  /// Filters samples and answers the sum of their squares, for samples from -1 to 1.
  ///
  /// - Parameters:
  ///   - samples: interleaved; a multiple of four a channel.
  ///   - channel, channelCount: which of them.
  mutating func energy(of samples: UnsafeBufferPointer<Int16>, channel: Int, channelCount: Int) -> Float {
    let columns = Self.columns
    var state = state
    var sum = SIMD4<Float>.zero
    for start in stride(from: channel, to: samples.count, by: 4 * channelCount) {
      let four = SIMD4<Int16>(
        samples[start], samples[start &+ channelCount], samples[start &+ 2 &* channelCount],
        samples[start &+ 3 &* channelCount])
      let input = SIMD4<Float>(four) * (1 / 32_768)
      // Pairs, so that no sum waits for more than two others.
      let output = Self.combine(input, columns.outputs, 4) + Self.combine(state, columns.outputs, 0)
      state = Self.combine(input, columns.states, 4) + Self.combine(state, columns.states, 0)
      sum += output * output
    }
    // What has all but died away would make the processor slow.
    self.state = (state * state).sum() > 1e-24 ? state : .zero
    return sum.sum()
  }

  @inline(__always)
  private static func combine(
    _ values: SIMD4<Float>, _ columns: InlineArray<8, SIMD4<Float>>, _ first: Int
  ) -> SIMD4<Float> {
    (values[0] * columns[first] + values[1] * columns[first &+ 1])
      + (values[2] * columns[first &+ 2] + values[3] * columns[first &+ 3])
  }

  /// As before the first sample.
  mutating func reset() { state = .zero }

  private static func makeColumns() -> Columns {
    var columns = Columns()
    for column in 0..<8 {
      var state = SIMD4<Double>.zero
      if column < 4 { state[column] = 1 }
      for index in 0..<4 { columns.outputs[column][index] = Float(step(column == 4 + index ? 1 : 0, &state)) }
      columns.states[column] = SIMD4<Float>(state)
    }
    return columns
  }

  /// One sample through both filters, each in transposed direct form II with two of the states.
  private static func step(_ x: Double, _ state: inout SIMD4<Double>) -> Double {
    // Tables 1 and 2.
    let shelved = 1.53512485958697 * x + state[0]
    state[0] = -2.69169618940638 * x + 1.69065929318241 * shelved + state[1]
    state[1] = 1.19839281085285 * x - 0.73248077421585 * shelved
    let passed = shelved + state[2]
    state[2] = -2 * shelved + 1.99004745483398 * passed + state[3]
    state[3] = shelved - 0.99007225036621 * passed
    return passed
  }
}
