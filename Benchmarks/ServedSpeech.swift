import Codecs
import EncodedMedia
import LoadGenerator
import RawMedia
import RealTime
import Synchronization
import Timing

/// Speech through `tutti serve`, over HTTP, ICE, DTLS and SRTP on loopback, in real time: in each of some rooms one client talks and
/// another listens, each pair at another phase of the server's ticks.
enum ServedSpeech {
  /// What became of the speech in one room.
  struct Hearing {
    /// What the listener's decoder makes of what he is sent, at 48 kHz, placed by timestamps; where nothing came it was silent.
    var samples: [Int16]
    /// By how many milliseconds a packet was sent after its time, at most, and came to the listener later than the earliest.
    var sentLate: Double
    var cameLate: Double
    /// What the server says of the talker's stream, in the order of `statisticNames`.
    var statistics: [Double]
  }

  static let statisticNames = [
    "audioLatenessMaxMs", "audioPlayoutDelayMinMs", "audioPlayoutDelayMaxMs", "audioFramesLate", "audioConcealedMs",
    "audioExpandedMs", "audioAcceleratedMs",
  ]
  /// The sound's way through the server, and until its statistics are told.
  private static let rest = Interval.milliseconds(1_500)

  static func carry(_ speech: [Int16], rooms: Int) throws -> [Hearing] {
    // Until the end is told of, silence: a stream that just stops is made up for.
    let silence = [Int16](repeating: 0, count: Int(rest.ticks(at: 48_000)))
    let packets = try SpeechLine.packets(
      speech + silence, settings: .init(bitsPerSecond: SpeechLine.bitsPerSecond, hasFEC: false, expectedLossPercent: 0))
    let received = Received(rooms: rooms)
    let server = try ServerProcess(
      Attendance(participants: rooms, viewers: rooms), kinds: [.audio], rooms: rooms,
      room: #"{"audio":{"bitrate":\#(SpeechLine.bitsPerSecond)}}"#, delivery: received.take)
    defer { server.stop() }
    let sounds = packets.map { EncodedContent.Frame(payload: $0, isKeyframe: true) }
    let length = Interval.milliseconds(Int64(packets.count * AudioFormat.millisecondsPerTick))
    var sentLate = [Interval](repeating: .zero, count: rooms)
    let contents = [EncodedContent](repeating: EncodedContent(sounds: sounds), count: rooms)
    let feed = Feed(contents, kinds: [.audio], delay: nil) { client, _, _, due, sent in
      sentLate[client] = max(sentLate[client], sent - due)
    }
    // Talkers stand for machines of their own, which keep time whatever else goes on.
    MediaThread.atRealTimePriority { feed.run(for: length, into: server) }
    return try (0..<rooms).map { room in
      let arrivals = received.arrivals(room)
      return Hearing(
        samples: try decode(arrivals), sentLate: sentLate[room].milliseconds, cameLate: lateness(of: arrivals),
        statistics: try server.statistics(statisticNames, ofFirstIn: room))
    }
  }

  private struct Arrival: Sendable {
    var frame: EncodedFrame
    var time: Instant
  }

  /// What listeners were sent: those are numbered after the talkers, in the order of the rooms.
  private final class Received: Sendable {
    private let kept: Mutex<[[Arrival]]>
    private let rooms: Int

    init(rooms: Int) {
      self.rooms = rooms
      kept = Mutex([[Arrival]](repeating: [], count: rooms))
    }

    @Sendable func take(_ client: Int, _ frame: EncodedFrame, _ arrived: Instant) {
      guard client >= rooms else { return }
      kept.withLock { $0[client - rooms].append(Arrival(frame: frame, time: arrived)) }
    }

    func arrivals(_ room: Int) -> [Arrival] { kept.withLock { $0[room] } }
  }

  private static func lateness(of arrivals: [Arrival]) -> Double {
    guard let first = arrivals.first else { return 0 }
    let transits = arrivals.map { arrival in
      let media = Int64(arrival.frame.timestamp.distance(from: first.frame.timestamp))
      return (arrival.time - first.time - .ticks(media, at: 48_000)).milliseconds
    }
    return (transits.max() ?? 0) - (transits.min() ?? 0)
  }

  private static func decode(_ arrivals: [Arrival]) throws -> [Int16] {
    guard let first = arrivals.first?.frame else { throw BenchmarkError("nothing came back of the speech") }
    let decoder = try OpusDecoder(channelCount: 1)
    var heard: [Int16] = []
    for frame in arrivals.map(\.frame) {
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
