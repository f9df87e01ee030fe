import AudioMixing
import Glibc
import TestSupport
import Testing

@Suite struct LoudnessTests {
  /// A sine of some loudness in dB of full scale, tick by tick.
  private func sine(_ hertz: Double, decibels: Double, ticks: Int, channels: Int = 1) -> [[Int16]] {
    let amplitude = 32_768 * pow(10, decibels / 20)
    return (0..<ticks).map { tick in
      (0..<(960 * channels)).map { index in
        let time = Double(tick * 960 + index / channels) / 48_000
        return Int16(max(-32_768, min(32_767, (amplitude * sin(2 * .pi * hertz * time)).rounded())))
      }
    }
  }

  private func shortTerm(_ ticks: [[Int16]], channels: Int) -> Double {
    var meter = LoudnessMeter(channelCount: channels)
    for tick in ticks { _ = meter.measure(tick.span) }
    return meter.shortTerm ?? -.infinity
  }

  @Test(arguments: [-23.0, -33]) func aStereoToneReadsWhatEBUTech3341Says(decibels: Double) {
    // Minimum requirements, test signals 1 and 2.
    let loudness = shortTerm(sine(1_000, decibels: decibels, ticks: 200, channels: 2), channels: 2)
    #expect(abs(loudness - decibels) < 0.1)
  }

  @Test func aToneOnOneSideOnlyReadsThreeDecibelsLess() {
    let ticks = sine(997, decibels: 0, ticks: 150, channels: 2).map { tick in
      tick.enumerated().map { $0.offset % 2 == 0 ? $0.element : 0 }
    }
    // ITU-R BS.1770: a 997 Hz sine at full scale in one channel reads -3.01.
    #expect(abs(shortTerm(ticks, channels: 2) + 3.01) < 0.05)
  }

  @Test func aMonoVoiceReadsAsItIsHeardFromBothSides() {
    let mono = shortTerm(sine(1_000, decibels: -23, ticks: 150), channels: 1)
    #expect(abs(mono + 23) < 0.1)
  }

  @Test(arguments: [25.0, 38, 60, 100, 500, 1_000, 2_000, 4_000, 10_000, 20_000])
  func theWeightingIsThatOfThePublishedCoefficients(hertz: Double) {
    // |H1 H2| from tables 1 and 2 of BS.1770 on the unit circle.
    let turn = 2 * .pi * hertz / 48_000
    func magnitude(_ b: [Double], _ a: [Double]) -> Double {
      func at(_ c: [Double]) -> Double {
        let re = c.enumerated().reduce(0) { $0 + $1.element * cos(turn * Double($1.offset)) }
        let im = c.enumerated().reduce(0) { $0 + $1.element * sin(turn * Double($1.offset)) }
        return (re * re + im * im).squareRoot()
      }
      return at(b) / at(a)
    }
    let shelf = magnitude(
      [1.53512485958697, -2.69169618940638, 1.19839281085285], [1, -1.69065929318241, 0.73248077421585])
    let highPass = magnitude([1, -2, 1], [1, -1.99004745483398, 0.99007225036621])
    let expected = -20 - 0.691 + 20 * log10(shelf * highPass)
    // The first three seconds hold the filter's start; the window has forgotten them.
    #expect(abs(shortTerm(sine(hertz, decibels: -20, ticks: 300), channels: 1) - expected) < 0.05)
  }

  @Test(arguments: [1, 2]) func fourSamplesAtOnceAreWhatOneByOneGives(channels: Int) {
    var random = SeededRandom(seed: 4)
    let ticks = (0..<150).map { _ in (0..<(960 * channels)).map { _ in Int16.random(in: -9_000...9_000, using: &random) } }
    var energy = 0.0
    for channel in 0..<channels {
      var (s, t, u, v) = (0.0, 0.0, 0.0, 0.0)
      for tick in ticks {
        for index in stride(from: channel, to: tick.count, by: channels) {
          let x = Double(tick[index]) / 32_768
          let y = 1.53512485958697 * x + s
          s = -2.69169618940638 * x + 1.69065929318241 * y + t
          t = 1.19839281085285 * x - 0.73248077421585 * y
          let z = y + u
          u = -2 * y + 1.99004745483398 * z + v
          v = y - 0.99007225036621 * z
          energy += z * z * (channels == 1 ? 2 : 1)
        }
      }
    }
    let reference = -0.691 + 10 * log10(energy / Double(150 * 960))
    #expect(abs(shortTerm(ticks, channels: channels) - reference) < 0.001)
  }

