import EncodedMedia
import Glibc
import LoadGenerator
import RealTime
import Synchronization
import Timing

/// What a room costs that only hears, beside Debian's Janus AudioBridge; and where our time goes.
enum AudioBenchmark {
  private static let talkers = 3
  private static let roomSettings = #"{"audio":{"bitrate":24000}}"#
  private static let warmUp = Interval.milliseconds(2000)
  /// Less than so much of what should come is short.
  private static let enough = 0.99

  static func run(_ options: Options) throws {
    try compareRooms(options)
    try compareIdleRooms()
  }

  private static func compareRooms(_ options: Options) throws {
    var table = Table(
      "audio: CPU seconds a second of a whole server process, median of \(options.rounds), alternating",
      note:
        "Three talk, the others are in quiet rooms, of which they send"
        + (options.silence == .noise ? " 50 Opus packets a second" : " what Opus's DTX leaves, one packet in 400 ms")
        + "; each receives the mix without himself, Opus 24 kb/s,\ncomplexity 5, 20 ms. Ours: `tutti serve` over DTLS-SRTP. Janus: its AudioBridge, over DTLS-SRTP with the same"
        + " clients, and over plain RTP, which is its cheapest. packets/s: what each client got, of 50;\na figure in brackets is of a server that fell short. us: CPU"
        + " for each packet delivered. late: 20 ms ticks that began more than 20 ms late;\nskipped: those more than 100 ms late.\n"
        + "clients: CPU of this program while ours was measured; it decrypts all it counts, on the same machine.",
      columns: [
        "participants", "ours", "packets/s", "us", "late", "skipped", "clients", "Janus", "packets/s", "us", "/ ours",
        "Janus, plain RTP", "packets/s", "us", "/ ours",
      ])
    var threads: [String] = []
    var profiles: [(size: Int, us: [ServerProfile.Key: Double])] = []
    for size in options.sizes {
      let row = try Row(size, options)
      table.add(row.cells)
      note(row.cells.joined(separator: "  "))
      threads += row.threads
      if let profile = try profile(size, options) { profiles.append((size, profile.shares.mapValues { $0 * row.cost * 1e6 })) }
    }
    table.print()
    print("\nWhere our time goes: CPU us of each thread for each packet delivered, measured by the kernel\n")
    for line in threads { print("  " + line) }
    printStages(profiles)
  }

  /// Where the time of one more run goes, which is not among the measured ones: sampling has its price.
  private static func profile(_ size: Int, _ options: Options) throws -> ServerProfile? {
    let server = try ServerProcess(
      Attendance(participants: size), kinds: [.audio], room: roomSettings, delivery: { _, _, _ in })
    defer { server.stop() }
    let feed = Feed(try contents(size, options.silence), kinds: [.audio])
    feed.run(for: warmUp, into: server)
    return try ServerProfile(of: server.identifier, seconds: 4) { feed.run(for: .milliseconds(4500), into: server) }
  }

  private static func printStages(_ profiles: [(size: Int, us: [ServerProfile.Key: Double])]) {
    guard let last = profiles.last else { return print("\nWithout linux-perf nothing is known of stages.") }
    var table = Table(
      "audio: where our time goes, CPU us for each packet delivered, by stage",
      note: "Samples of the stacks by linux-perf in a run of its own, scaled to the CPU time measured above; exact to a few"
        + " hundredths of a thread.\nStages under 1 % of the largest room's time are left out.",
      columns: ["thread, stage"] + profiles.map { "\($0.size)" })
    let total = last.us.values.reduce(0, +)
    for (key, cost) in last.us.sorted(by: { $0.value > $1.value }) where cost > total / 100 {
      table.add(["\(key.thread), \(key.stage)"] + profiles.map { figure($0.us[key] ?? 0) })
    }
    table.print()
  }

