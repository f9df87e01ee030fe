import EncodedMedia
import Playout
import TestSupport
import Testing
import Timing

@Suite struct PlayoutBufferTests {
  @Test func aSteadyStreamIsPlayedWholeAndSoon() {
    let call = Call()
    call.stream(seconds: 20) { _ in Fate() }
    let statistics = call.statistics
    #expect(call.isInOrderWithoutDuplicates)
    #expect(call.keepsPace(packetSamples: 960))
    #expect(statistics.inserted == 999 && statistics.lost == 0 && statistics.late == 0)
    #expect(statistics.concealedSamples == 0 && statistics.underrunSamples == 0)
    #expect(call.played.count >= 995)
    #expect(call.delays(from: at(5)).most <= 60)
    #expect(statistics.target == .milliseconds(10))
  }

  @Test(arguments: 0..<20) func aSteadyStreamKeepsItsFirstDelayAtEveryPhaseOfTheTicks(phase: Int64) {
    let call = Call()
    call.stream(seconds: 30) { _ in Fate(delay: .milliseconds(30 + phase)) }
    let statistics = call.statistics
    #expect(statistics.expandedSamples == 0 && statistics.acceleratedSamples == 0 && statistics.underrunSamples <= 960)
    #expect(statistics.delayMin == statistics.delayMax)
    #expect(statistics.delayMax <= .milliseconds(35))
  }

  @Test(arguments: [1, 2, 3]) func whatComesLateOnceDelaysNothingAfterIt(lateFrames: Int) {
    let call = Call()
    // Nothing comes for a while, then all at once.
    let (first, last) = (500, 500 + lateFrames - 1)
    call.stream(seconds: 20) { index in
      Fate(delay: .milliseconds(30 + ((first...last).contains(index) ? Int64(20 * (last - index) + 28) : 0)))
    }
    let statistics = call.statistics
    let caught = call.steps.count { if case .catchUp = $0 { true } else { false } }
    #expect(statistics.delayMin == statistics.delayMax)
    #expect(statistics.late == caught && (1...lateFrames).contains(caught))
    #expect(statistics.skipped == 0 && statistics.lost == 0)
    #expect(statistics.expandedSamples == 0 && statistics.acceleratedSamples == 0)
    #expect(call.keepsPace(packetSamples: 960))
  }

  @Test func whatComesLateAgainAndAgainIsWaitedFor() {
    let call = Call()
    call.stream(seconds: 20) { Fate(delay: .milliseconds(30 + ($0 % 50 == 49 ? 35 : 0))) }
    let statistics = call.statistics
    #expect(statistics.late + statistics.lost <= 3)
    #expect(statistics.delay >= .milliseconds(35))
  }

  @Test func aLittleTooMuchDelayIsTakenOutWhereSomebodyPauses() {
    let call = Call()
    // Late now and then for six seconds, and never again; every fourth second is quiet.
    let isLate = { (index: Int) in index < 300 && index % 50 == 49 }
    var cuts: [Bool] = []
    for second in 0..<40 {
      let isQuiet = second % 4 == 3
      let before = call.statistics.acceleratedSamples
      call.stream(
        seconds: 1, firstSequence: Int64(second * 50), firstTimestamp: UInt32(second * 48_000), level: isQuiet ? 60 : 25
      ) { Fate(delay: .milliseconds(30 + (isLate(second * 50 + $0) ? 22 : 0))) }
      if call.statistics.acceleratedSamples > before { cuts.append(isQuiet) }
    }
    #expect(cuts == [true])
    #expect(call.statistics.delay <= .milliseconds(35))
  }

  /// What was put in or taken out in each second in which somebody speaks or pauses.
  private func changes(_ call: Call, seconds: Range<Int>, isQuiet: (Int) -> Bool = { _ in false }) -> [Int] {
    seconds.map { second in
      let before = call.statistics.expandedSamples + call.statistics.acceleratedSamples
      call.stream(
        seconds: 1, firstSequence: Int64(second * 50), firstTimestamp: UInt32(second * 48_000), level: isQuiet(second) ? 60 : 25
      ) { _ in Fate() }
      return call.statistics.expandedSamples + call.statistics.acceleratedSamples - before
    }
  }

