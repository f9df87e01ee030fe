import Codecs
import EncodedMedia
import RawMedia
import TestSupport
import Testing
import Timing

@Suite struct BitRateTests {
  /// How far apart pictures are, in thirtieths of a second, over and over.
  private static let paces: [[Int64]] = [[1], [1, 1, 2], [1, 2], [2], [3], [1, 1, 1, 1, 1, 4]]

  @Test(arguments: VideoEncoderTests.codecs, paces)
  func theBitRateIsKeptAndCanChangeWhateverPicturesAreLeftOut(_ codec: Codec, _ pace: [Int64]) throws {
    let encoder = try VideoEncoder(codec: codec, width: 320, height: 180, settings: .init(bitsPerSecond: 400_000))
    var source = Noise()
    for target in [400_000, 1_200_000] {
      try encoder.setBitsPerSecond(target)
      // Two seconds to settle.
      _ = try source.bits(from: encoder, pace, seconds: 2)
      let rate = Double(try source.bits(from: encoder, pace, seconds: 8)) / 8
      #expect((0.85...1.12).contains(rate / Double(target)), "\(rate) of \(target) bit/s")
    }
  }

  @Test(arguments: VideoEncoderTests.codecs) func aRestSavesNothingUp(_ codec: Codec) throws {
    let encoder = try VideoEncoder(codec: codec, width: 320, height: 180, settings: .init(bitsPerSecond: 400_000))
    var source = Noise()
    _ = try source.bits(from: encoder, [1], seconds: 4)
    _ = try source.bits(from: encoder, [60], seconds: 20)
    let rate = Double(try source.bits(from: encoder, [1], seconds: 1))
    #expect(rate < 2 * 400_000, "\(rate) bits in the first second after a rest")
  }

  /// Pictures that take as many bits as there are.
  private struct Noise {
    private var random = SeededRandom(seed: 5)
    private var number = 0
    private var time = Instant.zero

    mutating func bits(from encoder: VideoEncoder, _ pace: [Int64], seconds: Int64) throws -> Int {
      let end = time + .seconds(seconds)
      let picture = Picture(width: 320, height: 180)
      picture.fill(.black)
      var bits = 0
      while time < end {
        for offset in 0..<(picture.lumaStride * 180) { picture.luma[offset] = UInt8.random(in: 60...110, using: &random) }
        var bytes: [UInt8] = []
        _ = try encoder.encode(picture, at: time, asKeyframe: false, into: &bytes)
        bits += 8 * bytes.count
        time += .ticks(pace[number % pace.count], at: 30)
        number += 1
      }
      return bits
    }
  }
}
