import Codecs
import Testing

@Suite struct SearchEffortTests {
  /// After as many frames of one quantizer.
  private func effort(after count: Int, of quantizer: Int) -> SearchEffort {
    var effort = SearchEffort()
    for _ in 0..<count { effort.note(quantizer: quantizer) }
    return effort
  }

  @Test func fineFramesOfUpperLayersAreSearchedQuickly() {
    #expect(effort(after: 0, of: 25).speed(inLayer: 2) == SearchEffort.thorough)
    let fine = effort(after: 60, of: 25)
    #expect(fine.speed(inLayer: 1) == SearchEffort.quick && fine.speed(inLayer: 2) == SearchEffort.quick)
  }

  @Test func theBaseLayerIsAlwaysSearchedThoroughly() {
    #expect(effort(after: 60, of: 4).speed(inLayer: 0) == SearchEffort.thorough)
  }

  @Test func coarseFramesAreSearchedThoroughly() {
    #expect(!effort(after: 600, of: 36).isQuick)
  }

  @Test func oneVeryCoarseFrameEndsTheQuickSearchAtOnce() {
    var effort = effort(after: 200, of: 10)
    effort.note(quantizer: 56)
    #expect(!effort.isQuick)
  }

  @Test func aQuickSearchThatMakesFramesCoarseEnds() {
    var effort = effort(after: 200, of: 30)
    for _ in 0..<40 { effort.note(quantizer: 40) }
    #expect(!effort.isQuick)
  }

  @Test func itIsThoroughForAWhileAfterThat() {
    var effort = effort(after: 200, of: 10)
    effort.note(quantizer: 56)
    // Upper layers of 30 pictures a second have 22 frames.
    for _ in 0..<12 { effort.note(quantizer: 10) }
    #expect(!effort.isQuick)
    for _ in 0..<12 { effort.note(quantizer: 10) }
    #expect(effort.isQuick)
  }
}
