import EncodedMedia
import Glibc
import LoadGenerator
import RealTime
import Timing

/// What it costs to send one picture of 500 kb/s and its sound to many, beside Debian's Janus and beside encrypting and sending alone.
enum WebinarBenchmark {
  private static let panelists = 3
  private static let roomSettings = #"{"outputs":[{"name":"main","width":640,"height":360,"fps":30,"bitrate":500000}]}"#
  private static let warmUp = Interval.milliseconds(2000)

  static func run(_ options: Options) throws {
    var table = Table(
      "webinar: a 640x360@30 VP8 picture of 500 kb/s and Opus sent to many, CPU of a whole server process, median of"
        + " \(options.rounds), alternating",
      note:
        "Ours: `tutti serve`, \(panelists) panelists mixed and composed, then sent to all; its network thread alone below it. Janus: its"
        + " streaming plug-in, which relays one\nsuch stream, as it comes and with `event_loops = 2`. The same receivers over ICE, DTLS and"
        + " SRTP (AES-GCM) on the same machine, which decrypt and check all they count.\nLimit: OpenSSL's AES-GCM with contexts made"
        + " beforehand and a send for each packet of such a stream, on a socket connected to each of as many viewers,\nnothing else. In"
        + " runs: sendmmsg with GSO instead; together: with each picture and the sound behind it in one message, as ours are.\nIn"
        + " brackets: not everybody got everything. lost: packets that never came; pictures/s: of the viewer who got the fewest; late:"
        + " sound ticks; clients us:\nCPU of this program a packet.",
      columns: [
        "viewers", "cores", "us a packet", "of the limit", "of runs", "of ours", "viewers a core", "lost", "pictures/s", "late",
        "clients us",
      ])
    let contents = try (0..<panelists).map { talker in
      try EncodedContent(seed: UInt64(talker + 1), lift: { _ in talker * 12 - 30 }, sample: Sound.voice(talker: talker))
    }
    for viewers in options.viewers { try addRows(viewers, contents, options, to: &table) }
    table.print()
  }

  private static func addRows(_ viewers: Int, _ contents: [EncodedContent], _ options: Options, to table: inout Table) throws {
    let duration = Interval.seconds(Int64(options.seconds))
    var (ours, janus, loops, limits) = ([Round](), [Round](), [Round](), [Limits]())
    for number in 1...options.rounds {
      ours.append(try oursRound(viewers, contents, duration))
      limits.append(try Limits(viewers, contents[0], duration))
      janus.append(try janusRound(viewers, contents[0], duration, eventLoops: nil))
      loops.append(try janusRound(viewers, contents[0], duration, eventLoops: 2))
      note("\(viewers) viewers, round \(number) of \(options.rounds): ours \(figure(ours.last?.cost)) us a packet")
    }
    let limit = Limits(medianOf: limits)
    let cost = median(ours, \.cost)
    func add(_ name: String, _ cost: Double) {
      table.add(["\(viewers), \(name)", "", figure(cost), ratio(cost, limit.singly), ratio(cost, limit.inRuns)])
    }
    table.add(cells("\(viewers), ours", ours, limit, cost))
    add("its network thread", median(ours, \.networkCost))
    add("limit", limit.singly)
    add("limit, in runs", limit.inRuns)
    add("limit, in runs, together", limit.together)
    table.add(cells("\(viewers), Janus", janus, limit, cost))
    table.add(cells("\(viewers), Janus, event_loops = 2", loops, limit, cost))
  }

  /// What encrypting and sending alone costs, in microseconds of CPU for each packet.
  private struct Limits {
    let singly: Double
    let inRuns: Double
    let together: Double

    init(_ viewers: Int, _ content: EncodedContent, _ duration: Interval) throws {
      let sending = try SendingLimit(viewers: viewers)
      singly = try sending.run(for: duration, content, .singly) / 1000
      inRuns = try sending.run(for: duration, content, .inRuns) / 1000
      together = try sending.run(for: duration, content, .together) / 1000
    }

    init(medianOf limits: [Limits]) {
      singly = percentile(limits.map(\.singly), 0.5)
      inRuns = percentile(limits.map(\.inRuns), 0.5)
      together = percentile(limits.map(\.together), 0.5)
    }
  }