  @Test func soundIsHeldBackForItsPictureSlowlyWhileSomebodySpeaks() {
    let call = Call()
    _ = changes(call, seconds: 0..<5)
    let delay = call.statistics.delay
    call.buffer.delayMin = .milliseconds(180)
    let growing = changes(call, seconds: 5..<15)
    // Nothing for two seconds, in which he might pause; then a twentieth.
    #expect(growing[0] == 0 && growing[1] <= 240)
    #expect(growing.allSatisfy { $0 <= 48_000 / 20 + 240 })
    #expect(call.statistics.delay >= .milliseconds(180) && call.statistics.delay <= .milliseconds(220))
    #expect(growing.suffix(3) == [0, 0, 0])
    call.buffer.delayMin = .zero
    let shrinking = changes(call, seconds: 15..<25)
    #expect(shrinking.allSatisfy { $0 <= 48_000 / 20 + 240 })
    #expect(call.statistics.delay <= delay + .milliseconds(20))
    #expect(call.statistics.concealedSamples == 0 && call.statistics.lost == 0 && call.statistics.skipped == 0)
    #expect(call.keepsPace(packetSamples: 960))
  }

  @Test func soundIsHeldBackForItsPictureInOnePauseWhereThereIsOne() {
    let call = Call()
    _ = changes(call, seconds: 0..<5) { _ in false }
    call.buffer.delayMin = .milliseconds(180)
    let growing = changes(call, seconds: 5..<9) { $0 == 6 }
    #expect(growing[0] == 0 && growing[2] == 0 && growing[3] == 0)
    #expect(call.statistics.delay >= .milliseconds(180))
  }

  @Test func aPictureThatIsALittleLateIsWaitedForInPausesOnly() {
    let call = Call()
    _ = changes(call, seconds: 0..<5)
    call.buffer.delayMin = .milliseconds(50)
    let growing = changes(call, seconds: 5..<40) { $0 == 30 }
    #expect(growing[25] > 0 && growing.reduce(0, +) == growing[25])
  }

  @Test(arguments: [10, 20, 40, 60, 120]) func packetsOfAnyLengthFillTheTicks(milliseconds: Int) {
    let call = Call()
    call.stream(seconds: 12, milliseconds: milliseconds) { _ in Fate() }
    let statistics = call.statistics
    #expect(call.keepsPace(packetSamples: max(milliseconds * 48, 960)))
    #expect(call.isInOrderWithoutDuplicates)
    #expect(statistics.lost == 0 && statistics.underrunSamples == 0)
    #expect(statistics.played >= 12_000 / milliseconds - 8)
  }

  @Test(arguments: 1...8) func jitterIsWaitedForWithinBounds(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    let call = Call()
    call.stream(seconds: 60) { _ in Fate(delay: .microseconds(30_000 + Int64.random(in: 0...60_000, using: &random))) }
    let statistics = call.statistics
    #expect(call.isInOrderWithoutDuplicates)
    #expect(call.keepsPace(packetSamples: 960))
    #expect((45...80).contains(Int(statistics.target.milliseconds)))
    #expect(call.delays(from: at(10)).most < 160)
    #expect(statistics.played > 2_930)
    #expect(statistics.concealedSamples + statistics.underrunSamples < 60 * 48_000 / 50)
  }

  @Test func theDelayShrinksAgainWhenTheNetworkCalmsDown() {
    var random = SeededRandom(seed: 4)
    let call = Call()
    call.stream(seconds: 120) { index in
      let isRough = (500..<1_000).contains(index)
      return Fate(delay: .microseconds(30_000 + (isRough ? Int64.random(in: 0...150_000, using: &random) : 0)))
    }
    let rough = call.played.filter { $0.time > at(15) && $0.time < at(20) }.map(\.delay.milliseconds)
    #expect((rough.max() ?? 0) > 100)
    #expect(call.delays(from: at(110)).most <= 60)
    #expect(call.statistics.acceleratedSamples > 0)
    #expect(call.isInOrderWithoutDuplicates)
  }

  @Test(arguments: 1...5) func lossIsConcealedAndNothingElse(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    let call = Call()
    var lost = 0
    call.stream(seconds: 30) { index in
      let isLost = index > 10 && index < 1_490 && Int.random(in: 0..<100, using: &random) < 10
      if isLost { lost += 1 }
      return Fate(isLost: isLost)
    }
    let statistics = call.statistics
    #expect(statistics.lost == lost)
    #expect(statistics.late == 0)
    let madeUp =
      statistics.concealedSamples + statistics.underrunSamples + statistics.expandedSamples
      - statistics.acceleratedSamples
    #expect(abs(madeUp - lost * 960) <= 4 * 960)
    #expect(call.delays(from: at(5)).most <= 100)
    #expect(call.isInOrderWithoutDuplicates)
  }

