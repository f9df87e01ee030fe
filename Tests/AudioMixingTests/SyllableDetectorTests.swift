import AudioMixing
import TestSupport
import Testing
import Timing

@Suite struct SyllableDetectorTests {
  /// Ticks on which a sound counts as speech.
  private func voiced(_ levels: [UInt8]) -> [Bool] {
    var detector = SyllableDetector()
    return levels.enumerated().map { detector.update(level: $1, at: .zero + .milliseconds(Int64($0 * 20))) }
  }

  @Test func aToneOutOfSilenceIsNoSpeech() {
    let levels = [UInt8](repeating: 127, count: 20) + [45] + [UInt8](repeating: 20, count: 500)
    #expect(!voiced(levels).contains(true))
  }

  @Test func steadyNoiseIsNoSpeech() {
    var random = SeededRandom(seed: 1)
    #expect(!voiced((0..<2_000).map { _ in UInt8.random(in: 38...42, using: &random) }).contains(true))
  }

  @Test func aHoleNowAndThenInASteadySoundIsNoSpeech() {
    #expect(!voiced((0..<2_000).map { $0 % 50 == 0 ? UInt8(90) : UInt8(20) }).contains(true))
  }

  @Test func fallingAndRisingIsSpeechUntilSomeTimeAfter() {
    // Four syllables a second.
    let words = (0..<100).map { $0 % 12 < 8 ? UInt8(25) : UInt8(45) }
    let result = voiced(words + [UInt8](repeating: 25, count: 150))
    #expect(result[60..<100].allSatisfy { $0 } && result.prefix(30).allSatisfy { !$0 })
    #expect(result.suffix(30).allSatisfy { !$0 })
  }
}
