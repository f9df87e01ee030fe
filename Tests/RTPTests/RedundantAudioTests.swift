import RTP
import TestSupport
import Testing

@Suite struct RedundantAudioTests {
  private func blocks(_ payload: [UInt8]) -> [RedundantBlock]? {
    var blocks = RedundantBlocks()
    guard RedundantAudio.parse(payload.span, into: &blocks) else { return nil }
    return (0..<blocks.count).map { blocks[$0] }
  }

  @Test func copiesComeOldestFirstAndThePacketsOwnBlockLast() {
    // Two copies, 1920 and 960 ticks old, of three bytes and two.
    let payload = ([0x80 | 111] as [UInt8]).withOffset(1_920, length: 3) + ([0x80 | 111] as [UInt8]).withOffset(960, length: 2)
    let whole = payload + [111] + [1, 2, 3] + [4, 5] + [6, 7, 8, 9]
    #expect(
      blocks(whole) == [
        .init(payloadType: 111, timestampOffset: 1_920, range: 9..<12),
        .init(payloadType: 111, timestampOffset: 960, range: 12..<14),
        .init(payloadType: 111, timestampOffset: 0, range: 14..<18),
      ])
    #expect(blocks([111, 1, 2]) == [.init(payloadType: 111, timestampOffset: 0, range: 1..<3)])
  }

  @Test func headersAreReadAsTheyAreWritten() {
    var random = SeededRandom(seed: 3)
    for _ in 0..<500 {
      let offset = Int.random(in: 0...RedundantAudio.offsetMax, using: &random)
      let length = Int.random(in: 0...RedundantAudio.copySizeMax, using: &random)
      let type = UInt8.random(in: 0...127, using: &random)
      var bytes = [UInt8](repeating: 0xFF, count: 5 + length)
      var span = bytes.mutableSpan
      RedundantAudio.writeCopyHeader(payloadType: type, timestampOffset: offset, length: length, into: &span, at: 0)
      bytes[4] = 5
      #expect(blocks(bytes)?.first == .init(payloadType: type, timestampOffset: offset, range: 5..<(5 + length)))
    }
  }

  @Test func whatIsCutShortOrHasTooManyBlocksIsRefused() {
    let whole = ([0x80 | 111] as [UInt8]).withOffset(960, length: 3) + [111] + [1, 2, 3]
    #expect(blocks(whole)?.count == 2)
    for length in 0..<whole.count { #expect(blocks(Array(whole[0..<length])) == nil) }
    let header: [UInt8] = [0x80 | 111, 0, 0, 0]
    let many = [[UInt8]](repeating: header, count: 8).flatMap { $0 } + [111 as UInt8]
    #expect(blocks(many) == nil && blocks([]) == nil)
  }

  @Test func whateverComesIsReadWithoutHarm() {
    var random = SeededRandom(seed: 4)
    for _ in 0..<20_000 {
      let payload = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      for block in blocks(payload) ?? [] {
        #expect(block.range.lowerBound >= 0 && block.range.upperBound <= payload.count)
      }
    }
  }
}

extension [UInt8] {
  fileprivate func withOffset(_ offset: Int, length: Int) -> [UInt8] {
    [self[0], UInt8(offset >> 6), UInt8(truncatingIfNeeded: offset << 2 | length >> 8), UInt8(truncatingIfNeeded: length)]
  }
}
