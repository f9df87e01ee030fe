import EncodedMedia
import Glibc
import RealTime
import Synchronization
import Timing

/// What a room costs that only hears, beside Debian's Janus AudioBridge; and where our time goes.
enum AudioBenchmark {
  private static let sizes = [10, 50, 100, 200, 500]
  private static let talkers = 3
  private static let warmUp = Interval.milliseconds(2000)
  private static let measured = Interval.milliseconds(4000)
  /// Less than so much of what should come is short.
  private static let enough = 0.97

  static func run() throws {
    try compareRooms()
    try compareIdleRooms()
  }

  private static func compareRooms() throws {
    var table = Table(
      "audio: CPU seconds a second of a whole server process, median of five, alternating",
      note:
        "Each participant sends 50 Opus packets a second, three talk, the others are in quiet rooms; each receives the mix without"
        + " himself, Opus 24 kb/s,\ncomplexity 5, 20 ms. Ours: `tutti serve` over DTLS-SRTP. Janus: AudioBridge over plain RTP, which is"
        + " its cheapest. packets/s: what each client got, of 50;\na figure in brackets is of a server that fell short. us: CPU"
        + " for each packet delivered. late: 20 ms ticks we skipped.",
      columns: [
        "participants", "ours", "packets/s", "us", "late", "Janus", "packets/s", "us", "Janus / ours a packet",
      ])
    var threads: [String] = []
    for size in sizes {
      let row = try Row(size)
      table.add(row.cells)
      threads += row.threads
    }
    table.print()
    print("\nWhere our time goes: CPU us of each thread for each packet delivered, measured by the kernel\n")
    for line in threads { print("  " + line) }
  }

  /// One size of room.
  private struct Row {
    let cells: [String]
    let threads: [String]

    init(_ size: Int) throws {
      let contents = try AudioBenchmark.contents(size)
      let (ours, theirs) = (Run(), Run())
      for _ in 0..<5 {
        let server = try ServerProcess(
          Attendance(participants: size), kinds: [.audio], room: #"{"audio":{"bitrate":24000}}"#, delivery: ours.deliver)
        try ours.measure(contents, server) {
          try server.lateTicks()
        } threads: {
          server.threadTimes
        }
        try theirs.measure(contents, try AudioBridgeProcess(size, delivery: theirs.deliver))
      }
      let (own, other) = (ours.costPerPacket, theirs.costPerPacket)
      cells =
        ["\(size)"] + ours.cells(clients: size) + [figure(own * 1e6, 1), "\(ours.late)"] + theirs.cells(clients: size)
        + [figure(other * 1e6, 1), ratio(other, own)]
      threads = ["\(size): " + ours.threadShares.map { "\($0.name) \(figure($0.cost * 1e6, 2))" }.joined(separator: ", ")]
    }
  }

  private static func contents(_ count: Int) throws -> [EncodedContent] {
    let talking = try (0..<talkers).map { talker in
      EncodedContent(sounds: try EncodedContent.encode(Sound.voice(talker: talker)))
    }
    let quiet = try (0..<8).map { EncodedContent(sounds: try EncodedContent.encode(Sound.hush(seed: UInt64($0)))) }
    return (0..<count).map { $0 < talkers ? talking[$0] : quiet[$0 % quiet.count] }
  }

  /// Rooms in which nobody speaks.
  private static func compareIdleRooms() throws {
    var table = Table(
      "audio: 400 rooms in which nobody speaks", note: "CPU seconds a second over five seconds.",
      columns: ["rooms", "ours", "before there were any"])
    let server = try ServerProcess(Attendance(participants: 0), kinds: [.audio], room: nil) { _, _, _ in }
    defer { server.stop() }
    sleep(2)
    let before = try idleCost(of: server)
    for number in 0..<400 { try server.makeRoom("idle-\(number)") }
    sleep(1)
    table.add(["400 empty", figure(try idleCost(of: server), 3), figure(before, 3)])
    table.print()
  }

  private static func idleCost(of server: ServerProcess) throws -> Double {
    let start = server.cpuTime
    sleep(5)
    guard let start, let end = server.cpuTime else { throw BenchmarkError("the server has ended") }
    return Double(end - start) / 5e9
  }

  /// What one side was measured to do, over its rounds.
  private final class Run: Sendable {
    private struct State {
      var isCounting = false
      var packets = 0
      var rounds: [(cost: Double, packets: Double)] = []
      var late = 0
      var threads: [String: Int64] = [:]
      var threadPackets = 0
    }
    private let state = Mutex(State())

    @Sendable func deliver(_ client: Int, _ frame: EncodedFrame, _ arrived: Instant) {
      state.withLock { if $0.isCounting { $0.packets += 1 } }
    }

    func measure(
      _ contents: [EncodedContent], _ process: some MixingProcess, late: () throws -> Int = { 0 },
      threads: () -> [String: Int64] = { [:] }
    ) throws {
      defer { process.stop() }
      let feed = Feed(contents, kinds: [.audio])
      feed.run(for: AudioBenchmark.warmUp, into: process)
      let (start, started, threadsBefore) = (process.cpuTime, MonotonicClock.now(), threads())
      state.withLock {
        $0.isCounting = true
        $0.packets = 0
      }
      feed.run(for: AudioBenchmark.measured, into: process)
      state.withLock { $0.isCounting = false }
      let seconds = (MonotonicClock.now() - started).seconds
      guard let start, let end = process.cpuTime else { throw BenchmarkError("the measured process has ended") }
      let (threadsAfter, lateTicks) = (threads(), try late())
      state.withLock { state in
        state.rounds.append((Double(end - start) / 1e9 / seconds, Double(state.packets) / seconds))
        state.late += lateTicks
        for (name, time) in threadsAfter { state.threads[name, default: 0] += time - (threadsBefore[name] ?? 0) }
        state.threadPackets += state.packets
      }
    }

    private var cost: Double { state.withLock { percentile($0.rounds.map(\.cost), 0.5) } }
    private var packets: Double { state.withLock { percentile($0.rounds.map(\.packets), 0.5) } }
    var late: Int { state.withLock { $0.late } }
    /// CPU seconds a packet delivered.
    var costPerPacket: Double { state.withLock { percentile($0.rounds.map { $0.cost / max($0.packets, 1) }, 0.5) } }

    func cells(clients: Int) -> [String] {
      let rate = packets / Double(clients)
      let isShort = rate < 50 * AudioBenchmark.enough
      return [isShort ? "(\(figure(cost)))" : figure(cost), isShort ? "(\(figure(rate, 1)))" : figure(rate, 1)]
    }

    /// By what they cost for each packet, most first.
    var threadShares: [(name: String, cost: Double)] {
      state.withLock { state in
        let packets = Double(max(state.threadPackets, 1))
        return state.threads.map { ($0.key, Double($0.value) / 1e9 / packets) }.filter { $0.1 > 1e-8 }.sorted { $0.1 > $1.1 }
      }
    }
  }
}
