import EncodedMedia
import Playout
import TestSupport
import Testing
import Timing

/// One sender's sound and picture over lines of their own, mixed and shown in virtual time.
private struct Line {
  var soundTransit = Interval.milliseconds(20)
  var pictureTransit = Interval.milliseconds(25)
  var soundJitter = Interval.zero
  var pictureJitter = Interval.zero
  /// Between the clocks of sender and mixer.
  var clockDifference = Interval.seconds(4_000)

  /// How far each picture is shown after its sound in the second half of a run, in milliseconds; lowest and highest of the middle 95 %.
  func skew(seconds: Int, seed: UInt64 = 1) -> ClosedRange<Double> {
    var random = SeededRandom(seed: seed)
    var sync = LipSync()
    var playout = soundJitter + .milliseconds(20)
    var skews: [Double] = []
    let origin = NTPTime(unixNanoseconds: 1_700_000_000_000_000_000)
    for tick in 0..<seconds * 50 {
      let captured = Interval.milliseconds(20) * Int64(tick)
      // Sound waits for its jitter, and for the picture.
      playout = max(soundJitter + .milliseconds(20), sync.audioDelayMin(at: .zero + captured))
      let played = Instant.zero + captured + soundTransit + playout
      sync.played(origin + captured, at: played, delay: playout)
      guard tick % 2 == 0 else { continue }
      let jitter = Interval.nanoseconds(Int64.random(in: 0...max(pictureJitter.nanoseconds, 1), using: &random))
      let shown = sync.decoded(origin + captured, at: .zero + captured + pictureTransit + jitter)
      if tick > seconds * 25 { skews.append((shown - played).milliseconds) }
    }
    skews.sort()
    return skews[skews.count / 40]...skews[skews.count - 1 - skews.count / 40]
  }
}

@Suite struct LipSyncTests {
  @Test func onACleanLineNothingIsDelayed() {
    var sync = LipSync()
    let origin = NTPTime(unixNanoseconds: 1_700_000_000_000_000_000)
    for tick in 0..<500 {
      let captured = Interval.milliseconds(20) * Int64(tick)
      sync.played(origin + captured, at: .zero + captured + .milliseconds(40), delay: .milliseconds(30))
      let arrival = Instant.zero + captured + .milliseconds(15)
      #expect(sync.decoded(origin + captured, at: arrival) == arrival)
    }
    let delay = sync.audioDelayMin(at: .zero + .seconds(10))
    #expect(delay == .zero)
  }

  @Test func picturesWaitForSoundThatComesLate() {
    let skew = Line(soundJitter: .milliseconds(200)).skew(seconds: 20)
    #expect(skew.lowerBound >= -40 && skew.upperBound <= 40, "\(skew)")
  }

  @Test(arguments: 1...5) func soundWaitsForPicturesThatComeLate(seed: UInt64) {
    let skew = Line(pictureJitter: .milliseconds(200)).skew(seconds: 20, seed: seed)
    #expect(skew.lowerBound >= -60 && skew.upperBound <= 40, "\(skew)")
  }

  @Test func whatSoundWaitsDoesNotFollowEveryPicture() {
    var random = SeededRandom(seed: 9)
    var sync = LipSync()
    let origin = NTPTime(unixNanoseconds: 1_700_000_000_000_000_000)
    var delays: [Interval] = []
    for tick in 0..<3_000 {
      let captured = Interval.milliseconds(20) * Int64(tick)
      let playout = max(.milliseconds(30), delays.last ?? .zero)
      sync.played(origin + captured, at: .zero + captured + .milliseconds(10) + playout, delay: playout)
      let transit = Interval.microseconds(Int64.random(in: 20_000...140_000, using: &random))
      if tick % 2 == 0 { _ = sync.decoded(origin + captured, at: .zero + captured + transit) }
      delays.append(sync.audioDelayMin(at: .zero + captured))
    }
    let changes = zip(delays, delays.dropFirst()).count { $0 != $1 }
    #expect(changes <= 12, "\(changes)")
    #expect(delays.suffix(500).allSatisfy { $0 > .milliseconds(90) && $0 < .milliseconds(160) })
  }

  @Test func aConstantDifferenceOfTheLinesIsMadeUpFor() {
    let skew = Line(pictureTransit: .milliseconds(220)).skew(seconds: 20)
    #expect(skew.lowerBound >= -40 && skew.upperBound <= 40, "\(skew)")
  }

  @Test func reportsThatMakeNoSenseDelayNothing() {
    var sync = LipSync()
    let origin = NTPTime(unixNanoseconds: 1_700_000_000_000_000_000)
    for tick in 0..<100 {
      let now = Instant.zero + .milliseconds(20) * Int64(tick)
      sync.played(origin + (now - .zero) + .seconds(-86_400), at: now, delay: .milliseconds(20))
      #expect(sync.decoded(origin + (now - .zero), at: now) == now)
      let delay = sync.audioDelayMin(at: now)
      #expect(delay == .zero)
    }
    var wild = LipSync()
    for value in [0, UInt64.max, 1 << 63, 0x8000_0000, 12_345] {
      wild.played(NTPTime(rawValue: value), at: .zero + .seconds(5), delay: .zero)
      let shown = wild.decoded(NTPTime(rawValue: value &* 31), at: .zero + .seconds(5))
      #expect(shown - (.zero + .seconds(5)) <= LipSync.audioDelayMax)
      let delay = wild.audioDelayMin(at: .zero + .seconds(5))
      #expect(delay <= LipSync.audioDelayMax)
    }
  }

  @Test func soundThatStoppedHoldsNoPicture() {
    var sync = LipSync()
    let origin = NTPTime(unixNanoseconds: 1_700_000_000_000_000_000)
    sync.played(origin, at: .zero + .milliseconds(300), delay: .milliseconds(300))
    let early = Instant.zero + .milliseconds(40)
    #expect(sync.decoded(origin, at: early) > early)
    let later = Instant.zero + .seconds(3)
    #expect(sync.decoded(origin + .seconds(3), at: later) == later)
    let delay = sync.audioDelayMin(at: later)
    #expect(delay == .zero)
  }
}
