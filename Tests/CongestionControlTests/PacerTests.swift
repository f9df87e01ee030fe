import CongestionControl
import TestSupport
import Testing
import Timing

private func handles(_ released: [PacerRelease]) -> [UInt64] {
  released.compactMap { if case .packet(let packet, _) = $0 { packet.handle } else { nil } }
}

@Test func audioLeavesFirstAndAtOnceThenRetransmissionsThenVideo() {
  var pacer = Pacer(targetBitsPerSecond: 1_000_000)
  for number in 0..<10 as Range<UInt64> { _ = pacer.enqueue(number, .video, size: 1_000, at: .zero) }
  var released: [PacerRelease] = []
  pacer.pop(at: .zero, into: &released)
  #expect(handles(released) == [0])
  _ = pacer.enqueue(100, .retransmission, size: 1_000, at: .zero)
  _ = pacer.enqueue(200, .audio, size: 100, at: .zero)
  released = []
  pacer.pop(at: .zero, into: &released)
  #expect(handles(released) == [200])
  released = []
  while let deadline = pacer.nextDeadline { pacer.pop(at: deadline, into: &released) }
  #expect(handles(released) == [100, 1, 2, 3, 4, 5, 6, 7, 8, 9])
}

@Test func aRetransmissionThatWouldComeTooLateIsRefused() {
  var pacer = Pacer(targetBitsPerSecond: 100_000)
  for number in 0..<10 as Range<UInt64> { _ = pacer.enqueue(number, .video, size: 1_000, at: .zero) }
  let isTaken = pacer.enqueue(100, .retransmission, size: 1_000, at: .zero)
  #expect(!isTaken)
}

@Test func whatFitsPassesWithoutAQueueAndCountsInTheBudget() {
  var pacer = Pacer(targetBitsPerSecond: 1_000_000)
  // 40 ms of 1.25 Mb/s are 6250 bytes.
  let first = pacer.passes(bytes: 4_000, at: .zero)
  let second = pacer.passes(bytes: 4_000, at: .zero)
  let later = pacer.passes(bytes: 4_000, at: .zero + .milliseconds(40))
  #expect(first && !second && later)
  _ = pacer.enqueue(1, .video, size: 1_000, at: .zero + .milliseconds(40))
  let behind = pacer.passes(bytes: 100, at: .zero + .milliseconds(200))
  #expect(!behind, "what waits leaves first")
  pacer.removeVideo(keepingFirst: 0)
  #expect(pacer.isEmpty)
}

@Test(arguments: zip([PathHeadroom.none, .some, .ample], [476_190_000, 400_000_000, 200_000_000]))
func aKeyframeLeavesAsFastAsThePathHasHeadroom(headroom: PathHeadroom, time: Int64) {
  var pacer = Pacer(targetBitsPerSecond: 1_000_000)
  pacer.setTarget(1_000_000, headroom: headroom, at: .zero)
  for number in 0..<50 as Range<UInt64> { _ = pacer.enqueue(number, .video, size: 1_250, at: .zero) }
  var released: [PacerRelease] = []
  var last = Instant.zero
  while let deadline = pacer.nextDeadline {
    #expect(deadline >= last)
    last = deadline
    let before = released.count
    pacer.pop(at: deadline, into: &released)
    #expect(released.count > before)
    #expect(released.count - before <= 3)
  }
  // 50 packets of 10 kbit at 1.05, 1.25 or 2.5 Mb/s; the last burst need not be waited for.
  #expect(last.nanoseconds > time - 20_000_000 && last.nanoseconds <= time)
  #expect(released.count == 50)
}

@Test func aFullPacerRefusesFramesBeforeTheyHaveNumbers() {
  var pacer = Pacer(targetBitsPerSecond: 100_000)
  #expect(pacer.admits(bytes: 100_000, packets: 90))
  for number in 0..<13 as Range<UInt64> { _ = pacer.enqueue(number, .video, size: 1_000, at: .zero) }
  #expect(!pacer.admits(bytes: 1, packets: 1), "some 800 ms wait already")
  var refused = 0
  for number in 0..<2_000 as Range<UInt64> where !pacer.enqueue(number, .video, size: 1_000, at: .zero) { refused += 1 }
  #expect(refused == 2_000 - (512 - 13))
  #expect(pacer.counters.refused == refused)
  pacer.removeAll()
  #expect(pacer.isEmpty && pacer.nextDeadline == nil)
}

@Test func aProbeIsPaddedWhereNoMediaWaits() {
  var pacer = Pacer(targetBitsPerSecond: 100_000)
  _ = pacer.enqueue(1, .video, size: 500, at: .zero)
  pacer.begin(ProbeRequest(cluster: 9, bitsPerSecond: 400_000, bytes: 3_000, packetsMin: 6), at: .zero)
  var released: [PacerRelease] = []
  var last = Instant.zero
  while let deadline = pacer.nextDeadline {
    last = deadline
    pacer.pop(at: deadline, into: &released)
  }
  // A packet that is larger than the rest would make them too few for their time, were it first.
  #expect(released.first == .padding(size: 500, cluster: 9))
  let second = released.dropFirst().first
  #expect(second.map { if case .packet(_, cluster: 9) = $0 { true } else { false } } == true)
  #expect(released.dropFirst(2).allSatisfy { $0 == .padding(size: 500, cluster: 9) })
  #expect(released.count == 6)
  #expect(last == .zero + .milliseconds(50))
}

@Test func aProbeOfSmallPaddingIsAsLargeAsWasAskedFor() {
  var pacer = Pacer(targetBitsPerSecond: 300_000)
  pacer.begin(ProbeRequest(cluster: 9, bitsPerSecond: 1_600_000, bytes: 4_000, packetsMin: 6), paddingSizeMax: 255, at: .zero)
  var sizes: [Int] = []
  for millisecond in 0..<30 {
    var released: [PacerRelease] = []
    pacer.pop(at: .zero + .milliseconds(Int64(millisecond)), into: &released)
    for case .padding(let size, 9) in released { sizes.append(size) }
  }
  #expect(sizes.allSatisfy { $0 <= 255 } && (4_000..<4_400).contains(sizes.reduce(0, +)), "\(sizes)")
}

@Test func pacingAllocatesNothingOnceItRuns() {
  var pacer = Pacer(targetBitsPerSecond: 1_000_000)
  var released: [PacerRelease] = []
  released.reserveCapacity(64)
  var now = Instant.zero
  func turn() {
    for number in 0..<16 as Range<UInt64> { _ = pacer.enqueue(number, .video, size: 1_000, at: now) }
    _ = pacer.enqueue(99, .audio, size: 100, at: now)
    while let deadline = pacer.nextDeadline {
      now = max(now, deadline)
      released.removeAll(keepingCapacity: true)
      pacer.pop(at: now, into: &released)
    }
  }
  for _ in 0..<3 { turn() }
  #expect(allocations { for _ in 0..<100 { turn() } } == 0)
}
