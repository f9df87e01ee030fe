import Glibc

/// Measures the server beside its peers and beside what the machine can do at most; `./dev bench [NAME…] [--OPTION=VALUE…]`.
@main struct Benchmarks {
  private static func all(_ options: Options) -> [(name: String, run: () throws -> Void)] {
    [
      ("transport", TransportBenchmark.run), ("latency", LatencyBenchmark.run),
      ("video", { try VideoBenchmark.run(options) }), ("audio", { try AudioBenchmark.run(options) }),
      ("speech", { try SpeechBenchmark.run(options) }), ("webinar", { try WebinarBenchmark.run(options) }),
    ]
  }

  static func main() {
    signal(SIGPIPE, SIG_IGN)
    let arguments = CommandLine.arguments.dropFirst()
    let wanted = arguments.filter { !$0.hasPrefix("--") }
    var options = Options()
    for argument in arguments where argument.hasPrefix("--") && !options.set(argument) {
      fail("'\(argument)' is none of \(Options.usage).", status: 64)
    }
    let all = all(options)
    for name in wanted where !all.contains(where: { $0.name == name }) {
      fail("There is no benchmark '\(name)'; there are \(all.map(\.name).joined(separator: ", ")).", status: 64)
    }
    for benchmark in all where wanted.isEmpty || wanted.contains(benchmark.name) {
      do {
        try benchmark.run()
      } catch {
        fail("\(benchmark.name): \(error)", status: 1)
      }
    }
  }

  private static func fail(_ sentence: String, status: Int32) -> Never {
    let line = Array((sentence + "\n").utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(status)
  }
}

/// How `audio`, `video`, `speech` and `webinar` are to be run.
struct Options {
  /// Of `video` and `speech`; all where none is named.
  var parts: [String] = []
  var sizes = [10, 50, 100, 200, 500]
  /// Audiences of `webinar`.
  var viewers = [100, 300]
  var rounds = 5
  /// Measured in each round, after the warm-up.
  var seconds = 4
  /// What those who do not talk send.
  var silence = Silence.noise

  enum Silence: String {
    /// 50 packets a second of a quiet room.
    case noise
    /// What libopus's DTX leaves of it: a packet every 400 ms.
    case dtx
  }

  private static let partNames = VideoBenchmark.partNames + SpeechBenchmark.partNames
  static let usage =
    "--parts=\(partNames.joined(separator: ",")) --sizes=10,50 --viewers=300 --rounds=5 --seconds=4 --silence=noise|dtx"

  /// - Returns: whether it is an option, with a value that can be.
  mutating func set(_ argument: String) -> Bool {
    let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return false }
    let numbers = parts[1].split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    switch parts[0] {
    case "sizes": sizes = numbers
    case "viewers": viewers = numbers
    case "rounds": rounds = numbers[0]
    case "seconds": seconds = numbers[0]
    case "parts":
      self.parts = parts[1].split(separator: ",").map(String.init)
      return !self.parts.isEmpty && self.parts.allSatisfy(Self.partNames.contains)
    case "silence":
      guard let named = Silence(rawValue: String(parts[1])) else { return false }
      silence = named
      return true
    default: return false
    }
    return numbers.allSatisfy { (1...1000).contains($0) } && (["sizes", "viewers"].contains(parts[0]) || numbers.count == 1)
  }
}

/// Why a benchmark cannot be run, in a sentence.
struct BenchmarkError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
