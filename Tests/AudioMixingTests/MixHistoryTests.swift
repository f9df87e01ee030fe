import AudioMixing
import TestSupport
import Testing

@Suite struct MixHistoryTests {
  /// Ticks of noise, every third voice at full scale, so that sums are far beyond 16 bits.
  private func voices(_ count: Int, channels: Int, seed: UInt64) -> [[Int32]] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { index in
      let range: ClosedRange<Int16> = index % 3 == 0 ? .min ... .max : -3_000...3_000
      return (0..<(960 * channels)).map { _ in Int32(Int16.random(in: range, using: &random)) }
    }
  }

  private func mix(_ history: borrowing MixHistory, _ tick: Int64, without excluded: UInt64 = 0) -> [Int32] {
    var mix = [Int32](repeating: 1, count: history.sampleCount)
    var room = mix.mutableSpan
    history.mix(of: tick, without: excluded, into: &room)
    return mix
  }

  private func sum(_ voices: [[Int32]], without excluded: UInt64) -> [Int32] {
    var sum = [Int32](repeating: 0, count: voices[0].count)
    for (slot, voice) in voices.enumerated() where excluded >> UInt64(slot) & 1 == 0 {
      for index in sum.indices { sum[index] += voice[index] }
    }
    return sum
  }

  @Test(arguments: [2, 3, 17, 64], [1, 2])
  func aMixWithoutSomeIsTheMixOfTheOthersBitForBit(count: Int, channels: Int) {
    let voices = voices(count, channels: channels, seed: UInt64(count * 10 + channels))
    var history = MixHistory(channelCount: channels)
    history.begin(7)
    for (slot, voice) in voices.enumerated() { history.add(voice.span, slot: slot) }
    for excluded: UInt64 in [0, 1, 1 << UInt64(count - 1), 0x5555_5555_5555_5555, .max] {
      #expect(mix(history, 7, without: excluded) == sum(voices, without: excluded))
    }
  }

  @Test func whatWasSaidWithinAPacketIsKeptInParts() {
    var history = MixHistory(channelCount: 1)
    let ticks = (0..<20).map { voices(3, channels: 1, seed: UInt64($0)) }
    for tick in 100..<120 {
      history.begin(Int64(tick))
      // The second voice is there in every other tick only.
      for (slot, voice) in ticks[tick - 100].enumerated() where slot != 1 || tick % 2 == 0 {
        history.add(voice.span, slot: slot)
      }
      for past in max(100, tick - 6)...tick {
        var expected = ticks[past - 100]
        if past % 2 != 0 { expected[1] = [Int32](repeating: 0, count: 960) }
        #expect(mix(history, Int64(past), without: 0b10) == sum(expected, without: 0b10))
        #expect(mix(history, Int64(past)) == sum(expected, without: 0))
      }
    }
  }

  @Test func ticksLeftOutAndLongGoneAreSilent() {
    var history = MixHistory(channelCount: 1)
    history.begin(1)
    let nine = [Int32](repeating: 9, count: 960)
    history.add(nine.span, slot: 5)
    history.begin(4)
    #expect(mix(history, 1).allSatisfy { $0 == 9 })
    for tick: Int64 in [2, 3, 4, -7, 9, .max, .min] { #expect(mix(history, tick).allSatisfy { $0 == 0 }) }
  }

  @Test func manyAtFullScaleDoNotWrap() {
    var history = MixHistory(channelCount: 1)
    history.begin(0)
    let loud = [Int32](repeating: -32_768, count: 960)
    for slot in 0..<64 { history.add(loud.span, slot: slot) }
    #expect(mix(history, 0).allSatisfy { $0 == -2_097_152 })
  }

  @Test func aTickAllocatesNothing() {
    let voices = voices(3, channels: 2, seed: 1)
    var history = MixHistory(channelCount: 2)
    var mix = [Int32](repeating: 0, count: 1_920)
    var output = [Int16](repeating: 0, count: 1_920)
    var limiter = Limiter(channelCount: 2)
    var tick: Int64 = 0
    func run() {
      tick += 1
      history.begin(tick)
      for slot in voices.indices {
        let voice = voices[slot]
        history.add(voice.span, slot: slot)
      }
      var room = mix.mutableSpan
      history.mix(of: tick, without: 0b1, into: &room)
      var samples = output.mutableSpan
      limiter.process(mix.span, into: &samples)
      _ = LevelMeter.level(of: output.span)
    }
    run()
    let count = allocations { for _ in 0..<20 { run() } }
    #expect(count == 0)
  }
}
