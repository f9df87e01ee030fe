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

  @Test(arguments: [1, 2]) func whatIsBelowTheCeilingPassesBitForBitTwoMillisecondsLate(channels: Int) {
    var random = SeededRandom(seed: 1)
    // Noise can reach twice as high between its samples; a low tone cannot.
    let noise = (0..<(960 * channels * 10)).map { _ in Int32.random(in: -14_000...14_000, using: &random) }
    let tone = sine(440, 29_000, ticks: 10).flatMap { [Int32](repeating: $0, count: channels) }
    for mix in [noise, tone] {
      let output = limit(mix, channels: channels)
      let lag = Limiter.lookahead * channels
      #expect(output.prefix(lag).allSatisfy { $0 == 0 })
      #expect(zip(output.dropFirst(lag), mix).allSatisfy { Int32($0) == $1 })
    }
  }

  @Test(arguments: [20.0, 50, 100, 440, 997, 3_000, 11_000]) func sixtyFourTalkersAtFullScaleStayASine(hertz: Double) {
    let output = limit(sine(hertz, 64 * 32_767, ticks: 60))
    let steady = output[(960 * 10)...]
    let peak = steady.map { abs(Int($0)) }.max() ?? 0
    #expect((25_000...29_204).contains(peak))
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
    #expect(output.contains { $0 > 20_000 } && output.contains { $0 < -20_000 })
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

  @Test(arguments: [6_000.0, 9_000, 12_000, 15_000]) func theTruePeakStaysBelowFullScale(hertz: Double) {
    // At a quarter of the sample rate and 45 degrees no sample comes within 3 dB of the peak.
    let mix = (0..<(960 * 20)).map { Int32((60_000 * sin(2 * .pi * hertz * Double($0) / 48_000 + .pi / 4)).rounded()) }
    let output = limit(mix)
    let amplitude = Tones.level(of: hertz, in: Array(output[(960 * 10)...]))
    #expect(amplitude < 20 * log10(32_767), "the amplitude of a steady tone is its true peak")
    #expect(amplitude > 20 * log10(25_000))
  }

  @Test(arguments: [3, 30, 64]) func anOverloadOfManyTonesMakesNoOthers(count: Int) {
    // All full-scale and 50 Hz apart; where the first would be is looked for.
    var mix = [Int32](repeating: 0, count: 960 * 60)
    for tone in 1..<count {
      let samples = Tones.sine(300 + 50 * Double(tone), amplitude: 32_000, count: mix.count)
      for index in mix.indices { mix[index] += Int32(samples[index]) }
    }
    let steady = Array(limit(mix)[(960 * 10)...])
    let levels = (0..<count).map { Tones.level(of: 300 + 50 * Double($0), in: steady) }
    let least = levels.dropFirst().min() ?? 0
    #expect((levels.max() ?? 0) - least < 0.5)
    #expect(levels[0] < least - 80)
  }

  @Test func theToneOfOneTalkerAtFullScaleLosesOneDecibel() {
    let output = limit(sine(997, 32_767, ticks: 40))
    let level = Tones.level(of: 997, in: Array(output[(960 * 10)...]))
    #expect(abs(level - (20 * log10(32_767) - 1)) < 0.1)
  }

  @Test(arguments: 1...8, [1, 2]) func theLimiterDoesWhatItsReferenceDoes(seed: Int, channels: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    var mix: [Int32] = []
    for tick in 0..<75 {
      let isLong = (10..<55).contains(tick)
      // Stretches of a millisecond, so that loud and harmless ones meet everywhere; and a calm long enough for the gain to come back.
      for _ in 0..<20 {
        let top = Int32(1) << Int32.random(in: 4...17, using: &random)
        let isCalm = isLong || Bool.random(using: &random)
        mix += (0..<(48 * channels)).map { _ in
          isCalm ? Int32.random(in: -9...9, using: &random) * 1_500 : Int32.random(in: -top...top, using: &random)
        }
      }
    }
    let output = limit(mix, channels: channels)
    let isEqual = output == ReferenceLimiter.limit(mix, channels: channels)
    #expect(isEqual)
  }

  @Test func theSameInputGivesTheSameOutputAlsoAfterAReset() {
    let mix = sine(300, 90_000, ticks: 10)
    var limiter = Limiter(channelCount: 1)
    var rounds: [[Int16]] = [[], []]
    for round in 0..<2 {
      for start in stride(from: 0, to: mix.count, by: 960) {
        let tick = Array(mix[start..<(start + 960)])
        var samples = [Int16](repeating: 0, count: 960)
        var room = samples.mutableSpan
        limiter.process(tick.span, into: &room)
        rounds[round] += samples
      }
      limiter.reset()
    }
    let isEqual = rounds[0] == rounds[1]
    #expect(isEqual)
    let isTransparent = limiter.isTransparent
    #expect(isTransparent)
  }

  @Test(arguments: [1, 2]) func aLimiterThatResumesFromAnotherGoesOnAsThatWould(channels: Int) {
    let mix = sine(310, 200_000, ticks: 8).flatMap { [Int32](repeating: $0, count: channels) }
    var first = Limiter(channelCount: channels)
    var second = Limiter(channelCount: channels)
    var (a, b) = ([Int16](repeating: 0, count: 960 * channels), [Int16](repeating: 0, count: 960 * channels))
    for index in 0..<8 {
      let tick = Array(mix[(960 * channels * index)..<(960 * channels * (index + 1))])
      var room = a.mutableSpan
      first.process(tick.span, into: &room)
      var other = b.mutableSpan
      if index > 4 {
        second.process(tick.span, into: &other)
        let isEqual = a == b
        #expect(isEqual)
      } else {
        // Something else until then, so that there is something to be replaced.
        second.process([Int32](repeating: 50_000, count: tick.count).span, into: &other)
        let count = index == 4 ? allocations { second.resume(from: first) } : 0
        #expect(count == 0)
      }
    }
  }

  @Test func aTickOfLessThanTwentyMillisecondsIsLimitedToo() {
    let mix = sine(440, 120_000, ticks: 10)
    var limiter = Limiter(channelCount: 1)
    var output: [Int16] = []
    for start in stride(from: 0, to: mix.count, by: 120) {
      let tick = Array(mix[start..<(start + 120)])
      var samples = [Int16](repeating: 0, count: 120)
      var room = samples.mutableSpan
      limiter.process(tick.span, into: &room)
      output += samples
    }
    let isEqual = output == limit(mix)
    #expect(isEqual)
  }
}

