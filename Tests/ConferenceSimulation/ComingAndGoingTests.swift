import Conference
import Glibc
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// People who join and leave a conference over a bad network, for a minute, or for as many as `TUTTI_SOAK_MINUTES` says.
@Suite struct ComingAndGoingTests {
  private static let soakMinutes = getenv("TUTTI_SOAK_MINUTES").flatMap { Int(String(cString: $0)) }
  private static let stepsPerMinute = 3_000

  /// What has come of it so far.
  private struct Counts {
    var joined = 0
    var left = 0
    var connected = 0
  }

  private struct WeakMedia {
    weak var media: ParticipantMedia?
  }

  @Test func thirtyWhoComeAndGoLeaveNothingBehind() async throws {
    let sources = try EncodedSources(hertz: 500, seed: 1)
    let room = try SimulatedRoom(link: badLink(), seed: 3)
    room.listens = false
    var random = SeededRandom(seed: 33)
    var heap: [Int] = []
    for _ in 0..<(Self.soakMinutes ?? 1) {
      var weakly: [WeakMedia] = []
      var counts = Counts()
      for step in 0..<Self.stepsPerMinute {
        room.step()
        if step % 50 == 0 { await Task.yield() }
        guard Int.random(in: 0..<10, using: &random) == 0 else { continue }
        try comeOrGo(room, sources, step, &random, &counts, &weakly)
      }
      #expect(counts.joined > 80 && counts.left > 50 && counts.connected > 30, "\(counts)")
      empty(room)
      let alive = weakly.count { $0.media != nil }
      #expect(alive == 0, "\(alive) of \(weakly.count) participants are still kept by somebody")
      heap.append(liveHeapBytes())
    }
    if Self.soakMinutes != nil { expectFlat(heap) }
    room.simulation.run(for: .seconds(60))
    #expect(room.simulation.endpoint.nextDeadline == nil)
  }

  private func empty(_ room: SimulatedRoom) {
    for member in room.members {
      // Nobody who stayed was harmed by those who came and went.
      #expect(member.client.endReason == nil)
      room.leave(member, politely: false)
    }
    for _ in 0..<100 { room.step() }
    #expect(room.simulation.endpoint.peerCount == 0 && room.simulation.clients.isEmpty)
    let kept = room.simulation.endpoint.bookkeeping
    #expect(kept.fragments == 0 && kept.paths == 0 && kept.outputs == 0)
    #expect(room.board.current.people.isEmpty)
  }

  private func comeOrGo(
    _ room: SimulatedRoom, _ sources: EncodedSources, _ step: Int, _ random: inout SeededRandom, _ counts: inout Counts,
    _ weakly: inout [WeakMedia]
  ) throws {
    if room.members.count < 30, Int.random(in: 0..<100, using: &random) < 55 {
      let member = try room.join(Int.random(in: 0..<3, using: &random) == 0 ? sources : nil)
      member.speaks = step % 2 == 0
      weakly.append(WeakMedia(media: member.media))
      counts.joined += 1
    } else if let member = room.members.randomElement(using: &random) {
      if member.isSeated { counts.connected += 1 }
      room.leave(member, politely: Bool.random(using: &random))
      counts.left += 1
    }
  }

  /// Empty rooms of the last quarter take what those of the second quarter took.
  private func expectFlat(_ heap: [Int]) {
    print("heap in use by the empty room after each minute: \(heap)")
    guard heap.count >= 8 else { return }
    let quarter = heap.count / 4
    let mean = { (part: ArraySlice<Int>) in part.reduce(0, +) / part.count }
    let (early, late) = (mean(heap[quarter..<2 * quarter]), mean(heap[(heap.count - quarter)...]))
    #expect(late < early + early / 20, "\(heap)")
  }
}
