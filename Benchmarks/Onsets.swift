import Codecs
import EncodedMedia
import Glibc
import RawMedia

/// Finds the beginnings of bursts of one tone in what an Opus stream decodes to.
struct BurstFinder {
  /// Of the burst, in hertz: whole periods fit the window.
  static let frequency = 2000.0
  static let amplitude = 0.3
  private static let windowSize = 192
  private static let step = 24

  private let decoder: OpusDecoder
  private var recent: [Double] = []
  private var samplesTaken = 0
  private var windowStart = 0
  private var isSounding = false

  init() throws { decoder = try OpusDecoder(channelCount: 1) }

  /// Decodes one frame.
  ///
  /// - Returns: where in the frame a burst began, in samples after its first, negative for before it; nil where none did.
  mutating func take(_ packet: FrameBuffer) throws -> Int? {
    var samples = [Int16](repeating: 0, count: OpusDecoder.samplesPerPacketMax)
    var room = samples.mutableSpan
    let bytes = packet.bytes
    let count = try decoder.decode(bytes.span, into: &room)
    let frameStart = samplesTaken
    samplesTaken += count
    recent += samples[..<count].map { Double($0) / 32_768 }
    var onset: Int?
    while recent.count >= Self.windowSize {
      let loudness = Self.loudness(recent[..<Self.windowSize])
      if loudness > Self.amplitude / 2, !isSounding { onset = onset ?? windowStart + Self.windowSize / 2 - frameStart }
      if loudness > Self.amplitude / 2 { isSounding = true } else if loudness < Self.amplitude / 5 { isSounding = false }
      recent.removeFirst(Self.step)
      windowStart += Self.step
    }
    return onset
  }

  /// Amplitude of the burst's frequency in the window.
  private static func loudness(_ window: ArraySlice<Double>) -> Double {
    var (real, imaginary) = (0.0, 0.0)
    for (index, sample) in window.enumerated() {
      let phase = 2 * .pi * frequency * Double(index) / Double(AudioFormat.sampleRate)
      real += sample * cos(phase)
      imaginary += sample * sin(phase)
    }
    return 2 * (real * real + imaginary * imaginary).squareRoot() / Double(window.count)
  }
}

/// Finds when tiles of a picture turn from dark to bright and back.
struct FlipFinder: ~Copyable {
  /// What is added to the luma of dark and of bright frames, and where the one ends and the other begins in the middle of a tile.
  static let lifts = (dark: -30, bright: 60)
  private static let threshold = 155.0

  private let decoder: VP8Decoder
  private var pool = PicturePool(capacity: 2)
  private let tiles: [TileArea]
  private var isBright: [Bool?]

  init(_ tiles: [TileArea]) throws {
    decoder = try VP8Decoder()
    self.tiles = tiles
    isBright = tiles.map { _ in nil }
  }

  /// Decodes one frame; answers which tiles have turned, and whether to bright.
  mutating func take(_ frame: FrameBuffer) throws -> [(tile: Int, isBright: Bool)] {
    let bytes = frame.bytes
    guard let picture = try decoder.decode(bytes.span, pool: &pool) else { return [] }
    var turned: [(tile: Int, isBright: Bool)] = []
    for (index, tile) in tiles.enumerated() {
      let bright = Self.mean(picture, tile) > Self.threshold
      if let before = isBright[index], before != bright { turned.append((index, bright)) }
      isBright[index] = bright
    }
    return turned
  }

  /// Mean luma of the middle of a tile.
  private static func mean(_ picture: Picture, _ tile: TileArea) -> Double {
    var sum = 0
    let (side, x, y) = (32, tile.x + tile.width / 2 - 16, tile.y + tile.height / 2 - 16)
    for row in 0..<side { for column in 0..<side { sum += Int(picture.luma[(y + row) * picture.lumaStride + x + column]) } }
    return Double(sum) / Double(side * side)
  }
}
