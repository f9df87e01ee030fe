import Codecs
import Foundation
import RawMedia
import TestSupport
import Testing

@Suite struct H264Tests {
  /// The access units of a fixture, each from its delimiter on.
  private func accessUnits(_ name: String) throws -> [[UInt8]] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
    let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
    let starts = bytes.indices.filter { $0 + 4 < bytes.count && Array(bytes[$0...$0 + 4]) == [0, 0, 0, 1, 9] }
    return zip(starts, starts.dropFirst() + [bytes.count]).map { Array(bytes[$0..<$1]) }
  }

  private func decodeAll(_ units: [[UInt8]], with decoder: H264Decoder) throws -> [Picture] {
    var pool = PicturePool(capacity: 2)
    return try units.enumerated().compactMap { try decoder.decode(bytes: $1, isKeyframe: $0 == 0, pool: &pool) }
  }

  @Test func constrainedBaselineIsShownWithoutDelay() throws {
    let units = try accessUnits("h264-baseline.h264")
    #expect(units.count == 12)
    let decoder = try H264Decoder()
    var pool = PicturePool(capacity: 2)
    for (index, unit) in units.enumerated() {
      let decoded = try decoder.decode(bytes: unit, isKeyframe: index == 0, pool: &pool)
      let picture = try #require(decoded)
      #expect(TestPicture.psnr(TestPicture.make(width: 160, height: 96, time: index), picture) > 38)
      let (blue, red) = TestPicture.chroma(picture, atX: 120, y: 20)
      #expect(abs(blue - 160) < 4 && abs(red - 110) < 4)
    }
  }

  @Test func reorderedFramesComeInTheOrderTheyAreShown() throws {
    let units = try accessUnits("h264-high.h264")
    let pictures = try decodeAll(units, with: H264Decoder())
    #expect(pictures.count >= units.count - 3)
    for (index, picture) in pictures.enumerated() {
      #expect(TestPicture.psnr(TestPicture.make(width: 160, height: 96, time: index), picture) > 35)
    }
  }

  @Test func fullRangeIsConvertedToLimited() throws {
    let pictures = try decodeAll(accessUnits("h264-fullrange.h264"), with: H264Decoder())
    let picture = try #require(pictures.first)
    let source = TestPicture.make(width: 160, height: 96, time: 0)
    #expect(TestPicture.psnr(source, picture, mapping: { 16 + Double($0) * 219 / 255 }) > 38)
    #expect(TestPicture.psnr(source, picture) < 35)
    let (blue, red) = TestPicture.chroma(picture, atX: 120, y: 80)
    #expect(abs(blue - 156) < 4 && abs(red - 147) < 4)
  }

  @Test func sizesBeyondTheLimitsAreRefused() throws {
    let units = try accessUnits("h264-baseline.h264")
    var pool = PicturePool(capacity: 1)
    for limits in [PictureLimits(pixels: 160 * 95), PictureLimits(side: 159)] {
      let decoder = try H264Decoder(limits: limits)
      #expect(throws: CodecError.self) { try decoder.decode(bytes: units[0], isKeyframe: true, pool: &pool) }
    }
  }

  @Test func nothingIsShownBeforeAKeyframe() throws {
    let units = try accessUnits("h264-baseline.h264")
    var pool = PicturePool(capacity: 1)
    let decoder = try H264Decoder()
    #expect(throws: CodecError.needsKeyframe) { try decoder.decode(bytes: units[1], isKeyframe: false, pool: &pool) }
    #expect(throws: CodecError.malformed) { try decoder.decode(bytes: [], isKeyframe: true, pool: &pool) }
  }

  @Test(arguments: ["h264-baseline.h264", "h264-high.h264"]) func truncatedUnitsNeverTrap(_ name: String) throws {
    let units = try accessUnits(name)
    var pool = PicturePool(capacity: 2)
    for unit in 0...1 {
      for length in 0..<units[unit].count {
        let decoder = try H264Decoder()
        for whole in units[..<unit] { _ = try decoder.decode(bytes: whole, isKeyframe: true, pool: &pool) }
        let cut = Array(units[unit].prefix(length))
        _ = try? decoder.decode(bytes: cut, isKeyframe: unit == 0, pool: &pool)
      }
    }
  }

  @Test func corruptUnitsNeverTrapAndAKeyframeRepairs() throws {
    var random = SeededRandom(seed: 21)
    let units = try accessUnits("h264-high.h264")
    let decoder = try H264Decoder(limits: PictureLimits(pixels: 1_000_000, side: 2_000))
    var pool = PicturePool(capacity: 2)
    for _ in 0..<300 {
      for (index, unit) in units.enumerated() {
        var bytes = unit
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        _ = try? decoder.decode(bytes: bytes, isKeyframe: index == 0, pool: &pool)
      }
    }
    let baseline = try accessUnits("h264-baseline.h264")
    var shown = 0
    for (index, unit) in baseline.enumerated() {
      if let picture = try? decoder.decode(bytes: unit, isKeyframe: index == 0, pool: &pool), picture.width == 160 {
        shown += 1
      }
    }
    #expect(shown == 12)
  }
}
