import Codecs
import EncodedMedia
import RawMedia

/// How speech sounds to somebody on a bad line, with each protection against loss.
///
/// Read speech at 32 kb/s in virtual time and by seed: each protection meets the very same losses. What is heard is judged by
/// PESQ-WB against the recording.
enum SpeechBenchmark {
  private static let patterns: [LossPattern] = [0, 1, 5, 10, 20, 30].map { .random(percent: $0) } + [.bursts]
  private static let seeds: [UInt64] = [1, 2, 3, 4]

  /// Means over the seeds.
  fileprivate struct Result {
    var score = 0.0
    var concealed = 0.0
    var recovered = 0.0
    var kilobits = 0.0
    var delay = 0.0
  }

  static func run() throws {
    let judge = try SpeechJudge()
    let reading = try judge.reading()
    let plain = try pass(reading)
    try judge.submit(plain, as: "plain")
    try judge.submit(try pass(plain), as: "twice")
    try judge.submit(try pass(plain, application: .music), as: "music")
    try judge.submit(try pass(plain, application: .music, bitsPerSecond: 48_000), as: "music-48")
    try judge.submit(try MixedSpeech.carry(reading), as: "mixed")
    try judge.submit(try ServedSpeech.carry(reading), as: "served")
    var results = patterns.map { _ in LossProtection.allCases.map { _ in Result() } }
    for (row, pattern) in patterns.enumerated() {
      for (column, protection) in LossProtection.allCases.enumerated() {
        for seed in seeds {
          let reception = try SpeechLine(pattern: pattern, protection: protection, seed: seed).carry(reading)
          try judge.submit(reception.samples, as: name(row, column, seed))
          results[row][column].add(reception, share: 1 / Double(seeds.count))
        }
      }
    }
    let scores = try judge.scores()
    for row in patterns.indices {
      for column in LossProtection.allCases.indices {
        let all = try seeds.map { seed in
          guard let score = scores[name(row, column, seed)] else { throw BenchmarkError("a recording was not judged") }
          return score
        }
        results[row][column].score = all.reduce(0, +) / Double(all.count)
      }
    }
    printPasses(scores)
    printLosses(results)
    printVerdicts(results)
  }

  private static func name(_ row: Int, _ column: Int, _ seed: UInt64) -> String { "line-\(row)-\(column)-\(seed)" }

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

  private static func printPasses(_ scores: [String: Double]) {
    var table = Table(
      "speech: through the mix",
      note: "One talker, 32 kb/s in and out, nothing lost. Two passes are what a mixer can reach that decodes and encodes.",
      columns: ["", "PESQ-WB", "fall"])
    let plain = scores["plain"] ?? 0
    for (label, name) in [
      ("one plain Opus pass", "plain"), ("two plain Opus passes", "twice"), ("the second for music", "music"),
      ("the second for music at 48 kb/s", "music-48"), ("through the room's mix", "mixed"),
      ("through the running server", "served"),
    ] {
      table.add([label, figure(scores[name]), figure(scores[name].map { plain - $0 })])
    }
    table.print()
    let fall = plain - (scores["mixed"] ?? 0)
    verdict("the mix is within 0.15 of one plain pass: \(figure(fall))", fall <= 0.15)
    let servedFall = plain - (scores["served"] ?? 0)
    verdict("the running server is within 0.15 of one plain pass: \(figure(servedFall))", servedFall <= 0.15)
  }

  private static func printLosses(_ results: [[Result]]) {
    var table = Table(
      "speech: over a line that loses packets",
      note: "Means of \(seeds.count) seeds, the same losses for all. Fall: against the same protection without loss."
        + " Concealed: samples made up from\nwhat was heard before; recovered: from Opus' in-band redundancy. Rate: Opus alone."
        + " Delay: mean of playout.",
      columns: ["loss", "protection", "PESQ-WB", "fall", "concealed %", "recovered %", "kb/s", "delay ms"])
    for (row, pattern) in patterns.enumerated() {
      for (column, protection) in LossProtection.allCases.enumerated() {
        let result = results[row][column]
        table.add([
          column == 0 ? label(pattern) : "", label(protection), figure(result.score),
          figure(results[0][column].score - result.score),
          figure(100 * result.concealed), figure(100 * result.recovered, 1), figure(result.kilobits, 1),
          figure(result.delay, 0),
        ])
      }
    }
    table.print()
  }

  private static func printVerdicts(_ results: [[Result]]) {
    for (row, pattern) in patterns.enumerated() where pattern.percent > 0 {
      for (column, protection) in LossProtection.allCases.enumerated() where protection != .concealment {
        let gain = results[row][column].score - results[row][0].score
        let spared = fall(results, row, 0) - fall(results, row, column)
        // Better by chance is not better: something must have come of it.
        let helps = protection.repeatedCount > 0 || results[row][column].recovered > 0
        let subject = "\(label(pattern)) with \(label(protection))"
        verdict(
          "\(subject): better than concealment alone by \(figure(gain)), falling less by \(figure(spared))", gain > 0 && helps)
      }
    }
    guard let row = patterns.firstIndex(of: .random(percent: 20)), let result = results[row].last else { return }
    let share = 100 * result.concealed
    verdict("20 % with two copies conceals at most 2 %: \(figure(share)) %", share <= 2)
  }

  /// What loss costs a protection.
  private static func fall(_ results: [[Result]], _ row: Int, _ column: Int) -> Double {
    results[0][column].score - results[row][column].score
  }

  private static func label(_ pattern: LossPattern) -> String {
    switch pattern {
    case .random(let percent): "\(percent) %"
    case .bursts: "200 ms in 2 s"
    }
  }

  private static func label(_ protection: LossProtection) -> String {
    switch protection {
    case .concealment: "concealment"
    case .inBandFEC: "in-band FEC"
    case .redundancy1: "RED, 1 copy"
    case .redundancy2: "RED, 2 copies"
    }
  }
}

extension SpeechBenchmark.Result {
  fileprivate mutating func add(_ reception: SpeechLine.Reception, share: Double) {
    concealed += reception.share(reception.concealedSamples) * share
    recovered += reception.share(reception.recoveredSamples) * share
    kilobits += reception.bitsPerSecond / 1_000 * share
    delay += reception.delayMilliseconds * share
  }
}

/// Says whether something holds that should.
func verdict(_ sentence: String, _ holds: Bool) { print("  \(holds ? "holds" : "FAILS"): \(sentence)") }
