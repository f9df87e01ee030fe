import Codecs
import EncodedMedia
import RawMedia
import TestSupport
import Timing

/// Sound and pictures encoded once and played in a loop, so that whole minutes cost their transport and their mixing only.
struct EncodedSources: Sendable {
  /// A second of a tone, or two, and one of silence, in packets of 20 ms.
  let tone: [[UInt8]]
  let silence: [[UInt8]]
  /// Two seconds of 10 pictures, the first of them a keyframe; or none.
  let pictures: [[UInt8]]

  /// - Parameter hertz: a multiple of 50, so that the loop has no seam.
  init(hertz: Double, seed: UInt64) throws {
    tone = try Self.encode { Tones.sine(hertz, count: 960, from: $0 * 960) }
    silence = try Self.encode { _ in [Int16](repeating: 0, count: 960) }
    let encoder = try VideoEncoder(
      codec: .vp8, width: 160, height: 90, settings: .init(bitsPerSecond: 100_000, framesPerSecond: 10))
    let picture = Picture(width: 160, height: 90)
    pictures = try (0..<20).map { index in
      picture.fill(YUVColor(y: UInt8(60 + (Int(seed) * 40 + index * 6) % 150), u: 128, v: UInt8(60 + index * 5)))
      var bytes: [UInt8] = []
      _ = try encoder.encode(picture, at: .zero + .milliseconds(100) * Int64(index), asKeyframe: index == 0, into: &bytes)
      return bytes
    }
  }

  /// Sound alone, well encoded, and for two seconds without a seam.
  init(onlyHertz hertz: Double, amplitude: Double) throws {
    tone = try Self.encode(bitsPerSecond: 384_000, count: 100) {
      Tones.sine(hertz, amplitude: amplitude, count: 960, from: $0 * 960)
    }
    silence = try Self.encode { _ in [Int16](repeating: 0, count: 960) }
    pictures = []
  }

  private static func encode(bitsPerSecond: Int = 48_000, count: Int = 50, _ samples: (Int) -> [Int16]) throws -> [[UInt8]] {
    let encoder = try OpusEncoder(
      channelCount: 1, settings: .init(bitsPerSecond: bitsPerSecond, complexity: 1, hasFEC: bitsPerSecond == 48_000))
    let packets = try (0..<100).map { index in
      var packet: [UInt8] = []
      _ = try encoder.encode(samples(index).span, into: &packet)
      return packet
    }
    return Array(packets.suffix(count))
  }
}
