import DatagramIO
import EncodedMedia
import Glibc
import ICE
import LoadGenerator
import RealTime
import SecureTransport
import Synchronization
import Timing

/// `tutti serve` as anybody runs it, with clients over HTTP, ICE, DTLS and SRTP on loopback.
final class ServerProcess: MixingProcess {
  private let process: ChildProcess
  private let clients: [LoadClient]
  private let loop: ClientLoop
  private let http = HTTPClient(token: nil)
  private let origin: String
  let clientLoad: ClientLoad
  private let rooms: Int

  /// - Parameters:
  ///   - kinds: what clients send and receive.
  ///   - rooms: in how many rooms they are, spread evenly.
  ///   - room: the room's settings, where they are not the defaults.
  ///   - takesH264: whether clients take H.264, which they are then sent.
  init(
    _ attendance: Attendance, kinds: [MediaKind] = MediaKind.allCases, rooms: Int = 1, room: String? = nil,
    takesH264: Bool = false, delivery: Delivery?
  ) throws {
    let port = try LocalPort.free()
    origin = "http://127.0.0.1:\(port)"
    let media = try LocalPort.free()
    process = try ChildProcess([
      Self.executable, "serve", "--http", "127.0.0.1:\(port)", "--rtc", "127.0.0.1:\(media)",
      // What it costs is asked here, not what it would give up.
      "--overload", "ignore",
    ])
    try Self.waitUntilReady(origin, http)
    for index in 0..<rooms {
      if let room { try Self.put(room, to: "\(origin)/v1/rooms/\(Self.roomName(index, of: rooms))", http) }
    }
    let certificate = try DTLSCertificate()
    loop = try ClientLoop()
    var clients: [LoadClient] = []
    for number in 0..<attendance.count {
      var options = LoadClient.Options()
      options.sends = number < attendance.participants
      options.path = options.sends ? "participants" : "whep"
      options.kinds = kinds
      options.takesH264 = takesH264
      let client = try LoadClient(
        number: number, address: RoomAddress("\(origin)/rooms/\(Self.roomName(number % rooms, of: rooms))"), options: options,
        local: TransportAddress(ipv4: LocalPort.host, port: 0), certificate: certificate, delivery: delivery)
      clients.append(client)
      loop.add(client)
      try client.waitUntilConnected()
    }
    self.clients = clients
    clientLoad = ClientLoad(clients)
    self.rooms = rooms
  }

  private static func roomName(_ index: Int, of rooms: Int) -> String { rooms > 1 ? "bench-\(index)" : "bench" }

  private static func waitUntilReady(_ origin: String, _ http: HTTPClient) throws {
    for _ in 0..<600 {
      if let response = try? http.request("GET", "\(origin)/readyz"), response.status == 200 { return }
      usleep(50_000)
    }
    throw BenchmarkError("the server is not ready after half a minute")
  }

  private static func put(_ json: String, to url: String, _ http: HTTPClient) throws {
    let response = try http.request("PUT", url, type: "application/json", body: json)
    guard (200...299).contains(response.status) else { throw BenchmarkError("the server refused \(url): \(response.body)") }
  }

  /// Beside this program.
  private static var executable: String {
    let own = CommandLine.arguments[0]
    guard let slash = own.lastIndex(of: "/") else { return "tutti" }
    return own[...slash] + "tutti"
  }

  func send(_ frame: EncodedFrame, from client: Int) {
    if clients.indices.contains(client) { clients[client].send(frame) }
  }

  var identifier: pid_t { process.identifier }
  var cpuTime: Int64? { process.cpuTime }
  /// CPU nanoseconds of its threads so far, those of one name together.
  var threadTimes: [String: Int64] { process.threadTimes }

  func makeRoom(_ name: String) throws { try Self.put("{}", to: "\(origin)/v1/rooms/\(name)", http) }

  /// Ticks of the mix that were not in time.
  struct TickFaults {
    /// Began more than 20 ms late.
    var late = 0
    /// Left out for being more than 100 ms late.
    var skipped = 0
  }

  /// Since the start.
  func tickFaults() throws -> TickFaults {
    let metrics = try http.request("GET", "\(origin)/metrics").body
    let count = { (name: String) in
      let line = metrics.split(separator: "\n").first { $0.hasPrefix(name + " ") }
      return line.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }.map { Int($0) } ?? 0
    }
    return TickFaults(late: count("tutti_mix_ticks_late_total"), skipped: count("tutti_mix_ticks_skipped_total"))
  }

  /// Figures of the participant who came first into a room, by the names of the interface; NaN for what it does not say.
  func statistics(_ names: [String], ofFirstIn room: Int) throws -> [Double] {
    let url = "\(origin)/v1/rooms/\(Self.roomName(room, of: rooms))/participants"
    let body = try http.request("GET", url).body
    return names.map { name in
      let rest = body.split(separator: "\"\(name)\":", maxSplits: 1).dropFirst().first
      return rest.flatMap { Double($0.prefix { "-+.eE0123456789".contains($0) }) } ?? .nan
    }
  }

  func stop() {
    loop.stop()
    for client in clients { client.close() }
    process.stop()
  }
}

extension LoadClient {
  func waitUntilConnected() throws {
    for _ in 0..<3000 {
      if isConnected { return }
      usleep(10_000)
    }
    throw BenchmarkError("client \(number) is not connected after half a minute")
  }
}
