import Conference
import EncodedMedia
import Testing
import Timing

/// A VP8 frame as far as its header: size in keyframes only.
private func frame(_ width: Int, key: Bool, at milliseconds: Int64) -> EncodedFrame {
  let height = width * 9 / 16
  let bytes: [UInt8] =
    key
    ? [0x10, 0, 0, 0x9D, 0x01, 0x2A, UInt8(width & 0xFF), UInt8(width >> 8), UInt8(height & 0xFF), UInt8(height >> 8), 0]
    : [0x11, 0, 0, 0]
  return EncodedFrame(
    codec: .vp8, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: key,
    time: .zero + .milliseconds(milliseconds))
}

extension LayerChoice {
  fileprivate mutating func judge(_ frame: EncodedFrame, of index: UInt8) -> Verdict {
    var frame = frame
    return judge(&frame, of: index)
  }
}

@Suite struct LayerChoiceTests {
  @Test func withoutSimulcastEveryFrameIsTaken() {
    var choice = LayerChoice()
    for index in 0..<10 {
      let verdict = choice.judge(frame(640, key: index == 3, at: Int64(index) * 33), of: 0)
      #expect(verdict == .take)
    }
  }

  @Test func theLargestLayerIsTakenFromItsKeyframeOn() {
    var choice = LayerChoice()
    #expect(choice.judge(frame(320, key: true, at: 0), of: 0) == .take)
    #expect(choice.judge(frame(1280, key: false, at: 5), of: 2) == .dropAndRequest)
    #expect(choice.judge(frame(320, key: false, at: 33), of: 0) == .take)
    #expect(choice.judge(frame(1280, key: true, at: 40), of: 2) == .take)
    #expect(choice.current == 2)
    #expect(choice.judge(frame(320, key: false, at: 66), of: 0) == .drop)
    #expect(choice.judge(frame(320, key: true, at: 99), of: 0) == .drop)
    #expect(choice.judge(frame(1280, key: false, at: 100), of: 2) == .take)
  }

  @Test func aPausedLayerGivesWayAndComesBack() {
    var choice = LayerChoice()
    _ = choice.judge(frame(1280, key: true, at: 0), of: 2)
    #expect(choice.judge(frame(640, key: true, at: 500), of: 1) == .drop)
    #expect(choice.judge(frame(640, key: false, at: 1_100), of: 1) == .dropAndRequest)
    #expect(choice.judge(frame(640, key: true, at: 1_150), of: 1) == .take)
    #expect(choice.judge(frame(1280, key: false, at: 5_000), of: 2) == .dropAndRequest)
    #expect(choice.judge(frame(1280, key: true, at: 5_050), of: 2) == .take)
  }

  @Test func theSmallestLayerThatFillsTheTileIsTaken() {
    var choice = LayerChoice()
    choice.wantedPixels = 426 * 240
    _ = choice.judge(frame(320, key: true, at: 0), of: 0)
    #expect(choice.judge(frame(640, key: true, at: 1), of: 1) == .take)
    #expect(choice.judge(frame(1280, key: true, at: 2), of: 2) == .drop)
    #expect(choice.judge(frame(640, key: false, at: 33), of: 1) == .take)
    choice.wantedPixels = 1280 * 720
    #expect(choice.judge(frame(1280, key: false, at: 35), of: 2) == .dropAndRequest)
    #expect(choice.judge(frame(640, key: false, at: 66), of: 1) == .take)
    #expect(choice.judge(frame(1280, key: true, at: 70), of: 2) == .take)
    choice.wantedPixels = 160 * 90
    #expect(choice.judge(frame(640, key: true, at: 80), of: 1) == .take)
    #expect(choice.judge(frame(320, key: true, at: 81), of: 0) == .take)
    #expect(choice.judge(frame(640, key: true, at: 82), of: 1) == .drop)
  }

  @Test func aTileALittleLargerThanTheLayerChangesNothing() {
    var choice = LayerChoice()
    choice.wantedPixels = 640 * 360
    _ = choice.judge(frame(640, key: true, at: 0), of: 1)
    _ = choice.judge(frame(1280, key: true, at: 1), of: 2)
    choice.wantedPixels = 700 * 394
    #expect(choice.judge(frame(1280, key: true, at: 10), of: 2) == .drop)
    #expect(choice.current == 1)
  }

  @Test func moreLayersThanAnybodySendsAreDropped() {
    var choice = LayerChoice()
    for index in UInt8(0)..<8 { _ = choice.judge(frame(64, key: true, at: 0), of: index) }
    #expect(choice.judge(frame(1280, key: true, at: 1), of: 200) == .drop)
  }

  /// Frames of three temporal layers of VP8 as libvpx makes them, from a keyframe on.
  private func layered(_ count: Int) -> [EncodedFrame] {
    (0..<count).map { index in
      var layered = frame(640, key: index == 0, at: Int64(index) * 33)
      layered.temporal = TemporalPosition(
        layer: [0, 2, 1, 2][index % 4], isLayerSync: [1, 2].contains(index % 4), baseIndex: UInt8(index / 4))
      return layered
    }
  }

  @Test func smallTilesLeaveOutUpperTemporalLayers() {
    for (pixels, layers) in [(640 * 360, 3), (200 * 150, 2), (120 * 68, 1)] {
      var choice = LayerChoice()
      choice.wantedPixels = pixels
      let frames = layered(200)
      let taken = frames.map { choice.judge($0, of: 0) == .take }
      for (frame, isTaken) in zip(frames, taken).dropFirst(8) {
        #expect(isTaken == (Int(frame.temporal?.layer ?? 0) < layers))
      }
      // What the transport is told need not be waited for.
      #expect(choice.temporalLayersWanted == (layers == 3 ? .max : UInt8(layers)))
    }
  }

  @Test func aTileThatGrowsTakesUpLayersWhereTheyBuildOnNothingLeftOut() {
    for start in 40..<44 {
      var choice = LayerChoice()
      choice.wantedPixels = 100 * 60
      var hasMiddle = false
      for (index, frame) in layered(80).enumerated() {
        if index == start { choice.wantedPixels = 640 * 360 }
        let isTaken = choice.judge(frame, of: 0) == .take
        guard let temporal = frame.temporal else { continue }
        if temporal.layer == 0 { hasMiddle = false }
        // The second frame of the top layer builds on the middle one before it.
        if temporal.layer == 2, !temporal.isLayerSync, isTaken { #expect(hasMiddle, "\(index)") }
        if temporal.layer == 1 { hasMiddle = isTaken }
        if index >= start + 12 { #expect(isTaken, "\(index)") }
      }
    }
  }

  @Test func ofVP9AllLayersAreTakenUpAtASwitchingPoint() {
    var choice = LayerChoice()
    choice.wantedPixels = 100 * 60
    for index in 0..<80 {
      if index == 43 { choice.wantedPixels = 640 * 360 }
      var layered = EncodedFrame(
        codec: .vp9, payload: FrameBuffer([0x86, 0, 0]), timestamp: RTPTimestamp(0), isKeyframe: index == 0,
        time: .zero + .milliseconds(Int64(index) * 33))
      // A sender that says only now and then that layers can be taken up.
      layered.temporal = TemporalPosition(
        layer: [0, 2, 1, 2][index % 4], isLayerSync: false, isSwitchingPoint: index % 16 == 0, baseIndex: nil)
      let isTaken = choice.judge(layered, of: 0) == .take
      if (8..<48).contains(index) { #expect(isTaken == (index % 4 == 0), "\(index)") }
      if index >= 48 { #expect(isTaken, "\(index)") }
    }
  }
}
