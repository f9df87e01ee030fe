import Conference
import EncodedMedia
import Glibc
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// The first syllable: heard by others from its beginning, and never by him who says it.
@Suite struct OnsetTests {
  // MARK: In everybody's mix

  private static let (first, rest) = (1_000.0, 3_000.0)
  /// Rounds of saying something; the pause before each and where in a packet it begins are another in each.
  private static let roundCount = 48

  /// 20 ms of one tone and 200 ms of another, beginning `offset` samples after the start of a tick.
  private static func utterance(offset: Int, noise: Double, seed: UInt64) -> [Int16] {
    var random = SeededRandom(seed: seed)
    return (0..<13 * 960).map { index in
      let time = index - offset
      let hertz = time < 960 ? first : rest
      let tone = time >= 0 && time < 960 * 11 ? 8_000 * sin(2 * .pi * hertz * Double(time) / 48_000) : 0
      return Int16(tone + noise * Double.random(in: -1...1, using: &random))
    }
  }

  /// - Parameter noise: amplitude of what the microphone hears besides.
  @Test(arguments: [
    (true, 0.0, AudioSettings.Mode.music), (false, 0, .music), (true, 40, .music), (false, 40, .music), (true, 40, .speech),
    (false, 40, .speech),
  ])
  func theFirstTwentyMillisecondsAreInTheMixAtEveryPhaseOfTheGate(
    statesLevels: Bool, noise: Double, mode: AudioSettings.Mode
  ) throws {
    var speech = try Speech(
      SoundRoom(AudioSettings(bitrate: mode == .speech ? 32_000 : 128_000, mode: mode)), noise: noise,
      statesLevels: statesLevels)
    let losses = try (0..<Self.roundCount).map { round in
      // The gate is held open for 800 ms; slots are given back every 120 ms; encoders rest after a second.
      let pause = 45 + Int.random(in: 0..<60, using: &speech.random)
      return try speech.say(Self.utterance(offset: round * 20, noise: noise, seed: UInt64(round)), after: pause)
    }
    // The fade that spares a click costs 0.7 dB where the voice begins with a tick of the mix; a tick that is missing would cost
    // 3 dB on average and all there is at worst.
    #expect(losses.allSatisfy { abs($0) < 1.5 }, "\(losses)")
  }

  /// A sender with DTX: a packet in 400 ms, of which nobody awakes.
  @Test(arguments: 0..<24) func theFirstTwentyMillisecondsAreInTheMixOfARoomThatSleptAtEveryPhase(phase: Int) throws {
    var speech = try Speech(SoundRoom(AudioSettings(bitrate: 128_000, mode: .music)), noise: 3)
    // The last packet of the pause is 20 to 480 ms before the first word.
    let losses = try (0..<4).map { round in
      let said = Self.utterance(offset: round * 240, noise: 3, seed: UInt64(round))
      // The first half second after a word is sent whole.
      let loss = try speech.say(said, after: 150 + phase + round) { $0 < 25 || ($0 - 25) % 20 == 0 }
      let statistics = speech.talker.media.audioStatistics.playout
      #expect(statistics.lost == 0 && statistics.late == 0)
      return loss
    }
    #expect(losses.allSatisfy { abs($0) < 1.5 }, "\(losses)")
  }

  /// One who says something now and then, and one who listens.
  private struct Speech {
    let room: SoundRoom
    let (talker, listener): (SoundRoom.Person, SoundRoom.Person)
    let microphone: Microphone
    /// Amplitude of what the microphone hears besides.
    let noise: Double
    var random = SeededRandom(seed: 5)

    init(_ room: SoundRoom, noise: Double, statesLevels: Bool = true) throws {
      self.room = room
      (talker, listener) = (room.join(), room.join(sends: false))
      microphone = try Microphone(statesLevels: statesLevels)
      self.noise = noise
    }

