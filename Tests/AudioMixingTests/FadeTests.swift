import AudioMixing
import Testing

@Suite struct FadeTests {
  @Test func aMuteFadesOutOverTenMilliseconds() {
    var ramp = GainRamp()
    ramp.target = .zero
    var samples = [Int16](repeating: 16_000, count: 960)
    var room = samples.mutableSpan
    ramp.apply(to: &room, channelCount: 1)
    #expect(samples[0] > 15_900)
    #expect(zip(samples, samples.dropFirst()).allSatisfy { $0 >= $1 && $0 - $1 < 60 })
    #expect(samples[480...].allSatisfy { $0 == 0 })
    #expect(ramp.isSilent)
  }

  @Test func anUnchangedUnityGainLeavesSamplesAlone() {
    var ramp = GainRamp()
    var samples = (0..<960).map { Int16($0) }
    var room = samples.mutableSpan
    ramp.apply(to: &room, channelCount: 1)
    #expect(samples == (0..<960).map { Int16($0) })
  }

  @Test func aRampEndsAtUnityExactly() {
    var ramp = GainRamp(.zero)
    ramp.target = .unity
    var samples = [Int16](repeating: -20_000, count: 1_920)
    var room = samples.mutableSpan
    ramp.apply(to: &room, channelCount: 2)
    #expect(samples[0] == samples[1] && samples[0] > -100)
    #expect(samples[960...].allSatisfy { $0 == -20_000 })
  }

  @Test func aCrossfadeGoesFromOneToTheOther() {
    let old = [Int32](repeating: 100_000, count: 960)
    var new = [Int32](repeating: -100_000, count: 960)
    var room = new.mutableSpan
    Fade.cross(from: old.span, into: &room, channelCount: 1, fadeSamples: 240)
    #expect(new[0] > 99_000 && new[239] < -99_000)
    #expect(zip(new, new.dropFirst()).allSatisfy { $0 >= $1 && $0 - $1 < 900 })
    #expect(new[240...].allSatisfy { $0 == -100_000 })
  }

  @Test func fadingBetweenEqualSignalsChangesNothing() {
    let signal = (0..<960).map { Int32($0 * 301 % 70_001) }
    var faded = signal
    var room = faded.mutableSpan
    Fade.cross(from: signal.span, into: &room, channelCount: 2, fadeSamples: 300)
    #expect(faded == signal)
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
