import Codecs
import Testing

@Suite struct StillMapTests {
  private func settled(_ frames: Int, width: Int = 64, height: Int = 48) -> StillMap {
    var map = StillMap(width: width, height: height, refinementFrames: 10)
    map.advance(damage: nil, asKeyframe: true)
    for _ in 0..<frames { map.advance(damage: [], asKeyframe: false) }
    return map
  }

  /// The keyframe is the first of ten.
  @Test func aBlockRestsOnceItWasRefined() {
    #expect(settled(9).restingCount == 0)
    // Coded finely for two frames, then at rest.
    #expect(settled(10).finerCount == 12 && settled(11).finerCount == 12)
    let map = settled(12)
    #expect(map.restingCount == 12 && map.isRefined && map.activity.allSatisfy { $0 == 0 })
  }

  @Test func damageWakesTheBlocksItTouchesAndNoOthers() {
    var map = settled(100)
    map.advance(damage: [DamageRectangle(x: 15, y: 16, width: 2, height: 16)], asKeyframe: false)
    #expect(!map.isRefined)
    #expect(map.activity[4] == 1 && map.activity[5] == 1 && map.activity[6] == 0)
    for _ in 0..<9 { map.advance(damage: [], asKeyframe: false) }
    #expect(!map.isRefined)
    // Two frames more, coded finely.
    for _ in 0..<5 { map.advance(damage: [], asKeyframe: false) }
    #expect(map.isRefined)
  }

  @Test func aKeyframeOrUnknownDamageWakesAll() {
    var map = settled(100)
    map.advance(damage: [], asKeyframe: true)
    #expect(map.restingCount == 0 && !map.isRefined)
    map = settled(100)
    map.advance(damage: nil, asKeyframe: false)
    #expect(map.restingCount == 0)
  }

  @Test func damageOutsideThePictureTouchesNothing() {
    var map = settled(100)
    let outside = [
      DamageRectangle(x: -20, y: 0, width: 20, height: 48), DamageRectangle(x: 64, y: 0, width: 9, height: 9),
      DamageRectangle(x: 0, y: 48, width: 64, height: 1), DamageRectangle(x: 0, y: 0, width: 0, height: 48),
      DamageRectangle(x: 5, y: -9, width: 5, height: 9),
    ]
    map.advance(damage: outside, asKeyframe: false)
    #expect(map.isRefined)
    map.advance(damage: [DamageRectangle(x: -5, y: -5, width: 1000, height: 1000)], asKeyframe: false)
    #expect(map.restingCount == 0)
  }

  /// The last column moves.
  private static let lastColumn = [DamageRectangle(x: 48, y: 0, width: 16, height: 48)]

  @Test func whatRestsIsCodedFinelySoonAndMendedNowAndThenWhileOthersMove() {
    var map = settled(0)
    var (early, late) = ([Int](repeating: 0, count: 12), [Int](repeating: 0, count: 12))
    for frame in 0..<1_000 {
      map.advance(damage: Self.lastColumn, asKeyframe: false)
      for (index, finer) in map.finerBlocks.enumerated() {
        if frame < 20 { early[index] += Int(finer) } else { late[index] += Int(finer) }
        if finer == 1 { #expect(map.activity[index] == 1) }
      }
      #expect(map.finerBlocks.reduce(0) { $0 + Int($1) } == map.finerCount)
      if frame >= 20 { #expect(map.restingCount >= 6) }
    }
    #expect((0..<12).allSatisfy { $0 % 4 == 3 ? early[$0] + late[$0] == 0 : early[$0] == 2 && (2...8).contains(late[$0]) })
  }

  @Test func whatChangesIsCodedFinelyAgain() {
    var map = settled(0)
    for _ in 0..<60 { map.advance(damage: Self.lastColumn, asKeyframe: false) }
    #expect(map.finerCount == 0)
    map.advance(damage: Self.lastColumn + [DamageRectangle(x: 0, y: 0, width: 16, height: 16)], asKeyframe: false)
    var finer = 0
    for _ in 0..<30 {
      map.advance(damage: Self.lastColumn, asKeyframe: false)
      finer += Int(map.finerBlocks[0])
    }
    #expect((2...3).contains(finer))
  }

  @Test func aPictureAllAtRestIsCodedFinelyToo() {
    var map = settled(0)
    var finer = 0
    for _ in 0..<100 {
      map.advance(damage: [], asKeyframe: false)
      finer += map.finerCount
    }
    #expect(finer == 24 && map.isRefined)
  }

  @Test func upperLayersHaveWhatNoBaseFrameHasYet() {
    var map = settled(3)
    map.advance(damage: [], asKeyframe: false, isBase: false)
    #expect(map.isRefined)
    let damage = [DamageRectangle(x: 0, y: 0, width: 16, height: 16)]
    map.advance(damage: damage, asKeyframe: false, isBase: false)
    #expect(map.activity[0] == 1 && map.restingCount == 11)
    // Still owed to whoever sees the next frame of the top layer.
    map.advance(damage: [], asKeyframe: false, isBase: false)
    #expect(map.activity[0] == 1 && map.restingCount == 11)
    map.advance(damage: [], asKeyframe: false, isBase: true)
    #expect(map.restingCount == 0)
    map.advance(damage: [], asKeyframe: false, isBase: false)
    #expect(map.isRefined)
  }
}
