import EncodedMedia
import Playout
import TestSupport
import Testing
import Timing

/// One sender's sound and picture over lines of their own, mixed and shown in virtual time.
private struct Line {
  var soundTransit = Interval.milliseconds(20)
  var soundPlayout = Interval.milliseconds(20)
  var pictureTransit = Interval.milliseconds(25)
  /// Between the clocks of sender and mixer.
  var clockDifference = Interval.seconds(4_000)

  /// What sound waits at the end of each second, and by how much each picture of that second is shown after its sound, in milliseconds.
  func carry(seconds: Int, seed: UInt64 = 1, jitter: (_ second: Int) -> Interval) -> [(waits: Interval, lags: [Double])] {
    var random = SeededRandom(seed: seed)
    var sync = LipSync()
    var delayMin = Interval.zero
    let origin = NTPTime(unixNanoseconds: 1_700_000_000_000_000_000) + clockDifference
    return (0..<seconds).map { second in
      var lags: [Double] = []
      for tick in second * 50..<second * 50 + 50 {
        let captured = Interval.milliseconds(20) * Int64(tick)
        let delay = max(soundPlayout, delayMin)
        let played = Instant.zero + captured + soundTransit + delay
        delayMin = sync.played(origin + captured, at: played, delay: delay)
        guard tick % 2 == 0 else { continue }
        let late = Interval.nanoseconds(Int64.random(in: 0...max(jitter(second).nanoseconds, 1), using: &random))
        let shown = sync.decoded(origin + captured, at: .zero + captured + pictureTransit + late)
        lags.append((shown - played).milliseconds)
      }
      return (delayMin, lags)
    }
  }
}

@Suite struct LipSyncTests {
  private let origin = NTPTime(unixNanoseconds: 1_700_000_000_000_000_000)

  /// How far pictures are shown after their sound, in milliseconds, over a run in which each has a transit of its own.
  private func skews(sound: Interval, picture: (Int) -> Interval) -> [Double] {
    var sync = LipSync()
    return (0..<500).compactMap { tick in
      let captured = Interval.milliseconds(20) * Int64(tick)
      _ = sync.played(origin + captured, at: .zero + captured + sound, delay: .milliseconds(20))
      guard tick % 2 == 0 else { return nil }
      let shown = sync.decoded(origin + captured, at: .zero + captured + picture(tick))
      return (shown - (.zero + captured + sound)).milliseconds
    }
  }

  @Test func onACleanLineNothingIsDelayed() {
    var sync = LipSync()
    for tick in 0..<500 {
      let captured = Interval.milliseconds(20) * Int64(tick)
      let least = sync.played(origin + captured, at: .zero + captured + .milliseconds(40), delay: .milliseconds(20))
      #expect(least == .zero)
      let arrival = Instant.zero + captured + .milliseconds(15)
      let shown = sync.decoded(origin + captured, at: arrival)
      #expect(shown == arrival)
    }
  }

  @Test(arguments: [60, 120, 240, 400]) func picturesWaitForSoundThatComesLate(milliseconds: Int64) {
    let skews = skews(sound: .milliseconds(milliseconds)) { _ in .milliseconds(20) }
    #expect(skews.allSatisfy { $0 >= -40 && $0 <= 40 })
  }

  @Test(arguments: 1...5) func soundWaitsForPicturesThatComeLate(seed: UInt64) {
    let seconds = Line().carry(seconds: 60, seed: seed) { _ in .milliseconds(200) }
    let lags = seconds.dropFirst(4).flatMap(\.lags).sorted()
    #expect(lags[0] >= -60 && lags[lags.count - 1 - lags.count / 40] <= 30)
    // It follows no single picture.
    #expect(Set(seconds.dropFirst(4).map(\.waits)).count == 1)
  }

  @Test func soundWaitsNoLongerOnceItsPicturesComeInTimeForTenSeconds() {
    let seconds = Line().carry(seconds: 40) { .milliseconds($0 < 20 ? 150 : 0) }
    #expect(seconds[19].waits > .milliseconds(120) && seconds[28].waits == seconds[19].waits)
    #expect(seconds.dropFirst(31).allSatisfy { $0.waits == .zero })
  }

  @Test func picturesThatAreLateForTwoSecondsAreNotWaitedFor() {
    let seconds = Line().carry(seconds: 60) { .milliseconds($0 % 6 < 2 ? 200 : 0) }
    #expect(seconds.allSatisfy { $0.waits == .zero })
  }

  @Test(arguments: [25, 50]) func picturesThatAreHardlyLateAreNotWaitedFor(milliseconds: Int64) {
    let seconds = Line(pictureTransit: .milliseconds(15)).carry(seconds: 60) { _ in .milliseconds(milliseconds) }
    #expect(seconds.allSatisfy { $0.waits == .zero })
  }

  @Test(arguments: [120, 300]) func aConstantDifferenceOfTheLinesIsMadeUpFor(milliseconds: Int64) {
    let seconds = Line(pictureTransit: .milliseconds(milliseconds)).carry(seconds: 20) { _ in .zero }
    #expect(seconds.dropFirst(4).allSatisfy { $0.lags.allSatisfy { $0 >= -40 && $0 <= 30 } })
  }

  @Test func soundWaitsForNoPictureLongerThanTheCap() {
    let seconds = Line(pictureTransit: .milliseconds(900)).carry(seconds: 20) { _ in .zero }
    #expect(seconds.last?.waits == LipSync.soundDelayMax)
  }

  @Test func picturesThatComeLaterThanTheirSoundAreShownAtOnce() {
    let skews = skews(sound: .milliseconds(30)) { .milliseconds(Int64(40 + $0 % 7 * 10)) }
    #expect((skews.max() ?? 0) == 70)
  }

  @Test func reportsThatMakeNoSenseDelayNothing() {
    var sync = LipSync()
    for tick in 0..<100 {
      let now = Instant.zero + .milliseconds(20) * Int64(tick)
      let least = sync.played(origin + (now - .zero) + .seconds(-86_400), at: now, delay: .milliseconds(20))
      #expect(least == .zero)
      let shown = sync.decoded(origin + (now - .zero), at: now)
      #expect(shown == now)
    }
    var wild = LipSync()
    let now = Instant.zero + .seconds(5)
    for value in [0, UInt64.max, 1 << 63, 0x8000_0000, 12_345] {
      let least = wild.played(NTPTime(rawValue: value), at: now, delay: .zero)
      #expect(least == .zero)
      let shown = wild.decoded(NTPTime(rawValue: value &* 31), at: now)
      #expect(shown >= now && shown - now <= LipSync.heldMax)
    }
  }

  @Test func soundThatStoppedHoldsNoPicture() {
    var sync = LipSync()
    _ = sync.played(origin, at: .zero + .milliseconds(300), delay: .milliseconds(300))
    let early = Instant.zero + .milliseconds(40)
    let held = sync.decoded(origin, at: early)
    #expect(held > early)
    let later = Instant.zero + .seconds(3)
    let shown = sync.decoded(origin + .seconds(3), at: later)
    #expect(shown == later)
  }
}
