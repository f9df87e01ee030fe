import Conference
import RealTime
import TestSupport
import Testing
import Timing

/// A quota without a kernel: what was used goes in, whether a picture may be made comes out.
@Suite struct PictureBudgetTests {
  private static let quota = ProcessorQuota(nanoseconds: 50_000_000, each: .milliseconds(100))

  /// A budget that has seen a program use nothing for a period and a half.
  private func rested(_ quota: ProcessorQuota = Self.quota) -> (PictureBudget, Instant) {
    var budget = PictureBudget()
    budget.change(quota)
    for step in 0...15 as ClosedRange<Int64> { budget.observe(used: 0, at: .zero + .milliseconds(10 * step)) }
    return (budget, .zero + .milliseconds(150))
  }

  @Test func withoutAQuotaEverythingIsAdmitted() {
    var budget = PictureBudget()
    for _ in 0..<1000 {
      let isIn = budget.admits(1_000_000_000)
      #expect(isIn)
    }
  }

  @Test func whatWasUsedBeforeTheFirstLookMayHaveBeenEverything() {
    var budget = PictureBudget()
    budget.change(Self.quota)
    budget.observe(used: 1_000, at: .zero)
    var isIn = budget.admits(1)
    #expect(!isIn)
    budget.observe(used: 1_000, at: .zero + .milliseconds(99))
    isIn = budget.admits(1)
    #expect(!isIn)
    budget.observe(used: 1_000, at: .zero + .milliseconds(100))
    isIn = budget.admits(1)
    #expect(isIn)
  }

  @Test func picturesAtWorkCountAsIfTheyHadYetToUseAllOfIt() {
    var (budget, _) = rested(ProcessorQuota(nanoseconds: 200_000_000, each: .milliseconds(100)))
    var admitted = [budget.admits(90_000_000), budget.admits(90_000_000)]
    #expect(admitted == [true, false])
    admitted = [budget.admits(30_000_000), budget.admits(1)]
    #expect(admitted == [true, false], "two processors' worth: two at a time")
    budget.finish(90_000_000)
    let isIn = budget.admits(90_000_000)
    #expect(isIn)
  }

  @Test func whatWasUsedIsFreeAgainAPeriodLater() {
    var (budget, now) = rested()
    budget.observe(used: 40_000_000, pictures: 40_000_000, at: now + .milliseconds(40))
    var isIn = budget.admits(10_000_000)
    #expect(!isIn)
    // Half of it lies longer back than a period.
    budget.observe(used: 40_000_000, pictures: 40_000_000, at: now + .milliseconds(120))
    isIn = budget.admits(25_000_000)
    #expect(!isIn)
    isIn = budget.admits(19_000_000)
    #expect(isIn)
  }

  @Test func whatIsTooLongForTheRoomOfPicturesHasTheWholeQuotaOnceTheyDidNothingForAPeriod() {
    var (budget, now) = rested()
    // 30 for sound: of the 40 that pictures may fill up 10 are left, of all but a twentieth 17.5.
    budget.observe(used: 30_000_000, at: now + .milliseconds(50))
    var told = [budget.admit(17_600_000), budget.admit(17_400_000)]
    #expect(told == [.later, .now])
    budget.finish(17_400_000)
    now = now + .milliseconds(60)
    budget.observe(used: 40_000_000, pictures: 10_000_000, at: now)
    told = [budget.admit(17_600_000), budget.admit(17_400_000), budget.admit(9_900_000)]
    #expect(told == [.later, .soon, .soon], "as soon as those ten lie a period back")
    told = [budget.admit(30_000_000, waited: .seconds(2))]
    #expect(told == [.soon], "it is believed half by now")
  }

  @Test func whatTookLongOnceIsBelievedLessTheLongerItWaits() {
    var (budget, _) = rested()
    var isIn = budget.admits(150_000_000, waited: .milliseconds(3999))
    #expect(!isIn)
    isIn = budget.admits(150_000_000, waited: .seconds(4))
    #expect(isIn)
    isIn = budget.admits(.max, waited: .seconds(100_000))
    #expect(!isIn, "one at a time")
  }

