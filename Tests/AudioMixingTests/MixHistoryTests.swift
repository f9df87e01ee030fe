import AudioMixing
import TestSupport
import Testing

/// One participant's tick, as it is added to a bus.
private struct Voice {
  var samples: [Int16]
  var gain: Gain
}

@Suite struct MixBusTests {
  private func voices(_ count: Int, channels: Int, seed: UInt64) -> [Voice] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { index in
      // Every third at full scale, so that sums are far beyond 16 bits.
      let range: ClosedRange<Int16> = index % 3 == 0 ? .min ... .max : -3_000...3_000
      return Voice(
        samples: (0..<(960 * channels)).map { _ in Int16.random(in: range, using: &random) },
        gain: index % 4 == 0 ? .unity : Gain(rawValue: UInt16.random(in: 0 ... .max, using: &random)))
    }
  }

  private func sum(_ voices: [Voice], channels: Int, without own: Int? = nil) -> [Int32] {
    var bus = MixBus(channelCount: channels)
    for (index, voice) in voices.enumerated() where index != own { bus.add(voice.samples.span, gain: voice.gain) }
    var mix = [Int32](repeating: 1, count: 960 * channels)
    var room = mix.mutableSpan
    bus.copy(into: &room)
    return mix
  }

  @Test(arguments: [2, 3, 17, 300], [1, 2])
  func aMixLessOneIsTheMixOfTheOthersBitForBit(count: Int, channels: Int) {
    let voices = voices(count, channels: channels, seed: UInt64(count * 10 + channels))
    var bus = MixBus(channelCount: channels)
    for voice in voices { bus.add(voice.samples.span, gain: voice.gain) }
    for own in Set([0, 1, count / 2, count - 1]) {
      var mix = [Int32](repeating: 1, count: 960 * channels)
      var room = mix.mutableSpan
      let voice = voices[own]
      bus.minusOne(voice.samples.span, gain: voice.gain, into: &room)
      #expect(mix == sum(voices, channels: channels, without: own))
    }
  }

  @Test func monoIntoStereoIsTakenOutExactly() {
    let voices = voices(5, channels: 1, seed: 9)
    let (left, right) = (Gain(factor: 0.3), Gain(factor: 1.7))
    var all = MixBus(channelCount: 2)
    var others = MixBus(channelCount: 2)
    for (index, voice) in voices.enumerated() {
      all.add(mono: voice.samples.span, left: left, right: right)
      if index > 0 { others.add(mono: voice.samples.span, left: left, right: right) }
    }
    var (a, b) = ([Int32](repeating: 0, count: 1_920), [Int32](repeating: 0, count: 1_920))
    var roomA = a.mutableSpan
    let own = voices[0].samples
    all.minusOne(mono: own.span, left: left, right: right, into: &roomA)
    var roomB = b.mutableSpan
    others.copy(into: &roomB)
    #expect(a == b)
  }

  @Test func theSumOfManyAtFullScaleDoesNotWrap() {
    let loud = Voice(samples: [Int16](repeating: .min, count: 960), gain: Gain(rawValue: .max))
    let mix = sum([Voice](repeating: loud, count: 1_000), channels: 1)
    #expect(mix.allSatisfy { $0 == -131_070_000 })
  }

  @Test func aClearedBusIsSilent() {
    var bus = MixBus(channelCount: 1)
    bus.add([Int16](repeating: 7, count: 960).span)
    bus.clear()
    var mix = [Int32](repeating: 1, count: 960)
    var room = mix.mutableSpan
    bus.copy(into: &room)
    #expect(mix.allSatisfy { $0 == 0 })
  }

  @Test func aTickAllocatesNothing() {
    let voices = voices(3, channels: 2, seed: 1)
    var bus = MixBus(channelCount: 2)
    var mix = [Int32](repeating: 0, count: 1_920)
    var output = [Int16](repeating: 0, count: 1_920)
    var limiter = Limiter(channelCount: 2)
    func tick() {
      bus.clear()
      for voice in voices { bus.add(voice.samples.span, gain: voice.gain) }
      var room = mix.mutableSpan
      let own = voices[0]
      bus.minusOne(own.samples.span, gain: own.gain, into: &room)
      var samples = output.mutableSpan
      limiter.process(mix.span, into: &samples)
      _ = LevelMeter.level(of: output.span)
    }
    tick()
    let count = allocations { for _ in 0..<20 { tick() } }
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
