import Codecs
import Conference
import EncodedMedia
import Glibc
import Playout
import RawMedia
import TestSupport
import Testing
import Timing

/// A tone from an encoder over a bad network through buffer and decoder.
@Suite struct ReceivingTests {
  private static let hertz = 400.0

  private func sentFrames(_ count: Int) throws -> [EncodedFrame] {
    let encoder = try OpusEncoder(
      channelCount: 1, settings: .init(bitsPerSecond: 32_000, hasFEC: true, expectedLossPercent: 10))
    return try (0..<count).map { index in
      let samples = (0..<960).map { Int16(8_000 * sin(2 * .pi * Self.hertz * Double(index * 960 + $0) / 48_000)) }
      var bytes: [UInt8] = []
      _ = try encoder.encode(samples.span, into: &bytes)
      return EncodedFrame(
        codec: .opus, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(UInt32(index * 960)), sequence: Int64(index),
        time: .zero + .milliseconds(20) * Int64(index), audioLevel: 15)
    }
  }

  /// What is heard, tick by tick, of frames that come as `fate` says, nil being loss; and in which ticks something was made up, and
  /// that without the frame after it.
  private func listen(
    to frames: [EncodedFrame], fate: (Int) -> Interval?
  ) throws -> (heard: [Int16], concealedTicks: [Int], blindTicks: [Int], statistics: PlayoutStatistics) {
    var arriving = frames.enumerated().compactMap { index, frame -> EncodedFrame? in
      guard let delay = fate(index) else { return nil }
      var frame = frame
      frame.time = frame.time + delay
      return frame
    }.sorted { $0.time < $1.time }[...]
    var buffer = PlayoutBuffer()
    var receiver = try OpusReceiver(channelCount: 1)
    var heard: [Int16] = []
    var concealedTicks: [Int] = []
    var blindTicks: [Int] = []
    var steps: [PlayoutStep] = []
    for tick in 0..<frames.count {
      let now = Instant.zero + .milliseconds(20 * Int64(tick) + 3)
      while let frame = arriving.first, frame.time <= now { buffer.insert(arriving.removeFirst()) }
      steps.removeAll(keepingCapacity: true)
      buffer.pull(at: now, into: &steps)
      for step in steps { receiver.carryOut(step) }
      let isConcealed = steps.contains { step in
        switch step {
        case .conceal: true
        case .play, .accelerate, .catchUp, .expand, .skip, .silence: false
        }
      }
      if isConcealed { concealedTicks.append(tick) }
      let isBlind = steps.contains { step in
        if case .conceal(_, nil) = step { true } else { false }
      }
      if isBlind { blindTicks.append(tick) }
      var samples = [Int16](repeating: 0, count: 960)
      var room = samples.mutableSpan
      _ = receiver.take(into: &room)
      heard += samples
    }
    let malformed = receiver.malformedCount
    #expect(malformed == 0)
    return (heard, concealedTicks, blindTicks, buffer.statistics)
  }

  /// Which share of the power is at the tone's frequency, and which ticks are nearly silent.
  private func judge(_ heard: [Int16], fromTick first: Int) -> (share: Double, quietTicks: [Int]) {
    var tone = 0.0
    var total = 0.0
    var quietTicks: [Int] = []
    for tick in first..<(heard.count / 960) {
      var (a, b, power) = (0.0, 0.0, 0.0)
      for offset in 0..<960 {
        let sample = Double(heard[tick * 960 + offset])
        let angle = 2 * .pi * Self.hertz * Double(offset) / 48_000
        a += sample * sin(angle)
        b += sample * cos(angle)
        power += sample * sample
      }
      tone += 2 * (a * a + b * b) / 960
      total += power
      if power / 960 < 1_000_000 { quietTicks.append(tick) }
    }
    return (tone / total, quietTicks)
  }

  @Test func aCleanStreamIsHeardAsItWasSent() throws {
    let (heard, concealedTicks, _, _) = try listen(to: sentFrames(300)) { _ in .milliseconds(30) }
    let (share, quietTicks) = judge(heard, fromTick: 20)
    #expect(share > 0.999)
    #expect(quietTicks.isEmpty && concealedTicks.isEmpty)
  }

