import Codecs
import Glibc
import TestSupport
import Testing

@Suite struct TimeStretcherTests {
  private struct Outcome: Equatable {
    var samples: [Int16]
    var splice: TimeStretcher.Splice
  }

  private func stretch(_ samples: [Int16], channelCount: Int = 1, lags: ClosedRange<Int>, inserting: Bool) -> Outcome? {
    var stretcher = TimeStretcher(channelCount: channelCount)
    let count = samples.count / channelCount
    guard let splice = stretcher.findSplice(in: samples.span, count: count, lags: lags) else { return nil }
    var room = samples + [Int16](repeating: 12_345, count: 720 * channelCount)
    var span = room.mutableSpan
    let after =
      inserting
      ? stretcher.insert(splice, into: &span, count: count) : stretcher.remove(splice, from: &span, count: count)
    return Outcome(samples: Array(room.prefix(after * channelCount)), splice: splice)
  }

  /// The steepest step from one sample to the next.
  private func steepest(_ samples: [Int16]) -> Int {
    zip(samples, samples.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
  }

  @Test(arguments: [70.0, 110, 220, 397, 1_000, 3_150], [false, true])
  func aToneKeepsItsPitchAndDoesNotClick(hertz: Double, inserting: Bool) throws {
    let sent = Tone.sine(hertz, count: 1_680)
    let outcome = try #require(stretch(sent, lags: 120...720, inserting: inserting))
    let splice = outcome.splice
    #expect(outcome.samples.count == 1_680 + (inserting ? splice.lag : -splice.lag))
    #expect(splice.similarity > 0.99)
    #expect(steepest(outcome.samples) <= steepest(sent) * 11 / 10 + 2)
    // The lag is whole periods, within the half sample that it is rounded by.
    let periods = Double(splice.lag) * hertz / 48_000
    #expect(abs(periods - periods.rounded()) < max(0.04, 0.6 * hertz / 48_000))
    let (tone, rest) = Tone.analyze(outcome.samples, hertz: hertz)
    if outcome.samples.count > 900 { #expect(Tone.decibels(tone / rest) > 14) }
  }

  @Test(arguments: [false, true]) func whatLiesOutsideTheSpliceIsUntouched(inserting: Bool) throws {
    let sent = Tone.voice(count: 1_440, seed: 3)
    let outcome = try #require(stretch(sent, lags: 120...720, inserting: inserting))
    let splice = outcome.splice
    let before = splice.position + (inserting ? splice.lag : 0)
    #expect(Array(outcome.samples.prefix(before)) == Array(sent.prefix(before)))
    let after = sent.count - splice.position - splice.fade - (inserting ? 0 : splice.lag)
    #expect(Array(outcome.samples.suffix(after)) == Array(sent.suffix(after)))
  }

  @Test(arguments: [100.0, 130, 180, 260]) func ofAVoiceWholePitchPeriodsAreTaken(hertz: Double) throws {
    for start in stride(from: 0, to: 9_600, by: 480) {
      let sent = (start..<start + 1_440).map { index -> Int16 in
        let phase = 2 * .pi * hertz * Double(index) / 48_000
        return Int16(4_000 * (1...12).reduce(0) { $0 + sin(phase * Double($1)) / Double($1) })
      }
      let splice = try #require(stretch(sent, lags: 120...720, inserting: false)).splice
      let periods = Double(splice.lag) * hertz / 48_000
      #expect(abs(periods - periods.rounded()) < 0.01)
      #expect(splice.similarity > 0.995)
    }
  }

  @Test(arguments: 1...10) func theSameSamplesAreStretchedTheSame(seed: UInt64) {
    let sent = Tone.voice(count: 1_920, seed: seed)
    #expect(stretch(sent, lags: 120...480, inserting: false) == stretch(sent, lags: 120...480, inserting: false))
    #expect(stretch(sent, lags: 120...480, inserting: true) == stretch(sent, lags: 120...480, inserting: true))
  }

  @Test func stereoChannelsStayTogether() throws {
    let mono = Tone.voice(count: 1_440)
    let stereo = mono.flatMap { [$0, -($0 / 2)] }
    for inserting in [false, true] {
      let outcome = try #require(stretch(stereo, channelCount: 2, lags: 120...720, inserting: inserting))
      let left = stride(from: 0, to: outcome.samples.count, by: 2).map { Int(outcome.samples[$0]) }
      let right = stride(from: 1, to: outcome.samples.count, by: 2).map { Int(outcome.samples[$0]) }
      #expect(left.count == 1_440 + (inserting ? outcome.splice.lag : -outcome.splice.lag))
      #expect(zip(left, right).allSatisfy { abs($0 / 2 + $1) <= 2 })
    }
  }

  @Test func inSilenceTheLengthIsTheLongestAskedFor() throws {
    var random = SeededRandom(seed: 5)
    let sent = (0..<1_440).map { _ in Int16.random(in: -40...40, using: &random) }
    let splice = try #require(stretch(sent, lags: 120...333, inserting: false)).splice
    #expect(splice.isQuiet)
    #expect(splice.lag == 333)
  }

  @Test func noiseKeepsItsLoudness() throws {
    var random = SeededRandom(seed: 6)
    let sent = (0..<1_440).map { _ in Int16.random(in: -8_000...8_000, using: &random) }
    let outcome = try #require(stretch(sent, lags: 120...720, inserting: true))
    let middle = outcome.samples[(outcome.splice.position + outcome.splice.lag)...].prefix(outcome.splice.fade)
    let power = middle.reduce(0) { $0 + Double($1) * Double($1) } / Double(middle.count)
    #expect(abs(Tone.decibels(power / (64e6 / 3))) < 1.5)
  }

  @Test func tooFewSamplesAreLeftAlone() {
    for count in 0..<360 { #expect(stretch(Tone.sine(200, count: count), lags: 120...720, inserting: false) == nil) }
    for count in 360..<500 {
      let sent = Tone.sine(200, count: count)
      #expect(stretch(sent, lags: 120...120, inserting: false)?.samples.count == count - 120)
      #expect(stretch(sent, lags: 120...120, inserting: true)?.samples.count == count + 120)
    }
    #expect(stretch(Tone.sine(200, count: 960), lags: 1...100, inserting: false) == nil)
  }

  @Test func extremeSamplesNeitherTrapNorWrap() throws {
    for pattern in [[Int16.min], [Int16.max], [Int16.min, Int16.max], [Int16.min, 0, Int16.max, 1]] {
      let sent = (0..<2_880).map { pattern[$0 % pattern.count] }
      let outcome = try #require(stretch(sent, lags: 120...720, inserting: true))
      #expect(Set(outcome.samples).isSubset(of: Set(pattern)))
    }
  }

  @Test func stretchingAllocatesNothing() {
    var samples = Tone.voice(count: 3_840)
    var stretcher = TimeStretcher(channelCount: 2)
    func run() {
      guard let splice = stretcher.findSplice(in: samples.span, count: 1_200, lags: 120...480) else { return }
      var span = samples.mutableSpan
      let count = stretcher.insert(splice, into: &span, count: 1_200)
      _ = stretcher.remove(splice, from: &span, count: count)
    }
    run()
    let count = allocations { for _ in 0..<20 { run() } }
    #expect(count == 0)
  }
}
