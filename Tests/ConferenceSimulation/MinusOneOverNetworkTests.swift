import Conference
import TestSupport
import Testing
import Timing

/// The same as `MinusOneTests`, through ICE, DTLS, SRTP, an emulated network and the playout of thirty clients.
@Suite struct MinusOneOverNetworkTests {
  private static let (count, atOnce) = (30, 4)
  private static let (speechTicks, pauseTicks, judgedTicks) = (90, 60, 50)
  /// None a multiple of 50, where the noise of encoders gathers that repeats with every packet, nor at a sum or difference of others.
  private static func tone(of person: Int) -> Double { 317 + 103.7 * Double(person) + Double(person * person % 31) }

  private static func link() -> Link {
    var link = Link()
    link.delay = .milliseconds(25)
    link.duplication = 0.02
    link.reordering = 0.02
    link.reorderingDelay = .milliseconds(10)
    return link
  }

  @Test func thirtyHearAllOthersAlikeAndNothingOfThemselves() throws {
    let room = try SimulatedRoom(
      link: Self.link(), seed: 5, audio: AudioSettings(bitrate: 384_000, maxSpeakers: Self.atOnce, mode: .music))
    for index in 0..<Self.count { try room.join(try EncodedSources(onlyHertz: Self.tone(of: index), amplitude: 4_000)) }
    while !room.members.allSatisfy(\.isSeated), room.simulation.now < .zero + .seconds(20) { room.step() }
    let unseated = room.members.count { !$0.isSeated }
    #expect(unseated == 0)
    var ownMax = -Double.infinity
    var spreadMax = 0.0
    var unheard = 0
    let turnCount = (Self.count + Self.atOnce - 1) / Self.atOnce
    for turn in 0..<turnCount {
      let speakers = stride(from: turn, to: Self.count, by: turnCount).map { $0 }
      for speaker in speakers { room.members[speaker].speaks = true }
      for _ in 0..<Self.speechTicks { room.step() }
      let levels = room.members.map { member in
        let heard = Array(member.listener.heard.suffix(Self.judgedTicks * 960))
        return speakers.map { Tones.level(of: Self.tone(of: $0), in: heard) }
      }
      for (place, speaker) in speakers.enumerated() {
        let others = levels.indices.filter { $0 != speaker }.map { levels[$0][place] }
        ownMax = max(ownMax, levels[speaker][place] - (others.min() ?? 0))
        unheard += others.count { $0 < 60 }
      }
      let all = levels.indices.flatMap { ear in speakers.indices.filter { speakers[$0] != ear }.map { levels[ear][$0] } }
      spreadMax = max(spreadMax, (all.max() ?? 0) - (all.min() ?? 0))
      for speaker in speakers { room.members[speaker].speaks = false }
      for _ in 0..<Self.pauseTicks { room.step() }
    }
    #expect(unheard == 0)
    #expect(ownMax < -80, "\(ownMax) dB")
    #expect(spreadMax < 0.5, "\(spreadMax) dB")
  }
}
