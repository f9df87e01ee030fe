import EncodedMedia
import Testing

private func parseOpus(_ payload: [UInt8]) -> OpusPacket? { OpusPacket(payload.span) }

struct OpusPacketTests {
  @Test(
    arguments: [
      ([0x00], 480, 1), ([0x18, 1, 2], 2880, 1), ([0xFC, 1, 2], 960, 2), ([0x79, 0, 0], 1920, 1), ([0x80], 120, 1),
      ([0xFB, 0x03, 1], 2880, 1), ([0x1B, 0x02], 5760, 1), ([0x78], 960, 1), ([0x60], 480, 1),
    ] as [([UInt8], Int, Int)])
  func theFirstBytesTellTheDuration(_ bytes: [UInt8], _ samples: Int, _ channels: Int) throws {
    let packet = try #require(parseOpus(bytes))
    #expect(packet.sampleCount == samples)
    #expect(packet.channelCount == channels)
  }

  @Test func noBytesAndNoFramesAreRefused() {
    #expect(parseOpus([]) == nil)
    #expect(parseOpus([0x03]) == nil)
    #expect(parseOpus([0x03, 0xC0]) == nil)
  }

  @Test func moreThan120MillisecondsAreRefused() {
    #expect(parseOpus([0x1B, 0x03]) == nil)
    #expect(parseOpus([0x1B, 0x3F]) == nil)
  }

  @Test func aPacketOfTwoBytesIsDiscontinuous() {
    #expect(parseOpus([0x78, 0])?.isDiscontinuous == true)
    #expect(parseOpus([0x78, 0, 0])?.isDiscontinuous == false)
  }

  @Test func everyFirstByteGivesAtMost120Milliseconds() {
    for first in UInt8.min...255 {
      for second in UInt8.min...255 {
        guard let packet = parseOpus([first, second]) else { continue }
        #expect((120...5760).contains(packet.sampleCount))
      }
    }
  }
}
