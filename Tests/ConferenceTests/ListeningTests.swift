import Codecs
import Conference
import EncodedMedia
import TestSupport
import Testing
import Timing

/// What is decoded, and what is not.
@Suite struct ListeningTests {
  @Test func whoIsSilentIsHardlyDecoded() throws {
    let room = try MixRoom()
    let talker = try room.join(1, hertz: 440)
    let silent = try room.join(2, hertz: 1_000)
    silent.amplitude = 20
    talker.statesLevels = true
    silent.statesLevels = true
    room.run(seconds: 10)
    #expect(talker.media.audioStatistics.ticksDecoded >= 440)
    // A look of at most seven ticks every two seconds, and the beginning.
    #expect(silent.media.audioStatistics.ticksDecoded <= 110, "\(silent.media.audioStatistics.ticksDecoded)")
    #expect(silent.level(440) > 70)
  }

  @Test func aSpeakersFirstTickIsHeardThoughNothingWasDecodedBefore() throws {
    for phase in 0..<5 {
      let room = try MixRoom()
      let talker = try room.join(1, hertz: 440)
      let viewer = try room.join(2, hertz: 0, sends: false)
      talker.statesLevels = true
      talker.amplitude = 10
      room.run(seconds: 4 + 0.02 * Double(phase))
      let quiet = viewer.position(at: room.now)
      talker.amplitude = 8_000
      room.run(seconds: 0.3)
      let heard = Array(viewer.heard[quiet...])
      let loud = heard.firstIndex { abs(Int($0)) > 2_000 } ?? heard.count
      // Playout delay, the encoders' and the limiter's look-ahead: no more, whatever was not decoded before.
      #expect(loud < 960 * 3, "after \(loud) samples")
      // A tone that begins at once is soon at its full level: neither the entry nor a cold decoder holds it down.
      let peak = heard[loud..<min(loud + 1_920, heard.count)].map { abs(Int($0)) }.max() ?? 0
      #expect(peak > 6_500, "\(peak)")
    }
  }

  @Test func whoUnderstatesHisLevelIsHeardSoonAndForLong() throws {
    let room = try MixRoom()
    let liar = try room.join(1, hertz: 440)
    let viewer = try room.join(2, hertz: 0, sends: false)
    liar.statesLevels = true
    liar.statedLevel = 120
    room.run(seconds: 4)
    #expect(viewer.level(440, seconds: 1) > 70)
    room.run(seconds: 8)
    #expect(viewer.level(440, seconds: 7) > 70)
  }

  @Test func whoOverstatesHisLevelIsNeitherHeardNorSaidToSpeak() throws {
    let room = try MixRoom()
    let liar = try room.join(1, hertz: 440)
    try room.join(2, hertz: 0, sends: false)
    liar.statesLevels = true
    liar.amplitude = 3
    liar.statedLevel = 0
    room.run(seconds: 5)
    #expect(!room.changes.all.contains(.speakingStarted(1)) && room.board.floor == nil)
  }

  @Test func whoIsMutedIsNotDecodedAtAll() throws {
    let room = try MixRoom()
    let talker = try room.join(1, hertz: 440)
    let viewer = try room.join(2, hertz: 0, sends: false)
    talker.media.audioMuted.store(true, ordering: .relaxed)
    room.run(seconds: 5)
    #expect(talker.media.audioStatistics.ticksDecoded == 0)
    talker.media.audioMuted.store(false, ordering: .relaxed)
    room.run(seconds: 1)
    #expect(viewer.level(440, seconds: 0.8) > 70)
  }
}
