import Glibc
import RawMedia

/// Made-up sounds.
package enum Sound {
  /// Like a voice: harmonics of a gliding pitch in syllables, with pauses; three talkers never pause all at once.
  package static func voice(talker: Int) -> (Int) -> Double {
    let pitch = 110 + 35 * Double(talker)
    let turn = 2 * .pi * Double(talker) / 3
    return { number in
      let time = Double(number) / Double(AudioFormat.sampleRate)
      let syllable = max(0, sin(2 * .pi * 3.2 * time + turn)) * (sin(2 * .pi * 0.4 * time + turn) > -0.6 ? 1 : 0)
      let phase = 2 * .pi * (pitch * time + 4 * sin(2 * .pi * 0.8 * time))
      var sum = 0.0
      for harmonic in 1...14 {
        let frequency = pitch * Double(harmonic)
        let formants = exp(-pow((frequency - 600) / 250, 2)) + 0.5 * exp(-pow((frequency - 1500) / 300, 2))
        sum += (formants + 0.05) * sin(phase * Double(harmonic))
      }
      return 0.12 * syllable * sum
    }
  }

  /// A quiet room.
  package static func hush(seed: UInt64) -> (Int) -> Double {
    var random = SeededRandom(seed: seed)
    return { _ in (Double(random.next() >> 40) / Double(1 << 24) - 0.5) * 0.0004 }
  }
}
