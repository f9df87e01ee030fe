import CongestionControl
import Testing
import TestSupport
import Timing

/// What a receiver says it can be sent at most (REMB), beside what it is sent.
private struct Call {
  var estimator = BandwidthEstimator(.init(minimum: 20_000, start: 700_000, maximum: 5_000_000))
  private(set) var now = Instant.zero

  var bound: Int? { estimator.statistics.receiverMaximum }

  /// Sends so much for so long, and hears each half second what the receiver makes of it.
  mutating func run(seconds: Int, sending bitsPerSecond: Int, named: (Int) -> Int) {
    for half in 0..<(seconds * 2) {
      for _ in 0..<25 {
        estimator.packetSentUnnumbered(size: bitsPerSecond / 8 / 50, at: now)
        now += .milliseconds(20)
      }
      estimator.receiveMaximumBitrate(UInt64(named(half)), at: now)
    }
  }
}

/// As receivers do that estimate: at first what came in three seconds, without headers, then a twelfth more each second up to half as
/// much again as comes.
@Test func aReceiverThatNamesWhatLittleItIsSentBoundsNothing() {
  var call = Call()
  call.run(seconds: 30, sending: 65_000) { half in min(36_000 + half * 2_000, 97_000) }
  #expect(call.bound == nil)
  #expect(call.estimator.statistics.estimate == 700_000)
}

@Test func aReceiverEstimateThatFallsBoundsWhatIsSent() {
  var call = Call()
  call.run(seconds: 10, sending: 500_000) { half in min(460_000 + half * 20_000, 600_000) }
  #expect(call.bound == nil)
  call.run(seconds: 1, sending: 500_000) { _ in 340_000 }
  #expect(call.bound == 340_000)
  call.run(seconds: 5, sending: 330_000) { half in 340_000 + half * 5_000 }
  #expect(call.bound == 385_000, "what it names rises with what arrives")
}

@Test func whoIsSentMoreThanHeNamesIsSentThat() {
  var call = Call()
  call.run(seconds: 2, sending: 500_000) { _ in 128_000 }
  #expect(call.bound == 128_000)
}

/// It can name no more than half as much again as it is sent, so a picture that hardly moves would stay bound for good.
@Test func aReceiverEstimateIsExceededByAndByWhereLittleIsSent() throws {
  var call = Call()
  call.run(seconds: 3, sending: 60_000) { _ in 60_000 }
  call.run(seconds: 1, sending: 60_000) { _ in 50_000 }
  #expect(call.bound == 50_000)
  call.run(seconds: 7, sending: 60_000) { half in min(50_000 + half * 3_000, 90_000) }
  #expect(call.bound == 89_000)
  call.run(seconds: 20, sending: 60_000) { _ in 90_000 }
  let grown = try #require(call.bound)
  #expect(grown > 250_000, "\(grown) after 20 s")

  // That went wrong: the next time it waits longer.
  call.run(seconds: 1, sending: 250_000) { _ in 80_000 }
  #expect(call.bound == 80_000)
  call.run(seconds: 15, sending: 60_000) { _ in 90_000 }
  #expect(call.bound == 90_000)
}

private let ladder = SimulatedCall.Content.ladder([
  Rung(layers: [
    TemporalRate(bitsPerSecond: 700_000, framesPerSecond: 15), TemporalRate(bitsPerSecond: 950_000, framesPerSecond: 30),
  ]),
  Rung(layers: [TemporalRate(bitsPerSecond: 150_000, framesPerSecond: 15)]),
])

private func watchedCall(bitsPerSecond: Double, seed: UInt64) -> SimulatedCall {
  var call = SimulatedCall(ladder, path: .init(capacity: bitsPerSecond, seed: seed))
  call.givesTransportFeedback = false
  call.maximumReceiver = MaximumReceiver()
  return call
}

/// What it names says little at first, and rises by what it is sent.
@Test(arguments: 1..<6 as Range<UInt64>) func whoNamesAMaximumAloneClimbsToWhatHisLineCarries(seed: UInt64) {
  var call = watchedCall(bitsPerSecond: 4_000_000, seed: seed)
  call.run(for: .seconds(60))
  #expect(call.samples(0.5, 60).allSatisfy { $0.rung != nil })
  #expect(call.samples(30, 60).allSatisfy { $0.rung == 0 && $0.layers == 2 })
  #expect(call.queueDelayMax(0, 60) < 200)
}

/// Each try costs him a moment, and the next comes later.
@Test(arguments: 1..<6 as Range<UInt64>) func whoNamesAMaximumAloneStaysOnTheRungThatFits(seed: UInt64) {
  var call = watchedCall(bitsPerSecond: 400_000, seed: seed)
  call.run(for: .seconds(120))
  let (all, low) = (call.samples(5, 120), call.samples(5, 120).filter { $0.rung == 1 })
  #expect(low.count > all.count * 85 / 100, "\(low.count) of \(all.count) tenths of a second on the rung that fits")
  #expect(all.filter { $0.queueDelay > .milliseconds(200) }.count < all.count / 10)
  #expect(all.filter { $0.rung == nil }.count < all.count / 20)
}