    /// Pauses for some ticks, then says an utterance of 13 ticks.
    ///
    /// - Parameter isSent: which ticks' packets are sent, besides those of the utterance.
    /// - Returns: by how many dB its first tone came out louder than its rest.
    mutating func say(_ said: [Int16], after pause: Int, isSent: (Int) -> Bool = { _ in true }) throws -> Double {
      var direct: [DirectTransport.Delivery] = []
      listener.received.removeAll()
      for step in 0..<pause + 13 + 10 {
        let place = step - pause
        let isSaid = place >= 0 && place < 13
        let samples =
          isSaid
          ? Array(said[place * 960..<(place + 1) * 960])
          : (0..<960).map { _ in Int16(noise * Double.random(in: -1...1, using: &random)) }
        let spoken = try microphone.take(samples)
        if place > -5 {
          direct.append(
            .init(
              frame: EncodedFrame(
                codec: .opus, payload: FrameBuffer(spoken.packet),
                timestamp: RTPTimestamp(UInt32(room.tick * 960)), time: .zero), output: OutputID(0)))
        }
        room.step { if isSaid || isSent(step) { talker.send(spoken.packet, level: spoken.level, tick: $0, at: $1) } }
      }
      let (heard, spoken) = (try listener.received.decoded(), try direct.decoded())
      // Beside what follows it, for in a room of speech all is made louder or softer to be alike.
      let changes = [OnsetTests.first, OnsetTests.rest].map {
        OnsetTests.energy(of: $0, in: heard) - OnsetTests.energy(of: $0, in: spoken)
      }
      return changes[0] - changes[1]
    }
  }

  @Test(arguments: [20, 40, 60, 120]) func pausesGoOnWhileARoomSleeps(ptime: Int) throws {
    let room = try SoundRoom(
      AudioSettings(bitrate: 64_000, mode: .music, outputs: [.init(name: "tested", bitrate: 64_000, ptime: ptime)]))
    let (talker, listener) = (room.join(), room.join(sends: false, hears: "tested"))
    let microphone = try Microphone()
    var sent: [Int] = []
    for step in 0..<2_000 {
      let spoken = try microphone.take((0..<960).map { _ in Int16.random(in: -2...2) })
      room.step { if step % 20 == 0 { talker.send(spoken.packet, level: 90, tick: $0, at: $1) } }
      if !listener.received.isEmpty, step > 200 { sent.append(step) }
      let timestamps = listener.received.map(\.frame.timestamp.rawValue)
      // Of the packet that ends with the tick in which it is sent; ticks count from 100 s before.
      #expect(timestamps.allSatisfy { $0 == UInt32((5_000 + step + 1) * 960 - ptime * 48) })
      listener.received.removeAll()
    }
    #expect(sent.count >= 70)
    #expect(zip(sent, sent.dropFirst()).allSatisfy { $1 - $0 == 24 })
    // All that came was taken in, and hardly any of it decoded.
    #expect(talker.media.audioStatistics.playout.played >= 97)
    #expect(talker.media.audioStatistics.playout.lost == 0)
    #expect(talker.media.audioStatistics.ticksDecoded < 100)
  }

  /// The energy of a tone in dB, wherever it is in what was heard.
  private static func energy(of hertz: Double, in samples: [Int16]) -> Double {
    let sum = stride(from: 0, to: samples.count - 480, by: 120).reduce(0) { sum, start in
      sum + pow(10, Tones.level(of: hertz, in: Array(samples[start..<start + 480])) / 10)
    }
    return 10 * log10(sum)
  }

  // MARK: Never in his own

  /// How a room may be set up.
  struct Variant: Sendable, CustomStringConvertible {
    var ptime = 20
    var stereo = false
    var gain: Float = 1
    var amplitude = 6_000.0
    var mode = AudioSettings.Mode.music
    var description: String { "ptime \(ptime), stereo \(stereo), gain \(gain), amplitude \(amplitude), \(mode)" }
  }

  /// What the one who is tested was sent, and somebody who only listens.
  private struct Run {
    var own: [DirectTransport.Delivery]
    var viewer: [DirectTransport.Delivery]

    /// His packets that are not everybody's, by timestamp.
    var personal: [UInt32: [UInt8]] {
      let shared = Set(viewer.key)
      let kept = own.filter { !shared.contains([$0].key[0]) }
      return Dictionary(uniqueKeysWithValues: kept.map { ($0.frame.timestamp.rawValue, $0.frame.payload.bytes) })
    }

    var contributors: Set<UInt32> {
      Set(
        own.flatMap { delivery in
          (0..<delivery.frame.contributors.count).map { delivery.frame.contributors[$0].source.rawValue }
        })
    }
  }