/// The same limiter in the plainest way: everything interpolated, nothing left out.
private enum ReferenceLimiter {
  static func limit(_ mix: [Int32], channels: Int) -> [Int16] {
    let frames = mix.count / channels
    let unity: Int64 = 1 << 30
    let wanted = (0..<frames).map { frame -> Int64 in
      let peak = (0..<channels).map { magnitude(mix, frame, $0, channels) }.max() ?? 0
      return peak > Limiter.ceiling ? Int64(Double(Limiter.ceiling) * Double(unity) / Double(peak)) : unity
    }
    var lowest = 0
    var (envelope, envelopes) = (unity, [Int64](repeating: unity, count: 91))
    var output = [Int16](repeating: 0, count: mix.count)
    for frame in 0..<frames {
      if lowest <= frame - 4_800 { lowest = (frame - 4_799..<frame).min { wanted[$0] < wanted[$1] } ?? frame }
      if wanted[frame] <= wanted[lowest] { lowest = frame }
      let least = wanted[lowest]
      envelope = min(least, unity, envelope + envelope >> 14 + 1)
      envelopes.append(envelope)
      let gain = envelopes.suffix(91).reduce(0, +) / 91
      guard frame >= Limiter.lookahead else { continue }
      for channel in 0..<channels {
        let sample = Int64(mix[(frame - Limiter.lookahead) * channels + channel])
        output[frame * channels + channel] = Int16(clamping: (sample * gain + unity / 2) >> 30)
      }
    }
    return output
  }

  private static func magnitude(_ mix: [Int32], _ frame: Int, _ channel: Int, _ channels: Int) -> Float {
    let samples = (0..<12).map { tap in frame >= tap ? Float(mix[(frame - tap) * channels + channel]) : 0 }
    let phases = TruePeakTests.phases.map { phase in zip(phase, samples).reduce(Float(0)) { $0 + $1.0 * $1.1 } }
    return max(abs(samples[0]), phases.map(abs).max() ?? 0)
  }
}
