import Conference
import EncodedMedia
import Glibc
import TestSupport
import Testing

/// What becomes of the sum of more full-scale voices than any word holds.
@Suite struct OverloadTests {
  private static let hertz = 1_000.0

  @Test func sixtyFourAtFullScaleNeitherWrapNorDistort() throws {
    let room = try SoundRoom(AudioSettings(bitrate: 256_000, maxSpeakers: 15, mode: .music))
    for _ in 0..<64 { room.join() }
    let viewer = room.join(sends: false)
    let microphone = try Microphone(bitsPerSecond: 256_000)
    // All say the same in step: the sum is as large as it can be.
    for step in 0..<150 {
      if step == 75 { for person in room.people { person.received.removeAll() } }
      let said = try microphone.take(Tones.sine(Self.hertz, amplitude: 32_767, count: 960, from: step * 960))
      room.step { tick, now in
        for person in room.people where person !== viewer { person.send(said.packet, level: said.level, tick: tick, at: now) }
      }
    }
    var judged: Set<[UInt64]> = []
    for person in room.people where judged.insert(person.received.key).inserted {
      let samples = Array(try person.received.decoded().suffix(48_000))
      let distortion = Self.distortion(samples)
      let level = Tones.level(of: Self.hertz, in: samples)
      #expect(distortion < 0.01, "\(distortion)")
      // Near full scale, since the limiter holds the sum down no further than it must: 90.3 dB are full scale.
      #expect(level > 84 && level < 90.4, "\(level) dB")
      #expect(Self.steepest(samples) < 1.2 * 2 * .pi * Self.hertz / 48_000 * 32_768)
    }
    // Everybody who is heard has a mix of his own, and all others share one.
    #expect(judged.count == 16)
  }

  /// The amplitude of all harmonics beside that of the tone.
  private static func distortion(_ samples: [Int16]) -> Double {
    let tone = Tones.level(of: hertz, in: samples)
    var power = 0.0
    for harmonic in 2...20 { power += pow(10, (Tones.level(of: hertz * Double(harmonic), in: samples) - tone) / 10) }
    return power.squareRoot()
  }

  /// The largest step from one sample to the next: one that wrapped is twice full scale.
  private static func steepest(_ samples: [Int16]) -> Double {
    zip(samples, samples.dropFirst()).map { abs(Double($1) - Double($0)) }.max() ?? 0
  }
}
