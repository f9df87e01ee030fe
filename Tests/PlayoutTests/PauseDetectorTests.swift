import Playout
import TestSupport
import Testing
import Timing

@Suite struct PauseDetectorTests {
  /// When, in milliseconds, levels given every 20 ms make a pause.
  private func pauses(_ levels: [UInt8]) -> [Int] {
    var detector = PauseDetector()
    return levels.indices.filter { detector.isPause(level: levels[$0], at: .zero + .milliseconds(20) * Int64($0)) }.map {
      $0 * 20
    }
  }

  @Test func aPauseHasBeenQuietForAFifthOfASecond() {
    let levels = [UInt8](repeating: 20, count: 50) + [UInt8](repeating: 45, count: 20) + [UInt8](repeating: 22, count: 10)
    #expect(pauses(levels) == Array(stride(from: 1_200, to: 1_400, by: 20)))
  }

  @Test func theClosureOfAConsonantIsNoPause() {
    let levels = (0..<200).map { UInt8($0 % 20 < 12 ? 20 : 53) }
    #expect(pauses(levels).isEmpty)
  }

  @Test func aWeakVoiceHasPausesInItsOwnNoise() {
    let levels = (0..<200).map { UInt8($0 % 40 < 20 ? 38 : 59) }
    #expect(!pauses(levels).isEmpty)
  }

  @Test func aSteadyToneNeverPausesAndSilenceAlwaysDoes() {
    #expect(pauses([UInt8](repeating: 25, count: 2_000)).isEmpty)
    #expect(pauses([UInt8](repeating: 127, count: 100)).count == 90)
  }
}
