import Codecs
import EncodedMedia
import LoadGenerator
import RawMedia

/// How speech sounds: through the mix, over lines on which packets come late or not at all.
///
/// Read speech at 32 kb/s; what is heard is judged by PESQ-WB against the recording. All but the running server is in virtual time
/// and by seed. `./dev bench speech --parts=mix,late,loss`.
enum SpeechBenchmark {
  private static let parts: [(name: String, run: @Sendable (Options) throws -> Void)] = [
    ("mix", runMix), ("late", { _ in try SpeechLateness.run() }), ("loss", { _ in try SpeechLosses.run() }),
  ]
  static let partNames = parts.map(\.name)
  static let seeds: [UInt64] = [1, 2, 3, 4, 5]

  static func run(_ options: Options) throws {
    for part in parts where options.parts.isEmpty || options.parts.contains(part.name) { try part.run(options) }
  }

  private static func runMix(_ options: Options) throws {
    let judge = try SpeechJudge()
    let reading = try judge.reading()
    let plain = try pass(reading)
    try judge.submit(plain, as: "plain")
    try judge.submit(try pass(plain), as: "twice")
    try judge.submit(try pass(plain, application: .music), as: "music")
    try judge.submit(try pass(plain, application: .music, bitsPerSecond: 48_000), as: "music-48")
    try judge.submit(try MixedSpeech.carry(reading), as: "mixed")
    let served = try ServedSpeech.carry(reading, rooms: options.rounds)
    for (room, hearing) in served.enumerated() { try judge.submit(hearing.samples, as: "served-\(room)") }
    let scores = try judge.scores()
    let servedScores = served.indices.compactMap { scores["served-\($0)"] }
    printPasses(scores, served: servedScores)
    printRooms(served, servedScores)
    let fall = (scores["plain"] ?? 0) - (scores["mixed"] ?? 0)
    verdict("the mix is within 0.15 of one plain pass: \(figure(fall))", fall <= 0.15)
    let servedFall = (scores["plain"] ?? 0) - percentile(servedScores, 0.5)
    verdict("the running server is within 0.15 of one plain pass: \(figure(servedFall))", servedFall <= 0.15)
  }

  /// Speech encoded and decoded, with nothing between.
  private static func pass(
    _ speech: [Int16], application: OpusEncoder.Application = .speech, bitsPerSecond: Int = SpeechLine.bitsPerSecond
  ) throws -> [Int16] {
    let packets = try SpeechLine.packets(
      speech, application: application,
      settings: .init(bitsPerSecond: bitsPerSecond, hasFEC: false, expectedLossPercent: 0))
    let decoder = try OpusDecoder(channelCount: 1)
    var heard: [Int16] = []
    for packet in packets {
      var samples = [Int16](repeating: 0, count: OpusDecoder.samplesPerPacketMax)
      var room = samples.mutableSpan
      let bytes = packet.bytes
      heard += samples[..<(try decoder.decode(bytes.span, into: &room))]
    }
    return heard
  }

  // MARK: What is printed

  private static func printPasses(_ scores: [String: Double], served: [Double]) {
    var table = Table(
      "speech: through the mix",
      note: "One talker, 32 kb/s in and out, nothing lost. Two passes are what a mixer can reach that decodes and encodes.\n"
        + "The running server: median of \(served.count) rooms at once.",
      columns: ["", "PESQ-WB", "fall"])
    let plain = scores["plain"] ?? 0
    for (label, name) in [
      ("one plain Opus pass", "plain"), ("two plain Opus passes", "twice"), ("the second for music", "music"),
      ("the second for music at 48 kb/s", "music-48"), ("through the room's mix", "mixed"),
    ] {
      table.add([label, figure(scores[name]), figure(scores[name].map { plain - $0 })])
    }
    let median = percentile(served, 0.5)
    table.add(["through the running server", figure(median), figure(plain - median)])
    table.print()
  }

  private static func printRooms(_ rooms: [ServedSpeech.Hearing], _ scores: [Double]) {
    var table = Table(
      "speech: through the running server, room by room",
      note:
        "In milliseconds: the most a packet was sent after its time and reached the server's playout after the fastest, which"
        + " is this machine's\ndoing where it is busy with other things; the least and most playout delay; what was concealed because"
        + " packets came late, put in and\ntaken out to change the delay; and how much later than the earliest a packet of the mix"
        + " came to the listener, at most.\nlate: packets that came after their time.",
      columns: [
        "room", "PESQ-WB", "sent late", "reached", "delay min", "max", "late", "concealed", "put in", "taken out", "came late",
      ])
    for (index, room) in rooms.enumerated() {
      let figures = room.statistics.map { figure($0, 0) }
      table.add(
        ["\(index + 1)", figure(index < scores.count ? scores[index] : nil), figure(room.sentLate, 1)] + figures + [
          figure(room.cameLate, 1)
        ])
    }
    table.print()
  }
}

/// Says whether something holds that should.
func verdict(_ sentence: String, _ holds: Bool) { print("  \(holds ? "holds" : "FAILS"): \(sentence)") }
