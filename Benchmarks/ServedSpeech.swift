import Codecs
import EncodedMedia
import LoadGenerator
import RawMedia
import Synchronization
import Timing

/// Speech through `tutti serve`, over HTTP, ICE, DTLS and SRTP on loopback: one client talks, another listens, in real time.
enum ServedSpeech {
  private static let (talker, listener) = (0, 1)
  /// The sound's way through the server, twice over.
  private static let rest = Interval.seconds(1)

  /// - Returns: what the listener's decoder makes of what he is sent, at 48 kHz; where nothing came it was silent.
  static func carry(_ speech: [Int16]) throws -> [Int16] {
    let packets = try SpeechLine.packets(
      speech, settings: .init(bitsPerSecond: SpeechLine.bitsPerSecond, hasFEC: false, expectedLossPercent: 0))
    let received = Received()
    let server = try ServerProcess(
      Attendance(participants: 1, viewers: 1), kinds: [.audio],
      room: #"{"audio":{"bitrate":\#(SpeechLine.bitsPerSecond)}}"#
    ) { client, frame, _ in
      if client == listener { received.frames.withLock { $0.append(frame) } }
    }
    defer { server.stop() }
    let pause = EncodedContent.Frame(payload: FrameBuffer([]), isKeyframe: true)
    let sounds =
      packets.map { EncodedContent.Frame(payload: $0, isKeyframe: true) } + [EncodedContent.Frame](repeating: pause, count: 100)
    let length = Interval.milliseconds(Int64(packets.count * AudioFormat.millisecondsPerTick))
    Feed([EncodedContent(sounds: sounds)], kinds: [.audio]).run(for: length + rest, into: server)
    return try decode(received.frames.withLock { $0 })
  }

  private final class Received: Sendable {
    let frames = Mutex<[EncodedFrame]>([])
  }

  private static func decode(_ frames: [EncodedFrame]) throws -> [Int16] {
    guard let first = frames.first else { throw BenchmarkError("nothing came back of the speech") }
    let decoder = try OpusDecoder(channelCount: 1)
    var heard: [Int16] = []
    for frame in frames {
      let place = Int(frame.timestamp.distance(from: first.timestamp))
      guard place >= heard.count else { continue }
      heard += [Int16](repeating: 0, count: min(place - heard.count, 480_000))
      var samples = [Int16](repeating: 0, count: OpusDecoder.samplesPerPacketMax)
      var room = samples.mutableSpan
      let bytes = frame.payload.bytes
      heard += samples[..<(try decoder.decode(bytes.span, into: &room))]
    }
    return heard
  }
}
