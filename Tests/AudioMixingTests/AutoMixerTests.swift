import AudioMixing
import Glibc
import Testing

@Suite struct AutoMixerTests {
  /// The gains of voices of these levels, in dB of full scale, after so many ticks; nil stands for digital silence.
  private func gains(_ levels: [Double?], ticks: Int = 50) -> [Double] {
    var mixer = AutoMixer()
    var shares = [AutoMixer.Share](repeating: .init(), count: levels.count)
    for _ in 0..<ticks { observe(levels, &mixer, &shares) }
    return shares.map { 20 * log10(mixer.gain(of: $0).factor) }
  }

  private func observe(_ levels: [Double?], _ mixer: inout AutoMixer, _ shares: inout [AutoMixer.Share]) {
    mixer.begin()
    for (index, level) in levels.enumerated() { mixer.observe(level.map { pow(10, $0 / 10) } ?? 0, in: &shares[index]) }
  }

  @Test(arguments: [-3.0, -20, -60, -110]) func whoIsAloneKeepsAllOfHisGain(level: Double) {
    #expect(gains([level]) == [0])
    #expect(gains([nil]) == [0])
  }

  @Test func twoAlikeHaveThreeDecibelsLessEach() {
    #expect(gains([-20, -20]).allSatisfy { abs($0 + 3.01) < 0.01 })
  }

  @Test(arguments: [2, 3, 4, 8, 16, 32, 64]) func openMicrophonesAddUpToOne(count: Int) {
    let gains = gains([Double?](repeating: -55, count: count))
    #expect(gains.allSatisfy { abs($0 + 10 * log10(Double(count))) < 0.05 })
    #expect(self.gains([Double?](repeating: nil, count: count)).allSatisfy { abs($0 + 10 * log10(Double(count))) < 0.05 })
  }

  @Test func aTalkerIsLeftAloneAndTheOthersMakeRoom() {
    let gains = gains([-20, -60, -60, nil])
    #expect(gains[0] > -0.01)
    #expect(gains.dropFirst().allSatisfy { abs($0 + 18.06) < 0.01 })
  }

  @Test func theSumIsNeverLouderThanOneMicrophone() {
    // One talker and 63 open microphones: their noise together is that of one.
    let gains = gains([-20] + [Double?](repeating: -50, count: 63))
    let noise = gains.dropFirst().reduce(0) { $0 + pow(10, (-50 + $1) / 10) }
    #expect(10 * log10(noise) < -50 + 0.1)
  }

  @Test func whoBeginsIsHeardAtOnceAndWhoStopsMakesRoomSlowly() {
    var mixer = AutoMixer()
    var shares = [AutoMixer.Share](repeating: .init(), count: 2)
    for _ in 0..<50 { observe([-20, -70], &mixer, &shares) }
    observe([-20, -20], &mixer, &shares)
    #expect(abs(20 * log10(mixer.gain(of: shares[1]).factor) + 3) < 0.1, "in the very tick he is loud")
    var last = mixer.gain(of: shares[0]).factor
    for _ in 0..<50 {
      observe([-70, -20], &mixer, &shares)
      let gain = mixer.gain(of: shares[0]).factor
      #expect(gain <= last && last - gain < 0.05)
      last = gain
    }
    #expect(last == 0.125)
  }

  @Test func whatIsNoPowerCountsAsNone() {
    var mixer = AutoMixer()
    var shares = [AutoMixer.Share](repeating: .init(), count: 4)
    mixer.begin()
    for (index, power) in [Double.nan, .infinity, -1, 0.01].enumerated() { mixer.observe(power, in: &shares[index]) }
    #expect(mixer.gain(of: shares[3]) > Gain(factor: 0.99))
    #expect(shares.prefix(3).allSatisfy { mixer.gain(of: $0) == Gain(factor: 0.125) })
  }
}