  private static func cells(_ name: String, _ rounds: [Round], _ limit: Limits, _ ours: Double) -> [String] {
    let cost = median(rounds, \.cost)
    let cores = median(rounds, \.cores)
    let isShort = rounds.contains(where: \.isShort)
    return [
      name, figure(cores), isShort ? "(\(figure(cost)))" : figure(cost), ratio(cost, limit.singly), ratio(cost, limit.inRuns),
      ratio(cost, ours), "\(Int(Double(rounds[0].viewers) / max(cores, 0.001)))", "\(rounds.map(\.lost).reduce(0, +))",
      figure(rounds.map(\.picturesPerSecond).min(), 1), "\(rounds.map(\.lateTicks).reduce(0, +))",
      figure(median(rounds, \.clientCost)),
    ]
  }

  private static func median(_ rounds: [Round], _ value: (Round) -> Double) -> Double { percentile(rounds.map(value), 0.5) }

  /// One measurement of a server; costs in microseconds of CPU for each packet that came to a client.
  private struct Round {
    var viewers: Int
    var cores: Double
    var cost: Double
    var networkCost = 0.0
    var clientCost: Double
    var lost: Int
    var lateTicks = 0
    var picturesPerSecond: Double

    /// Whether somebody did not get everything.
    var isShort: Bool { lost > 0 || picturesPerSecond < 28 }
  }

  private static func oursRound(
    _ viewers: Int, _ contents: [EncodedContent], _ duration: Interval
  ) throws -> Round {
    let server = try ServerProcess(
      Attendance(participants: panelists, viewers: viewers), room: roomSettings, delivery: nil)
    defer { server.stop() }
    let feed = Feed(contents)
    feed.run(for: warmUp, into: server)
    let (threads, late) = (server.threadTimes, try server.tickFaults().late)
    var round = try measure(server, server.clientLoad, viewers, feed, duration)
    let network = (server.threadTimes["network"] ?? 0) - (threads["network"] ?? 0)
    round.networkCost = Double(network) / 1000 / Double(max(server.clientLoad.packets, 1))
    round.lateTicks = try server.tickFaults().late - late
    return round
  }

  private static func janusRound(
    _ viewers: Int, _ content: EncodedContent, _ duration: Interval, eventLoops: Int?
  ) throws -> Round {
    let server = try JanusStreamingProcess(viewers: viewers, eventLoops: eventLoops)
    defer { server.stop() }
    let feed = Feed([content])
    feed.run(for: warmUp, into: server)
    return try measure(server, server.clientLoad, viewers, feed, duration)
  }

  private static func measure(
    _ server: some MixingProcess, _ clients: ClientLoad, _ viewers: Int, _ feed: Feed, _ duration: Interval
  ) throws -> Round {
    clients.begin()
    let (before, clientsBefore, start) = (server.cpuTime, CPUClock.process(getpid()) ?? 0, MonotonicClock.now())
    feed.run(for: duration, into: server)
    let seconds = (MonotonicClock.now() - start).seconds
    clients.end()
    guard let before, let after = server.cpuTime, let clientsAfter = CPUClock.process(getpid()) else {
      throw BenchmarkError("the server has ended")
    }
    let packets = Double(max(clients.packets, 1))
    return Round(
      viewers: viewers, cores: Double(after - before) / 1e9 / seconds, cost: Double(after - before) / 1000 / packets,
      clientCost: Double(clientsAfter - clientsBefore) / 1000 / packets, lost: clients.lost,
      picturesPerSecond: Double(clients.leastPictures) / seconds)
  }

  /// Says how far it is, for whom would otherwise wait for minutes before the table.
  private static func note(_ sentence: String) {
    let line = Array("webinar: \(sentence)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
  }
}

/// What clients of one server get between two moments.
final class ClientLoad {
  private let clients: [LoadClient]
  private var before: [ClientMeasures] = []
  private var after: [ClientMeasures] = []

  init(_ clients: [LoadClient]) { self.clients = clients }

  func begin() { before = clients.map(\.measures) }
  func end() { after = clients.map(\.measures) }

  /// That came to all of them.
  var packets: Int { difference { Int($0.transport.packetsReceived) } }
  var lost: Int { difference { Int($0.transport.packetsLost) } }
  /// Of the client who got the fewest.
  var leastPictures: Int { zip(before, after).map { $1.pictures - $0.pictures }.min() ?? 0 }

  private func difference(_ value: (ClientMeasures) -> Int) -> Int {
    zip(before, after).map { value($1) - value($0) }.reduce(0, +)
  }
}
