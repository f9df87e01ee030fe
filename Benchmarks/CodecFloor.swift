import Codecs
import EncodedMedia
import LoadGenerator
import PixelKernels
import RawMedia
import Timing

/// What the codecs of a room take by themselves: every input decoded, one picture and each distinct mix encoded, and nothing else.
final class CodecFloor {
  private let contents: [EncodedContent]
  private let cameras: [Camera]
  private let canvas = Picture(width: 1280, height: 720)
  private let encoder: VideoEncoder
  private let voices: [OpusDecoder]
  private let mixes: [OpusEncoder]
  private var samples = [Int16](repeating: 0, count: OpusDecoder.samplesPerPacketMax)
  private let plan: PictureScalePlan
  private var scaler = PlaneScaler()
  private let side: Int
  private var seconds = 0

  private final class Camera {
    private let decoder: VP8Decoder
    private var pool = PicturePool(capacity: 6)

    init() throws { decoder = try VP8Decoder() }

    func decode(_ frame: FrameBuffer) throws -> Picture? {
      let bytes = frame.bytes
      return try decoder.decode(bytes.span, pool: &pool)
    }
  }

  /// - Parameter mixCount: mixes that are encoded: that of all, and one for each who talks.
  init(_ contents: [EncodedContent], mixCount: Int) throws {
    self.contents = contents
    cameras = try contents.map { _ in try Camera() }
    side = (1...16).first { $0 * $0 >= contents.count } ?? 16
    encoder = try VideoEncoder(
      codec: .vp8, width: 1280, height: 720, settings: .init(bitsPerSecond: 1_500_000, temporalLayers: 3))
    voices = try contents.map { _ in try OpusDecoder(channelCount: 1) }
    mixes = try (0..<mixCount).map { _ in try OpusEncoder(channelCount: 1) }
    plan = PictureScalePlan(
      pictureWidth: 640, pictureHeight: 360, crop: .init(x: 0, y: 0, width: 640, height: 360), width: 1280 / side & ~1,
      height: 720 / side & ~1)
    canvas.fill(.black)
  }

  /// CPU seconds for a second of the room.
  func second() throws -> Double {
    var time = 0.0
    for frame in 0..<30 { time += try picture(seconds * 30 + frame) }
    for frame in 0..<50 { time += try sound(seconds * 50 + frame) }
    seconds += 1
    return time / 1e9
  }

  /// Composes without counting it.
  private func picture(_ number: Int) throws -> Double {
    var time = 0.0
    for (index, camera) in cameras.enumerated() {
      var decoded: Picture?
      let frames = contents[index].pictures
      time += try threadTime { decoded = try camera.decode(frames[number % frames.count].payload) }
      guard let decoded else { continue }
      scaler.scale(decoded, into: canvas, x: index % side * plan.width, y: index / side * plan.height, plan)
    }
    var bytes: [UInt8] = []
    time += try threadTime {
      _ = try encoder.encode(canvas, at: .zero + .ticks(Int64(number), at: 30), asKeyframe: number == 0, into: &bytes)
    }
    return time
  }

  /// The voice decoded last, a talker's, stands for the mixes.
  private func sound(_ number: Int) throws -> Double {
    try threadTime {
      for (index, voice) in voices.enumerated().reversed() {
        let packet = contents[index].sounds[number % contents[index].sounds.count].payload
        try decode(packet, by: voice)
      }
      let tick = Array(samples[..<AudioFormat.samplesPerTick])
      for mix in mixes {
        var bytes: [UInt8] = []
        _ = try mix.encode(tick.span, into: &bytes)
      }
    }
  }

  private func decode(_ packet: FrameBuffer, by voice: OpusDecoder) throws {
    let bytes = packet.bytes
    _ = try samples.withUnsafeMutableBufferPointer { samples in
      var room = samples.mutableSpan
      return try voice.decode(bytes.span, into: &room)
    }
  }
}
