import EncodedMedia
import LoadGenerator
import RealTime
import Synchronization
import Timing

/// What a room costs, picture and sound, beside GStreamer doing the same.
enum RoomBenchmark {
  private static let warmUp = Interval.milliseconds(1500)
  private static let talkers = 3
  private static let measured = Interval.milliseconds(2500)

  static func run() throws {
    var table = Table(
      "room: CPU seconds a second of a whole mixing process",
      note:
        "In: 640x360@30 VP8 500 kb/s and Opus of each participant, three talk. Out to each: a 1280x720@30 VP8 grid at 1.5 Mb/s,"
        + " encoded once (cpu-used -6, in upper layers -10 where these come out fine),\nand Opus 32 kb/s (complexity 5) without himself. Ours: `tutti serve` over DTLS-SRTP on loopback."
        + " GStreamer: decoders, compositor, vp8enc,\naudiomixer and opusenc for each participant, over plain RTP. The same frames are"
        + " sent to both; pictures and packets a second are what each client got.\n"
        + "The limit is what the codecs take for ours by themselves, in one thread: each input decoded, the picture and four"
        + " mixes encoded.",
      columns: [
        "participants", "ours", "pictures/s", "audio/s", "kb/s", "GStreamer", "pictures/s", "audio/s", "kb/s",
        "ours / GStreamer", "limit", "ours / limit", "ours, H.264 out", "pictures/s", "audio/s", "kb/s", "of GStreamer",
      ])
    var shares = (vp8: 1.0, h264: 1.0)
    for count in [4, 9] {
      let (row, costs) = try row(count)
      table.add(row)
      shares = (costs.vp8 / costs.gstreamer, costs.h264 / costs.gstreamer)
    }
    table.print()
    verdict("nine in a room cost at most 0.55 of GStreamer: \(figure(shares.vp8))", shares.vp8 <= 0.55)
    verdict("with H.264 out at most 0.45 of it: \(figure(shares.h264))", shares.h264 <= 0.45)
    let (h264, vp8) = (try GridQuality.decibels(.h264, speed: nil), try GridQuality.decibels(.vp8, speed: -12))
    verdict("at no less PSNR than VP8 at cpu-used -12: \(figure(h264)), \(figure(vp8)) dB", h264 >= vp8)
    let (rooms, thorough) = (try GridQuality.decibels(.vp8, speed: nil), try GridQuality.decibels(.vp8, speed: -6))
    verdict("VP8 within 0.1 dB of cpu-used -6 in all layers: \(figure(rooms)), \(figure(thorough)) dB", rooms >= thorough - 0.1)
  }

  private static func row(_ count: Int) throws -> ([String], (vp8: Double, h264: Double, gstreamer: Double)) {
    let contents = try contents(count)
    let (ours, theirs, oursInH264) = (Tally(), Tally(), Tally())
    let attendance = Attendance(participants: count)
    let floor = try CodecFloor(contents, mixCount: talkers + 1)
    let costs = try alternate([
      { try cost(contents, ServerProcess(attendance, delivery: ours.deliver), ours) },
      { try cost(contents, GStreamerProcess(attendance, delivery: theirs.deliver), theirs) },
      { try floor.second() },
      { try cost(contents, ServerProcess(attendance, takesH264: true, delivery: oursInH264.deliver), oursInH264) },
    ])
    let cells =
      ["\(count)", figure(costs[0])] + ours.rates(clients: count) + [figure(costs[1])] + theirs.rates(clients: count)
      + [figure(costs[0] / costs[1]), figure(costs[2]), ratio(costs[0], costs[2])] + [figure(costs[3])]
      + oursInH264.rates(clients: count) + [figure(costs[3] / costs[1])]
    return (cells, (costs[0], costs[3], costs[1]))
  }

  /// Three contents for all: decoders do not share anything.
  private static func contents(_ count: Int) throws -> [EncodedContent] {
    let talking = try (0..<talkers).map { try EncodedContent(seed: UInt64($0), sample: Sound.voice(talker: $0)) }
    return try (0..<count).map { index in
      if index < talkers { return talking[index] }
      var content = talking[index % talkers]
      content.sounds = try EncodedContent.encode(Sound.hush(seed: UInt64(index)))
      return content
    }
  }

  private static func cost(_ contents: [EncodedContent], _ process: some MixingProcess, _ tally: Tally) throws -> Double {
    defer { process.stop() }
    let feed = Feed(contents)
    feed.run(for: warmUp, into: process)
    let (start, started) = (process.cpuTime, MonotonicClock.now())
    tally.isCounting = true
    feed.run(for: measured, into: process)
    tally.isCounting = false
    guard let start, let end = process.cpuTime else { throw BenchmarkError("the measured process has ended") }
    let seconds = (MonotonicClock.now() - started).seconds
    tally.add(seconds)
    return Double(end - start) / 1e9 / seconds
  }
}

/// Counts what clients got while it is counting.
private final class Tally: Sendable {
  private struct Counts {
    var isCounting = false
    var pictures = 0
    var pictureBytes = 0
    var sounds = 0
    var seconds = 0.0
  }
  private let counts = Mutex(Counts())

  var isCounting: Bool {
    get { counts.withLock { $0.isCounting } }
    set { counts.withLock { $0.isCounting = newValue } }
  }

  @Sendable func deliver(_ client: Int, _ frame: EncodedFrame, _ arrived: Instant) {
    counts.withLock { counts in
      guard counts.isCounting else { return }
      if frame.codec.kind == .audio { counts.sounds += 1 } else { counts.pictures += 1 }
      if frame.codec.kind == .video { counts.pictureBytes += frame.payload.count }
    }
  }

  func add(_ seconds: Double) { counts.withLock { $0.seconds += seconds } }

  /// Pictures, packets of sound and kilobits of picture a second for each client.
  func rates(clients: Int) -> [String] {
    counts.withLock { counts in
      let share = counts.seconds * Double(clients)
      return [
        figure(Double(counts.pictures) / share, 1), figure(Double(counts.sounds) / share, 1),
        figure(Double(counts.pictureBytes) * 8 / 1000 / share, 0),
      ]
    }
  }
}
