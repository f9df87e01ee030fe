import DatagramIO
import EncodedMedia
import Glibc
import ICE
import RealTime
import SecureTransport
import Synchronization
import Timing

/// `tutti serve` as anybody runs it, with clients over HTTP, ICE, DTLS and SRTP on loopback.
final class ServerProcess: MixingProcess {
  private let process: ChildProcess
  private let clients: [ServerClient]
  private let waiting: ClientThread

  private let port: UInt16

  /// - Parameters:
  ///   - kinds: what clients send and receive.
  ///   - rooms: in how many rooms they are, spread evenly.
  ///   - room: the room's settings, where they are not the defaults.
  init(
    _ attendance: Attendance, kinds: [MediaKind] = MediaKind.allCases, rooms: Int = 1, room: String? = nil,
    delivery: @escaping Delivery
  ) throws {
    port = try LocalPort.free()
    let media = try UDPSocket(bind: TransportAddress(ipv4: LocalPort.host, port: 0), bufferBytes: 4096).localAddress.port
    process = try ChildProcess([
      Self.executable, "serve", "--http", "127.0.0.1:\(port)", "--rtc", "127.0.0.1:\(media)",
    ])
    if let room { try LocalHTTP.put(room, to: "/v1/rooms/bench", port: port) }
    let certificate = try DTLSCertificate()
    waiting = try ClientThread()
    var clients: [ServerClient] = []
    for number in 0..<attendance.count {
      let takesPart = number < attendance.participants
      let client = try ServerClient(
        number: number, path: "/rooms/bench\(rooms > 1 ? "-\(number % rooms)" : "")/\(takesPart ? "participants" : "whep")",
        direction: takesPart ? .sendrecv : .recvonly, kinds: kinds, port: port, certificate: certificate, delivery: delivery)
      clients.append(client)
      try waiting.connect(client)
    }
    self.clients = clients
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

  func makeRoom(_ name: String) throws { try LocalHTTP.put("{}", to: "/v1/rooms/\(name)", port: port) }

  /// Ticks of the mix that came too late since the start.
  func lateTicks() throws -> Int {
    let metrics = try LocalHTTP.get("/metrics", port: port)
    let line = metrics.split(separator: "\n").first { $0.hasPrefix("tutti_mix_ticks_late_total ") }
    return line.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }.map { Int($0) } ?? 0
  }

  func stop() {
    waiting.stop()
    for client in clients { client.close() }
    process.stop()
  }
}

/// Waits for all clients' datagrams.
private final class ClientThread: @unchecked Sendable {
  // Unchecked: the queue may be added to while it is waited at.
  private let queue: EventQueue
  private let clients = Mutex<[ServerClient]>([])
  private let isStopping = Atomic<Bool>(false)

  init() throws {
    queue = try EventQueue()
    MediaThread.start(name: "clients") { [self] in
      var nextRound = MonotonicClock.now()
      while !isStopping.load(ordering: .relaxed) { turn(&nextRound) }
    }
  }

  private func turn(_ nextRound: inout Instant) {
    var ready: [Int] = []
    queue.wait(timeout: .milliseconds(20)) { token, _ in ready.append(Int(token)) }
    let clients = clients.withLock { $0 }
    // What is due is done on time also while packets come for others without a pause.
    let isRound = MonotonicClock.now() >= nextRound
    if isRound { nextRound = MonotonicClock.now() + .milliseconds(20) }
    for index in isRound ? Array(clients.indices) : ready where clients.indices.contains(index) { clients[index].advance() }
  }

  func connect(_ client: ServerClient) throws {
    let index = clients.withLock { clients in
      clients.append(client)
      return clients.count - 1
    }
    queue.add(client.descriptor, token: UInt64(index), for: .readable)
    for _ in 0..<500 {
      if client.isConnected { return }
      usleep(10_000)
    }
    throw BenchmarkError("client \(index) is not connected after five seconds")
  }

  func stop() { isStopping.store(true, ordering: .relaxed) }
}
