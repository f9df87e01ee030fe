import EncodedMedia
import LoadGenerator

/// How speech sounds where packets come late: what playout makes of jitter. Nothing is lost, and nothing mixed.
enum SpeechLateness {
  private static let patterns: [(label: String, lateness: Lateness)] = [
    ("2 ms", .even(milliseconds: 2)), ("15 ms", .even(milliseconds: 15)), ("60 ms", .even(milliseconds: 60)),
    ("1 % by 40 ms", .peaks(perMille: 10, milliseconds: 40)), ("5 % by 40 ms", .peaks(perMille: 50, milliseconds: 40)),
    ("stalls of 20 ms", .stalls(milliseconds: 20)), ("stalls of 40 ms", .stalls(milliseconds: 40)),
    ("stalls of 80 ms", .stalls(milliseconds: 80)),
  ]

  static func run() throws {
    let judge = try SpeechJudge()
    let reading = try judge.reading()
    var receptions: [[SpeechLine.Reception]] = []
    for (row, pattern) in patterns.enumerated() {
      receptions.append([])
      for seed in SpeechBenchmark.seeds {
        // Each at another phase of the ticks.
        var line = SpeechLine(seed: seed)
        line.lateness = pattern.lateness
        line.transit = .milliseconds(30 + 4 * Int64(seed))
        let reception = try line.carry(reading)
        try judge.submit(reception.samples, as: "\(row)-\(seed)")
        receptions[row].append(reception)
      }
    }
    let scores = try judge.scores()
    var table = Table(
      "speech: over a line on which packets come late",
      note:
        "At most so much, all alike; some packets; or all at once after nothing for up to so much, about every three seconds."
        + "\nMedians of \(SpeechBenchmark.seeds.count) seeds, each at another phase of the ticks; worst: the worst of them. In"
        + " milliseconds: the mean delay of playout,\nwhat was concealed, and put in or taken out to change the delay.",
      columns: ["late", "PESQ-WB", "worst", "delay", "concealed", "stretched"])
    for (row, pattern) in patterns.enumerated() {
      let all = SpeechBenchmark.seeds.compactMap { scores["\(row)-\($0)"] }
      let median = { (of: (SpeechLine.Reception) -> Double) in percentile(receptions[row].map(of), 0.5) }
      table.add([
        pattern.label, figure(percentile(all, 0.5)), figure(all.min()), figure(median { $0.delayMilliseconds }, 0),
        figure(median { Double($0.concealedSamples) / 48 }, 0), figure(median { Double($0.stretchedSamples) / 48 }, 0),
      ])
    }
    table.print()
  }
}
