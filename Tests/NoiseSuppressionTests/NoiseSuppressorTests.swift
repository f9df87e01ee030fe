import Glibc
import NoiseSuppression
import TestSupport
import Testing

@Suite struct NoiseSuppressorTests {
  /// Steady noise, and over it every other 300 ms a voice of twelve harmonics with a moving pitch.
  private func noisyVoice(ticks: Int) -> [Int16] {
    var random = SeededRandom(seed: 11)
    var phase = 0.0
    return (0..<(ticks * 960)).map { index in
      let time = Double(index) / 48_000
      phase += 2 * .pi * (130 + 15 * sin(2 * .pi * 3 * time)) / 48_000
      let noise = Double.random(in: -150...150, using: &random)
      guard isVoice(tick: index / 960) else { return Int16(noise) }
      return Int16(noise + (1...12).reduce(0) { $0 + 4_000 * sin(phase * Double($1)) / Double($1) })
    }
  }

  private func isVoice(tick: Int) -> Bool { tick / 15 % 2 == 1 }

  private func suppress(_ input: [Int16], decibels: Int) throws -> [Int16] {
    let suppressor = try #require(NoiseSuppressor(decibels: decibels))
    var output = input
    for start in stride(from: 0, to: input.count, by: 960) {
      var room = output.mutableSpan
      var tick = room._mutatingExtracting(start..<(start + 960))
      suppressor.process(&tick)
    }
    return output
  }

  /// The power in the middle of each 300 ms of voice, or of noise, from the third second on.
  private func power(_ samples: [Int16], voice: Bool) -> Double {
    var sum = 0.0
    for tick in 150..<(samples.count / 960) where isVoice(tick: tick) == voice && (4..<13).contains(tick % 15) {
      for sample in samples[(tick * 960)..<(tick * 960 + 960)] { sum += Double(sample) * Double(sample) }
    }
    return 10 * log10(max(sum, 1))
  }

  @Test func noiseIsLoweredAndTheVoiceIsNot() throws {
    let input = noisyVoice(ticks: 400)
    let output = try suppress(input, decibels: 15)
    #expect(power(output, voice: false) < power(input, voice: false) - 8)
    #expect(abs(power(output, voice: true) - power(input, voice: true)) < 1)
  }

  @Test func theOutputLagsByTheDelayItNames() throws {
    let input = noisyVoice(ticks: 100)
    let output = try suppress(input, decibels: 0)
    func likeness(_ lag: Int) -> Double {
      (48_000..<72_000).reduce(0) { $0 + Double(output[$1]) * Double(input[$1 - lag]) }
    }
    let best = (0...1_000).max { likeness($0) < likeness($1) }
    #expect(best == NoiseSuppressor.delaySamples)
  }

  @Test func silenceStaysSilentAndExtremesDoNotTrap() throws {
    #expect(try suppress([Int16](repeating: 0, count: 9_600), decibels: 99).allSatisfy { $0 == 0 })
    let square = (0..<48_000).map { $0 / 50 % 2 == 0 ? Int16.max : .min }
    #expect(try suppress(square, decibels: -7).count == square.count)
  }

  @Test func theSameInputGivesTheSameOutput() throws {
    let input = noisyVoice(ticks: 50)
    let isEqual = try suppress(input, decibels: 15) == suppress(input, decibels: 15)
    #expect(isEqual)
  }

  @Test func aTickAllocatesNothing() throws {
    let suppressor = try #require(NoiseSuppressor())
    var samples = noisyVoice(ticks: 1)
    let count = allocations {
      for _ in 0..<20 {
        var room = samples.mutableSpan
        suppressor.process(&room)
      }
    }
    #expect(count == 0)
  }
}
