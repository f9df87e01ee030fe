import Codecs
import EncodedMedia
import Glibc
import LoadGenerator
import RawMedia
import RealTime
import Synchronization
import Timing

/// How much later sound and picture arrive for having been mixed.
///
/// Four participants send bursts of a tone and flips between dark and bright; a viewer finds them in what it is sent. A burst's
/// latency is counted from when it would have been heard had its frames come to the viewer directly.
enum LatencyBenchmark {
  private static let participants = 4
  /// Until playout delays have settled.
  private static let settling = Interval.seconds(4)
  /// A tenth of a millisecond more than a thirtieth of a second: all phases come by within `measured`.
  private static let picturePeriod = Interval.microseconds(33_433)
  private static let measured = Interval.seconds(10)
  /// What mixing may add between mouth and ear, with frames of 20 ms.
  private static let wantedMilliseconds = 50.0

  static func run() throws {
    let contents = try (0..<participants).map { try content(of: $0) }
    let direct = try contents.map { try directOnsets($0) }
    var table = Table(
      "latency: what the mixer adds, in milliseconds",
      note:
        "From the frame's sending to the mix's arrival, over loopback in real time, decoding to encoding; four participants of"
        + " different phase, one viewer.\nThe limit is waiting for the next tick (20 ms of sound, 33 ms of picture) and the look-ahead of"
        + " the second Opus encoder; no time to compute, no jitter to absorb.",
      columns: ["", "p50", "p95", "found", "limit p50", "limit p95"])
    var (added, addedToPicture) = (0.0, 0.0)
    let attendance = Attendance(participants: participants, viewers: 1)
    let lookahead = try Double(OpusEncoder(channelCount: 1).lookaheadSamples) / 48
    for (name, kinds) in [("ours", MediaKind.allCases), ("ours without pictures", [.audio]), ("GStreamer", MediaKind.allCases)]
    {
      let log = ArrivalLog(viewer: participants)
      let sent: SendLog
      if name == "GStreamer" {
        sent = observe(contents, try GStreamerProcess(attendance, delivery: log.deliver))
      } else {
        sent = observe(contents, try ServerProcess(attendance, kinds: kinds, delivery: log.deliver), kinds: kinds)
      }
      let sound = try soundDelays(log.arrivals(.audio), sent, direct).map(\.delay)
      let picture = try pictureDelays(log.arrivals(.video), sent).map(\.delay)
      if name != "GStreamer" { added = max(added, worst(sound)) }
      if name == "ours" { addedToPicture = worst(picture) }
      table.add(["\(name), sound"] + cells(sound, sent.burstCount) + [figure(10 + lookahead, 1), figure(19 + lookahead, 1)])
      guard kinds.contains(.video) else { continue }
      table.add(["\(name), picture"] + cells(picture, sent.flipCount) + [figure(1000.0 / 60, 1), figure(950.0 / 30, 1)])
    }
    table.print()
    verdict(
      "our sound is at most \(figure(wantedMilliseconds, 0)) ms later, p95: \(figure(added, 1)) ms", added <= wantedMilliseconds
    )
    verdict(
      "our picture is at most \(figure(wantedMilliseconds, 0)) ms later, p95: \(figure(addedToPicture, 1)) ms",
      addedToPicture <= wantedMilliseconds)
    try measureSkew(contents, direct)
  }

  /// What all but one in twenty were later at most; infinity where none was found.
  private static func worst(_ delays: [Double]) -> Double { delays.isEmpty ? .infinity : percentile(delays, 0.95) }

