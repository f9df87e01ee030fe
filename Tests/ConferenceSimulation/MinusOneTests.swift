import Conference
import EncodedMedia
import TestSupport
import Testing
import Timing

/// Whether each hears everybody but himself, by tones of their own, through decoders, mix and encoders.
@Suite struct MinusOneTests {
  private static let (speechTicks, pauseTicks) = (40, 45)
  /// What is judged: the end of what was said, by which time all are in the mix.
  private static let judgedTicks = 25

  /// What came of everybody's having spoken once.
  private struct Findings {
    var turnCount = 0
    /// The loudest anybody heard of himself, beside how loud the others heard him, in dB.
    var ownMax = -Double.infinity
    /// The most by which two levels of the voices of one turn, all equally loud, differ wherever they are heard.
    var spreadMax = 0.0
    var unheard = 0
  }

  /// All speak by turns, `atOnce` at a time; everybody else in the room listens.
  private func turns(of count: Int, atOnce: Int, spacing: Double) throws -> Findings {
    // Music is what nothing evens out in loudness.
    let room = try SoundRoom(AudioSettings(bitrate: 256_000, maxSpeakers: atOnce, mode: .music))
    for _ in 0..<count { room.join() }
    let turnCount = (count + atOnce - 1) / atOnce
    let silence = try Microphone().take([Int16](repeating: 0, count: 960))
    var findings = Findings(turnCount: turnCount)
    for turn in 0..<turnCount {
      // Those whose tones are far apart.
      let speakers = stride(from: turn, to: count, by: turnCount).map { $0 }
      let tones = speakers.map { 300 + spacing * Double($0) }
      let microphones = try speakers.map { _ in try Microphone() }
      for step in 0..<Self.speechTicks + Self.pauseTicks {
        if step == Self.speechTicks - Self.judgedTicks - 10 { for person in room.people { person.received.removeAll() } }
        if step == Self.speechTicks { try judge(room, speakers, tones, &findings) }
        try room.step { tick, now in
          for (index, person) in room.people.enumerated() {
            guard step < Self.speechTicks, let place = speakers.firstIndex(of: index) else {
              person.send(silence.packet, level: silence.level, tick: tick, at: now)
              continue
            }
            let said = try microphones[place].take(Tones.sine(tones[place], amplitude: 4_000, count: 960, from: tick * 960))
            person.send(said.packet, level: said.level, tick: tick, at: now)
          }
        }
      }
    }
    return findings
  }

  private func judge(_ room: SoundRoom, _ speakers: [Int], _ tones: [Double], _ findings: inout Findings) throws {
    // Hundreds are sent the same packets, which are decoded once.
    var heard: [[UInt64]: [Double]] = [:]
    var levels: [[Double]] = []
    for person in room.people {
      let key = person.received.key
      if let known = heard[key] {
        levels.append(known)
        continue
      }
      let samples = Array(try person.received.decoded().suffix(Self.judgedTicks * 960))
      let measured = tones.map { Tones.level(of: $0, in: samples) }
      heard[key] = measured
      levels.append(measured)
    }
    for (place, speaker) in speakers.enumerated() {
      let byOthers = levels.indices.filter { $0 != speaker }.map { levels[$0][place] }
      findings.ownMax = max(findings.ownMax, levels[speaker][place] - (byOthers.min() ?? 0))
      findings.unheard += byOthers.count { $0 < 60 }
    }
    let others = levels.indices.flatMap { ear in
      speakers.indices.filter { speakers[$0] != ear }.map { levels[ear][$0] }
    }
    findings.spreadMax = max(findings.spreadMax, (others.max() ?? 0) - (others.min() ?? 0))
  }

  @Test(arguments: [(3, 3, 1_000.0), (30, 4, 120), (300, 4, 12)])
  func everyoneHearsAllOthersAlikeAndNothingOfHimself(count: Int, atOnce: Int, spacing: Double) throws {
    let findings = try turns(of: count, atOnce: atOnce, spacing: spacing)
    #expect(findings.unheard == 0)
    // Before it is encoded nothing of it is left at all; what is here is the noise of the encoders of the others' voices.
    #expect(findings.ownMax < -70, "\(findings.ownMax) dB")
    #expect(findings.spreadMax < 0.5, "\(findings.spreadMax) dB")
  }
}
