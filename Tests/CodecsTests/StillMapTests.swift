import Codecs
import Testing

@Suite struct StillMapTests {
  private func settled(_ frames: Int, width: Int = 64, height: Int = 48) -> StillMap {
    var map = StillMap(width: width, height: height, refinementFrames: 10)
    map.advance(damage: nil, asKeyframe: true)
    for _ in 0..<frames { map.advance(damage: [], asKeyframe: false) }
    return map
  }

  @Test func aBlockRestsOnceItWasRefined() {
    #expect(settled(10).restingCount == 0)
    let map = settled(11)
    #expect(map.restingCount == 12 && map.isRefined && map.activity.allSatisfy { $0 == 0 })
  }

  @Test func damageWakesTheBlocksItTouchesAndNoOthers() {
    var map = settled(100)
    map.advance(damage: [DamageRectangle(x: 15, y: 16, width: 2, height: 16)], asKeyframe: false)
    #expect(!map.isRefined)
    #expect(map.activity[4] == 1 && map.activity[5] == 1 && map.activity[6] == 0)
    for _ in 0..<9 { map.advance(damage: [], asKeyframe: false) }
    #expect(!map.isRefined)
    map.advance(damage: [], asKeyframe: false)
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

  @Test func whatRestsIsMendedByTurnsWhileOthersMove() {
    var map = settled(100)
    var mended = Set<Int>()
    for _ in 0..<400 {
      map.advance(damage: [DamageRectangle(x: 48, y: 0, width: 16, height: 48)], asKeyframe: false)
      for (index, activity) in map.activity.enumerated() where activity == 1 && index % 4 != 3 { mended.insert(index) }
      #expect(map.restingCount >= 6)
    }
    #expect(mended.count == 9)
  }
}
