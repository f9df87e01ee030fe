import Conference
import Testing
import Timing

/// Overload without a clock: samples go in, levels come out.
@Suite struct GovernorTests {
  private static let calm = sample(missed: 0)
  private static let strained = sample(missed: 15)

  private static func sample(missed: Int, late: Int = 0, share: Double = 0.5) -> Governor.Sample {
    var sample = Governor.Sample()
    sample.pictureTicks = 30
    sample.picturesMissed = missed
    sample.soundTicks = 50
    sample.soundLate = late
    sample.processors = 1
    sample.processorShare = share
    return sample
  }

  /// The levels after each of `count` samples a second apart.
  private func run(
    _ governor: inout Governor, _ sample: Governor.Sample, _ count: Int, from second: inout Int64
  ) -> [VideoLevel] {
    (0..<count).map { _ in
      _ = governor.observe(sample, at: .zero + .seconds(second))
      second += 1
      return governor.level
    }
  }

  @Test func videoGivesWayAStepEveryTwoSecondsAsLongAsTicksAreMissed() {
    var governor = Governor()
    var second: Int64 = 0
    let levels = run(&governor, Self.strained, 10, from: &second)
    #expect(
      levels == [.full, .halfRate, .halfRate, .quarterRate, .quarterRate, .halfSize, .halfSize, .stills, .stills, .stills])
  }

  @Test func processorsThatAreUsedUpLeaveSomethingWaitingThoughNoTickIs() {
    var governor = Governor()
    var second: Int64 = 0
    let levels = run(&governor, Self.sample(missed: 0, share: 1.04), 8, from: &second)
    #expect(levels.last == .stills && levels[0] == .full)
    #expect(run(&governor, Self.calm, 60, from: &second).last == .full)
  }

  @Test func aSecondThatWentBadNowAndThenChangesNothing() {
    var governor = Governor()
    for second in 0..<100 as Range<Int64> {
      _ = governor.observe(second % 3 == 0 ? Self.strained : Self.calm, at: .zero + .seconds(second))
    }
    #expect(governor.level == .full)
  }

  @Test func soundThatIsLateTakesAStepAndAtOnceWhereItIsALot() {
    var governor = Governor()
    let one = governor.observe(Self.sample(missed: 0, late: 1), at: .zero)
    #expect(!one, "one tick may be anything")
    let two = governor.observe(Self.sample(missed: 0, late: 2), at: .zero + .seconds(1))
    #expect(!two)
    let again = governor.observe(Self.sample(missed: 0, late: 2), at: .zero + .seconds(2))
    #expect(again && governor.level == .halfRate)
    let many = governor.observe(Self.sample(missed: 0, late: 6), at: .zero + .seconds(3))
    #expect(many && governor.level == .quarterRate)
    var crowd = Self.sample(missed: 0, late: 3)
    crowd.soundTicks = 400
    let three = governor.observe(crowd, at: .zero + .seconds(4))
    #expect(!three, "three of four hundred")
  }

  @Test func whatIsMixedInTimeAndSentLateMakesPicturesGiveWay() {
    var governor = Governor()
    var second: Int64 = 0
    var sample = Self.calm
    (sample.sendings, sample.sendingsLate) = (500, 5)
    #expect(run(&governor, sample, 5, from: &second).allSatisfy { $0 == .full }, "a hundredth")
    sample.sendingsLate = 8
    #expect(run(&governor, sample, 2, from: &second) == [.full, .halfRate])
    // A thread that hardly runs: three turns, of which one waited 628 ms.
    (sample.sendings, sample.sendingsLate) = (33, 31)
    #expect(run(&governor, sample, 3, from: &second) == [.quarterRate, .halfSize, .stills])
    #expect(run(&governor, Self.calm, 40, from: &second).last == .full)
  }

  @Test func aSampleIsAlarmingOnceATenthOfASecondsSoundWasLate() {
    var sample = Governor.Sample()
    (sample.soundTicks, sample.soundLate) = (12, 4)
    #expect(!sample.isAlarming(within: .milliseconds(250)), "of 48 in a second")
    sample.soundLate = 5
    #expect(sample.isAlarming(within: .milliseconds(250)) && !sample.isAlarming(within: .zero))
    #expect(sample.isAlarming(within: .seconds(1)))
    (sample.soundTicks, sample.soundLate) = (1, 2)
    #expect(!sample.isAlarming(within: .milliseconds(250)), "too few to tell")
    var sending = Governor.Sample()
    (sending.sendings, sending.sendingsLate) = (20, 9)
    #expect(sending.isAlarming(within: .milliseconds(250)))
    sending.sendingsLate = 7
    #expect(!sending.isAlarming(within: .milliseconds(250)))
  }

  @Test func aTenthOfVeryFewIsNoReasonForAStepAtOnce() {
    var governor = Governor()
    var second: Int64 = 0
    var sample = Self.calm
    (sample.sendings, sample.sendingsLate) = (10, 2)
    #expect(run(&governor, sample, 2, from: &second) == [.full, .halfRate])
  }

  @Test func whereAQuotaLeavesTimeForLessThanAThirdOfThePicturesEachSecondTakesAStep() {
    var governor = Governor()
    var second: Int64 = 0
    var sample = Self.sample(missed: 21)
    sample.heldBack = 1
    #expect(run(&governor, sample, 5, from: &second) == [.halfRate, .quarterRate, .halfSize, .stills, .stills])
    sample.picturesMissed = 20
    var other = Governor()
    #expect(run(&other, sample, 2, from: &second) == [.full, .halfRate])
    var busy = Governor()
    #expect(run(&busy, Self.sample(missed: 30), 2, from: &second) == [.full, .halfRate], "many came at once")
  }

  @Test func withinAQuotaAFifthMissedIsStrain() {
    var governor = Governor()
    var second: Int64 = 0
    var sample = Self.sample(missed: 7)
    #expect(run(&governor, sample, 4, from: &second).allSatisfy { $0 == .full })
    sample.heldBack = 1
    #expect(run(&governor, sample, 4, from: &second) == [.full, .halfRate, .halfRate, .quarterRate])
  }

  @Test func whilePicturesWaitForAQuotaAndMostOfItIsInUseNoStepBackIsTaken() {
    var governor = Governor()
    var second: Int64 = 0
    _ = run(&governor, Self.strained, 8, from: &second)
    var sample = Self.sample(missed: 0, share: 0.7)
    sample.heldBack = 3
    #expect(run(&governor, sample, 60, from: &second).allSatisfy { $0 == .stills })
    sample.processorShare = 0.55
    #expect(run(&governor, sample, 9, from: &second).last == .halfSize)
    sample.processorShare = 0.7
    sample.heldBack = 0
    #expect(run(&governor, sample, 6, from: &second).last == .quarterRate, "nothing waits any more")
  }

  @Test func thatIsClearOnceFivePicturesWereMissedBeforeTheSecondIsOver() {
    var sample = Self.sample(missed: 5)
    (sample.pictureTicks, sample.heldBack) = (7, 1)
    #expect(sample.isClearlyStarved)
    sample.pictureTicks = 8
    #expect(!sample.isClearlyStarved)
    (sample.pictureTicks, sample.picturesMissed) = (4, 4)
    #expect(!sample.isClearlyStarved)
    (sample.pictureTicks, sample.picturesMissed, sample.heldBack) = (8, 8, 0)
    #expect(!sample.isClearlyStarved, "no quota is to blame")
  }

  @Test func whoUsesNextToNothingBecausePicturesWaitForAQuotaGivesWay() {
    var governor = Governor()
    var second: Int64 = 0
    var starved = Self.sample(missed: 30, share: 0.5)
    (starved.processors, starved.heldBack) = (0.05, 7)
    #expect(run(&governor, starved, 4, from: &second) == [.halfRate, .quarterRate, .halfSize, .stills])
  }

  @Test func whoUsesNextToNothingHasNothingToGive() {
    var governor = Governor()
    var second: Int64 = 0
    var starved = Self.sample(missed: 30, late: 50, share: 0.01)
    starved.processors = 0.05
    let levels = run(&governor, starved, 20, from: &second)
    #expect(levels.allSatisfy { $0 == .full })
  }

  @Test func itComesBackStepByStepWithPatience() {
    var governor = Governor()
    var second: Int64 = 0
    _ = run(&governor, Self.strained, 8, from: &second)
    let levels = run(&governor, Self.calm, 40, from: &second)
    #expect(levels[7] == .stills && levels[8] == .halfSize && levels[11] == .halfSize && levels[12] == .quarterRate)
    #expect(levels[16] == .halfRate && levels[20] == .full && levels.last == .full)
  }

  @Test func onlyTheStepThatFailedIsTriedLaterTheNextTime() {
    var governor = Governor()
    var second: Int64 = 0
    _ = run(&governor, Self.strained, 8, from: &second)
    // Half the size is too much three times: after 8, 16 and 32 s of calm.
    for wait in [8, 16, 32] {
      #expect(run(&governor, Self.calm, wait + 1, from: &second).suffix(2) == [.stills, .halfSize])
      #expect(run(&governor, Self.strained, 2, from: &second).last == .stills)
    }
    let levels = run(&governor, Self.calm, 90, from: &second)
    #expect(levels.prefix { $0 == .stills }.count == 64)
    #expect(levels[68] == .quarterRate && levels[72] == .halfRate && levels[76] == .full)
  }

  @Test func whereClearlyLessIsUsedThanBeforeItFailedAStepWaitsNoLonger() {
    var governor = Governor()
    var second: Int64 = 0
    _ = run(&governor, Self.strained, 8, from: &second)
    for wait in [8, 16, 32] {
      _ = run(&governor, Self.sample(missed: 0, share: 0.8), wait + 1, from: &second)
      #expect(run(&governor, Self.strained, 2, from: &second).last == .stills)
    }
    // The quota is lifted: what was 0.8 of the processors is 0.4.
    let levels = run(&governor, Self.sample(missed: 0, share: 0.4), 30, from: &second)
    #expect(levels[7] == .stills && levels[8] == .halfSize && levels[20] == .full)
  }

  @Test func aReturnThatLastedHalfAMinuteWasRight() {
    var governor = Governor()
    var second: Int64 = 0
    _ = run(&governor, Self.strained, 2, from: &second)
    _ = run(&governor, Self.calm, 9, from: &second)
    _ = run(&governor, Self.strained, 2, from: &second)
    _ = run(&governor, Self.calm, 17 + 30, from: &second)
    #expect(governor.level == .full)
    _ = run(&governor, Self.strained, 2, from: &second)
    #expect(run(&governor, Self.calm, 9, from: &second).suffix(2) == [.halfRate, .full])
  }

  @Test func aReturnThatFailsIsTriedLaterTheNextTime() {
    var governor = Governor()
    var second: Int64 = 0
    _ = run(&governor, Self.strained, 2, from: &second)
    var waits: [Int] = []
    for _ in 0..<6 {
      let since = second
      while governor.level == .halfRate, second < 2_000 { _ = run(&governor, Self.calm, 1, from: &second) }
      waits.append(Int(second - since))
      _ = run(&governor, Self.strained, 2, from: &second)
      #expect(governor.level == .halfRate)
    }
    #expect(waits == waits.sorted() && waits[1] >= 2 * waits[0] - 1 && waits[5] <= 130, "\(waits)")
  }

  @Test func processorsThatAreBusyAreNoReasonToGiveWayButOneNotToComeBack() {
    var governor = Governor()
    var second: Int64 = 0
    let busy = Self.sample(missed: 0, share: 0.97)
    var levels = run(&governor, busy, 60, from: &second)
    #expect(levels.allSatisfy { $0 == .full })
    _ = run(&governor, Self.strained, 2, from: &second)
    levels = run(&governor, busy, 60, from: &second)
    #expect(levels.allSatisfy { $0 == .halfRate })
    levels = run(&governor, Self.sample(missed: 3), 60, from: &second)
    #expect(levels.allSatisfy { $0 == .halfRate }, "a tenth is missed")
  }

  @Test func whatALevelMeansForAnOutput() {
    let output = OutputSettings(name: "main", width: 1280, height: 720, fps: 30, bitrate: 1_500_000)
    #expect(VideoLevel.allCases.map { $0.periods(atRate: 30) } == [1, 2, 4, 4, 15])
    #expect(VideoLevel.allCases.map { $0.periods(atRate: 1) } == [1, 2, 4, 4, 4])
    #expect(VideoLevel.quarterRate.applied(to: output) == output)
    let small = VideoLevel.halfSize.applied(to: output)
    #expect((small.width, small.height, small.bitrate) == (640, 360, 750_000))
    for (width, height) in [(64, 64), (66, 130), (3840, 2160), (1278, 722)] {
      let least = OutputSettings(name: "o", width: width, height: height, fps: 30, bitrate: 30_000)
      #expect(VideoLevel.stills.applied(to: least).fault == nil)
    }
  }

  // MARK: Admission

  private static func use(_ total: Double) -> CostModel.Use {
    var use = CostModel.Use()
    use.total = total
    return use
  }

  private static func census(peers: Int) -> CostModel.Census {
    var census = CostModel.Census()
    census.peers = peers
    return census
  }

  @Test func costsFollowWhatWasMeasured() {
    var model = CostModel()
    var use = CostModel.Use()
    (use.decoding, use.sound, use.outputs, use.total) = (0.36, 0.06, 0.4, 1.0)
    var census = CostModel.Census()
    (census.pictures, census.voices, census.outputs, census.peers) = (9, 12, 2, 100)
    for _ in 0..<60 { model.learn(use, census) }
    #expect(abs(model.picture - 0.04) < 1e-4 && abs(model.voice - 0.005) < 1e-4 && abs(model.output - 0.2) < 1e-3)
    #expect(abs(model.peer - 0.0018) < 1e-5)
    #expect(model.cost(publishes: false, startsOutput: false) == model.peer)
    #expect(model.cost(publishes: true, startsOutput: true) == model.peer + model.picture + model.voice + model.output)
    let before = model
    model.learn(CostModel.Use(), CostModel.Census())
    model.learn(Self.use(-1), Self.census(peers: 3))
    #expect(model == before, "nobody there teaches nothing")
  }

  @Test func newcomersAreTakenUntilTheProcessorsAreUsedAndAgainWhenThereIsClearlyRoom() {
    var control = AdmissionControl(shareMax: 0.9)
    var isIn = control.admits(0.3, at: .full)
    #expect(isIn, "before anything was measured")
    func settle(_ total: Double) { for _ in 0..<40 { control.observe(Self.use(total), Self.census(peers: 100), allowance: 2) } }
    settle(0.5)
    isIn = control.admits(5, at: .full)
    #expect(isIn, "half of it is free, and what he costs is only thought")
    settle(1.0)
    isIn = control.admits(0.1, at: .full)
    #expect(isIn && abs(control.share - 0.5) < 0.01)
    isIn = control.admits(0.9, at: .full)
    #expect(!isIn, "one that is too much for what is left")
    isIn = control.admits(0.1, at: .full)
    #expect(isIn, "and one that is not")
    settle(1.85)
    isIn = control.admits(0.001, at: .full)
    #expect(control.isFull && !isIn)
    settle(1.7)
    #expect(control.isFull, "0.85 of it is still in use")
    settle(1.5)
    isIn = control.admits(0.001, at: .full)
    #expect(!control.isFull && isIn && control.refusedCount == 2)
  }

  @Test func whilePicturesWaitForAQuotaNobodyComesIn() {
    var control = AdmissionControl(shareMax: 0.9)
    for _ in 0..<40 { control.observe(Self.use(1.5), Self.census(peers: 100), allowance: 2) }
    var isIn = control.admits(0.001, at: .full)
    #expect(isIn)
    control.observe(Self.use(1.5), Self.census(peers: 100), allowance: 2, isShort: true)
    isIn = control.admits(0.001, at: .full)
    #expect(!isIn && control.isFull)
    control.observe(Self.use(1.5), Self.census(peers: 100), allowance: 2)
    isIn = control.admits(0.001, at: .full)
    #expect(isIn)
  }

  @Test func whatKeepsNewcomersOutWearsOffOnceNobodyIsThere() {
    var control = AdmissionControl(shareMax: 0.9)
    #expect(control.isAtRest)
    for _ in 0..<40 { control.observe(Self.use(1.8), Self.census(peers: 100), allowance: 2, isShort: true) }
    var samples = 0
    while !control.isAtRest, samples < 60 {
      #expect(samples == 0 || control.isFull || control.share > 0.4, "measuring goes on for a reason")
      control.observe(Self.use(0), Self.census(peers: 0), allowance: 2)
      samples += 1
    }
    let isIn = control.admits(0.5, at: .full)
    #expect((1..<10).contains(samples) && isIn)
  }

  @Test func thoseWhoCameAMomentAgoCountBeforeTheyAreMeasured() {
    var control = AdmissionControl(shareMax: 0.9)
    for _ in 0..<40 { control.observe(Self.use(1.0), Self.census(peers: 1), allowance: 2) }
    var admitted = 0
    for _ in 0..<100 where control.admits(0.1, at: .full) {
      control.expect(0.1)
      admitted += 1
    }
    #expect((7...8).contains(admitted))
  }

  @Test func whoMightHaveComeAndDidNotCostsNothing() {
    var control = AdmissionControl(shareMax: 0.9)
    for _ in 0..<40 { control.observe(Self.use(1.0), Self.census(peers: 1), allowance: 2) }
    var admitted = 0
    for _ in 0..<100 where control.admits(0.1, at: .full) { admitted += 1 }
    #expect(admitted == 100)
  }

  @Test func whilePicturesHaveToBeSmallerNobodyComesIn() {
    var control = AdmissionControl(shareMax: 0.9)
    var admitted: [Bool] = []
    for level in VideoLevel.allCases { admitted.append(control.admits(0.001, at: level)) }
    #expect(admitted == [true, true, true, false, false])
    var generous = AdmissionControl(shareMax: 1)
    for _ in 0..<40 { generous.observe(Self.use(2), Self.census(peers: 1), allowance: 2) }
    let isIn = generous.admits(0.3, at: .full)
    #expect(isIn, "a limit of one leaves it to the ticks")
  }
}
