import Glibc

/// Measures the server beside its peers and beside what the machine can do at most; `./dev bench [NAME…]`.
@main struct Benchmarks {
  private static var all: [(name: String, run: () throws -> Void)] {
    [
      ("transport", TransportBenchmark.run), ("room", RoomBenchmark.run), ("latency", LatencyBenchmark.run),
      ("scale", ScaleBenchmark.run), ("audio", AudioBenchmark.run), ("speech", SpeechBenchmark.run),
    ]
  }

  static func main() {
    signal(SIGPIPE, SIG_IGN)
    let wanted = CommandLine.arguments.dropFirst()
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

/// Why a benchmark cannot be run, in a sentence.
struct BenchmarkError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
