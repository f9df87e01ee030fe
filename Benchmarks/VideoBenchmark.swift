/// What pictures cost, part by part: `./dev bench video --parts=compose,still,encode,screen,room`.
enum VideoBenchmark {
  private static let parts: [(name: String, run: @Sendable () throws -> Void)] = [
    ("compose", ComposeBenchmark.run),
    ("still", StillTilesBenchmark.run),
    ("encode", EncodeBenchmark.run),
    ("screen", ScreenBenchmark.run),
    ("room", RoomBenchmark.run),
  ]

  static let partNames = parts.map(\.name)

  static func run(_ options: Options) throws {
    for part in parts where options.parts.isEmpty || options.parts.contains(part.name) { try part.run() }
  }
}
