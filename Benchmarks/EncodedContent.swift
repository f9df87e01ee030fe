import AudioMixing
import Codecs
import EncodedMedia
import Glibc
import RawMedia
import Timing

/// What a client sends, encoded beforehand and repeated: 5 s of 640x360@30 VP8 and of Opus.
struct EncodedContent: Sendable {
  var pictures: [Frame] = []
  var sounds: [Frame] = []

  struct Frame: Sendable {
    var payload: FrameBuffer
    var isKeyframe: Bool
    /// Of a sound, in -dBov: what its sender states (RFC 6464).
    var level: UInt8?
  }

  static let pictureCount = 150
  static let soundCount = 250

  /// Sound alone.
  init(sounds: [Frame]) { self.sounds = sounds }

  /// - Parameters:
  ///   - lift: added to the luma of a frame.
  ///   - sample: the sound at a sample's number.
  init(seed: UInt64, lift: (_ frame: Int) -> Int = { _ in 0 }, sample: (_ number: Int) -> Double) throws {
    try encodePictures(seed, lift)
    sounds = try Self.encode(sample)
  }

  private mutating func encodePictures(_ seed: UInt64, _ lift: (Int) -> Int) throws {
    var scene = CameraScene(width: 640, height: 360, seed: seed)
    let picture = Picture(width: 640, height: 360)
    let encoder = try VP8Encoder(width: 640, height: 360, settings: .init(bitsPerSecond: 500_000))
    for index in 0..<Self.pictureCount {
      scene.draw(index, lift: lift(index), on: picture)
      var bytes: [UInt8] = []
      let outcome = try encoder.encode(
        picture, at: .zero + .ticks(Int64(index), at: 30), asKeyframe: index == 0, into: &bytes)
      pictures.append(Frame(payload: FrameBuffer(bytes), isKeyframe: outcome.isKeyframe))
    }
  }

  /// - Parameters:
  ///   - hasDTX: leaves frames without payload, which are not sent, where the encoder falls silent.
  ///   - sample: the sound at a sample's number, -1 to 1.
  static func encode(hasDTX: Bool = false, _ sample: (Int) -> Double) throws -> [Frame] {
    let encoder = try OpusEncoder(channelCount: 1, settings: .init(bitsPerSecond: 32_000, complexity: 5, hasDTX: hasDTX))
    // What is repeated begins in silence already.
    if hasDTX { _ = try encode(sample, with: encoder) }
    return try encode(sample, with: encoder)
  }

  private static func encode(_ sample: (Int) -> Double, with encoder: OpusEncoder) throws -> [Frame] {
    try (0..<soundCount).map { index in
      let samples = (0..<AudioFormat.samplesPerTick).map { number in
        Int16(max(-1, min(1, sample(index * AudioFormat.samplesPerTick + number))) * 32_767)
      }
      var bytes: [UInt8] = []
      _ = try encoder.encode(samples.span, into: &bytes)
      return Frame(payload: FrameBuffer(bytes), isKeyframe: true, level: LevelMeter.level(of: samples.span))
    }
  }
}

/// Made-up sounds.
enum Sound {
  /// Like a voice: harmonics of a gliding pitch in syllables, with pauses; three talkers never pause all at once.
  static func voice(talker: Int) -> (Int) -> Double {
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
  static func hush(seed: UInt64) -> (Int) -> Double {
    var random = SeededRandom(seed: seed)
    return { _ in (Double(random.next() >> 40) / Double(1 << 24) - 0.5) * 0.0004 }
  }
}
