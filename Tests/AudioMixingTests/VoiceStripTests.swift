import AudioMixing
import Glibc
import TestSupport
import Testing

@Suite struct VoiceStripTests {
  private func render(
    _ strip: inout VoiceStrip, _ samples: [Int16], gain: Gain, pan: Pan = .center
  ) -> [Int32] {
    var contribution = [Int32](repeating: 1, count: 960 * strip.outputChannelCount)
    var room = contribution.mutableSpan
    strip.render(samples.span, gain: gain, pan: pan, into: &room)
    return contribution
  }

  @Test(arguments: [(1, 1), (1, 2), (2, 2)]) func aSettledVoiceInTheMiddleIsBitForBitItself(input: Int, output: Int) {
    var random = SeededRandom(seed: 5)
    let samples = (0..<(960 * input)).map { _ in Int16.random(in: .min ... .max, using: &random) }
    var strip = VoiceStrip(inputChannelCount: input, outputChannelCount: output)
    _ = render(&strip, samples, gain: .unity)
    let settled = render(&strip, samples, gain: .unity)
    let expected = input == output ? samples : samples.flatMap { [$0, $0] }
    let isEqual = settled == expected.map(Int32.init)
    #expect(isEqual)
  }

  @Test func aVoiceComesInOverFiveMillisecondsAndGoesOutOverTen() {
    let samples = [Int16](repeating: 16_000, count: 960)
    var strip = VoiceStrip(inputChannelCount: 1, outputChannelCount: 1)
    let entry = render(&strip, samples, gain: .unity)
    #expect(entry[0] > 0 && entry[0] < 100)
    #expect(zip(entry, entry.dropFirst()).allSatisfy { $0 <= $1 && $1 - $0 < 80 })
    #expect(entry[239] < 16_000 && entry[240...].allSatisfy { $0 == 16_000 })
    #expect(!strip.isSilent)
    let exit = render(&strip, samples, gain: .zero)
    #expect(zip(exit, exit.dropFirst()).allSatisfy { $0 >= $1 && $0 - $1 < 40 })
    #expect(exit[479] > 0 && exit[480...].allSatisfy { $0 == 0 })
    #expect(strip.isSilent)
  }

  @Test func aChangeOfGainGlidesOverTheTick() {
    let samples = [Int16](repeating: -20_000, count: 960)
    var strip = VoiceStrip(inputChannelCount: 1, outputChannelCount: 1)
    _ = render(&strip, samples, gain: .unity)
    let glide = render(&strip, samples, gain: Gain(factor: 0.5))
    #expect(zip(glide, glide.dropFirst()).allSatisfy { $0 <= $1 && $1 - $0 < 15 })
    #expect(abs(glide[480] + 15_000) < 30)
    #expect(render(&strip, samples, gain: Gain(factor: 0.5)).allSatisfy { $0 == -10_000 })
  }

