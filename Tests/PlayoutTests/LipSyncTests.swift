import EncodedMedia
import Playout
import TestSupport
import Testing
import Timing

@Suite struct LipSyncTests {
  private let origin = NTPTime(unixNanoseconds: 1_700_000_000_000_000_000)

  /// How far pictures are shown after their sound, in milliseconds, over a run in which each has a transit of its own.
  private func skews(sound: Interval, picture: (Int) -> Interval) -> [Double] {
    var sync = LipSync()
    return (0..<500).compactMap { tick in
      let captured = Interval.milliseconds(20) * Int64(tick)
      sync.played(origin + captured, at: .zero + captured + sound)
      guard tick % 2 == 0 else { return nil }
      let shown = sync.decoded(origin + captured, at: .zero + captured + picture(tick))
      return (shown - (.zero + captured + sound)).milliseconds
    }
  }

  @Test func onACleanLineNothingIsDelayed() {
    var sync = LipSync()
    for tick in 0..<500 {
      let captured = Interval.milliseconds(20) * Int64(tick)
      sync.played(origin + captured, at: .zero + captured + .milliseconds(40))
      let arrival = Instant.zero + captured + .milliseconds(15)
      let shown = sync.decoded(origin + captured, at: arrival)
      #expect(shown == arrival)
    }
  }

  @Test(arguments: [60, 120, 240, 400]) func picturesWaitForSoundThatComesLate(milliseconds: Int64) {
    let skews = skews(sound: .milliseconds(milliseconds)) { _ in .milliseconds(20) }
    #expect(skews.allSatisfy { $0 >= -40 && $0 <= 40 })
  }

  @Test func picturesThatComeLaterThanTheirSoundAreShownAtOnce() {
    let skews = skews(sound: .milliseconds(30)) { .milliseconds(Int64(40 + $0 % 7 * 10)) }
    #expect((skews.max() ?? 0) == 70)
  }

  @Test func reportsThatMakeNoSenseDelayNothing() {
    var sync = LipSync()
    for tick in 0..<100 {
      let now = Instant.zero + .milliseconds(20) * Int64(tick)
      sync.played(origin + (now - .zero) + .seconds(-86_400), at: now)
      let shown = sync.decoded(origin + (now - .zero), at: now)
      #expect(shown == now)
    }
    var wild = LipSync()
    let now = Instant.zero + .seconds(5)
    for value in [0, UInt64.max, 1 << 63, 0x8000_0000, 12_345] {
      wild.played(NTPTime(rawValue: value), at: now)
      let shown = wild.decoded(NTPTime(rawValue: value &* 31), at: now)
      #expect(shown >= now && shown - now <= LipSync.heldMax)
    }
  }

  @Test func soundThatStoppedHoldsNoPicture() {
    var sync = LipSync()
    sync.played(origin, at: .zero + .milliseconds(300))
    let early = Instant.zero + .milliseconds(40)
    let held = sync.decoded(origin, at: early)
    #expect(held > early)
    let later = Instant.zero + .seconds(3)
    let shown = sync.decoded(origin + .seconds(3), at: later)
    #expect(shown == later)
  }
}
