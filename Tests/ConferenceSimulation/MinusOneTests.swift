import Conference
import EncodedMedia
import Glibc
import TestSupport
import Testing
import Timing

/// Whether each hears everybody but himself, by tones of their own, through decoders, mix and encoders.
@Suite struct MinusOneTests {
  /// How a room may be set up.
  struct Variant: Sendable, CustomStringConvertible {
    var count = 30
    var atOnce = 4
    /// From one's tone to the next one's, in hertz.
    var spacing = 120.0
    var ptime = 20
    /// In stereo, with everybody in a place of his own.
    var isPanned = false
    var gains: [Float] = [1]
    /// Two sit in each place, who do not hear one another.
    var hasGroups = false
    var amplitude = 4_000.0
    var description: String {
      "\(count), \(atOnce) at once, ptime \(ptime), panned \(isPanned), gains \(gains), groups \(hasGroups), amplitude \(amplitude)"
    }

    var channelCount: Int { isPanned ? 2 : 1 }
    /// Of the mix; long packets hold no more.
    var bitsPerSecond: Int { ptime == 20 ? 384_000 : 256_000 }
    var turnCount: Int { (count + atOnce - 1) / atOnce }
    /// Those whose tones are far apart, and in groups two of one place at once.
    func speakers(of turn: Int) -> [Int] { stride(from: turn, to: count, by: turnCount).map { $0 } }
    /// Not evenly apart: what a limiter adds at sums and differences of tones is at no other tone.
    func tone(of person: Int) -> Double { 300 + spacing * (Double(person) + Double(person * person % 31) / 100) }
    func gain(of person: Int) -> Float { gains[person % gains.count] }
    func group(of person: Int) -> Int { hasGroups ? person % (2 * turnCount) : person }
    func pan(of person: Int) -> Float { isPanned ? Float(person % 9 - 4) / 5 : 0 }
  }

  /// So much that the noise of the others' encoders is below -80 dB at one's tone.
  private static let microphoneBitsPerSecond = 384_000
  private static let (speechTicks, pauseTicks) = (66, 48)
  /// What is judged: the end of what was said, by which time all are in the mix. A multiple of every packet's length.
  private static let judgedTicks = 48

  /// What came of everybody's having spoken once.
  private struct Findings {
    /// The loudest anybody heard of whom he is not to hear, beside how loud the others heard that one, in dB.
    var ownMax = -Double.infinity
    /// The most by which two levels of the voices of one turn, all equally loud but for their gains, differ in one's ears.
    var spreadMax = 0.0
    var unheard = 0
    /// Voices that were not where they should have been.
    var misplaced = 0
  }

  private func room(_ variant: Variant) throws -> SoundRoom {
    // Music is what nothing evens out in loudness.
    let room = try SoundRoom(
      AudioSettings(
        bitrate: variant.bitsPerSecond, maxSpeakers: variant.atOnce, stereo: variant.isPanned, mode: .music,
        audioPan: variant.isPanned,
        outputs: [.init(name: "tested", bitrate: variant.bitsPerSecond, ptime: variant.ptime, fec: false)]))
    for index in 0..<variant.count {
      let person = room.join(hears: "tested", group: variant.hasGroups ? "\(variant.group(of: index))" : nil)
      person.media.gain = variant.gain(of: index)
      person.media.pan = variant.pan(of: index)
    }
    return room
  }

  /// All speak by turns, some at a time; everybody else in the room listens.
  private func turns(_ variant: Variant) throws -> Findings {
    let room = try room(variant)
    let silence = try Microphone().take([Int16](repeating: 0, count: 960))
    var findings = Findings()
    for turn in 0..<variant.turnCount {
      let speakers = variant.speakers(of: turn)
      let microphones = try speakers.map { _ in try Microphone(bitsPerSecond: Self.microphoneBitsPerSecond) }
      for step in 0..<Self.speechTicks + Self.pauseTicks {
        if step == Self.speechTicks - Self.judgedTicks - 10 { for person in room.people { person.received.removeAll() } }
        if step == Self.speechTicks { try judge(room, speakers, variant, &findings) }
        try room.step { tick, now in
          for (index, person) in room.people.enumerated() {
            guard step < Self.speechTicks, let place = speakers.firstIndex(of: index) else {
              person.send(silence.packet, level: silence.level, tick: tick, at: now)
              continue
            }
            let tone = Tones.sine(variant.tone(of: index), amplitude: variant.amplitude, count: 960, from: tick * 960)
            let said = try microphones[place].take(tone)
            person.send(said.packet, level: said.level, tick: tick, at: now)
          }
        }
      }
    }
    return findings
  }

