enum RoomBenchmark { static func run() throws {} }
