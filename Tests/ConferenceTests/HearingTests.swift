import Codecs
import Conference
import EncodedMedia
import TestSupport
import Testing
import Timing

/// Who hears whom: groups, whispers, mutes, audio outputs and prompts.
@Suite struct HearingTests {
  private static let tones = [440.0, 1_000, 1_700, 2_600]

  private func room(
    _ settings: AudioSettings = AudioSettings(bitrate: 128_000, mode: .music), rules: [UInt32: HearingRules] = [:]
  ) throws -> MixRoom {
    let room = try MixRoom(settings: settings)
    for (index, hertz) in Self.tones.enumerated() {
      let number = UInt32(index + 1)
      try room.join(number, hertz: hertz, rules: rules[number] ?? HearingRules())
    }
    return room
  }

  /// Which talkers a member hears, by their tones.
  private func heard(by talker: Talker) -> Set<UInt32> {
    Set(Self.tones.enumerated().filter { talker.level($1) > 55 }.map { UInt32($0.offset + 1) })
  }

  /// How loud a tone is in each 20 ms, in dB.
  private func levels(of hertz: Double, in heard: [Int16]) -> [Double] {
    stride(from: 0, to: heard.count - 960, by: 480).map { Tones.level(of: hertz, in: Array(heard[$0..<$0 + 960])) }
  }

  private func rules(_ change: (inout HearingRules) -> Void) -> HearingRules {
    var rules = HearingRules()
    change(&rules)
    return rules
  }

  @Test func whoSitsInOnePlaceIsLeftOutOfOneAnothersMixes() throws {
    let together = rules { $0.group = "table" }
    let room = try room(rules: [1: together, 2: together])
    room.run(seconds: 3)
    #expect(room.talkers.map(heard) == [[3, 4], [3, 4], [1, 2, 4], [1, 2, 3]])
    // Both hear one mix, which is encoded once.
    #expect(room.talkers[0].frames.suffix(20).map(\.payload.bytes) == room.talkers[1].frames.suffix(20).map(\.payload.bytes))
    room.mix.setRules(HearingRules(), of: 1)
    room.run(seconds: 2)
    #expect(heard(by: room.talkers[0]) == [2, 3, 4] && heard(by: room.talkers[1]) == [1, 3, 4])
  }

  @Test func aWhisperReachesThoseItIsMeantForAndNobodyElse() throws {
    let room = try room(rules: [1: rules { $0.whispersTo = [3] }])
    room.run(seconds: 3)
    #expect(room.talkers.map(heard) == [[2, 3, 4], [3, 4], [1, 2, 4], [2, 3]])
    // Not a word of it gets out as it ends either.
    room.talkers[0].amplitude = 0
    room.run(seconds: 1.2)
    room.mix.setRules(HearingRules(), of: 1)
    room.talkers[1].heard.removeAll()
    room.run(seconds: 1)
    #expect(room.talkers[1].level(440) < 20)
  }

  /// What he said is in packets that have begun.
  @Test func aWhisperIsKeptFromOthersAlsoAsItsSpeakerLeaves() throws {
    let settings = AudioSettings(
      bitrate: 96_000, mode: .music, outputs: [.init(name: "long", bitrate: 64_000, ptime: 120, fec: false)])
    for phase in 0..<6 {
      let room = try MixRoom(settings: settings)
      try room.join(1, hertz: 440, rules: rules { $0.whispersTo = [3] })
      let other = try room.join(2, hertz: 1_000, rules: rules { $0.audioOutput = "long" })
      room.run(seconds: 1 + 0.02 * Double(phase))
      other.heard.removeAll()
      room.mix.leave(1)
      room.run(seconds: 0.5)
      let loudest = stride(from: 0, to: other.heard.count - 960, by: 480).map {
        Tones.level(of: 440, in: Array(other.heard[$0..<$0 + 960]))
      }.max()
      #expect(try #require(loudest) < 30, "\(loudest ?? 0) at phase \(phase)")
    }
  }

  @Test func onePersonCanBeMutedForAnother() throws {
    let room = try room(rules: [2: rules { $0.mutedFor = [1, 4] }])
    room.run(seconds: 3)
    #expect(room.talkers.map(heard) == [[3, 4], [1, 3, 4], [1, 2, 4], [1, 3]])
  }

  @Test func whoIsDeafIsSentNothing() throws {
    let room = try room(rules: [4: rules { $0.isDeaf = true }])
    room.run(seconds: 1)
    #expect(room.talkers[3].frames.isEmpty)
    room.mix.setRules(HearingRules(), of: 4)
    room.run(seconds: 2)
    #expect(heard(by: room.talkers[3]) == [1, 2, 3])
  }