  private func judge(_ room: SoundRoom, _ speakers: [Int], _ variant: Variant, _ findings: inout Findings) throws {
    // Hundreds are sent the same packets, which are decoded once.
    var known: [[UInt64]: [Heard]] = [:]
    let heard = try room.people.map { person in
      let key = person.received.key
      if let heard = known[key] { return heard }
      let samples = try person.received.decoded(channelCount: variant.channelCount)
      let heard = speakers.map { speaker in
        Heard(
          variant.tone(of: speaker), in: samples.suffix(Self.judgedTicks * 960 * variant.channelCount), variant.channelCount)
      }
      known[key] = heard
      return heard
    }
    for (place, speaker) in speakers.enumerated() {
      let hears = heard.indices.map { variant.group(of: $0) != variant.group(of: speaker) }
      let levels = heard.indices.filter { hears[$0] }.map { heard[$0][place].level }
      let unwanted = heard.indices.filter { !hears[$0] }.map { heard[$0][place].level }
      findings.ownMax = max(findings.ownMax, (unwanted.max() ?? 0) - (levels.min() ?? 0))
      findings.unheard += levels.count { $0 < 60 }
      let pan = variant.pan(of: speaker)
      findings.misplaced += heard.indices.count { hears[$0] && pan * heard[$0][place].side < 0 }
    }
    for ear in heard.indices {
      let levels = speakers.indices.filter { variant.group(of: speakers[$0]) != variant.group(of: ear) }.map { place in
        heard[ear][place].level - 20 * log10(Double(variant.gain(of: speakers[place])))
      }
      if let loudest = levels.max(), let softest = levels.min() {
        findings.spreadMax = max(findings.spreadMax, loudest - softest)
      }
    }
  }

  /// How loud a tone was heard, in the mean of the channels' powers, and on which side: -1 left, 1 right.
  private struct Heard {
    let level: Double
    let side: Float

    init(_ hertz: Double, in samples: ArraySlice<Int16>, _ channelCount: Int) {
      let samples = Array(samples)
      let levels = (0..<channelCount).map { channel in
        Tones.level(of: hertz, in: stride(from: channel, to: samples.count, by: channelCount).map { samples[$0] })
      }
      level = 10 * log10(levels.reduce(0) { $0 + pow(10, $1 / 10) } / Double(channelCount))
      side = channelCount == 2 ? (levels[1] > levels[0] ? 1 : -1) : 0
    }
  }

  @Test(arguments: [
    Variant(count: 3, atOnce: 3, spacing: 1_000), Variant(), Variant(count: 300, spacing: 12), Variant(ptime: 40),
    Variant(ptime: 60), Variant(isPanned: true), Variant(gains: [0.5, 1, 1.6]), Variant(hasGroups: true),
    Variant(amplitude: 20_000), Variant(ptime: 40, isPanned: true, gains: [0.8, 1, 1.25], hasGroups: true),
  ])
  func everyoneHearsAllOthersAlikeAndNothingOfHimself(variant: Variant) throws {
    let findings = try turns(variant)
    #expect(findings.unheard == 0 && findings.misplaced == 0)
    // Before it is encoded nothing of it is left at all; what is here is the noise of the encoders of the others' voices.
    #expect(findings.ownMax < -80, "\(findings.ownMax) dB")
    #expect(findings.spreadMax < 0.5, "\(findings.spreadMax) dB")
  }
}
