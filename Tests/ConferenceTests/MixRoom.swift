import AudioMixing
import Codecs
import Conference
import EncodedMedia
import Layouts
import RawMedia
import Synchronization
import TestSupport
import Timing
import WebRTCTransport

let gridLayout = """
  { "name": "grid", "background": { "color": "#000000" }, "slotDefaults": { "border": { "width": 0 }, "label": null },
    "variants": [ { "grid": { "columns": 1, "rows": 1 } }, { "grid": { "columns": 2, "rows": 2 } } ] }
  """

func template(_ source: String, _ name: String = "test") throws -> LayoutTemplate {
  try LayoutTemplate(parsing: Array(source.utf8), name: name)
}

/// One participant of a room in virtual time: speaks a tone, hears what the scripted transport delivers.
final class Talker {
  let number: UInt32
  let peer: PeerID
  let source: SSRC
  let media: ParticipantMedia
  let hertz: Double
  /// What is spoken from now on.
  var amplitude = 8_000.0
  var sends: Bool
  /// Whether packets say how loud they are (RFC 6464): truly, or as `statedLevel` has it.
  var statesLevels = false
  var statedLevel: UInt8?
  /// Everything heard, a tick at a time, and the frames it came in.
  var heard: [Int16] = []
  var frames: [EncodedFrame] = []
  private let encoder: OpusEncoder
  private let decoder: OpusDecoder
  private var packetCount: Int64 = 0
  private var heardUntil: Int?

  init(_ number: UInt32, hertz: Double, sends: Bool = true, video: VideoSource? = nil) throws {
    self.number = number
    self.hertz = hertz
    self.sends = sends
    peer = PeerID(number)
    source = SSRC(1_000 + number)
    encoder = try OpusEncoder(channelCount: 1, settings: .init(bitsPerSecond: 128_000, complexity: 5, hasFEC: false))
    decoder = try OpusDecoder(channelCount: 1)
    media = ParticipantMedia(number: number, video: video ?? VideoSource(execution: .inPlace) {}) { _ in
    } keyframeNeeded: { _ in
    } report: { _ in
    }
  }

  func speak(tick: Int, at now: Instant) {
    guard sends else { return }
    let samples = Tones.sine(hertz, amplitude: amplitude, count: 960, from: tick * 960)
    var packet: [UInt8] = []
    _ = try? encoder.encode(samples.span, into: &packet)
    packetCount += 1
    var frame = EncodedFrame(
      codec: .opus, payload: FrameBuffer(packet), timestamp: RTPTimestamp(UInt32(truncatingIfNeeded: tick * 960)),
      sequence: packetCount, time: now)
    frame.source = source
    if statesLevels { frame.audioLevel = statedLevel ?? LevelMeter.level(of: samples.span) }
    media.peer(peer, didReceive: frame, on: StreamID(media: 0, kind: .audio))
  }

  /// - Parameter clock: in samples; what did not come by then, and cannot be part of a long packet any more, is silence.
  func listen(_ delivered: [EncodedFrame], clock: Int) {
    frames += delivered
    let start = heardUntil ?? clock
    let late = Swift.max(clock - 5 * 960 - start, 0)
    heard += [Int16](repeating: 0, count: late)
    heardUntil = start + late
    for frame in delivered {
      let gap = Swift.max(Int(frame.timestamp.distance(from: RTPTimestamp(UInt32(truncatingIfNeeded: start + late)))), 0)
      heard += [Int16](repeating: 0, count: gap)
      heardUntil = start + late + gap
      let bytes = frame.payload.bytes
      var samples = [Int16](repeating: 0, count: 5760)
      var span = samples.mutableSpan
      let count = (try? decoder.decode(bytes.span, into: &span)) ?? 0
      heard += samples[0..<count]
      heardUntil = (heardUntil ?? 0) + count
    }
  }

  /// Where in `heard` goes what is played at an instant.
  func position(at now: Instant) -> Int {
    let clock = Int(now.nanoseconds / 20_000_000) * 960
    return heard.count + clock - (heardUntil ?? clock)
  }

  /// How loud a tone was in the last second heard, in dB.
  func level(_ hertz: Double, seconds: Double = 1) -> Double {
    Tones.level(of: hertz, in: Array(heard.suffix(Int(48_000 * seconds))))
  }
}

/// A room's mix with its talkers, in virtual time.
final class MixRoom {
  let transport = ScriptedTransport()
  let board: SceneBoard
  let mix: RoomMix
  var talkers: [Talker] = []
  private(set) var now = Instant.zero + .seconds(100)
  private(set) var tick = 0
  let changes = ChangeLog()

  final class ChangeLog: Sendable {
    private let list = Mutex<[RoomMix.Change]>([])
    func note(_ change: RoomMix.Change) { list.withLock { $0.append(change) } }
    var all: [RoomMix.Change] { list.withLock { $0 } }
  }

  /// As music, so that levels stay what they are, unless the settings say otherwise.
  init(settings: AudioSettings = AudioSettings(bitrate: 256_000, mode: .music)) throws {
    board = SceneBoard(layout: try template(gridLayout))
    let changes = changes
    mix = RoomMix(settings: settings, outputs: OutputIDSource(), transport: transport, board: board) { changes.note($0) }
  }

  @discardableResult
  func join(
    _ number: UInt32, hertz: Double, sends: Bool = true, mixOf: UInt32? = nil, rules: HearingRules = .init(),
    wishes: SoundWishes = .init()
  ) throws -> Talker {
    let talker = try Talker(number, hertz: hertz, sends: sends)
    talkers.append(talker)
    mix.join(
      .init(
        media: talker.media, peer: talker.peer, sends: sends, receives: true, mixOf: mixOf, rules: rules,
        wishes: wishes))
    return talker
  }

  func leave(_ talker: Talker) {
    talkers.removeAll { $0 === talker }
    mix.leave(talker.number)
    transport.remove(talker.peer)
  }

  func run(seconds: Double) {
    for _ in 0..<Int(seconds * 50) {
      for talker in talkers { talker.speak(tick: tick, at: now) }
      mix.tick(Int64(tick), due: now)
      let clock = Int(now.nanoseconds / 20_000_000) * 960
      for talker in talkers { talker.listen(transport.takeDelivered(talker.peer), clock: clock) }
      now += .milliseconds(20)
      tick += 1
    }
  }
}
