import Glibc
import Conference
import ICE

@main struct Tutti {
  static func main() async throws {
    let library = LayoutLibrary()
    for name in ["grid", "speaker"] {
      let file = fopen("Layouts/\(name).json", "r")!
      var text = [UInt8](repeating: 0, count: 100000)
      let n = fread(&text, 1, text.count, file)
      try library.load(name, source: String(decoding: text[..<n], as: UTF8.self))
    }
    let args = CommandLine.arguments
    func opt(_ n: String, _ d: String) -> String { args.firstIndex(of: n).map { args[$0 + 1] } ?? d }
    var plan = Server.Plan(mediaAddresses: [TransportAddress(opt("--rtc", "127.0.0.1:8000"))!])
    plan.control.port = UInt16(opt("--http", "127.0.0.1:8080").split(separator: ":")[1])!
    signal(SIGTERM) { _ in exit(0) }
    let server = try Server(plan, layouts: library) { print($0) }
    print(server.control.url)
    while true { try await Task.sleep(for: .seconds(100)) }
  }
}