  @Test func neitherEntryNorExitNorGainNorPanClicks() {
    // What a switch at once leaves around 6 kHz, far from the tone, and what is left of it by fading.
    func spill(_ gains: [(Gain, Pan)], isSwitched: Bool = false) -> Double {
      var strip = VoiceStrip(inputChannelCount: 1, outputChannelCount: 2)
      var left: [Int16] = []
      for (tick, (gain, pan)) in gains.enumerated() {
        let samples = Tones.sine(250, amplitude: 12_000, count: 960, from: tick * 960 + 48)
        let contribution =
          isSwitched
          ? samples.flatMap { [Int32($0) * Int32(gain.factor * 8) / 8, 0] } : render(&strip, samples, gain: gain, pan: pan)
        left += stride(from: 0, to: contribution.count, by: 2).map { Int16(clamping: contribution[$0]) }
      }
      return Tones.level(of: 6_000, in: left)
    }
    let center = Pan.center
    let entry: [(Gain, Pan)] = [(.zero, center), (.unity, center), (.unity, center)]
    let exit: [(Gain, Pan)] = [(.unity, center), (.unity, center), (.zero, center), (.zero, center)]
    let gain: [(Gain, Pan)] = [
      (.zero, center), (.unity, center), (Gain(factor: 0.25), center), (.unity, center), (.zero, center),
    ]
    let pan: [(Gain, Pan)] = [(.zero, center), (.unity, Pan(position: -1)), (.unity, Pan(position: 1)), (.zero, center)]
    let click = spill(entry, isSwitched: true)
    for gains in [entry, exit, gain, pan] { #expect(spill(gains) < click - 25) }
  }

  @Test(arguments: [1, 2]) func aMixLessOneIsTheMixOfTheOthersHoweverGainsMove(channels: Int) {
    var random = SeededRandom(seed: 6)
    let count = 64
    var strips = (0..<count).map { _ in VoiceStrip(inputChannelCount: 1, outputChannelCount: channels) }
    for _ in 0..<6 {
      let contributions = strips.indices.map { index in
        let samples = (0..<960).map { _ in Int16.random(in: .min ... .max, using: &random) }
        let gain = Bool.random(using: &random) ? Gain(rawValue: .random(in: 0 ... .max, using: &random)) : .zero
        return render(&strips[index], samples, gain: gain, pan: Pan(position: .random(in: -1...1, using: &random)))
      }
      var history = MixHistory(channelCount: channels)
      history.begin(1)
      for (slot, contribution) in contributions.enumerated() { history.add(contribution.span, slot: slot) }
      for own in [0, 31, 63] {
        var others = MixHistory(channelCount: channels)
        others.begin(1)
        for (slot, contribution) in contributions.enumerated() where slot != own {
          others.add(contribution.span, slot: slot)
        }
        var (a, b) = ([Int32](repeating: 0, count: 960 * channels), [Int32](repeating: 1, count: 960 * channels))
        var roomA = a.mutableSpan
        others.mix(of: 1, without: 0, into: &roomA)
        var roomB = b.mutableSpan
        history.mix(of: 1, without: 1 << UInt64(own), into: &roomB)
        let isEqual = a == b
        #expect(isEqual)
      }
    }
  }

  @Test(arguments: [-1.0, -0.7, -0.3, 0.01, 0.5, 1]) func panningKeepsThePower(position: Double) {
    let pan = Pan(position: position)
    let power = pan.left.factor * pan.left.factor + pan.right.factor * pan.right.factor
    #expect(abs(power - 2) < 0.001)
    let mirrored = Pan(position: -position)
    #expect(mirrored.left == pan.right && mirrored.right == pan.left)
  }

  @Test func theMiddleIsUnityAndTheEndsAreSilentOnTheOtherSide() {
    #expect(Pan.center.left == .unity && Pan.center.right == .unity)
    #expect(Pan(position: -1).right == .zero && Pan(position: 1).left == .zero)
    #expect(Pan(position: -7) == Pan(position: -1) && Pan(position: .nan) == .center)
    #expect(Pan(position: 1).right == Gain(factor: 2.0.squareRoot()))
  }

  @Test func aStereoVoiceKeepsItsImageWhilePanned() {
    let samples = (0..<1_920).map { $0 % 2 == 0 ? Int16(8_000) : -2_000 }
    var strip = VoiceStrip(inputChannelCount: 2, outputChannelCount: 2)
    _ = render(&strip, samples, gain: .unity, pan: Pan(position: -1))
    let panned = render(&strip, samples, gain: .unity, pan: Pan(position: -1))
    #expect(abs(panned[0] - 11_314) <= 1 && panned[1] == 0)
  }

  @Test func gainsMultiply() {
    #expect(Gain.unity * .unity == .unity && Gain(rawValue: 777) * .unity == Gain(rawValue: 777))
    #expect(Gain(factor: 0.5) * Gain(factor: 3) == Gain(factor: 1.5))
    #expect(Gain(rawValue: .max) * Gain(rawValue: .max) == Gain(rawValue: .max))
    #expect(Gain.zero * Gain(rawValue: .max) == .zero)
  }

  @Test func aRaisedVoiceDoesNotClipBeforeTheLimiter() {
    let samples = [Int16](repeating: .min, count: 960)
    var strip = VoiceStrip(inputChannelCount: 1, outputChannelCount: 1)
    _ = render(&strip, samples, gain: Gain(rawValue: .max))
    #expect(render(&strip, samples, gain: Gain(rawValue: .max)).allSatisfy { $0 == -131_070 })
  }

  @Test func aTickAllocatesNothing() {
    let samples = [Int16](repeating: 9_000, count: 960)
    var strip = VoiceStrip(inputChannelCount: 1, outputChannelCount: 2)
    var contribution = [Int32](repeating: 0, count: 1_920)
    var history = MixHistory(channelCount: 2)
    var mixer = AutoMixer()
    var share = AutoMixer.Share()
    func tick(_ position: Double) {
      mixer.begin()
      mixer.observe(LevelMeter.power(of: samples.span), in: &share)
      var room = contribution.mutableSpan
      strip.render(
        samples.span, gain: mixer.gain(of: share) * Gain(decibels: position), pan: Pan(position: position), into: &room)
      history.begin(Int64(position * 20))
      history.add(contribution.span, slot: 0)
    }
    tick(0)
    let count = allocations { for index in 0..<20 { tick(Double(index) / 20) } }
    #expect(count == 0)
  }

  @Test func gainsAreWhatTheyAreCalled() {
    #expect(Gain(factor: 1) == .unity && Gain(decibels: 0) == .unity)
    #expect(Gain(factor: -3) == .zero && Gain(factor: .nan) == .zero && Gain(decibels: -200) == .zero)
    #expect(Gain(factor: 100).rawValue == 65_535)
    #expect(Gain(factor: 0.5).apply(to: 10_000) == 5_000)
    #expect([Int16.min, -1, 0, 1, .max].allSatisfy { Gain.unity.apply(to: $0) == Int32($0) })
    #expect(abs(Gain(decibels: -6.02).apply(to: 20_000) - 10_000) < 10)
  }
}