  @Test func afterAFrameThatCameLateAllIsHeardAsIfItHadNot() throws {
    // The two come together, after the first of them was due.
    let frames = try sentFrames(200)
    let clean = try listen(to: frames) { _ in .milliseconds(30) }
    let late = try listen(to: frames) { .milliseconds($0 == 100 ? 70 : $0 == 101 ? 50 : 30) }
    #expect(late.concealedTicks.count == 1 && late.statistics.late == 1)
    let tick = try #require(late.concealedTicks.first)
    let different = clean.heard.indices.filter { clean.heard[$0] != late.heard[$0] }
    // Faded over for 5 ms after what was made up, and equal from there on: the decoder remembers nothing of it.
    #expect(different.allSatisfy { (tick * 960..<(tick + 1) * 960 + 240).contains($0) })
  }

  @Test(arguments: 1...4) func aBadNetworkIsBarelyHeard(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let (heard, concealedTicks, _, _) = try listen(to: sentFrames(1_000)) { _ in
      guard Int.random(in: 0..<100, using: &random) >= 5 else { return nil }
      return .microseconds(30_000 + Int64.random(in: 0...30_000, using: &random))
    }
    let (share, quietTicks) = judge(heard, fromTick: 50)
    #expect(share > 0.97)
    // The decoder's concealment fades where it is needed twice within 60 ms; nothing else may be quiet.
    for tick in quietTicks {
      #expect(concealedTicks.contains(tick))
      #expect(concealedTicks.contains(tick - 1) || concealedTicks.contains(tick - 2))
    }
  }

  @Test(arguments: 1...4) func aLineThatCalmsDownIsCaughtUpWithoutABreak(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let (heard, concealedTicks, _, statistics) = try listen(to: sentFrames(1_200)) {
      .microseconds(30_000 + ($0 < 500 ? Int64.random(in: 0...120_000, using: &random) : 0))
    }
    #expect(statistics.acceleratedSamples >= 3 * 960)
    #expect(statistics.delay < .milliseconds(40))
    #expect(!concealedTicks.contains { $0 > 510 })
    let calm = Array(heard.dropFirst(510 * 960))
    let (share, quietTicks) = judge(calm, fromTick: 0)
    #expect(share > 0.98)
    #expect(quietTicks.isEmpty)
    let step = zip(calm, calm.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
    #expect(step < 600, "a 400 Hz tone of this level moves by 419 a sample")
  }

  @Test(arguments: [false, true]) func lostFramesAreRecoveredWhereTheyCanBe(hasFEC: Bool) throws {
    let encoder = try OpusEncoder(
      channelCount: 1, settings: .init(bitsPerSecond: 32_000, hasFEC: hasFEC, expectedLossPercent: 20))
    var phase = 0.0
    let frames = try (0..<1_500).map { index in
      let samples = (0..<960).map { offset -> Int16 in
        phase += 2 * .pi * (140 + 20 * sin(Double(index * 960 + offset) / 30_000)) / 48_000
        let swell = 0.55 + 0.45 * sin(Double(index * 960 + offset) / 1_900)
        return Int16(4_000 * swell * (1...12).reduce(0) { $0 + sin(phase * Double($1)) / Double($1) })
      }
      var bytes: [UInt8] = []
      _ = try encoder.encode(samples.span, into: &bytes)
      return EncodedFrame(
        codec: .opus, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(UInt32(index * 960)), sequence: Int64(index),
        time: .zero + .milliseconds(20) * Int64(index), audioLevel: 20)
    }
    // Every tenth packet, so that each is followed by one that came.
    let (_, _, blindTicks, statistics) = try listen(to: frames) { $0 % 10 == 5 ? nil : .milliseconds(30) }
    #expect(statistics.lost == 149 || statistics.lost == 150)
    if hasFEC {
      // At first nothing is known of the loss; then the frame that follows is always there. Most hold redundancy, not all: the
      // encoder leaves it out where it hears no speech.
      #expect(!blindTicks.contains { $0 > 50 })
      #expect(statistics.recoveredFrames > 100)
      #expect(
        statistics.recoveredFrames * 960 + statistics.concealedSamples + statistics.underrunSamples >= statistics.lost * 960)
      #expect(statistics.delay < .milliseconds(60))
    } else {
      #expect(statistics.recoveredFrames == 0)
      #expect(statistics.delay < .milliseconds(40))
    }
  }
}
