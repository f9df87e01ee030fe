import LoadGenerator
import Testing

@Suite struct ContentTests {
  @Test func contentBeginsWithItsOnlyKeyframeAndIsTheSameEveryTime() throws {
    let first = try EncodedContent(seed: 3, sample: Sound.voice(talker: 0))
    let second = try EncodedContent(seed: 3, sample: Sound.voice(talker: 0))
    #expect(first.pictures.count == EncodedContent.pictureCount && first.sounds.count == EncodedContent.soundCount)
    #expect(first.pictures.map(\.isKeyframe) == [true] + Array(repeating: false, count: EncodedContent.pictureCount - 1))
    let isSame = zip(first.pictures, second.pictures).allSatisfy { $0.payload.bytes == $1.payload.bytes }
    #expect(isSame)
    // It is a voice: loud and silent in turn.
    let levels = first.sounds.compactMap(\.level)
    #expect((levels.min() ?? 127) < 40 && (levels.max() ?? 0) > 80)
  }
}