  /// One begins and ends by chance, at any sample of a tick, beside another who speaks all the time and one who sometimes does.
  private func confer(_ variant: Variant, sign: Double, seed: UInt64) throws -> Run {
    let room = try SoundRoom(
      AudioSettings(
        bitrate: 64_000, stereo: variant.stereo, mode: variant.mode,
        outputs: [.init(name: "tested", bitrate: 64_000, ptime: variant.ptime)]))
    let (talker, other, third) = (room.join(hears: "tested"), room.join(), room.join())
    let viewer = room.join(sends: false, hears: "tested")
    talker.media.gain = variant.gain
    let microphones = try (0..<3).map { _ in try Microphone(statesLevels: seed % 2 == 0, bitsPerSecond: 64_000) }
    var random = SeededRandom(seed: seed)
    var (isSpeaking, changesAt) = (false, 0)
    for _ in 0..<600 {
      var samples = [Int16](repeating: 0, count: 960)
      for index in samples.indices {
        let time = room.tick * 960 + index
        if time >= changesAt {
          isSpeaking.toggle()
          changesAt = time + Int.random(in: 0..<960 * (isSpeaking ? 40 : 80), using: &random)
        }
        if isSpeaking { samples[index] = Int16(sign * variant.amplitude * sin(2 * .pi * 440 * Double(time) / 48_000)) }
      }
      let said = try microphones[0].take(samples)
      let beside = try microphones[1].take(Tones.sine(700, amplitude: variant.amplitude, count: 960, from: room.tick * 960))
      let amplitude = room.tick / 70 % 2 == 0 ? variant.amplitude : 0
      let now = try microphones[2].take(Tones.sine(1_100, amplitude: amplitude, count: 960, from: room.tick * 960))
      room.step { tick, time in
        talker.send(said.packet, level: said.level, tick: tick, at: time)
        other.send(beside.packet, level: beside.level, tick: tick, at: time)
        third.send(now.packet, level: now.level, tick: tick, at: time)
      }
    }
    return Run(own: talker.received, viewer: viewer.received)
  }

  /// Says one thing and then, everything else being equal, its negative: what he is sent while he is in the mix is the same to the
  /// bit, so nothing of what he says is in there, not in the first tick nor in any. While he is not in the mix he is sent what
  /// everybody is, whose encoder and limiter have heard him before.
  @Test(arguments: [
    Variant(), Variant(ptime: 40), Variant(ptime: 60), Variant(ptime: 120), Variant(stereo: true), Variant(gain: 1.7),
    Variant(amplitude: 32_000), Variant(mode: .speech),
  ])
  func whatOneIsSentDoesNotDependOnWhatHeSays(variant: Variant) throws {
    for seed: UInt64 in 1...2 {
      let (run, negative) = (try confer(variant, sign: 1, seed: seed), try confer(variant, sign: -1, seed: seed))
      let (personal, negated) = (run.personal, negative.personal)
      let toOthers = try Self.loudest(of: 440, between: run.viewer, and: negative.viewer)
      let toHimself = try Self.loudest(of: 440, between: run.own, and: negative.own)
      #expect(personal.count > 6_000 / variant.ptime && run.own.key == negative.own.key)
      // In a room of speech the others' gains depend on who else speaks and how loudly, which a change of sign alters by a hair.
      let differing = personal.count { negated[$0.key] != $0.value }
      #expect(differing == 0 || variant.mode == .speech, "\(differing) of \(personal.count) packets, seed \(seed)")
      #expect(!run.contributors.contains(1_001) && run.contributors.contains(1_002))
      #expect(toOthers > 70 && toHimself < toOthers - 40, "\(toHimself) of \(toOthers) dB, seed \(seed)")
    }
  }

  /// How loud a tone ever is in half the difference between two streams, in any 20 ms: what a change of sign has changed.
  private static func loudest(
    of hertz: Double, between a: [DirectTransport.Delivery], and b: [DirectTransport.Delivery]
  ) throws -> Double {
    let difference = try zip(a.decoded(), b.decoded()).map { Int16(clamping: (Int($0) - Int($1)) / 2) }
    return stride(from: 0, to: difference.count - 960, by: 480).map {
      Tones.level(of: hertz, in: Array(difference[$0..<$0 + 960]))
    }.max() ?? 0
  }
}
