import Codecs
import Testing

extension StillMap {
  /// Whether all is at rest.
  fileprivate var isRefined: Bool { restingCount == activity.count }
}

@Suite struct StillMapTests {
  /// A frame of the base layer that turns out as it was thought.
  private func code(
    _ map: inout StillMap, damage: [DamageRectangle]? = [], asKeyframe: Bool = false, quantizer: Int = 3
  ) {
    map.advance(damage: damage, asKeyframe: asKeyframe, quantizer: quantizer)
    map.note(quantizer: quantizer, finer: map.finerQuantizer, isBase: true)
  }

  private func settled(_ frames: Int, width: Int = 64, height: Int = 48, quantizer: Int = 3) -> StillMap {
    var map = StillMap(width: width, height: height, refinementFrames: 10, reach: 25)
    code(&map, damage: nil, asKeyframe: true, quantizer: quantizer)
    for _ in 0..<frames { code(&map, quantizer: quantizer) }
    return map
  }

  /// The keyframe is the first of ten.
  @Test func aBlockRestsOnceItWasRefined() {
    #expect(settled(9).restingCount == 0)
    let map = settled(10)
    #expect(map.restingCount == 12 && map.isRefined && map.activity.allSatisfy { $0 == 0 })
  }

  @Test func whatRestsThoughItIsCoarseIsCodedFinelyForTwoFrames() {
    #expect(settled(9, quantizer: 12).finerCount == 0)
    for frames in [10, 11] {
      let map = settled(frames, quantizer: 12)
      #expect(map.finerCount == 12 && map.finerQuantizer == 3)
    }
    let map = settled(12, quantizer: 12)
    #expect(map.finerCount == 0 && map.isRefined)
  }

  @Test func aFrameThatTurnedOutCoarseDoesNotCount() {
    var map = settled(9, quantizer: 20)
    for _ in 0..<6 {
      map.advance(damage: [], asKeyframe: false, quantizer: 20)
      #expect(map.finerCount == 12)
      map.note(quantizer: 60, finer: 40, isBase: true)
    }
    for _ in 0..<4 { code(&map, quantizer: 20) }
    #expect(map.isRefined)
    // Nor does one of an upper layer.
    map = settled(9, quantizer: 20)
    for _ in 0..<6 {
      map.advance(damage: [], asKeyframe: false, quantizer: 20)
      map.note(quantizer: 3, finer: 3, isBase: false)
    }
    #expect(map.finerCount == 12)
  }

  @Test func whatIsVeryCoarseIsRefinedStepByStepAsTheQuantizerAllows() {
    var map = settled(9, quantizer: 60)
    var steps: [Int] = []
    func refine(_ quantizer: Int) {
      for _ in 0..<10 {
        code(&map, quantizer: quantizer)
        if map.finerCount > 0, steps.last != map.finerQuantizer { steps.append(map.finerQuantizer) }
      }
      #expect(map.isRefined)
    }
    refine(60)
    #expect(steps == [48, 35])
    refine(58)
    #expect(steps == [48, 35])
    refine(20)
    #expect(steps == [48, 35, 23, 3])
  }

  @Test func damageWakesTheBlocksItTouchesAndNoOthers() {
    var map = settled(100)
    code(&map, damage: [DamageRectangle(x: 15, y: 16, width: 2, height: 16)])
    #expect(!map.isRefined)
    #expect(map.activity[4] == 1 && map.activity[5] == 1 && map.activity[6] == 0)
    for _ in 0..<9 { code(&map) }
    #expect(!map.isRefined)
    code(&map)
    #expect(map.isRefined)
  }

  @Test func aKeyframeOrUnknownDamageWakesAll() {
    var map = settled(100)
    code(&map, asKeyframe: true)
    #expect(map.restingCount == 0 && !map.isRefined)
    map = settled(100)
    code(&map, damage: nil)
    #expect(map.restingCount == 0)
  }

  @Test func damageOutsideThePictureTouchesNothing() {
    var map = settled(100)
    let outside = [
      DamageRectangle(x: -20, y: 0, width: 20, height: 48), DamageRectangle(x: 64, y: 0, width: 9, height: 9),
      DamageRectangle(x: 0, y: 48, width: 64, height: 1), DamageRectangle(x: 0, y: 0, width: 0, height: 48),
      DamageRectangle(x: 5, y: -9, width: 5, height: 9),
    ]
    code(&map, damage: outside)
    #expect(map.isRefined)
    code(&map, damage: [DamageRectangle(x: -5, y: -5, width: 1000, height: 1000)])
    #expect(map.restingCount == 0)
  }

  /// The last column moves.
  private static let lastColumn = [DamageRectangle(x: 48, y: 0, width: 16, height: 48)]

  @Test func whatRestsIsCodedFinelySoonAndMendedNowAndThenWhileOthersMove() {
    var map = settled(0, quantizer: 12)
    var (early, late) = ([Int](repeating: 0, count: 12), [Int](repeating: 0, count: 12))
    for frame in 0..<1_000 {
      code(&map, damage: Self.lastColumn, quantizer: 12)
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
    var map = settled(0, quantizer: 12)
    for _ in 0..<60 { code(&map, damage: Self.lastColumn, quantizer: 12) }
    #expect(map.finerCount == 0)
    code(&map, damage: Self.lastColumn + [DamageRectangle(x: 0, y: 0, width: 16, height: 16)], quantizer: 12)
    var finer = 0
    for _ in 0..<30 {
      code(&map, damage: Self.lastColumn, quantizer: 12)
      finer += Int(map.finerBlocks[0])
    }
    #expect((2...3).contains(finer))
  }

  @Test func aPictureAllAtRestIsCodedFinelyToo() {
    var map = settled(0, quantizer: 12)
    var finer = 0
    for _ in 0..<100 {
      code(&map, quantizer: 12)
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
