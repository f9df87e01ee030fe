import Conference
import EncodedMedia
import TestSupport
import Testing
import Timing
import WebRTCTransport

@Suite struct RoomMixTests {
  @Test func everyoneHearsTheOthersAndNobodyHimself() throws {
    let room = try MixRoom()
    let tones = [440.0, 1_000, 2_300]
    for (index, hertz) in tones.enumerated() { try room.join(UInt32(index + 1), hertz: hertz) }
    let viewer = try room.join(9, hertz: 0, sends: false)
    room.run(seconds: 3)
    for talker in room.talkers where talker.sends {
      let others = tones.filter { $0 != talker.hertz }.map { talker.level($0) }
      let own = talker.level(talker.hertz)
      #expect(others.allSatisfy { $0 > 70 }, "\(others)")
      #expect(own < (others.min() ?? 0) - 60, "own \(own) dB, others \(others)")
    }
    #expect(tones.allSatisfy { viewer.level($0) > 70 })
  }

  @Test func whoBeginsToSpeakIsInHisOwnMixFromThatVeryTick() throws {
    let room = try MixRoom()
    let talker = try room.join(1, hertz: 440)
    let other = try room.join(2, hertz: 1_000)
    talker.amplitude = 0
    other.amplitude = 0
    room.run(seconds: 2)
    for _ in 0..<4 {
      talker.amplitude = 8_000
      room.run(seconds: 1)
      talker.amplitude = 0
      room.run(seconds: 1.5)
    }
    // Never a frame with his own voice in it, and the other hears him in each round.
    for frame in talker.frames {
      for index in 0..<frame.contributors.count { #expect(frame.contributors[index].source != talker.source) }
    }
    #expect(other.frames.contains { $0.contributors.count == 1 && $0.contributors[0].source == talker.source })
    #expect(talker.heard.allSatisfy { abs(Int($0)) < 100 }, "\(talker.heard.map { abs(Int($0)) }.max() ?? 0)")
    let subscriptions = room.transport.calls.filter { if case .subscribe(talker.peer, _, _) = $0 { true } else { false } }
    #expect(subscriptions.count == 1 + 8, "\(subscriptions)")
    // One timeline whichever mix he is sent.
    for (a, b) in zip(talker.frames, talker.frames.dropFirst()) {
      let step = b.timestamp.distance(from: a.timestamp)
      #expect(step > 0 && step % 960 == 0)
    }
  }

  @Test func aChangeOfMixesLeavesNoHoleInWhatGoesOn() throws {
    let room = try MixRoom()
    try room.join(1, hertz: 400)
    let other = try room.join(2, hertz: 1_000)
    other.amplitude = 0
    room.run(seconds: 2)
    other.heard.removeAll()
    for round in 0..<10 {
      other.amplitude = round % 2 == 0 ? 8_000 : 0
      room.run(seconds: 1)
    }
    let levels = stride(from: 0, to: other.heard.count - 2_400, by: 480).map {
      Tones.level(of: 400, in: Array(other.heard[$0..<$0 + 2_400]))
    }
    // A lost frame of 20 ms would cost 6 dB and more of a window of 50 ms.
    #expect((levels.max() ?? 0) - (levels.min() ?? 0) < 4, "\(levels.min() ?? 0) to \(levels.max() ?? 0) dB")
  }

  @Test func mutedGainAndDeafTakeEffect() throws {
    let room = try MixRoom()
    let talker = try room.join(1, hertz: 440)
    let listener = try room.join(2, hertz: 1_000)
    room.run(seconds: 2)
    let full = listener.level(440)
    talker.media.gain = 0.5
    room.run(seconds: 2)
    #expect(abs(full - listener.level(440) - 6.02) < 0.3)
    talker.media.audioMuted.store(true, ordering: .relaxed)
    room.run(seconds: 2)
    #expect(listener.level(440) < 10 && talker.level(1_000) > 70)
    talker.media.audioMuted.store(false, ordering: .relaxed)
    talker.media.gain = 1
    room.run(seconds: 2)
    #expect(abs(full - listener.level(440)) < 0.3)
    var deaf = HearingRules()
    deaf.isDeaf = true
    room.mix.setRules(deaf, of: 2)
    let count = listener.frames.count
    room.run(seconds: 1)
    #expect(listener.frames.count == count && talker.level(1_000) > 70)
    room.mix.setRules(HearingRules(), of: 2)
    room.run(seconds: 1)
    #expect(listener.frames.count == count + 50)
  }

  @Test func whoComesOntoTheStageIsHeardAndWhoLeavesItIsNot() throws {
    let room = try MixRoom()
    let viewer = try Talker(1, hertz: 440)
    viewer.media.setOnStage(false, at: room.now)
    room.talkers.append(viewer)
    room.mix.join(.init(media: viewer.media, peer: viewer.peer, sends: false, receives: true))
    let listener = try room.join(2, hertz: 1_000)
    for _ in 0..<2 {
      room.run(seconds: 2)
      #expect(listener.level(440) < 15 && viewer.level(1_000) > 70)
      viewer.media.setOnStage(true, at: room.now)
      room.mix.setFlow(of: 1, sends: true, receives: true)
      room.run(seconds: 2)
      #expect(listener.level(440) > 70 && viewer.level(440) < 15 && viewer.level(1_000) > 70)
      viewer.media.setOnStage(false, at: room.now)
      room.mix.setFlow(of: 1, sends: false, receives: true)
    }
    room.mix.setFlow(of: 1, sends: false, receives: false)
    room.run(seconds: 0.1)
    let count = viewer.frames.count
    room.run(seconds: 1)
    #expect(viewer.frames.count == count)
  }

  @Test func whoFollowsAMixHearsItWhateverBecomesOfIt() throws {
    let room = try MixRoom()
    let talker = try room.join(1, hertz: 440)
    try room.join(2, hertz: 1_000)
    let follower = try room.join(3, hertz: 0, sends: false, mixOf: 1)
    for amplitude in [8_000.0, 0, 8_000] {
      talker.amplitude = amplitude
      room.run(seconds: 1.5)
    }
    #expect(follower.frames.map(\.payload.bytes) == talker.frames.map(\.payload.bytes))
    #expect(follower.level(440) < 15 && follower.level(1_000) > 70)
    room.leave(talker)
    room.run(seconds: 1)
    // Left alone he hears what everybody hears.
    #expect(follower.level(1_000, seconds: 0.5) > 70)
  }

  @Test func aSilentRoomSendsAlmostNothing() throws {
    let room = try MixRoom()
    for number in 1...3 { try room.join(UInt32(number), hertz: 300).amplitude = 0 }
    room.run(seconds: 3)
    _ = room.transport.takeSent()
    room.run(seconds: 20)
    let sent = room.transport.takeSent()
    #expect(sent.count <= 52, "\(sent.count) frames in 20 s")
    #expect(sent.reduce(0) { $0 + $1.frame.payload.count } < 1_000)
  }

  /// A mix that goes on from one that rests is silent for as long as that one.
  @Test func whoSpeaksAloneIsSentAlmostNothing() throws {
    let room = try MixRoom()
    let talker = try room.join(1, hertz: 440)
    try room.join(2, hertz: 0, sends: false)
    talker.amplitude = 0
    room.run(seconds: 3)
    let before = talker.frames.count
    let shared = room.transport.subscription(talker.peer, .audio)
    talker.amplitude = 8_000
    room.run(seconds: 5)
    #expect(room.transport.subscription(talker.peer, .audio) != shared)
    let count = talker.frames.count - before
    #expect(count <= 15, "\(count) frames in 5 s")
  }

  @Test func thoseWhoLeaveTogetherAreGoneAndWhoComesBackAtOnceIsThere() throws {
    let room = try MixRoom()
    let tones = [400.0, 700, 1_100, 1_700]
    for (index, hertz) in tones.enumerated() { try room.join(UInt32(index + 1), hertz: hertz) }
    let viewer = try room.join(9, hertz: 0, sends: false)
    room.run(seconds: 2)
    let (first, second, third) = (room.talkers[0], room.talkers[1], room.talkers[2])
    room.leave(second)
    room.leave(first)
    let back = try room.join(2, hertz: 2_600)
    room.leave(third)
    room.leave(try room.join(5, hertz: 3_500))
    room.run(seconds: 3)
    #expect(viewer.level(2_600) > 70 && viewer.level(1_700) > 70 && back.level(1_700) > 70)
    for hertz in [400.0, 700, 1_100, 3_500] { #expect(viewer.level(hertz) < 20, "\(hertz) Hz") }
    let stopped = room.changes.all.filter { if case .speakingStopped = $0 { true } else { false } }
    #expect(stopped == [.speakingStopped(2), .speakingStopped(1), .speakingStopped(3)])
    let isHeardAgain = room.changes.all.last { $0 == .speakingStarted(2) || $0 == .speakingStopped(2) }
    #expect(isHeardAgain == .speakingStarted(2))
  }

  @Test func settingsChangeWhileSomebodySpeaks() throws {
    let room = try MixRoom()
    let talker = try room.join(1, hertz: 440)
    let listener = try room.join(2, hertz: 1_000)
    listener.amplitude = 0
    room.run(seconds: 2)
    for settings in [
      AudioSettings(bitrate: 64_000, maxSpeakers: 4), AudioSettings(bitrate: 64_000, maxSpeakers: 1),
      AudioSettings(bitrate: 128_000, maxSpeakers: 4, stereo: true), AudioSettings(bitrate: 128_000, maxSpeakers: 3),
    ] {
      let count = listener.frames.count
      room.mix.configure(settings)
      room.run(seconds: 2)
      #expect(listener.frames.count == count + 100)
      #expect(listener.level(440) > 70 && talker.level(440) < 15)
    }
    // One talk, one beginning: who speaks is known through all changes, and its end is told.
    talker.amplitude = 0
    room.run(seconds: 3)
    let speaking = room.changes.all.filter { $0 == .speakingStarted(1) || $0 == .speakingStopped(1) }
    #expect(speaking.first == .speakingStarted(1) && speaking.last == .speakingStopped(1))
    for (a, b) in zip(speaking, speaking.dropFirst()) { #expect(a != b) }
    let isSpeaking = talker.media.speaking.load(ordering: .relaxed)
    #expect(!isSpeaking)
  }

  @Test func fewerSpeakersThanAreHeardLeavesTheLoudest() throws {
    let room = try MixRoom()
    let tones = [400.0, 700, 1_100]
    for (index, hertz) in tones.enumerated() {
      try room.join(UInt32(index + 1), hertz: hertz).amplitude = 2_000 * Double(1 << index)
    }
    let viewer = try room.join(9, hertz: 0, sends: false)
    room.run(seconds: 2)
    #expect(tones.allSatisfy { viewer.level($0) > 60 })
    room.mix.configure(AudioSettings(bitrate: 256_000, maxSpeakers: 1))
    room.run(seconds: 2)
    #expect(viewer.level(1_100) > 70 && viewer.level(400) < 20 && viewer.level(700) < 20)
  }

  @Test func theFloorGoesToWhoSpeaksAndOnWhenHeLeaves() throws {
    let room = try MixRoom()
    let first = try room.join(1, hertz: 440)
    let second = try room.join(2, hertz: 1_000)
    second.amplitude = 0
    room.run(seconds: 2)
    #expect(room.board.floor == 1)
    first.amplitude = 0
    second.amplitude = 8_000
    room.run(seconds: 2)
    #expect(room.board.floor == 2)
    room.leave(second)
    room.run(seconds: 0.1)
    #expect(room.board.floor == 1)
    room.leave(first)
    room.run(seconds: 0.1)
    #expect(room.board.floor == nil && room.changes.all.last == .floor(nil))
  }
}
