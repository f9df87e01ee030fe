import Codecs
import Conference
import EncodedMedia
import Layouts
import RawMedia
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// Shows who has the floor, else whoever came first.
private let singleLayout = """
  { "name": "single", "slotDefaults": { "border": { "width": 0 }, "label": null, "fit": "cover" }, "overflow": "hide",
    "variants": [ { "slots": [ { "x": 0, "y": 0, "width": 360, "height": 360, "source": "floor" } ] } ] }
  """

@Suite struct CanvasTests {
  private static let light = YUVColor(y: 200, u: 128, v: 128)
  private static let dark = YUVColor(y: 60, u: 128, v: 128)

  @Test func aChangeOfLayoutIsWholeAtOneTick() throws {
    let stage = try Stage()
    let a = try stage.join(Self.light)
    let b = try stage.join(Self.dark)
    stage.run(10)
    #expect(stage.shows(a, 0.25, 0.25) && stage.shows(b, 0.75, 0.25) && stage.luma(0.5, 0.75) < 30)
    let stacked = try template(
      """
      { "name": "stacked", "background": { "color": "#000000" },
        "slotDefaults": { "border": { "width": 0 }, "label": null, "fit": "cover" },
        "variants": [ { "slots": [ { "id": "top", "x": 0, "y": 0, "width": 360, "height": 180 },
                                   { "x": 0, "y": 180, "width": 360, "height": 180 } ] } ] }
      """)
    _ = stage.transport.takeSent()
    stage.board.change { $0.layout = stacked }
    stage.run(1)
    let sent = stage.transport.takeSent()
    #expect(sent.map(\.frame.isKeyframe) == [false], "a change is a frame like any other")
    for x in [0.1, 0.5, 0.9] { #expect(stage.shows(a, x, 0.2) && stage.shows(b, x, 0.8)) }
    #expect([a, b].map(\.media.slot) == [.id("top"), .index(1)])
  }

  @Test func fiveHundredRequestsASecondMakeOneKeyframe() throws {
    let stage = try Stage()
    _ = try stage.join(Self.light)
    stage.run(20)
    _ = stage.transport.takeSent()
    for _ in 0..<100 {
      for _ in 0..<25 { stage.canvas.requestKeyframe(OutputID(5)) }
      stage.run(1)
    }
    let sent = stage.transport.takeSent()
    let keyframes = sent.count { $0.frame.isKeyframe }
    #expect((5...6).contains(keyframes), "\(keyframes) in five seconds")
    #expect(sent.allSatisfy { $0.output == OutputID(5) })
  }

  @Test func aNewcomerNeverWaitsHalfASecondForHisKeyframe() throws {
    let stage = try Stage()
    _ = try stage.join(Self.light)
    stage.run(60)
    _ = stage.transport.takeSent()
    stage.canvas.requestKeyframe(OutputID(5))
    stage.run(1)
    #expect(stage.transport.takeSent().map(\.frame.isKeyframe) == [true])
  }

  @Test func aPictureThatStaysIsRefinedForThreeSecondsAndThenHardlyEncoded() throws {
    let stage = try Stage()
    let person = try stage.join(Self.light)
    person.isSending = false
    stage.run(20)
    _ = stage.transport.takeSent()
    stage.run(100)
    let refinements = stage.transport.takeSent().count
    #expect((15...21).contains(refinements), "\(refinements) in five seconds")
    stage.run(200)
    let heartbeats = stage.transport.takeSent().count
    #expect((4...6).contains(heartbeats), "\(heartbeats) in ten seconds")
    #expect(stage.canvas.encodedFrames > 0 && stage.canvas.skippedTicks == 0)
  }

  @Test func whoIsHiddenIsNotDecodedAndAskedForNothing() throws {
    let stage = try Stage(layout: singleLayout)
    let shown = try stage.join(Self.light)
    let hidden = try stage.join(Self.dark)
    stage.run(4)
    let (decoded, requests) = (hidden.media.video.decodedCount, hidden.keyframeRequests.count)
    let before = shown.media.video.decodedCount
    stage.run(40)
    #expect(hidden.media.video.decodedCount == decoded && hidden.keyframeRequests.count == requests)
    #expect(shown.media.video.decodedCount == before + 20)
  }

  @Test func whoBecomesVisibleShowsHisLastPictureUntilHisKeyframeComes() throws {
    let stage = try Stage(layout: singleLayout)
    let first = try stage.join(Self.light)
    let second = try stage.join(Self.dark)
    stage.board.floor = 2
    stage.run(10)
    #expect(stage.shows(second, 0.5, 0.5))
    stage.board.floor = 1
    stage.run(200)
    #expect(stage.shows(first, 0.5, 0.5))
    second.isSending = false
    let requests = second.keyframeRequests.count
    stage.board.floor = 2
    stage.run(2)
    #expect(stage.shows(second, 0.5, 0.5))
    #expect(second.keyframeRequests.count == requests + 1)
  }

  @Test func aSharedScreenGoesIntoTheSlotForScreens() throws {
    let stage = try Stage(
      layout: """
        { "name": "slides", "slotDefaults": { "border": { "width": 0 }, "label": null },
          "variants": [ { "slots": [ { "x": 0, "y": 0, "width": 180, "height": 360 },
                                     { "id": "screen", "x": 180, "y": 0, "width": 180, "height": 360, "source": "screen",
                                       "fit": "stretch" } ] } ] }
        """)
    let speaker = try stage.join(Self.light)
    let screen = try stage.join(Self.dark)
    stage.board.change { $0.people[1].sharesScreen = true }
    stage.run(10)
    #expect(screen.media.slot == .id("screen") && speaker.media.slot == .index(0))
    #expect(stage.shows(screen, 0.75, 0.5) && stage.shows(speaker, 0.25, 0.5))
  }

  @Test func whenNoCanvasIsLeftNobodyIsDecoded() throws {
    let stage = try Stage()
    let person = try stage.join(Self.light)
    stage.run(4)
    stage.canvas.end(at: stage.now)
    let decoded = person.media.video.decodedCount
    for _ in 0..<5 { person.send(at: stage.now) }
    #expect(person.media.video.decodedCount == decoded)
  }

  @Test func aTickThatComesAfterTheEndLooksForNobody() throws {
    let stage = try Stage()
    let person = try stage.join(Self.light)
    stage.run(4)
    stage.canvas.end(at: stage.now)
    let decoded = person.media.video.decodedCount
    // Who joins has a canvas solve its layout anew.
    _ = try stage.join(Self.dark)
    stage.run(4)
    #expect(person.media.video.decodedCount == decoded)
  }

  @Test func everyCodecHasAnEncodingOfItsOwnUntilItIsRemoved() throws {
    let stage = try Stage()
    _ = try stage.join(Self.light)
    stage.canvas.add(.h264, as: OutputID(6))
    stage.run(10)
    let sent = stage.transport.takeSent()
    #expect(sent.count { $0.output == OutputID(5) } == sent.count { $0.output == OutputID(6) })
    stage.canvas.remove(.h264)
    stage.run(10)
    #expect(stage.transport.takeSent().allSatisfy { $0.output == OutputID(5) })
  }

  @Test func mutedVideoShowsThePlaceholderAndComesBack() throws {
    let stage = try Stage()
    let person = try stage.join(Self.light)
    stage.run(10)
    #expect(stage.shows(person, 0.2, 0.2))
    person.media.setVideoMuted(true, at: stage.now)
    stage.run(1)
    #expect(!stage.shows(person, 0.2, 0.2))
    let requests = person.keyframeRequests.count
    stage.run(20)
    person.media.setVideoMuted(false, at: stage.now)
    #expect(person.keyframeRequests.count == requests + 1)
    stage.run(4)
    #expect(stage.shows(person, 0.2, 0.2))
  }

  @Test func aPictureThatStopsIsMarkedThenReplaced() throws {
    let stage = try Stage()
    let person = try stage.join(Self.light)
    stage.run(20)
    person.isSending = false
    stage.run(15)
    #expect(stage.shows(person, 0.2, 0.2))
    let fresh = stage.canvas.lastPicture
    stage.run(20)
    #expect(stage.canvas.lastPicture !== fresh)
    stage.run(100)
    #expect(!stage.shows(person, 0.2, 0.2))
    person.isSending = true
    stage.run(4)
    #expect(stage.shows(person, 0.2, 0.2))
  }

  @Test func whatWasLostBeforeADecoderIsNotShownBroken() throws {
    let requests = Stage.Counter()
    let source = VideoSource(execution: .inPlace) { requests.count += 1 }
    let encoder = try VideoEncoder(codec: .vp8, width: 64, height: 64, settings: .init(bitsPerSecond: 200_000))
    let picture = Picture(width: 64, height: 64)
    func frame(_ index: Int, gap: Bool = false, asKeyframe: Bool = false) throws -> EncodedFrame {
      picture.fill(YUVColor(y: UInt8(40 + index * 5), u: 128, v: 128))
      var bytes: [UInt8] = []
      let time = Instant.zero + .milliseconds(33) * Int64(index + 1)
      let outcome = try encoder.encode(picture, at: time, asKeyframe: asKeyframe, into: &bytes)
      return EncodedFrame(
        codec: .vp8, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: outcome.isKeyframe,
        followsGap: gap, time: time)
    }
    source.receive(try frame(0))
    source.receive(try frame(1))
    #expect(source.decodedCount == 2)
    _ = try frame(2)
    source.receive(try frame(3, gap: true))
    source.receive(try frame(4))
    #expect(source.decodedCount == 2 && requests.count == 2)
    source.receive(try frame(5, asKeyframe: true))
    source.receive(try frame(6))
    #expect(source.decodedCount == 4)
    source.receive(
      EncodedFrame(codec: .vp8, payload: FrameBuffer([1, 2, 3]), timestamp: RTPTimestamp(0), isKeyframe: false, time: .zero))
    source.receive(try frame(7))
    #expect(source.failedCount >= 1 && requests.count >= 3)
  }

  @Test func whereTimeIsShortStillsAreDecodedAndThenEverythingFromTheNextKeyframeOn() throws {
    let requests = Stage.Counter()
    let source = VideoSource(execution: .inPlace) { requests.count += 1 }
    let encoder = try VideoEncoder(codec: .vp8, width: 64, height: 64, settings: .init(bitsPerSecond: 200_000))
    let picture = Picture(width: 64, height: 64)
    var index: Int64 = 0
    func send(asKeyframe: Bool = false) throws {
      index += 1
      picture.fill(YUVColor(y: UInt8(40 + index * 5), u: 128, v: 128))
      var bytes: [UInt8] = []
      let time = Instant.zero + .milliseconds(33) * index
      let outcome = try encoder.encode(picture, at: time, asKeyframe: asKeyframe, into: &bytes)
      source.receive(
        EncodedFrame(
          codec: .vp8, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: outcome.isKeyframe, time: time))
    }
    try send()
    source.setTakesStills(true)
    for _ in 0..<5 { try send() }
    #expect(source.decodedCount == 1 && requests.count == 0)
    source.askForStill()
    try send(asKeyframe: true)
    try send()
    #expect(source.decodedCount == 2 && requests.count == 1)
    source.setTakesStills(false)
    try send()
    #expect(source.decodedCount == 2 && requests.count >= 2, "what it builds on was never decoded")
    try send(asKeyframe: true)
    try send()
    #expect(source.decodedCount == 4)
  }

  @Test func aCanvasDrawsEverySoManiethPictureWhereTimeIsShort() throws {
    let stage = try Stage(fps: 20)
    stage.canvas.setPeriods(4)
    #expect(stage.canvas.tickPeriod == .milliseconds(200))
    stage.canvas.setPeriods(0)
    #expect(stage.canvas.tickPeriod == .milliseconds(50))
  }
}
