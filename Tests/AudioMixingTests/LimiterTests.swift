import AudioMixing
import Glibc
import TestSupport
import Testing

@Suite struct LimiterTests {
  /// Puts a long mix through a limiter tick by tick.
  private func limit(_ mix: [Int32], channels: Int = 1) -> [Int16] {
    var limiter = Limiter(channelCount: channels)
    var output: [Int16] = []
    for start in stride(from: 0, to: mix.count, by: 960 * channels) {
      let tick = Array(mix[start..<(start + 960 * channels)])
      var samples = [Int16](repeating: 0, count: tick.count)
      var room = samples.mutableSpan
      limiter.process(tick.span, into: &room)
      output += samples
    }
    return output
  }

  private func sine(_ hertz: Double, _ amplitude: Double, ticks: Int) -> [Int32] {
    (0..<(960 * ticks)).map { Int32((amplitude * sin(2 * .pi * hertz * Double($0) / 48_000)).rounded()) }
  }

  /// The power of everything but the sine, by that of the sine.
  private func distortion(_ samples: ArraySlice<Int16>, hertz: Double) -> Double {
    var (a, b, total) = (0.0, 0.0, 0.0)
    for (index, sample) in samples.enumerated() {
      let angle = 2 * .pi * hertz * Double(index) / 48_000
      a += Double(sample) * sin(angle)
      b += Double(sample) * cos(angle)
      total += Double(sample) * Double(sample)
    }
    let tone = 2 * (a * a + b * b) / Double(samples.count)
    return max(total - tone, 0) / tone
  }

  @Test(arguments: [1, 2]) func whatIsInRangePassesBitForBitFiveMillisecondsLate(channels: Int) {
    var random = SeededRandom(seed: 1)
    let mix = (0..<(960 * channels * 10)).map { _ in Int32(Int16.random(in: .min ... .max, using: &random)) }
    let output = limit(mix, channels: channels)
    let lag = Limiter.lookahead * channels
    #expect(output.prefix(lag).allSatisfy { $0 == 0 })
    #expect(zip(output.dropFirst(lag), mix).allSatisfy { Int32($0) == $1 })
  }

  @Test(arguments: [100.0, 440, 1_000, 3_000]) func sixtyFourTalkersAtFullScaleStayASine(hertz: Double) {
    let output = limit(sine(hertz, 64 * 32_767, ticks: 60))
    let steady = output[(960 * 10)...]
    let peak = steady.map { abs(Int($0)) }.max() ?? 0
    #expect((32_000...32_767).contains(peak))
    #expect(distortion(steady, hertz: hertz) < 0.0001, "1 % of distortion is 0.0001 of power")
  }

  @Test(arguments: 1...5) func noiseOfAnyLoudnessStaysInRangeAndKeepsItsSign(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    var mix: [Int32] = []
    for _ in 0..<50 {
      let top = Int32(1) << Int32.random(in: 4...28, using: &random)
      mix += (0..<960).map { _ in Int32.random(in: -top...top, using: &random) }
    }
    let output = limit(mix)
    for (index, sample) in output.dropFirst(Limiter.lookahead).enumerated() {
      let (a, b) = (Int64(sample), Int64(mix[index]))
      #expect(a == 0 || (a < 0) == (b < 0))
      if abs(a) > abs(b) { Issue.record("a limiter never makes anything louder") }
    }
  }

  @Test func theExtremesOf32BitsDoNotTrap() {
    let mix = (0..<(960 * 4)).map { $0 % 7 < 3 ? Int32.min : Int32.max }
    let output = limit(mix)
    #expect(output.contains { $0 > 32_000 } && output.contains { $0 < -32_000 })
  }

  @Test func theGainComesBackAndTheLimiterIsTransparentAgain() {
    let quiet = sine(440, 10_000, ticks: 150)
    let output = limit(sine(440, 200_000, ticks: 10) + quiet)
    let late = Array(output[(960 * 110 + Limiter.lookahead)...])
    #expect(zip(late, quiet[(960 * 100)...]).allSatisfy { Int32($0) == $1 })
  }

  @Test func theGainMovesWithoutAStep() {
    // From silence to far beyond full scale at once: the gain is down before the first peak.
    let output = limit(sine(200, 9_000, ticks: 10) + sine(200, 300_000, ticks: 10))
    let step = zip(output, output.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
    #expect(step < 2_000, "a 200 Hz sine at full scale moves by 858 a sample")
  }

  @Test func bothSidesShareOneGain() {
    let left = sine(440, 100_000, ticks: 20)
    let output = limit(left.flatMap { [$0, $0 / 10] }, channels: 2)
    let late = output.dropFirst(960 * 10)
    for index in stride(from: late.startIndex, to: late.endIndex, by: 2) {
      #expect(abs(Int(late[index]) - 10 * Int(late[index + 1])) <= 15)
    }
  }
}
