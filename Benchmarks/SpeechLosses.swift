import EncodedMedia
import LoadGenerator

/// How speech sounds to somebody on a line that loses packets, with each protection against it: each meets the very same losses.
enum SpeechLosses {
  private static let patterns: [LossPattern] = [0, 1, 5, 10, 20, 30].map { .random(percent: $0) } + [.bursts]

  /// One protection on one line, seed by seed.
  private struct Result {
    var receptions: [SpeechLine.Reception] = []
    var scores: [Double] = []

    var score: Double { percentile(scores, 0.5) }
    func median(_ value: (SpeechLine.Reception) -> Double) -> Double { percentile(receptions.map(value), 0.5) }
    /// How much better it is than another, whose losses are the same.
    func gain(over other: Result) -> Double { percentile(zip(scores, other.scores).map { $0 - $1 }, 0.5) }
  }

  static func run() throws {
    let judge = try SpeechJudge()
    let reading = try judge.reading()
    var results = patterns.map { _ in LossProtection.allCases.map { _ in Result() } }
    for (row, pattern) in patterns.enumerated() {
      for (column, protection) in LossProtection.allCases.enumerated() {
        for seed in SpeechBenchmark.seeds {
          let reception = try SpeechLine(pattern: pattern, protection: protection, seed: seed).carry(reading)
          try judge.submit(reception.samples, as: name(row, column, seed))
          results[row][column].receptions.append(reception)
        }
      }
    }
    let scores = try judge.scores()
    for row in patterns.indices {
      for column in LossProtection.allCases.indices {
        results[row][column].scores = try SpeechBenchmark.seeds.map { seed in
          guard let score = scores[name(row, column, seed)] else { throw BenchmarkError("a recording was not judged") }
          return score
        }
      }
    }
    printTable(results)
    printVerdicts(results)
  }

  private static func name(_ row: Int, _ column: Int, _ seed: UInt64) -> String { "line-\(row)-\(column)-\(seed)" }

  // MARK: What is printed

  private static func printTable(_ results: [[Result]]) {
    var table = Table(
      "speech: over a line that loses packets",
      note:
        "Medians of \(SpeechBenchmark.seeds.count) seeds, the same losses for all. Fall: against the same protection without"
        + " loss. Concealed: samples made up from\nwhat was heard before; recovered: from Opus' in-band redundancy. Rate: Opus alone."
        + " Delay: mean of playout.",
      columns: ["loss", "protection", "PESQ-WB", "fall", "concealed %", "recovered %", "kb/s", "delay ms"])
    for (row, pattern) in patterns.enumerated() {
      for (column, protection) in LossProtection.allCases.enumerated() {
        let result = results[row][column]
        table.add([
          column == 0 ? label(pattern) : "", label(protection), figure(result.score), figure(fall(results, row, column)),
          figure(100 * result.median { $0.share($0.concealedSamples) }),
          figure(100 * result.median { $0.share($0.recoveredSamples) }, 1),
          figure(result.median { $0.bitsPerSecond / 1_000 }, 1), figure(result.median { $0.delayMilliseconds }, 0),
        ])
      }
    }
    table.print()
  }

  private static func printVerdicts(_ results: [[Result]]) {
    for (row, pattern) in patterns.enumerated() where pattern.percent > 0 {
      for (column, protection) in LossProtection.allCases.enumerated() where protection != .concealment {
        let result = results[row][column]
        let gain = result.gain(over: results[row][0])
        let spared = fall(results, row, 0) - fall(results, row, column)
        // Better by chance is not better: something must have come of it.
        let helps = protection.repeatedCount > 0 || result.median { Double($0.recoveredSamples) } > 0
        let subject = "\(label(pattern)) with \(label(protection))"
        verdict(
          "\(subject): better than concealment alone by \(figure(gain)), falling less by \(figure(spared))", gain > 0 && helps)
      }
    }
    guard let row = patterns.firstIndex(of: .random(percent: 20)), let result = results[row].last else { return }
    let share = 100 * result.median { $0.share($0.concealedSamples) }
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
