import AudioMixing
import Codecs
import EncodedMedia
import RawMedia
import Timing

/// What a client sends, encoded beforehand and repeated: 5 s of 640x360@30 VP8 and of Opus.
package struct EncodedContent: Sendable {
  package var pictures: [Frame] = []
  package var sounds: [Frame] = []
  /// What is sent while others talk; frames without payload are not sent.
  package var pauses: [Frame] = []

  package struct Frame: Sendable {
    package var payload: FrameBuffer
    package var isKeyframe: Bool
    /// Of a sound, in -dBov: what its sender states (RFC 6464).
    package var level: UInt8?

    package init(payload: FrameBuffer, isKeyframe: Bool, level: UInt8? = nil) {
      self.payload = payload
      self.isKeyframe = isKeyframe
      self.level = level
    }
  }

  package static let pictureCount = 150
  package static let soundCount = 250

  /// Sound alone.
  package init(sounds: [Frame]) { self.sounds = sounds }

  /// - Parameters:
  ///   - lift: added to the luma of a frame.
  ///   - sample: the sound at a sample's number.
  package init(seed: UInt64, lift: (_ frame: Int) -> Int = { _ in 0 }, sample: (_ number: Int) -> Double) throws {
    try encodePictures(seed, lift)
    sounds = try Self.encode(sample)
  }

  private mutating func encodePictures(_ seed: UInt64, _ lift: (Int) -> Int) throws {
    var scene = CameraScene(width: 640, height: 360, seed: seed)
    let picture = Picture(width: 640, height: 360)
    let encoder = try VideoEncoder(codec: .vp8, width: 640, height: 360, settings: .init(bitsPerSecond: 500_000))
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
  package static func encode(hasDTX: Bool = false, _ sample: (Int) -> Double) throws -> [Frame] {
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
