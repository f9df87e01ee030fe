import Conference
import EncodedMedia
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

private let tones = [400.0, 650, 1_150, 1_700]

/// What came of a conference.
private struct Outcome: Sendable {
  var digest = Digest()
  var connectedAfter = Interval.zero
  var faults: [String] = []
  var concealedShare = 0.0
  var longestFreeze = Interval.zero
  var playoutDelayMax = Interval.zero
  var summary: String {
    "connected after \(connectedAfter.milliseconds) ms, \(concealedShare * 100) % concealed, "
      + "longest freeze \(longestFreeze.milliseconds) ms, playout delay \(playoutDelayMax.milliseconds) ms at most"
  }
}

/// Loses one packet in twenty, and delivers some late or out of order.
func badLink() -> Link {
  var link = Link.lossy(0.05)
  link.delay = .milliseconds(25)
  link.jitter = .milliseconds(30)
  link.reordering = 0.02
  link.reorderingDelay = .milliseconds(25)
  link.duplication = 0.01
  return link
}

/// Four people speak by turns of five seconds, and two at once in every third turn.
private func confer(seed: UInt64, turns: Int, sources: [EncodedSources]) throws -> Outcome {
  let room = try SimulatedRoom(link: badLink(), seed: seed)
  var outcome = Outcome()
  for index in tones.indices { try room.join(sources[index]) }
  while !room.members.allSatisfy(\.isSeated), room.simulation.now < .zero + .seconds(20) { room.step() }
  outcome.connectedAfter = room.simulation.now - .zero
  if !room.members.allSatisfy(\.isSeated) { outcome.faults.append("not all connected") }
  for turn in 0..<turns {
    var speakers: Set<Int> = [turn % tones.count]
    if turn % 3 == 2 { speakers.insert((turn + 1) % tones.count) }
    for index in tones.indices { room.members[index].speaks = speakers.contains(index) }
    for _ in 0..<250 { room.step() }
    for (index, member) in room.members.enumerated() {
      // Less the beginning, while the sound is still on its way.
      let heard = Array(member.listener.heard.suffix(48_000 * 3))
      let levels = tones.map { Tones.level(of: $0, in: heard) }
      for other in tones.indices {
        let expected = speakers.contains(other) && other != index
        if expected != (levels[other] > 55) {
          outcome.faults.append("turn \(turn): \(index) hears \(other) at \(levels[other]) dB")
        }
      }
    }
  }
  for member in room.members {
    let (listener, statistics) = (member.listener, member.client.session.statistics)
    outcome.digest.add(Int64(listener.ticks))
    outcome.digest.add(listener.heard.lazy.map { UInt8(truncatingIfNeeded: $0) })
    for count in [
      listener.video.decodedCount, member.media.video.decodedCount, listener.statistics.concealedSamples,
      Int(statistics.packetsReceived), Int(statistics.packetsSent), Int(statistics.retransmissionsRequested),
      Int(statistics.retransmissionsSent), member.client.keyframeRequests.count,
    ] {
      outcome.digest.add(Int64(count))
    }
    let made = listener.statistics.concealedSamples + listener.statistics.underrunSamples
    outcome.concealedShare = max(outcome.concealedShare, Double(made) / Double(listener.ticks * 960))
    outcome.longestFreeze = max(outcome.longestFreeze, listener.longestFreeze)
    outcome.playoutDelayMax = max(outcome.playoutDelayMax, listener.playoutDelayMax)
    if member.client.endReason != nil { outcome.faults.append("a client ended") }
    if member.media.video.decodedCount < turns * 5 * 9 {
      outcome.faults.append("\(member.media.video.decodedCount) pictures decoded by the server")
    }
  }
  return outcome
}

@Suite struct WholeConferenceTests {
  @Test func twoMinutesOverABadNetworkGoWellAndAreTheSameBySeed() async throws {
    let sources = try tones.enumerated().map { try EncodedSources(hertz: $1, seed: UInt64($0)) }
    async let first = confer(seed: 1, turns: 24, sources: sources)
    async let again = confer(seed: 1, turns: 24, sources: sources)
    async let other = confer(seed: 2, turns: 6, sources: sources)
    let outcomes = try await [first, again, other]
    for outcome in outcomes {
      #expect(outcome.faults.isEmpty, "\(outcome.faults.prefix(5))")
      #expect(outcome.connectedAfter < .seconds(5))
      // Of the mix one packet in twenty is lost, and some are late.
      #expect(outcome.concealedShare < 0.1, "\(outcome.summary)")
      #expect(outcome.longestFreeze < .seconds(2))
      #expect(outcome.playoutDelayMax < .milliseconds(250), "\(outcome.summary)")
    }
    #expect(outcomes[0].digest == outcomes[1].digest)
    #expect(outcomes[0].digest != outcomes[2].digest)
  }
}