  /// Beeps and flashes through the running server, as they leave it: how far sound comes after its picture.
  private static func measureSkew(_ contents: [EncodedContent], _ direct: [[Int: Double]]) throws {
    var table = Table(
      "lip sync: by how many milliseconds sound leaves the mixer after its picture",
      note:
        "One participant: each flip of his picture against his bursts within two seconds. Jitter is even, frames stay in order.\n"
        + "EBU R 37 allows from -40 to 60.",
      columns: ["jitter of", "p5", "p50", "p95"])
    var holds = true
    for (name, kind) in [("neither", nil), ("sound, 200 ms", MediaKind.audio), ("picture, 200 ms", .video)] {
      let log = ArrivalLog(viewer: 1)
      var random = SeededRandom(seed: 1)
      let sent = observe(
        [contents[0]], try ServerProcess(Attendance(participants: 1, viewers: 1), delivery: log.deliver),
        settling: .seconds(14)
      ) { _, each in each == kind ? .nanoseconds(Int64.random(in: 0...200_000_000, using: &random)) : .zero }
      let skews = skews(
        sound: try soundDelays(log.arrivals(.audio), sent, direct), picture: try pictureDelays(log.arrivals(.video), sent))
      let (low, high) = (percentile(skews, 0.05), percentile(skews, 0.95))
      table.add([name, figure(low, 1), figure(percentile(skews, 0.5), 1), figure(high, 1)])
      holds = holds && !skews.isEmpty && low >= -40 && high <= 60
    }
    table.print()
    verdict("sound is from 40 ms before to 60 ms after its picture", holds)
  }

  /// For each flip what the bursts around it were later.
  private static func skews(sound: [Delay], picture: [Delay]) -> [Double] {
    picture.compactMap { flip in
      let near = sound.filter { $0.client == flip.client && abs($0.sent - flip.sent) < 2_000 }
      guard !near.isEmpty else { return nil }
      return near.reduce(0) { $0 + $1.delay } / Double(near.count) - flip.delay
    }
  }

  private static func cells(_ latencies: [Double], _ sent: Int) -> [String] {
    [figure(percentile(latencies, 0.5), 1), figure(percentile(latencies, 0.95), 1), "\(latencies.count) of \(sent)"]
  }

  // MARK: What is sent

  /// Frames of one brightness, then as many of the other; an odd number of runs, so that the repetition does not flip.
  private static let framesPerFlip = 10
  /// One participant after the other sounds a burst.
  private static let framesPerBurst = 10
  private static let burstFrames = 2

  private static func isBright(_ frame: Int) -> Bool { frame % EncodedContent.pictureCount / framesPerFlip % 2 == 1 }

  private static func bursts(_ frame: Int, of participant: Int) -> Bool {
    frame % EncodedContent.soundCount / framesPerBurst % participants == participant && frame % framesPerBurst < burstFrames
      // The repetition of 25 turns would have the first participant twice in a row.
      && frame % EncodedContent.soundCount / framesPerBurst < 24
  }

  private static func content(of participant: Int) throws -> EncodedContent {
    try EncodedContent(
      seed: UInt64(participant), lift: { isBright($0) ? FlipFinder.lifts.bright : FlipFinder.lifts.dark },
      sample: { number in
        let time = Double(number) / Double(AudioFormat.sampleRate)
        let carrier = 0.1 * sin(2 * .pi * (200 + 50 * Double(participant)) * time)
        guard bursts(number / AudioFormat.samplesPerTick, of: participant) else { return carrier }
        return carrier + BurstFinder.amplitude * sin(2 * .pi * BurstFinder.frequency * time)
      })
  }

  /// For each burst of a content the frame that begins it, and how many milliseconds after that frame's first sample it is
  /// heard when the frames are decoded as they are.
  private static func directOnsets(_ content: EncodedContent) throws -> [Int: Double] {
    var finder = try BurstFinder()
    var onsets: [Int: Double] = [:]
    for (index, frame) in content.sounds.enumerated() {
      guard let onset = try finder.take(frame.payload) else { continue }
      let first = index / framesPerBurst * framesPerBurst
      onsets[first] = Double(index - first) * 20 + Double(onset) / 48
    }
    return onsets
  }

  // MARK: Watching

  private static func observe(
    _ contents: [EncodedContent], _ mixer: some MixingProcess, kinds: [MediaKind] = MediaKind.allCases,
    settling: Interval = settling, delay: Feed.Delay? = nil
  ) -> SendLog {
    defer { mixer.stop() }
    let log = SendLog(participants: contents.count)
    let feed = Feed(contents, kinds: kinds, picturePeriod: picturePeriod, delay: delay) { client, kind, number, _, time in
      let isEvent = kind == .video ? isBright(number) != isBright(max(number - 1, 0)) : startsBurst(number, of: client)
      if isEvent { log.note(client, kind, number, time) }
    }
    feed.run(for: settling, into: mixer)
    log.isCounting = true
    feed.run(for: measured, into: mixer)
    log.isCounting = false
    feed.run(for: .milliseconds(500), into: mixer)
    return log
  }

