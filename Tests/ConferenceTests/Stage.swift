import Codecs
import Compositing
import Conference
import EncodedMedia
import Layouts
import RawMedia
import TestSupport
import Timing
import WebRTCTransport

/// One canvas and those on it, in virtual time.
final class Stage {
  let transport = ScriptedTransport()
  let board: SceneBoard
  let resources: CanvasResources
  let canvas: Canvas
  /// More canvases of the same room.
  private var others: [Canvas] = []
  var people: [Person] = []
  private(set) var now = Instant.zero + .seconds(10)
  private var tick: Int64 = 0

  final class Person {
    let media: ParticipantMedia
    var color: YUVColor
    let keyframeRequests: Counter
    private let encoder: VideoEncoder
    private var sequence: Int64 = 0
    private var answered = 0
    var isSending = true
    private(set) var lastSent = Instant.zero

    init(_ number: UInt32, _ color: YUVColor) throws {
      let requests = Counter()
      self.color = color
      keyframeRequests = requests
      media = ParticipantMedia(number: number, video: VideoSource(execution: .inPlace) { requests.count += 1 }) { _ in
      } keyframeNeeded: { _ in
      } report: { _ in
      }
      encoder = try VideoEncoder(
        codec: .vp8, width: 64, height: 64, settings: .init(bitsPerSecond: 200_000, framesPerSecond: 10))
    }

    func send(at now: Instant) {
      guard isSending else { return }
      let picture = Picture(width: 64, height: 64)
      picture.fill(color)
      var bytes: [UInt8] = []
      let asked = keyframeRequests.count != answered
      answered = keyframeRequests.count
      guard let outcome = try? encoder.encode(picture, at: now, asKeyframe: asked, into: &bytes) else { return }
      sequence += 1
      lastSent = now
      media.peer(
        PeerID(media.number),
        didReceive: EncodedFrame(
          codec: .vp8, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), sequence: sequence,
          isKeyframe: outcome.isKeyframe, time: now),
        on: StreamID(media: 1, kind: .video))
    }
  }

  final class Counter: @unchecked Sendable {
    // Unchecked: a stage is one thread.
    var count = 0
  }

  init(
    layout: String = gridLayout, width: Int = 320, height: Int = 180, fps: Int = 20, viewer: CanvasViewer? = nil,
    images: ImageLibrary? = nil
  ) throws {
    board = SceneBoard(layout: try template(layout))
    resources = CanvasResources(images: images)
    canvas = Canvas(
      settings: .init(name: "main", width: width, height: height, fps: fps, bitrate: 300_000), viewer: viewer,
      board: board, resources: resources, transport: transport, execution: .inPlace)
    canvas.add(.vp8, as: OutputID(5))
  }

  /// Another canvas of the room, at the pace of the first. Says nothing of slots.
  func addCanvas(_ name: String = "second", width: Int = 320, height: Int = 180, viewer: CanvasViewer? = nil) -> Canvas {
    let canvas = Canvas(
      settings: .init(name: name, width: width, height: height, fps: self.canvas.settings.fps, bitrate: 300_000),
      viewer: viewer, board: board, resources: resources, transport: transport, execution: .inPlace)
    canvas.tellPlaces(false)
    others.append(canvas)
    return canvas
  }

  func join(_ color: YUVColor) throws -> Person {
    let person = try Person(UInt32(people.count + 1), color)
    people.append(person)
    let scene = people.map {
      SceneBoard.Person(media: $0.media, name: "P\($0.media.number)", sendsVideo: true)
    }
    board.change { $0.people = scene }
    return person
  }

  func run(_ ticks: Int) {
    for _ in 0..<ticks {
      if tick % 2 == 0 { for person in people { person.send(at: now) } }
      for canvas in [canvas] + others { canvas.tick(tick, due: now) }
      now += canvas.tickPeriod
      tick += 1
    }
  }

  /// Lets people send while no canvas ticks.
  func rest(_ ticks: Int) {
    for _ in 0..<ticks {
      if tick % 2 == 0 { for person in people { person.send(at: now) } }
      now += canvas.tickPeriod
      tick += 1
    }
  }

  /// Runs until something is so.
  ///
  /// - Returns: the tick it was so at; nil where it was not within `ticks`.
  func run(atMost ticks: Int, until isSo: () -> Bool) -> Instant? {
    for _ in 0..<ticks {
      let drawn = now
      run(1)
      if isSo() { return drawn }
    }
    return nil
  }

  /// The luma at a point given in shares of the canvas.
  func luma(_ x: Double, _ y: Double, on other: Canvas? = nil) -> Int {
    guard let picture = (other ?? canvas).lastPicture else { return -1 }
    return Int(picture.luma[Int(y * Double(picture.height)) * picture.lumaStride + Int(x * Double(picture.width))])
  }

  func shows(_ person: Person, _ x: Double, _ y: Double, on other: Canvas? = nil) -> Bool {
    abs(luma(x, y, on: other) - Int(person.color.y)) <= 6
  }
}
