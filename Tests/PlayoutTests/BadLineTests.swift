import EncodedMedia
import Playout
import TestSupport
import Testing
import Timing

/// What the buffer must make of bad lines, in virtual time.
@Suite struct BadLineTests {
  /// A minute of packets through an emulated network, after which it is calm.
  private func jittery(_ link: Link, seed: UInt64, milliseconds: Int = 20, level: UInt8? = 30) -> Call {
    var network = NetworkEmulator<Int>(link: link, seed: seed)
    let call = Call()
    let count = 60_000 / milliseconds
    var fates = [Fate](repeating: Fate(isLost: true), count: count)
    for index in 0..<count {
      let sent = Instant.zero + .milliseconds(Int64(index * milliseconds))
      network.send([UInt8(index & 255), UInt8(index >> 8)], from: 0, to: 1, at: sent)
    }
    while let arrival = network.takeArrival(at: .distantFuture) {
      let index = Int(arrival.bytes[0]) | Int(arrival.bytes[1]) << 8
      let delay = arrival.time - (Instant.zero + .milliseconds(Int64(index * milliseconds)))
      fates[index].delay = delay
      fates[index].isLost = false
    }
    call.stream(seconds: 80, milliseconds: milliseconds, level: level) { $0 < count ? fates[$0] : Fate() }
    return call
  }

  @Test(arguments: 1...6, [20, 60]) func jitterOf50msIsWaitedForAndForgotten(seed: UInt64, milliseconds: Int) {
    expectFewLate(jitter: 50, lateMax: 0.005, seed: seed, milliseconds: milliseconds, keepsOrder: true)
    expectFewLate(jitter: 50, lateMax: 0.005, seed: seed, milliseconds: milliseconds, keepsOrder: false)
  }

  @Test(arguments: 1...6, [20, 60]) func jitterOf200msIsWaitedForAndForgotten(seed: UInt64, milliseconds: Int) {
    expectFewLate(jitter: 200, lateMax: 0.02, seed: seed, milliseconds: milliseconds, keepsOrder: true)
    expectFewLate(jitter: 200, lateMax: 0.02, seed: seed, milliseconds: milliseconds, keepsOrder: false)
  }

  private func expectFewLate(jitter: Int64, lateMax: Double, seed: UInt64, milliseconds: Int, keepsOrder: Bool) {
    var link = Link()
    link.delay = .milliseconds(30)
    link.jitter = .milliseconds(jitter)
    link.keepsOrder = keepsOrder
    let call = jittery(link, seed: seed, milliseconds: milliseconds)
    let statistics = call.statistics
    let sent = 60_000 / milliseconds
    #expect(call.isInOrderWithoutDuplicates)
    #expect(Double(statistics.late + statistics.skipped) < lateMax * Double(sent))
    #expect(Double(statistics.underrunSamples + statistics.concealedSamples) < lateMax * 60 * 48_000)
    #expect(call.delays(from: at(70)).most < 60)
    #expect(call.delays(from: at(5)).most < Double(jitter) + Double(milliseconds) + 50)
  }

  @Test(arguments: 1...6) func twoRedundantCopiesMakeUpForAFifthLost(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let call = Call()
    let packets = 3_000
    let arrives = (0..<packets).map { $0 < 3 || Int.random(in: 0..<5, using: &random) > 0 }
    var neverCame = 0
    call.stream(seconds: 60) { index in
      // Each packet brings the two frames before it.
      guard let carrier = (index..<min(index + 3, packets)).first(where: { arrives[$0] }) else {
        neverCame += 1
        return Fate(isLost: true)
      }
      return Fate(delay: .milliseconds(30 + 20 * Int64(carrier - index)))
    }
    let statistics = call.statistics
    #expect(call.isInOrderWithoutDuplicates)
    #expect(neverCame > 10)
    #expect(statistics.concealedSamples + statistics.underrunSamples <= 60 * 48_000 / 50)
    #expect(call.delays(from: at(5)).most <= 100)
  }

  @Test(arguments: [false, true], 0..<20) func soundIsBackSoonAfterABlackout(isHeld: Bool, phase: Int64) {
    let call = Call()
    let (start, end) = (at(5) + .milliseconds(phase), at(7) + .milliseconds(phase))
    call.stream(seconds: 12) { index in
      let time = Instant.zero + .milliseconds(20) * Int64(index)
      guard time >= start, time < end else { return Fate() }
      // Held back and sent at a megabit a second or so, or never seen again.
      return Fate(delay: end - time + .milliseconds(30) + .microseconds(300 * Int64(index - 250)), isLost: !isHeld)
    }
    let back = end + .milliseconds(30)
    #expect(call.played.contains { $0.time >= back && $0.time <= back + .milliseconds(100) })
    // What is heard is new, and goes on without a break.
    #expect(call.delays(from: back).most < 150)
    #expect(call.delays(from: at(10)).most < 60)
    #expect(call.isInOrderWithoutDuplicates)
    #expect(call.statistics.acceleratedSamples < 9_600)
  }

  @Test func peaksThatReturnAreWaitedFor() {
    let call = Call()
    // All of 150 ms comes at its end, every three seconds.
    call.stream(seconds: 60) { index in
      Fate(delay: .milliseconds(30 + max(0, 150 - 20 * Int64(index % 150)) * (index < 2_000 ? 1 : 0)))
    }
    let statistics = call.statistics
    #expect(statistics.late == 0 && statistics.skipped <= 21)
    // The first three are not known to return.
    #expect(statistics.underrunSamples + statistics.concealedSamples <= 20 * 960)
    #expect(call.delays(from: at(50)).most < 60)
    #expect(call.isInOrderWithoutDuplicates)
  }

  @Test(arguments: [-200, 200] as [Int64]) func anHourOfDriftIsAbsorbed(perMillion: Int64) {
    let call = Call()
    var random = SeededRandom(seed: 9)
    call.stream(seconds: 3_600, driftPerMillion: perMillion) { _ in
      Fate(delay: .microseconds(30_000 + Int64.random(in: 0...3_000, using: &random)))
    }
    let statistics = call.statistics
    let delays = call.played.filter { $0.time > at(5) }.map(\.delay.milliseconds)
    let (least, most) = (delays.min() ?? 0, delays.max() ?? 0)
    #expect(most - least <= 40)
    #expect(statistics.lost == 0 && statistics.late == 0 && statistics.skipped == 0 && statistics.resets == 0)
    // Nothing but the sound itself from the first frame to the last; after it, a fast clock has nothing left to play.
    let playing = call.steps.drop(while: \.isSilence).reversed().drop { $0.isSilence || $0.isConcealment }
    #expect(!playing.contains { $0.isSilence || $0.isConcealment })
    // 0.72 s, 20 ms at a time.
    let stretched = perMillion > 0 ? statistics.expandedSamples : statistics.acceleratedSamples
    #expect((34 * 960...40 * 960).contains(stretched))
    #expect(call.keepsPace(packetSamples: 960))
  }
}

extension PlayoutStep {
  fileprivate var isSilence: Bool {
    if case .silence = self { true } else { false }
  }
  fileprivate var isConcealment: Bool {
    switch self {
    case .conceal, .skip: true
    case .play, .accelerate, .catchUp, .expand, .silence: false
    }
  }
}
