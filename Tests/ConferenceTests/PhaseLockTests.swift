import Conference
import Testing
import Timing

@Suite struct PhaseLockTests {
  /// Ages of a source's pictures at the ticks of a canvas, from the first tick on.
  private func ages(sourcePeriod: Interval, offset: Interval, ticks: Int) -> [Interval] {
    let period = Interval.nanoseconds(33_333_333)
    var phase = PhaseLock(period: period)
    var now = Instant.zero + .seconds(1)
    var last: Int64 = -1
    var ages: [Interval] = []
    for _ in 0..<ticks {
      let picture = (now - .zero - offset).nanoseconds / sourcePeriod.nanoseconds
      let age = (now - .zero) - (offset + sourcePeriod * picture)
      phase.observe(age: picture == last ? nil : age)
      last = picture
      ages.append(age)
      now += period + phase.shift
    }
    return ages
  }

  @Test(arguments: stride(from: 0, to: 33, by: 3).map { $0 })
  func ticksSettleJustBehindThePictures(milliseconds: Int) {
    let ages = ages(sourcePeriod: .nanoseconds(33_333_333), offset: .milliseconds(Int64(milliseconds)), ticks: 300)
    #expect(ages.suffix(100).allSatisfy { $0 > .zero && $0 < .milliseconds(8) }, "\(ages.suffix(3))")
  }

  @Test func aSourceOfHalfTheRateIsFollowedAsWell() {
    let ages = ages(sourcePeriod: .nanoseconds(66_666_666), offset: .milliseconds(20), ticks: 600)
    #expect(ages.suffix(100).min()! < .milliseconds(8))
  }

  @Test func anotherRateMovesNoPeriodByMoreThanALittle() {
    var phase = PhaseLock(period: .milliseconds(40))
    for age in 0..<40 {
      phase.observe(age: .milliseconds(Int64(age)))
      #expect(phase.shift >= .microseconds(-400) && phase.shift <= .microseconds(400))
    }
    phase.observe(age: nil)
    #expect(phase.shift == .zero)
  }
}