  @Test func shortPeriodsAreTakenTogether() {
    var (budget, now) = rested(ProcessorQuota(nanoseconds: 5_000_000, each: .milliseconds(10)))
    budget.observe(used: 6_000_000, at: now + .milliseconds(7))
    let isIn = budget.admits(9_000_000)
    #expect(isIn, "of 20 ms in 40 ms, though of 5 ms in 10 ms it would be none")
  }

  @Test func aQuotaThatIsChangedCountsAtOnceAndOneThatIsLiftedNoMore() {
    var (budget, _) = rested()
    budget.change(ProcessorQuota(nanoseconds: 10_000_000, each: .milliseconds(100)))
    var isIn = budget.admits(10_000_000)
    #expect(!isIn)
    budget.change(nil)
    isIn = budget.admits(10_000_000)
    #expect(isIn)
  }

  // MARK: Against the kernel

  @Test(arguments: 0..<12 as Range<UInt64>)
  func soundNeverWaitsForTheKernelsPeriodToEnd(seed: UInt64) {
    var kernel = SimulatedKernel(seed: seed, hasGate: true)
    kernel.run(seconds: 8)
    #expect(kernel.lateTicks == 0 && kernel.soundTicks >= 399)
    #expect(kernel.decoded > 300, "pictures were made all the while")
  }

  /// Sound and network take 8.5 ms of each 100: of 16 ms that leaves 4.3 ms for pictures at a time, and one that is composed takes 5.
  @Test(arguments: 0..<12 as Range<UInt64>)
  func picturesGoOnWhereEachTakesMoreThanTheRoomOfPictures(seed: UInt64) {
    var kernel = SimulatedKernel(seed: seed, quota: 16, canvas: 5, hasGate: true)
    kernel.run(seconds: 8)
    #expect(kernel.lateTicks == 0)
    #expect(kernel.composed.dropFirst().allSatisfy { $0 >= 1 } && kernel.composed.reduce(0, +) >= 16, "\(kernel.composed)")
    #expect(kernel.decoded > 80)
  }

  @Test func withoutTheBudgetItDoes() {
    var kernel = SimulatedKernel(seed: 1, hasGate: false)
    kernel.run(seconds: 8)
    #expect(kernel.lateTicks > 40)
  }
}

extension PictureBudget {
  fileprivate mutating func admits(_ expected: Int64, waited: Interval = .zero) -> Bool {
    admit(expected, waited: waited) == .now
  }
}

/// Four processors whose use is limited as Linux does it: what is left of a period's quota is given out in slices of 5 ms to whichever
/// processor runs out, what an idle one has left but 1 ms comes back, and who gets none stands still until the next period.
///
/// On it: a mix every 20 ms; network work in small pieces and after each picture; six decoders and a canvas that want half as much again as the quota.
private struct SimulatedKernel {
  private enum Work: Equatable { case sound(due: Int), network, decoding(Int), canvas }
  private struct Processor {
    var runtime = 0
    var isStopped = false
    var work: Work?
    var left = 0
  }

  // Microseconds.
  private static let step = 100
  private static let slice = 5_000
  private static let kept = 1_000
  private let quota: Int
  private let canvas: Int
  private let periodsBegin: Int

  private var random: SeededRandom
  private let hasGate: Bool
  private var budget = PictureBudget()
  private var processors = [Processor](repeating: Processor(), count: 4)
  private var pool = 0
  private var now = 0
  private var used = 0
  private var ready: [(Work, Int)] = []
  private var waiting = PictureTurns<Work>()
  private var usedByPictures = 0
  private var frames = [Int](repeating: 0, count: 6)
  private var canvasIsBusy = false
  private(set) var soundTicks = 0
  private(set) var lateTicks = 0
  private(set) var decoded = 0
  /// Pictures in each second.
  private(set) var composed: [Int] = []

  /// - Parameters:
  ///   - quota: milliseconds in each 100.
  ///   - canvas: milliseconds that a composed picture takes.
  init(seed: UInt64, quota: Int = 30, canvas: Int = 7, hasGate: Bool) {
    random = SeededRandom(seed: seed)
    self.quota = quota * 1_000
    self.canvas = canvas * 1_000
    self.hasGate = hasGate
    pool = self.quota
    periodsBegin = Int.random(in: 0..<100_000, using: &random) / Self.step * Self.step
    budget.change(hasGate ? ProcessorQuota(nanoseconds: Int64(quota) * 1_000_000, each: .milliseconds(100)) : nil)
  }