  private static func startsBurst(_ frame: Int, of participant: Int) -> Bool {
    bursts(frame, of: participant) && !(frame > 0 && bursts(frame - 1, of: participant))
  }

  /// How much later something arrived, in milliseconds, and when it was sent.
  private struct Delay {
    var client: Int
    var sent: Double
    var delay: Double
  }

  private static func soundDelays(
    _ arrivals: [Arrival], _ sent: SendLog, _ direct: [[Int: Double]]
  ) throws -> [Delay] {
    var finder = try BurstFinder()
    var heard: [Double] = []
    for arrival in arrivals {
      if let onset = try finder.take(arrival.payload) { heard.append(arrival.time.milliseconds + Double(onset) / 48) }
    }
    return sent.events(.audio).compactMap { event in
      guard let delay = direct[event.client][event.number % EncodedContent.soundCount] else { return nil }
      let expected = event.time.milliseconds + delay
      // A burst is heard before the next one begins: 200 ms later, or 800 where one participant is alone.
      let patience = sent.participants == 1 ? 695.0 : 195
      return heard.first { $0 > expected - 5 && $0 < expected + patience }.map {
        Delay(client: event.client, sent: event.time.milliseconds, delay: $0 - expected)
      }
    }
  }

  private static func pictureDelays(_ arrivals: [Arrival], _ sent: SendLog) throws -> [Delay] {
    let tiles = (0..<participants).map { TileArea(x: $0 % 2 * 640, y: $0 / 2 * 360, width: 640, height: 360) }
    var finder = try FlipFinder(tiles)
    var seen: [(client: Int, isBright: Bool, time: Double)] = []
    for arrival in arrivals {
      for flip in try finder.take(arrival.payload) { seen.append((flip.tile, flip.isBright, arrival.time.milliseconds)) }
    }
    return sent.events(.video).compactMap { event in
      let time = event.time.milliseconds
      return seen.first { flip in
        flip.client == event.client && flip.isBright == isBright(event.number) && flip.time > time && flip.time < time + 600
      }.map { Delay(client: event.client, sent: time, delay: $0.time - time) }
    }
  }
}

extension Instant {
  fileprivate var milliseconds: Double { Double(nanoseconds) / 1e6 }
}

/// A frame that came to the viewer.
private struct Arrival: Sendable {
  var payload: FrameBuffer
  var time: Instant
}

/// Keeps what the viewer was sent, from the first frame on.
private final class ArrivalLog: Sendable {
  private let viewer: Int
  private let kept = Mutex<[MediaKind: [Arrival]]>([:])

  init(viewer: Int) { self.viewer = viewer }

  @Sendable func deliver(_ client: Int, _ frame: EncodedFrame, _ arrived: Instant) {
    guard client == viewer else { return }
    kept.withLock { $0[frame.codec.kind, default: []].append(Arrival(payload: frame.payload, time: arrived)) }
  }

  func arrivals(_ kind: MediaKind) -> [Arrival] { kept.withLock { $0[kind] ?? [] } }
}

/// When what is looked for was sent.
private final class SendLog {
  struct Event {
    var client: Int
    var number: Int
    var time: Instant
  }
  let participants: Int
  var isCounting = false
  private var kept: [MediaKind: [Event]] = [:]

  init(participants: Int) { self.participants = participants }

  func note(_ client: Int, _ kind: MediaKind, _ number: Int, _ time: Instant) {
    if isCounting { kept[kind, default: []].append(Event(client: client, number: number, time: time)) }
  }

  func events(_ kind: MediaKind) -> [Event] { kept[kind] ?? [] }
  var burstCount: Int { events(.audio).count }
  var flipCount: Int { events(.video).count }
}