  @Test(arguments: [20, 40, 60, 120])
  func packetsOfEveryLengthAreWithoutTheOwnVoiceFromTheirBeginning(ptime: Int) throws {
    let settings = AudioSettings(
      bitrate: 96_000, mode: .music, outputs: [.init(name: "long", bitrate: 64_000, ptime: ptime, fec: false)])
    for phase in 0..<6 {
      let room = try MixRoom(settings: settings)
      let long = rules { $0.audioOutput = "long" }
      let talker = try room.join(1, hertz: 440, rules: long)
      let other = try room.join(2, hertz: 1_000, rules: long)
      let viewer = try room.join(3, hertz: 0, sends: false, rules: long)
      talker.amplitude = 0
      room.run(seconds: 1 + 0.02 * Double(phase))
      talker.heard.removeAll()
      // Speaks, is silent for long enough to be heard no longer, and speaks again.
      for amplitude in [8_000.0, 0, 8_000] {
        talker.amplitude = amplitude
        room.run(seconds: 1.2)
      }
      let own = stride(from: 0, to: talker.heard.count - 960, by: 480).map {
        Tones.level(of: 440, in: Array(talker.heard[$0..<$0 + 960]))
      }
      let loudest = viewer.level(440, seconds: 0.5)
      #expect(loudest > 70 && talker.level(1_000) > 70 && other.level(440, seconds: 0.5) > 70)
      #expect((own.max() ?? 0) < loudest - 30, "\(own.max() ?? 0) of \(loudest) at phase \(phase)")
      for frame in talker.frames {
        for index in 0..<frame.contributors.count { #expect(frame.contributors[index].source != talker.source) }
      }
      let lengths = Set(zip(viewer.frames, viewer.frames.dropFirst()).map { Int($1.timestamp.distance(from: $0.timestamp)) })
      #expect(lengths == [48 * ptime], "\(lengths)")
    }
  }

  @Test func aReceiverChangesOutputsWithoutAGap() throws {
    let room = try room(
      AudioSettings(bitrate: 64_000, mode: .music, outputs: [.init(name: "thin", bitrate: 12_000, ptime: 60)]))
    let viewer = try room.join(9, hertz: 0, sends: false)
    room.run(seconds: 2)
    for output in ["thin", nil, "thin", "unknown"] {
      room.mix.setRules(rules { $0.audioOutput = output }, of: 9)
      room.run(seconds: 1)
    }
    // Each packet begins where the one before ended.
    for (frame, next) in zip(viewer.frames, viewer.frames.dropFirst()) {
      let bytes = frame.payload.bytes
      let length = OpusPacket(bytes.span)?.sampleCount ?? 0
      #expect(Int(next.timestamp.distance(from: frame.timestamp)) == length)
    }
  }

  @Test func aPromptIsHeardByEverybodyOnceAndItsEndIsTold() throws {
    let room = try room()
    for talker in room.talkers { talker.amplitude = 0 }
    room.run(seconds: 1)
    let sound = Tones.sine(700, amplitude: 6_000, count: 48_000)
    room.mix.play(Prompt(id: 5, samples: sound))
    room.run(seconds: 0.9)
    #expect(room.talkers.allSatisfy { $0.level(700, seconds: 0.7) > 65 })
    #expect(!room.changes.all.contains(.promptEnded(5)))
    room.run(seconds: 1)
    #expect(room.changes.all.filter { $0 == .promptEnded(5) }.count == 1)
    #expect(room.talkers.allSatisfy { $0.level(700, seconds: 0.5) < 20 })
  }

  @Test func aPromptForOneInsteadOfTheMixLoopsUntilItIsStopped() throws {
    let room = try room()
    room.run(seconds: 1)
    let sound = Tones.sine(700, amplitude: 6_000, count: 9_600)
    room.mix.play(Prompt(id: 1, samples: sound, loops: true, placement: .instead, audience: .only([2])))
    room.run(seconds: 2)
    #expect(room.talkers.map { $0.level(700) > 60 } == [false, true, false, false])
    #expect(room.talkers.map(heard) == [[2, 3, 4], [], [1, 2, 4], [1, 2, 3]])
    room.mix.stopPrompt(1)
    room.run(seconds: 2)
    #expect(heard(by: room.talkers[1]) == [1, 3, 4] && room.talkers[1].level(700) < 20)
    #expect(!room.changes.all.contains(.promptEnded(1)))
  }

  @Test func aPromptForSeveralIsOneMixForAllOfThem() throws {
    let room = try room(rules: [1: rules { $0.whispersTo = [2] }, 2: rules { $0.whispersTo = [1] }])
    for talker in room.talkers.suffix(2) { talker.amplitude = 0 }
    let viewers = try (20..<90).map { try room.join($0, hertz: 0, sends: false) }
    let sound = Tones.sine(700, amplitude: 6_000, count: 9_600)
    room.mix.play(
      Prompt(id: 1, samples: sound, loops: true, placement: .instead, audience: .only(Set(viewers.map(\.number)))))
    room.run(seconds: 3)
    let outputs = Set(viewers.map { room.transport.subscription($0.peer, .audio) })
    #expect(outputs.count == 1 && outputs.first != nil, "\(outputs.count) mixes")
    #expect(viewers.allSatisfy { $0.level(700) > 60 && heard(by: $0).isEmpty })
    #expect(room.talkers.prefix(2).map(heard) == [[2], [1]] && room.talkers[0].level(700) < 20)
    #expect(!room.changes.all.contains(.promptEnded(1)) && !room.changes.all.contains(.promptRefused(1)))
  }

  /// The prompt's first two seconds are for one, and what follows is for another.
  @Test func theAudienceOfAPromptChangesWherePacketsOfEveryLengthBegin() throws {
    let settings = AudioSettings(
      bitrate: 96_000, mode: .music, outputs: [.init(name: "long", bitrate: 64_000, ptime: 120, fec: false)])
    let sound = Tones.sine(700, amplitude: 6_000, count: 96_000) + Tones.sine(1_500, amplitude: 6_000, count: 96_000)
    let long = rules { $0.audioOutput = "long" }
    for phase in 0..<6 {
      let room = try MixRoom(settings: settings)
      try room.join(1, hertz: 400)
      let former = try room.join(2, hertz: 0, sends: false, rules: long)
      let latter = try room.join(3, hertz: 0, sends: false, rules: long)
      room.run(seconds: 1 + 0.02 * Double(phase))
      room.mix.play(Prompt(id: 1, samples: sound, placement: .instead, audience: .only([2])))
      room.run(seconds: 2)
      for viewer in [former, latter] { viewer.heard.removeFirst(viewer.heard.count - 48_000) }
      room.mix.setAudience(.only([3]), of: 1)
      room.run(seconds: 1)
      #expect(former.level(400, seconds: 0.5) > 60 && former.level(1_500, seconds: 0.5) < 20)
      #expect(latter.level(1_500, seconds: 0.5) > 60 && latter.level(400, seconds: 0.5) < 20)
      let leaked = levels(of: 700, in: latter.heard).max() ?? 0
      #expect(leaked < 60, "\(leaked) dB of what was for another at phase \(phase)")
      // Each of them hears one or the other at any time.
      for viewer in [former, latter] {
        let tones = [400, 700, 1_500].map { levels(of: $0, in: viewer.heard) }
        let loudest = tones[0].indices.map { index in tones.map { $0[index] }.max() ?? 0 }
        #expect((loudest.min() ?? 0) > 50, "\(loudest.min() ?? 0) dB at phase \(phase)")
      }
    }
  }

  @Test func whoSpeaksIsHeardHoweverManyPromptsThereAre() throws {
    let room = try room()
    for talker in room.talkers { talker.amplitude = 0 }
    room.run(seconds: 2)
    let sound = Tones.sine(700, amplitude: 2_000, count: 9_600)
    for id: Prompt.ID in 0..<70 { room.mix.play(Prompt(id: id, samples: sound, loops: true, audience: .only([100 + id]))) }
    room.run(seconds: 1)
    room.talkers[0].amplitude = 8_000
    room.run(seconds: 2)
    #expect(room.talkers.map(heard) == [[], [1], [1], [1]])
    // Who asked for more than there is room for is told, once.
    let refused = room.changes.all.filter { if case .promptRefused = $0 { true } else { false } }
    #expect(refused == (32..<70).map { .promptRefused($0) })
    #expect(!room.changes.all.contains { if case .promptEnded = $0 { true } else { false } })
  }

  @Test func othersAreNotMovedByWhatOneHears() throws {
    let room = try room()
    let viewers = try (20..<30).map { try room.join($0, hertz: 0, sends: false) }
    room.run(seconds: 1)
    let before = viewers.map { room.transport.subscription($0.peer, .audio) }
    #expect(Set(before).count == 1)
    room.mix.play(Prompt(id: 1, samples: [Int16](repeating: 100, count: 96_000), audience: .only([20])))
    room.run(seconds: 0.5)
    let during = viewers.map { room.transport.subscription($0.peer, .audio) }
    #expect(during[0] != before[0] && during.dropFirst() == before.dropFirst())
  }
}
