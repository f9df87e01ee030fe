import TestSupport
import Testing
import Timing

/// The network everything else is tested over does what it is told.
@Suite struct NetworkEmulatorTests {
  private struct Arrival: Equatable {
    var time: Instant
    var number: UInt8
  }

  /// A datagram of 1000 bytes every 10 ms.
  private func run(_ link: Link, seed: UInt64 = 1, count: Int = 2000, byteCount: Int = 1000) -> (
    [Arrival], NetworkEmulator<Int>.Counters
  ) {
    var network = NetworkEmulator<Int>(link: link, seed: seed)
    var arrivals: [Arrival] = []
    for index in 0..<count {
      let now = Instant.zero + .milliseconds(10) * Int64(index)
      while let time = network.nextArrival, time <= now, let datagram = network.takeArrival(at: now) {
        #expect(datagram.time == time && datagram.from == 1 && datagram.to == 2)
        arrivals.append(Arrival(time: time, number: datagram.bytes[0]))
      }
      network.send([UInt8](repeating: UInt8(truncatingIfNeeded: index), count: byteCount), from: 1, to: 2, at: now)
    }
    while let datagram = network.takeArrival(at: .distantFuture) {
      arrivals.append(Arrival(time: datagram.time, number: datagram.bytes[0]))
    }
    return (arrivals, network.counters)
  }

  @Test func theSameSeedDoesTheSameWhateverTheLength() {
    var link = Link.lossy(0.1)
    link.jitter = .milliseconds(40)
    link.keepsOrder = false
    link.duplication = 0.1
    let a = run(link)
    #expect(run(link).0 == a.0 && run(link, byteCount: 77).0 == a.0 && run(link, seed: 2).0 != a.0)
  }

  @Test func lossIsTheShareAskedForAndBurstsComeTogether() {
    let even = run(.lossy(0.1), count: 10_000).1
    #expect((900...1100).contains(even.lost))
    var link = Link()
    link.burstStart = 0.01
    link.burstEnd = 0.2
    link.burstLoss = 1
    let (arrivals, counters) = run(link, count: 10_000)
    #expect((300...700).contains(counters.lost))
    let gaps = zip(arrivals, arrivals.dropFirst()).count { $1.time - $0.time > .milliseconds(15) }
    #expect(Double(counters.lost) / Double(max(gaps, 1)) > 3)
  }

  @Test func jitterKeepsTheOrderUnlessToldOtherwise() {
    var link = Link()
    link.jitter = .milliseconds(50)
    #expect(run(link, count: 200).0.map(\.number) == (0..<200).map { UInt8($0) })
    link.reordering = 0.05
    link.reorderingDelay = .milliseconds(60)
    #expect(run(link, count: 200).0.map(\.number) != (0..<200).map { UInt8($0) })
  }

  @Test func aLimitedRateQueuesAndThenLoses() {
    var link = Link()
    // 1000 bytes every 10 ms are 800 kbit/s.
    link.bitsPerSecond = 400_000
    let (arrivals, counters) = run(link)
    #expect((980...1030).contains(arrivals.count) && counters.overflowed > 900)
    for (a, b) in zip(arrivals, arrivals.dropFirst()) { #expect(b.time - a.time >= .milliseconds(19)) }
  }
}
