import AudioMixing
import Glibc
import RawMedia
import TestSupport
import Testing

@Suite struct BandwidthDetectorTests {
  /// Ticks of harmonics up to a frequency, at an amplitude.
  private func run(_ detector: inout BandwidthDetector, highest: Double, amplitude: Double, ticks: Range<Int>) {
    for tick in ticks {
      let samples = (0..<AudioFormat.samplesPerTick).map { index -> Int16 in
        let time = Double(tick * AudioFormat.samplesPerTick + index) / Double(AudioFormat.sampleRate)
        var sum = 0.0
        var frequency = 230.0
        while frequency < highest {
          sum += sin(2 * .pi * frequency * time) * 300 / frequency
          frequency += 460
        }
        return Int16(sum * amplitude * 20_000)
      }
      detector.observe(samples.span, power: LevelMeter.power(of: samples.span))
    }
  }

  @Test(arguments: [3_400.0, 7_600]) func soundOfATelephoneIsFoundToBeNarrow(highest: Double) {
    var detector = BandwidthDetector(channelCount: 1)
    let found1 = detector.isFullBand
    #expect(found1)
    run(&detector, highest: highest, amplitude: 0.3, ticks: 0..<100)
    let found2 = detector.isFullBand
    #expect(found2)
    run(&detector, highest: highest, amplitude: 0.3, ticks: 100..<200)
    let found3 = detector.isFullBand
    #expect(!found3)
  }

  @Test func highFrequenciesShowInTheFirstTick() {
    var detector = BandwidthDetector(channelCount: 1)
    run(&detector, highest: 7_600, amplitude: 0.3, ticks: 0..<200)
    let found4 = detector.isFullBand
    #expect(!found4)
    run(&detector, highest: 14_000, amplitude: 0.03, ticks: 200..<201)
    let found5 = detector.isFullBand
    #expect(found5)
  }

  @Test func silenceAndAQuietRoomSayNothing() {
    var detector = BandwidthDetector(channelCount: 1)
    run(&detector, highest: 7_600, amplitude: 0, ticks: 0..<500)
    run(&detector, highest: 7_600, amplitude: 0.0002, ticks: 0..<500)
    let found6 = detector.isFullBand
    #expect(found6)
    run(&detector, highest: 7_600, amplitude: 0.3, ticks: 0..<200)
    run(&detector, highest: 14_000, amplitude: 0.0002, ticks: 0..<100)
    let found7 = detector.isFullBand
    #expect(!found7)
  }

  @Test func bothChannelsCount() {
    var detector = BandwidthDetector(channelCount: 2)
    for tick in 0..<200 {
      let samples = (0..<AudioFormat.samplesPerTick).flatMap { index -> [Int16] in
        let time = Double(tick * AudioFormat.samplesPerTick + index) / Double(AudioFormat.sampleRate)
        return [Int16(8_000 * sin(2 * .pi * 500 * time)), Int16(2_000 * sin(2 * .pi * 12_000 * time))]
      }
      detector.observe(samples.span, power: LevelMeter.power(of: samples.span))
    }
    let found8 = detector.isFullBand
    #expect(found8)
  }
}