  mutating func run(seconds: Int) {
    composed = [Int](repeating: 0, count: seconds)
    while now < seconds * 1_000_000 {
      if now % 100_000 == periodsBegin {
        pool = quota
        for place in processors.indices { processors[place].isStopped = false }
      }
      arrive()
      if now % 5_000 == 0 { admit() }
      schedule()
      work()
      now += Self.step
    }
  }

  private mutating func arrive() {
    if now % 20_000 == 0 { ready.insert((.sound(due: now), 900), at: 0) }
    if now % 10_000 == 0 { ready.append((.network, 400)) }
    for source in 0..<6 where now % 33_300 == source * 5_000 {
      frames[source] = min(frames[source] + 1, 30)
      if !waiting.contains(where: { $0 == .decoding(source) }), frames[source] == 1 { submit(.decoding(source)) }
    }
    if now % 33_300 == 1_000, !canvasIsBusy {
      canvasIsBusy = true
      submit(.canvas)
    }
  }

  private mutating func submit(_ work: Work) {
    waiting.append(work, isOutput: work == .canvas, at: .zero + .microseconds(Int64(now)))
    admit()
  }

  private func cost(of work: Work) -> Int {
    if case .decoding(let source) = work { return 500 * min(max(frames[source], 1), 4) }
    return canvas
  }

  private mutating func admit() {
    let instant = Instant.zero + .microseconds(Int64(now))
    budget.observe(used: Int64(used) * 1_000, pictures: Int64(usedByPictures) * 1_000, at: instant)
    var (turns, budget) = (waiting, budget)
    defer { (waiting, self.budget) = (turns, budget) }
    while true {
      let begun = turns.next(
        at: instant, expected: { Int64(cost(of: $0)) * 1_000 }, admit: { budget.admit($0, waited: $1) })
      guard let begun else { return }
      let (next, expected) = (begun.piece, Int(begun.expected / 1_000))
      // It takes a fifth more or less than it was thought to.
      let taken = expected * Int.random(in: 80...120, using: &random) / 100
      if case .decoding(let source) = next { frames[source] -= min(frames[source], 4) }
      ready.append((next, taken / Self.step * Self.step))
      expectations.append((next, expected, taken / Self.step * Self.step))
    }
  }
  private var expectations: [(work: Work, expected: Int, taken: Int)] = []

  private mutating func schedule() {
    var index = 0
    while index < ready.count {
      let idle = processors.indices.filter { processors[$0].work == nil }
      guard let place = idle.randomElement(using: &random) else { return }
      if case .sound(let due) = ready[index].0 {
        // Woken where it may have to wait: the kernel does not look who has runtime left.
        soundTicks += 1
        startedSound.append((place, due))
      }
      (processors[place].work, processors[place].left) = ready.remove(at: index)
      index = 0
    }
  }
  private var startedSound: [(Int, Int)] = []

  private mutating func work() {
    for place in processors.indices {
      guard let work = processors[place].work, !processors[place].isStopped else { continue }
      if processors[place].runtime <= 0 {
        let given = min(Self.slice, pool)
        pool -= given
        processors[place].runtime += given
      }
      guard processors[place].runtime > 0 else {
        processors[place].isStopped = true
        continue
      }
      if let index = startedSound.firstIndex(where: { $0.0 == place }) {
        if now - startedSound[index].1 > 20_000 { lateTicks += 1 }
        startedSound.remove(at: index)
      }
      processors[place].runtime -= Self.step
      used += Self.step
      processors[place].left -= Self.step
      if processors[place].left <= 0 { end(work, at: place) }
    }
  }

  private mutating func end(_ work: Work, at place: Int) {
    processors[place].work = nil
    pool += max(0, processors[place].runtime - Self.kept)
    processors[place].runtime = min(processors[place].runtime, Self.kept)
    if let index = expectations.firstIndex(where: { $0.work == work }) {
      let done = expectations.remove(at: index)
      usedByPictures += done.taken
      budget.finish(Int64(done.expected) * 1_000)
    }
    switch work {
    case .decoding(let source):
      decoded += 1
      if frames[source] > 0 { submit(.decoding(source)) }
    case .canvas:
      canvasIsBusy = false
      composed[now / 1_000_000] += 1
      ready.append((.network, 1_000))
    case .sound, .network: break
    }
    admit()
  }
}
