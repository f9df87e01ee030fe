import Bytes
import RTP
import TestSupport
import Testing

struct VP8DescriptorRewritingTests {
  @Test(arguments: [(false, UInt16(5)), (true, 0x1234), (true, 0x7FFF)])
  func descriptorsKeepTheirLengthAndGetTheStreamsNumbers(isLong: Bool, id: UInt16) {
    for hasIndex in [false, true] {
      var descriptor = VP8Descriptor()
      descriptor.pictureID = id
      descriptor.hasLongPictureID = isLong
      descriptor.temporalBaseIndex = hasIndex ? 200 : nil
      descriptor.temporalLayer = 1
      descriptor.isLayerSync = true
      descriptor.startsPartition = true
      var descriptorBytes = [UInt8](repeating: 0, count: 8)
      var writer = ByteWriter(descriptorBytes.mutableSpan)
      descriptor.write(to: &writer)
      let size = writer.count
      var bytes: [UInt8] = [0xAA, 0xAA, 0xAA] + descriptorBytes[0..<size] + [UInt8](repeating: 0xAA, count: 13 - size)
      var span = bytes.mutableSpan
      let isDone = VP8Descriptor.rewrite(&span, payload: 3, size: size, pictureID: 0x4ABC, temporalBaseIndex: 17)
      #expect(isDone)
      var reader = ByteReader(bytes.span.extracting(3..<16))
      let result = VP8Descriptor(&reader)
      var expected = descriptor
      expected.pictureID = isLong ? 0x4ABC : 0x3C
      expected.temporalBaseIndex = hasIndex ? 17 : nil
      #expect(result == expected)
      #expect(bytes[2] == 0xAA && bytes[3 + size] == 0xAA)
    }
  }

  @Test func descriptorsThatEndEarlyAreLeftAlone() {
    var random = SeededRandom(seed: 4)
    for _ in 0..<20_000 {
      var bytes = (0..<8).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let size = Int(random.next() % 10)
      let before = bytes
      var reader = ByteReader(bytes.span.extracting(0..<min(size, 8)))
      let isWhole = VP8Descriptor(&reader) != nil
      var span = bytes.mutableSpan
      let isDone = VP8Descriptor.rewrite(&span, payload: 0, size: size, pictureID: 0x4ABC, temporalBaseIndex: 17)
      #expect(isDone == (isWhole && size <= 8))
      if !isDone { #expect(bytes == before) }
    }
  }
}
