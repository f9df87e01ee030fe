import Codecs
import EncodedMedia
import Foundation
import RawMedia
import TestSupport
import Testing
import Timing

@Suite struct AV1Tests {
  /// The temporal units of the fixture, without their delimiters, as they come from the network.
  private func temporalUnits() throws -> [[UInt8]] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
    var rest = [UInt8](try Data(contentsOf: folder.appendingPathComponent("av1-main.obu")))
    var units: [[UInt8]] = []
    while let unit = AV1Unit(rest.span) {
      if unit.type == AV1Unit.temporalDelimiter {
        units.append([])
      } else {
        units[units.count - 1] += rest.prefix(unit.size)
      }
      rest.removeFirst(unit.size)
    }
    return units
  }

  private func frame(_ bytes: [UInt8], isKeyframe: Bool) -> EncodedFrame {
    EncodedFrame(codec: .av1, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: isKeyframe, time: .zero)
  }

  @Test func everyUnitIsShownWithoutDelay() throws {
    let units = try temporalUnits()
    #expect(units.count == 10)
    let decoder = try VideoDecoder(codec: .av1)
    var pool = PicturePool(capacity: 3)
    for (index, unit) in units.enumerated() {
      let picture = try #require(try decoder.decode(frame(unit, isKeyframe: index == 0), pool: &pool))
      #expect(TestPicture.psnr(TestPicture.make(width: 160, height: 96, time: index), picture) > 35)
      let (blue, red) = TestPicture.chroma(picture, atX: 120, y: 20)
      #expect(abs(blue - 160) < 4 && abs(red - 110) < 4)
    }
  }

  @Test func theKeyframeTellsItsSize() throws {
    let units = try temporalUnits()
    let (key, inter) = (units[0], units[1])
    let (told, nothing) = (PictureSize(ofKeyframe: key.span, codec: .av1), PictureSize(ofKeyframe: inter.span, codec: .av1))
    #expect(told == PictureSize(width: 160, height: 96) && nothing == nil)
  }

  @Test func sizesBeyondTheLimitsAreRefusedUntilTheNextKeyframe() throws {
    let units = try temporalUnits()
    var pool = PicturePool(capacity: 1)
    for limits in [PictureLimits(pixels: 160 * 95), PictureLimits(side: 159)] {
      let decoder = try VideoDecoder(codec: .av1, limits: limits)
      #expect(throws: CodecError.tooLarge) { try decoder.decode(frame(units[0], isKeyframe: true), pool: &pool) }
      #expect(throws: CodecError.needsKeyframe) { try decoder.decode(frame(units[1], isKeyframe: false), pool: &pool) }
    }
  }

  /// Found by fuzzing, on machines with AVX-512.
  @Test func aStreamThatBrokeTheWidestKernelsBreaksNothing() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
    var rest = [UInt8](try Data(contentsOf: folder.appendingPathComponent("av1-restoration-avx512.frames")))[...]
    let decoder = try VideoDecoder(codec: .av1)
    var pool = PicturePool(capacity: 2)
    while let high = rest.popFirst(), let low = rest.popFirst() {
      let bytes = Array(rest.prefix(Int(high & 0x7F) << 8 | Int(low)))
      rest = rest.dropFirst(bytes.count)
      _ = try? decoder.decode(frame(bytes, isKeyframe: high & 0x80 != 0), pool: &pool)
    }
  }

  @Test func brokenUnitsNeverTrapAndAKeyframeRepairs() throws {
    var random = SeededRandom(seed: 23)
    let units = try temporalUnits()
    let decoder = try VideoDecoder(codec: .av1, limits: PictureLimits(pixels: 1_000_000, side: 2_000))
    var pool = PicturePool(capacity: 2)
    for round in 0..<100 {
      for (index, unit) in units.enumerated() {
        let bytes = damaged(unit, cut: round % 3 == 0, using: &random)
        _ = try? decoder.decode(frame(bytes, isKeyframe: index == 0), pool: &pool)
      }
    }
    let picture = try #require(try decoder.decode(frame(units[0], isKeyframe: true), pool: &pool))
    #expect(TestPicture.psnr(TestPicture.make(width: 160, height: 96, time: 0), picture) > 35)
  }
}

/// The bytes with some bits turned, and cut short at any place where that is wanted.
func damaged(_ original: [UInt8], cut: Bool, using random: inout SeededRandom) -> [UInt8] {
  var bytes = original
  if cut { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
  for _ in 0..<Int.random(in: 0...8, using: &random) where !bytes.isEmpty {
    bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8(1) << UInt8.random(in: 0...7, using: &random)
  }
  return bytes
}