  /// Says how far it is, for whom would otherwise wait for minutes before the table.
  private static func note(_ sentence: String) {
    let line = Array("audio: \(sentence)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
  }

  /// One size of room.
  private struct Row {
    let cells: [String]
    /// CPU seconds of ours for each packet delivered.
    let cost: Double
    let threads: [String]

    init(_ size: Int, _ options: Options) throws {
      let contents = try AudioBenchmark.contents(size, options.silence)
      let measured = Interval.seconds(Int64(options.seconds))
      let (ours, theirs, plain) = (Run(), Run(), Run())
      for _ in 0..<options.rounds {
        let server = try ServerProcess(
          Attendance(participants: size), kinds: [.audio], room: roomSettings, delivery: ours.deliver)
        try ours.measure(contents, server, for: measured) {
          try server.tickFaults()
        } threads: {
          server.threadTimes
        }
        try theirs.measure(contents, try SecureAudioBridgeProcess(size, delivery: theirs.deliver), for: measured)
        try plain.measure(contents, try AudioBridgeProcess(size, delivery: plain.deliver), for: measured)
      }
      cost = ours.costPerPacket
      var cells =
        ["\(size)"] + ours.cells(clients: size) + [
          figure(cost * 1e6, 1), "\(ours.faults.late)", "\(ours.faults.skipped)", figure(ours.clientCost),
        ]
      for peer in [theirs, plain] {
        cells += peer.cells(clients: size) + [figure(peer.costPerPacket * 1e6, 1), ratio(peer.costPerPacket, cost)]
      }
      self.cells = cells
      threads = ["\(size): " + ours.threadShares.map { "\($0.name) \(figure($0.cost * 1e6, 2))" }.joined(separator: ", ")]
    }
  }

  private static func contents(_ count: Int, _ silence: Options.Silence) throws -> [EncodedContent] {
    let talking = try (0..<talkers).map { talker in
      EncodedContent(sounds: try EncodedContent.encode(Sound.voice(talker: talker)))
    }
    let quiet = try (0..<8).map {
      EncodedContent(sounds: try EncodedContent.encode(hasDTX: silence == .dtx, Sound.hush(seed: UInt64($0))))
    }
    return (0..<count).map { $0 < talkers ? talking[$0] : quiet[$0 % quiet.count] }
  }

  /// Rooms in which nobody speaks.
  private static func compareIdleRooms() throws {
    var table = Table(
      "audio: 400 rooms in which nobody speaks",
      note:
        "CPU seconds a second over five seconds. Two silent members each send what Opus's DTX leaves, one packet in 400 ms.",
      columns: ["rooms", "ours", "packets/s to a member"])
    let server = try ServerProcess(Attendance(participants: 0), kinds: [.audio], room: nil) { _, _, _ in }
    defer { server.stop() }
    sleep(2)
    table.add(["none", figure(try idleCost(of: server), 3), "-"])
    for number in 0..<400 { try server.makeRoom("idle-\(number)") }
    sleep(1)
    table.add(["400 empty", figure(try idleCost(of: server), 3), "-"])
    server.stop()
    table.add(try twoSilentMembersEach())
    table.print()
  }

  private static func twoSilentMembersEach() throws -> [String] {
    let run = Run()
    let quiet = EncodedContent(sounds: try EncodedContent.encode(hasDTX: true, Sound.hush(seed: 1)))
    let server = try ServerProcess(
      Attendance(participants: 800), kinds: [.audio], rooms: 400, delivery: run.deliver)
    try run.measure(Array(repeating: quiet, count: 800), server, for: .seconds(5))
    return ["400 of two silent members"] + run.cells(clients: 800, decimals: 3, least: 0)
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
      var rounds: [(cost: Double, packets: Double, clients: Double)] = []
      var faults = ServerProcess.TickFaults()
      var threads: [String: Int64] = [:]
      var threadPackets = 0
    }
    private let state = Mutex(State())

    @Sendable func deliver(_ client: Int, _ frame: EncodedFrame, _ arrived: Instant) {
      state.withLock { if $0.isCounting { $0.packets += 1 } }
    }

    func measure(
      _ contents: [EncodedContent], _ process: some MixingProcess, for measured: Interval,
      faults: () throws -> ServerProcess.TickFaults = { .init() }, threads: () -> [String: Int64] = { [:] }
    ) throws {
      defer { process.stop() }
      let feed = Feed(contents, kinds: [.audio])
      feed.run(for: AudioBenchmark.warmUp, into: process)
      let (threadsBefore, faultsBefore) = (threads(), try faults())
      let (start, started, clientsBefore) = (process.cpuTime, MonotonicClock.now(), CPUClock.process(getpid()) ?? 0)
      state.withLock {
        $0.isCounting = true
        $0.packets = 0
      }
      feed.run(for: measured, into: process)
      state.withLock { $0.isCounting = false }
      let seconds = (MonotonicClock.now() - started).seconds
      guard let start, let end = process.cpuTime, let clients = CPUClock.process(getpid()) else {
        throw BenchmarkError("the measured process has ended")
      }
      let (threadsAfter, faultsAfter) = (threads(), try faults())
      state.withLock { state in
        state.rounds.append(
          (
            Double(end - start) / 1e9 / seconds, Double(state.packets) / seconds,
            Double(clients - clientsBefore) / 1e9 / seconds
          ))
        state.faults.late += faultsAfter.late - faultsBefore.late
        state.faults.skipped += faultsAfter.skipped - faultsBefore.skipped
        for (name, time) in threadsAfter { state.threads[name, default: 0] += time - (threadsBefore[name] ?? 0) }
        state.threadPackets += state.packets
      }
    }

    private var cost: Double { state.withLock { percentile($0.rounds.map(\.cost), 0.5) } }
    private var packets: Double { state.withLock { percentile($0.rounds.map(\.packets), 0.5) } }
    var clientCost: Double { state.withLock { percentile($0.rounds.map(\.clients), 0.5) } }
    var faults: ServerProcess.TickFaults { state.withLock { $0.faults } }
    /// CPU seconds a packet delivered.
    var costPerPacket: Double { state.withLock { percentile($0.rounds.map { $0.cost / max($0.packets, 1) }, 0.5) } }

    /// - Parameter least: packets a second to each client below which they are too few.
    func cells(clients: Int, decimals: Int = 2, least: Double = 50 * AudioBenchmark.enough) -> [String] {
      let rate = packets / Double(clients)
      let isShort = rate < least
      return [
        isShort ? "(\(figure(cost, decimals)))" : figure(cost, decimals), isShort ? "(\(figure(rate, 1)))" : figure(rate, 1),
      ]
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
