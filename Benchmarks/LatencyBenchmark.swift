enum LatencyBenchmark { static func run() throws {} }
