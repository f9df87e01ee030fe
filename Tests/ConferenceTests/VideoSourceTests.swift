import Codecs
import Conference
import EncodedMedia
import RawMedia
import RealTime
import Testing
import Timing

/// One sender who changes what he sends.
@Suite struct VideoSourceTests {
  private final class Requests: @unchecked Sendable {
    // Unchecked: one thread.
    var count = 0
  }

  private struct Sender {
    let source: VideoSource
    let requests = Requests()
    private var now = Instant.zero + .seconds(1)
    private var sequence: Int64 = 0

    init() {
      let requests = requests
      source = VideoSource(execution: .inPlace) { requests.count += 1 }
    }

    /// Sends frames of one grey; the first is a keyframe, as after every change of encoder.
    mutating func send(
      _ codec: Codec, _ width: Int, _ height: Int, luma: UInt8, rotation: Rotation = .none, frames: Int = 3, every: Interval,
      losingFirst: Bool = false
    ) throws {
      let encoder = try VideoEncoder(codec: codec, width: width, height: height, settings: .init(bitsPerSecond: 300_000))
      let picture = Picture(width: width, height: height)
      picture.fill(.init(y: luma, u: 128, v: 128))
      for index in 0..<frames {
        var bytes: [UInt8] = []
        let outcome = try encoder.encode(picture, at: now, asKeyframe: false, into: &bytes)
        now += every
        sequence += 1
        if losingFirst, index == 0 { continue }
        source.receive(
          EncodedFrame(
            codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), sequence: sequence,
            isKeyframe: outcome.isKeyframe, time: now, rotation: rotation))
      }
    }

    var shown: (width: Int, height: Int, rotation: Rotation, luma: Int)? {
      guard let latest = source.pictures.picture(at: now) else { return nil }
      let picture = latest.shown.picture
      return (picture.width, picture.height, latest.shown.rotation, Int(picture.luma[picture.height / 2 * picture.lumaStride]))
    }
  }

  @Test func whatIsPassedOverForWantOfAKeyframeIsExpectedToTakeNothing() {
    // Less than this test has used: nothing is decoded.
    let gate = PictureGate { ProcessorQuota(nanoseconds: 1_000, each: .seconds(1)) }
    let source = VideoSource(execution: .serialQueue(gate)) {}
    func receive(isKeyframe: Bool) {
      source.receive(
        EncodedFrame(
          codec: .vp8, payload: FrameBuffer([0]), timestamp: RTPTimestamp(0), sequence: 0, isKeyframe: isKeyframe, time: .zero,
          rotation: .none))
    }
    receive(isKeyframe: false)
    #expect(source.expectedTime == 0)
    receive(isKeyframe: true)
    #expect(source.expectedTime == 5_000_000)
    for _ in 0..<5 { receive(isKeyframe: false) }
    #expect(source.expectedTime == 7_000_000, "of four at a time")
  }

  @Test func codecSizeRotationAndFrameRateMayChangeMidStream() throws {
    var sender = Sender()
    let steps: [(Codec, Int, Int, UInt8, Rotation, Int64)] = [
      (.vp8, 160, 96, 60, .none, 33), (.vp8, 320, 180, 90, .none, 33), (.vp9, 320, 180, 120, .clockwise90, 33),
      (.h264, 640, 360, 150, .clockwise90, 200), (.vp9, 96, 160, 180, .clockwise270, 200),
      (.vp8, 98, 162, 200, .clockwise180, 17),
    ]
    for (codec, width, height, luma, rotation, milliseconds) in steps {
      try sender.send(codec, width, height, luma: luma, rotation: rotation, every: .milliseconds(milliseconds))
      let shown = try #require(sender.shown)
      #expect(shown.width == width && shown.height == height && shown.rotation == rotation, "\(codec)")
      #expect(abs(shown.luma - Int(luma)) <= 4, "\(codec)")
    }
    #expect(sender.requests.count == 0 && sender.source.failedCount == 0)
  }

  @Test func aChangeOfCodecWithoutItsKeyframeKeepsTheOldPictureAndAsks() throws {
    var sender = Sender()
    try sender.send(.vp8, 160, 96, luma: 60, every: .milliseconds(33))
    try sender.send(.vp9, 320, 180, luma: 150, every: .milliseconds(33), losingFirst: true)
    #expect(sender.shown?.width == 160)
    #expect(sender.requests.count >= 1)
    try sender.send(.vp9, 320, 180, luma: 150, every: .milliseconds(33))
    #expect(sender.shown?.width == 320)
  }
}