  @Test func onlyTheLastThreeSecondsCount() {
    let ticks = sine(1_000, decibels: -10, ticks: 200) + sine(1_000, decibels: -40, ticks: 150)
    #expect(abs(shortTerm(ticks, channels: 1) + 40) < 0.1)
  }

  @Test func quietStretchesDoNotCountAgainstTheWords() {
    var meter = LoudnessMeter(channelCount: 1)
    for tick in sine(1_000, decibels: -20, ticks: 75) + sine(1_000, decibels: -55, ticks: 75) { _ = meter.measure(tick.span) }
    #expect(abs((meter.gated ?? 0) + 20) < 0.1)
    #expect((meter.shortTerm ?? 0) < -22.5)
  }

  @Test func silenceHasNoLoudness() {
    var meter = LoudnessMeter(channelCount: 1)
    let silence = [Int16](repeating: 0, count: 960)
    for _ in 0..<20 { _ = meter.measure(silence.span) }
    #expect(meter.shortTerm == nil && meter.gated == nil)
  }

  @Test(arguments: [-31.0, -20, -12]) func aVoiceComesToTheTargetAndNoQuickerThanAllowed(decibels: Double) {
    var normalizer = LoudnessNormalizer(channelCount: 1)
    var last = 0.0
    for tick in sine(1_000, decibels: decibels, ticks: 750) {
      normalizer.update(tick.span, isVoice: true)
      #expect(abs(normalizer.decibels - last) <= 0.06 + 1e-9, "3 dB a second")
      last = normalizer.decibels
    }
    #expect(abs(decibels + normalizer.decibels + 20) < 0.2)
    #expect(normalizer.gain == Gain(decibels: normalizer.decibels))
  }

  @Test(arguments: [(-45.0, 12.0), (-1, -12)]) func theGainStaysWithinItsRange(decibels: Double, expected: Double) {
    var normalizer = LoudnessNormalizer(channelCount: 1)
    for tick in sine(1_000, decibels: decibels, ticks: 1_500) { normalizer.update(tick.span, isVoice: true) }
    #expect(abs(normalizer.decibels - expected) < 0.1)
  }

  @Test func pausesAndNoiseMoveNothing() {
    var normalizer = LoudnessNormalizer(channelCount: 1)
    for tick in sine(1_000, decibels: -28, ticks: 300) { normalizer.update(tick.span, isVoice: true) }
    let settled = normalizer.decibels
    for tick in sine(300, decibels: -50, ticks: 3_000) {
      #expect(normalizer.update(tick.span, isVoice: false) == normalizer.gain)
    }
    #expect(normalizer.decibels == settled)
    // Neither does what is too quiet to be speech, though the gate takes it for some.
    var noise = LoudnessNormalizer(channelCount: 1)
    for tick in sine(300, decibels: -60, ticks: 1_000) { noise.update(tick.span, isVoice: true) }
    #expect(noise.gain == .unity)
  }

  @Test func speechInterruptedByPausesIsMeasuredAsSpeech() {
    let ticks = sine(1_000, decibels: -30, ticks: 1_000)
    let silence = [Int16](repeating: 0, count: 960)
    var normalizer = LoudnessNormalizer(channelCount: 1)
    for (index, tick) in ticks.enumerated() {
      let isVoice = index % 20 < 12
      normalizer.update(isVoice ? tick.span : silence.span, isVoice: isVoice)
    }
    #expect(abs((normalizer.loudness ?? 0) + 30) < 0.3)
  }

  @Test func nothingIsConcludedFromLessThanFourHundredMilliseconds() {
    var normalizer = LoudnessNormalizer(channelCount: 1)
    for tick in sine(1_000, decibels: -3, ticks: 19) { normalizer.update(tick.span, isVoice: true) }
    #expect(normalizer.loudness == nil && normalizer.gain == .unity)
  }

  @Test func aTickAllocatesNothing() {
    let ticks = sine(1_000, decibels: -30, ticks: 40, channels: 2)
    var normalizer = LoudnessNormalizer(channelCount: 2)
    func run() { for (index, tick) in ticks.enumerated() { normalizer.update(tick.span, isVoice: index % 3 > 0) } }
    run()
    let count = allocations(during: run)
    #expect(count == 0)
  }
}
