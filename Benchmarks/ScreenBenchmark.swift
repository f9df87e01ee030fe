import Codecs
import EncodedMedia
import LoadGenerator
import RawMedia
import Timing

/// How sharp a shared page of text is at a bit rate, with the encoder's settings for screens and with those for cameras: a page on
/// three quarters of a canvas, turned now and then and scrolled once, beside four people who move.
enum ScreenBenchmark {
  /// Five pages of three seconds; the last is scrolled.
  private static let frames = 450
  private static let pageFrames = 90
  private static let scrollFrom = 390

  private struct Way {
    var name: String
    var isScreen: Bool
    var temporalLayers: Int
  }

  private struct Result {
    var quality: [Double] = []
    var faces = 0.0
    var kilobits = 0.0
    var milliseconds = 0.0

    /// So many frames after each page was turned, but for the first.
    func after(_ frame: Int) -> Double {
      let seen = stride(from: pageFrames, to: frames, by: pageFrames).map { quality[$0 + frame] }
      return seen.reduce(0, +) / Double(seen.count)
    }
    var scrolled: Double { quality[scrollFrom...].reduce(0, +) / Double(frames - scrollFrom) }
  }

  static func run() throws {
    var table = Table(
      "screen: a page of text on 960x720 beside four people on 320x720, 30 pictures a second",
      note:
        "PSNR of the luma of the page, in dB: 0.1, 0.5 and 2.5 s after it was turned, and while it is scrolled; of the people; CPU ms a frame.",
      columns: ["codec and settings", "kb/s", "0.1 s", "0.5 s", "2.5 s", "scroll", "people", "sent kb/s", "ms"])
    for codec in [Codec.vp8, .vp9, .h264] {
      for bitRate in [500_000, 1_500_000] {
        for way in ways(codec) {
          let result = try encode(codec, way, bitRate)
          table.add(
            ["\(codec.rawValue) \(way.name)", "\(bitRate / 1000)"]
              + [result.after(3), result.after(15), result.after(75), result.scrolled, result.faces].map { figure($0, 1) }
              + [figure(result.kilobits, 0), figure(result.milliseconds)])
        }
      }
    }
    table.print()
  }

  private static func ways(_ codec: Codec) -> [Way] {
    let layers = codec == .h264 ? [1] : [3, 1]
    return layers.flatMap { layers in
      [false, true].map { isScreen in
        Way(
          name: (isScreen ? "screen" : "camera") + (codec == .h264 ? "" : ", \(layers) temporal"), isScreen: isScreen,
          temporalLayers: layers)
      }
    }
  }

  private static func encode(_ codec: Codec, _ way: Way, _ bitRate: Int) throws -> Result {
    let page = Page()
    let encoder = try VideoEncoder(
      codec: codec, width: Page.width, height: Page.height,
      settings: .init(bitsPerSecond: bitRate, isScreen: way.isScreen, temporalLayers: way.temporalLayers))
    let decoder = try VideoDecoder(codec: codec)
    var pool = PicturePool(capacity: 3)
    var result = Result()
    var bytes: [UInt8] = []
    for index in 0..<frames {
      let damage = page.draw(index, page: index / pageFrames, scrolled: max(index - scrollFrom, 0) * 6)
      bytes.removeAll(keepingCapacity: true)
      let time = Instant.zero + .microseconds(33_333) * Int64(index)
      var isKeyframe = false
      result.milliseconds +=
        try threadTime {
          isKeyframe = try encoder.encode(
            page.picture, at: time, asKeyframe: index == 0, damage: index == 0 ? nil : damage, into: &bytes
          ).isKeyframe
        } / 1e6 / Double(frames)
      result.kilobits += Double(bytes.count) * 8 * 30 / 1000 / Double(frames)
      let frame = EncodedFrame(
        codec: codec, payload: FrameBuffer(bytes), timestamp: RTPTimestamp(0), isKeyframe: isKeyframe, time: time)
      guard let decoded = try decoder.decode(frame, pool: &pool) else { throw BenchmarkError("\(codec) decodes nothing") }
      result.quality.append(page.picture.quality(of: decoded, in: [Page.text]))
      result.faces += page.picture.quality(of: decoded, in: [Page.people]) / Double(frames)
    }
    return result
  }
}

/// A page of made-up letters, and people beside it.
private final class Page {
  static let (width, height) = (1280, 720)
  private static let textWidth = 960
  /// Where the page stands, and where the people.
  static let text = DamageRectangle(x: 0, y: 0, width: textWidth, height: height)
  static let people = DamageRectangle(x: textWidth, y: 0, width: width - textWidth, height: height)
  private static let (tileWidth, tileHeight) = (320, 180)
  /// Cells of letters: strokes of two pixels in five by seven.
  private static let (cellWidth, cellHeight) = (13, 22)
  let picture = Picture(width: width, height: height)
  private var cameras = (0..<4).map { CameraScene(width: tileWidth, height: tileHeight, seed: UInt64($0) + 40) }
  private let camera = Picture(width: tileWidth, height: tileHeight)
  private var shown: (page: Int, scrolled: Int)?

  /// - Returns: what has changed.
  func draw(_ time: Int, page: Int, scrolled: Int) -> [DamageRectangle] {
    for tile in 0..<4 { drawCamera(tile, time: time) }
    guard shown?.page != page || shown?.scrolled != scrolled else { return [Self.people] }
    shown = (page, scrolled)
    for y in 0..<Self.height {
      for x in 0..<Self.textWidth { picture.luma[y * picture.lumaStride + x] = Self.ink(x, y + scrolled, page) }
    }
    for y in 0..<picture.chromaHeight {
      for x in 0..<Self.textWidth / 2 {
        picture.chromaBlue[y * picture.chromaStride + x] = 128
        picture.chromaRed[y * picture.chromaStride + x] = 128
      }
    }
    return [Self.people, Self.text]
  }

  /// Black on white: letters with spaces between words, a margin, a blank line here and there.
  private static func ink(_ x: Int, _ y: Int, _ page: Int) -> UInt8 {
    let (column, row) = (x / cellWidth, y / cellHeight)
    guard column >= 3, column < 70, row % 9 != 4 else { return 235 }
    let letter = hash(column, row, page)
    guard letter % 6 != 0 else { return 235 }
    let (across, down) = (x % cellWidth / 2, y % cellHeight / 2 - 2)
    guard across < 5, (0..<7).contains(down) else { return 235 }
    // A few dozen letters, each the same wherever it stands.
    return hash(Int(letter % 40), across, down) % 5 < 2 ? 25 : 235
  }

  private static func hash(_ a: Int, _ b: Int, _ c: Int) -> UInt32 {
    var value = UInt32(truncatingIfNeeded: a &* 73_856_093 ^ b &* 19_349_663 ^ c &* 83_492_791)
    value = (value ^ value >> 15) &* 0x2C1B_3C6D
    value = (value ^ value >> 12) &* 0x297A_2D39
    return value ^ value >> 15
  }

  private func drawCamera(_ tile: Int, time: Int) {
    cameras[tile].draw(time, on: camera)
    picture.paste(camera, left: Self.textWidth, top: tile * Self.tileHeight)
  }
}