  @Test func aLostFrameIsRecoveredFromTheOneAfterIt() {
    let call = Call(settings: .init(delayMin: .milliseconds(60), delayInitial: .milliseconds(60)))
    call.stream(seconds: 4) { Fate(isLost: $0 == 100 || $0 == 120 || $0 == 121) }
    let concealed = call.steps.compactMap { step -> Int64?? in
      if case .conceal(_, let following) = step { return .some(following?.sequence) }
      return nil
    }
    #expect(concealed == [101, nil, 122])
  }

  @Test(arguments: 1...5) func reorderedAndDoubledPacketsArePlayedOnceInOrder(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed) + 100)
    let call = Call()
    call.stream(seconds: 30) { _ in
      let isSlow = Int.random(in: 0..<10, using: &random) == 0
      return Fate(
        delay: .milliseconds(isSlow ? 75 : 30), isDoubled: Int.random(in: 0..<5, using: &random) == 0)
    }
    let statistics = call.statistics
    #expect(call.isInOrderWithoutDuplicates)
    #expect(statistics.duplicates > 200)
    #expect(statistics.played > 1_440)
    #expect(statistics.late < 30)
    #expect(call.delays(from: at(5)).most < 130)
  }

  @Test(arguments: [300, 1_000, 3_000]) func aBurstAfterABlackoutIsPassedOver(milliseconds: Int64) {
    let call = Call()
    let (start, end) = (at(5), at(5) + .milliseconds(milliseconds))
    call.stream(seconds: 15) { index in
      let time = Instant.zero + .milliseconds(20) * Int64(index)
      // Everything sent during the blackout comes at its end, in order.
      let isHeld = time >= start && time < end
      return Fate(delay: isHeld ? (end - time) + .milliseconds(30) + .microseconds(Int64(index)) : .milliseconds(30))
    }
    #expect(call.isInOrderWithoutDuplicates)
    #expect(call.delays(from: end + .milliseconds(100)).most < 260)
    #expect(call.delays(from: at(13)).most < 260)
    let statistics = call.statistics
    #expect(statistics.skipped + statistics.overflowed > 0)
    #expect(call.waitingCount < 20)
  }

  @Test func aPauseOfTheSenderIsNotLoss() {
    let call = Call()
    call.stream(seconds: 2) { _ in Fate() }
    // Nothing is sent for three seconds; the timestamps go on, the sequence numbers do not.
    call.run(until: at(5))
    call.stream(seconds: 2, firstSequence: 100, firstTimestamp: 5 * 48_000) { _ in Fate() }
    let statistics = call.statistics
    #expect(statistics.lost == 0 && statistics.late == 0 && statistics.resets == 0)
    #expect(statistics.played >= 195)
    #expect(statistics.underrunSamples <= 9_600)
    #expect(call.delays(from: at(5)).most <= 60)
  }

  @Test func announcedSilenceIsNotConcealed() {
    let call = Call()
    call.stream(seconds: 1) { _ in Fate() }
    let silence = Call.packet(milliseconds: 20, sequence: 50, timestamp: 48_000, level: nil, byteCount: 1)
    call.send(silence, at: at(1), Fate())
    call.run(until: at(4))
    #expect(call.statistics.underrunSamples == 0)
    #expect(!call.isPlaying)
  }

  @Test(arguments: [-200, 200] as [Int64]) func driftingClocksAreFollowed(perMillion: Int64) {
    let call = Call()
    call.stream(seconds: 300, level: 70, driftPerMillion: perMillion) { _ in Fate() }
    let statistics = call.statistics
    // 200 ppm in 300 s is 60 ms: three ticks.
    #expect(call.delays(from: at(10)).most <= 70)
    #expect(statistics.lost == 0 && statistics.skipped == 0)
    #expect(statistics.acceleratedSamples + statistics.underrunSamples + statistics.expandedSamples <= 8 * 960)
  }

  @Test func aStreamThatStartsAnewIsTakenUpAtOnce() {
    let call = Call()
    call.stream(seconds: 3) { _ in Fate() }
    call.stream(seconds: 3, firstSequence: 40_000, firstTimestamp: 3_000_000_000) { _ in Fate() }
    #expect(call.statistics.resets == 1)
    #expect(call.played.filter { $0.sequence >= 40_000 }.count >= 145)
    // A little lower, as where a sender counts anew from a number near by.
    call.stream(seconds: 4, firstSequence: 39_900, firstTimestamp: 3_000_000_000 &+ 3 * 48_000) { _ in Fate() }
    #expect(call.statistics.resets == 2)
    #expect(call.played.suffix(100).allSatisfy { $0.time > at(6) })
  }

  @Test func timestampsMayWrap() {
    let call = Call()
    call.stream(seconds: 10, firstTimestamp: UInt32.max - 100_000) { _ in Fate() }
    #expect(call.statistics.lost == 0 && call.statistics.resets == 0)
    #expect(call.played.count >= 495)
  }

  @Test func theQueueIsBounded() {
    let call = Call(settings: .init(capacity: 16))
    for index in 0..<1_000 {
      var frame = Call.packet(milliseconds: 20, sequence: Int64(index), timestamp: UInt32(index * 960), level: nil)
      frame.time = at(1)
      call.buffer.insert(frame)
    }
    #expect(call.waitingCount == 16)
    #expect(call.statistics.overflowed == 984)
  }

  @Test func aShiftToALongerRouteIsSurvivedWithoutStandingDelay() {
    let call = Call()
    call.stream(seconds: 30) { Fate(delay: .milliseconds($0 < 500 ? 30 : 180)) }
    #expect(call.isInOrderWithoutDuplicates)
    #expect(call.delays(from: at(25)).most < 150 + 80)
    #expect(call.played.filter { $0.time > at(15) }.count > 735)
  }

  @Test func framesOfNoKnownLengthAreCounted() {
    var buffer = PlayoutBuffer()
    for bytes in [[], [0x4B], [0x4B, 0x00], [0x4B, 0x3F]] as [[UInt8]] {
      buffer.insert(EncodedFrame(codec: .opus, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), time: .zero))
    }
    buffer.insert(EncodedFrame(codec: .vp8, payload: FrameBuffer([1]), timestamp: RTPTimestamp(0), time: .zero))
    let (malformed, count) = (buffer.statistics.malformed, buffer.count)
    #expect(malformed == 5)
    #expect(count == 0)
  }

  @Test(arguments: 1...20) func arbitraryNumbersNeverTrapNorStall(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed) + 1_000)
    var buffer = PlayoutBuffer(settings: .init(capacity: 8))
    var steps: [PlayoutStep] = []
    var now = Instant.zero
    for _ in 0..<2_000 {
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        let isWild = Int.random(in: 0..<4, using: &random) == 0
        let sequence = isWild ? Int64.random(in: .min ... .max, using: &random) : Int64.random(in: 0...80, using: &random)
        let timestamp = isWild ? UInt32.random(in: 0 ... .max, using: &random) : UInt32.random(in: 0...9_000, using: &random)
        let bytes = (0..<Int.random(in: 0...12, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        var frame = EncodedFrame(
          codec: Bool.random(using: &random) ? .opus : .pcmu, payload: FrameBuffer(bytes),
          timestamp: RTPTimestamp(timestamp), sequence: sequence,
          time: isWild ? Instant(nanoseconds: .random(in: .min ... .max, using: &random)) : now)
        if Int.random(in: 0..<50, using: &random) == 0 { frame.source = SSRC(UInt32.random(in: 0...2, using: &random)) }
        buffer.insert(frame)
      }
      steps.removeAll(keepingCapacity: true)
      buffer.pull(at: now, into: &steps)
      #expect(steps.count < 60)
      now += .milliseconds(20)
    }
    let waiting = buffer.count
    #expect(waiting <= 8)
  }

  @Test func aTickAllocatesNothing() {
    let frames = (0..<500).map { index in
      var frame = Call.packet(milliseconds: 20, sequence: Int64(index), timestamp: UInt32(index * 960), level: 30)
      frame.time = at(Double(index) / 50)
      return frame
    }
    var steps: [PlayoutStep] = []
    steps.reserveCapacity(64)
    func run(_ buffer: inout PlayoutBuffer) {
      for (index, frame) in frames.enumerated() where index % 7 != 3 {
        buffer.insert(frame)
        steps.removeAll(keepingCapacity: true)
        buffer.pull(at: frame.time + .milliseconds(5), into: &steps)
      }
    }
    // The first use in a process makes the runtime set up types; a buffer of its own, so that the one measured is fresh.
    var first = PlayoutBuffer()
    run(&first)
    var buffer = PlayoutBuffer()
    let count = allocations { run(&buffer) }
    #expect(count == 0)
    let lost = buffer.statistics.lost
    #expect(lost > 50)
  }
}
