import Dispatch
import EncodedMedia
import Glibc
import ICE
import RealTime
import SecureTransport
import Synchronization
import Timing

/// Brings people into a room, lets them stay, and tells what they have seen.
///
///     joiners (HTTP) ─▶ LoadClient ─▶ ClientLoop (datagrams)
///     talkers        ─▶ LoadClient of each publisher
package final class LoadRun: Sendable {
  private let options: LoadOptions
  private let say: @Sendable (String) -> Void
  private let isOver = Atomic<Bool>(false)
  private let joined = Mutex(Joined())

  private struct Joined {
    var publishers: [LoadClient] = []
    var viewers: [LoadClient] = []
    var refusals = RefusalCounts()
    var running = 0
  }

  /// At the same time; a server answers an offer within a few milliseconds.
  private static let joinerCount = 4
  /// One thread looks after so many clients.
  private static let clientsPerLoop = 400
  /// Publishers differ by this many contents, which are made beforehand.
  private static let contentMax = 6
  static let names = [
    "Ada", "Grace", "Katherine", "Hedy", "Radia", "Barbara", "Frances", "Jean", "Margaret", "Annie", "Mary", "Karen",
  ]

  /// - Parameter say: is told how it goes, a line a second.
  package init(_ options: LoadOptions, say: @escaping @Sendable (String) -> Void) {
    self.options = options
    self.say = say
  }

  /// Ends the run before its time; it still reports.
  package func stop() { isOver.store(true, ordering: .relaxed) }

  /// Blocks until it is over.
  package func run() throws -> LoadReport {
    let local = try LocalAddress.facing(options.address.origin)
    let certificate = try DTLSCertificate()
    let loops = try (0...(options.publishers + options.viewers) / Self.clientsPerLoop).map { _ in try ClientLoop() }
    defer { for loop in loops { loop.stop() } }
    say("Making what publishers send")
    let contents = try makeContents()
    let start = MonotonicClock.now()
    join(options.publishers, loops, local, certificate, isPublisher: true)
    let talkers = joined.withLock { $0.publishers }
    if !talkers.isEmpty { startTalking(talkers, contents) }
    let viewersStart = MonotonicClock.now()
    join(options.viewers, loops, local, certificate, isPublisher: false)
    tellRefusals()
    let joining = (MonotonicClock.now() - (options.viewers > 0 ? viewersStart : start)).seconds
    let stayBegan = (time: MonotonicClock.now(), cpu: Self.processTime)
    for client in watched { client.beginStay(at: stayBegan.time) }
    // Where nobody came there is nothing to watch.
    if !watched.isEmpty { watch(since: stayBegan.time) }
    isOver.store(true, ordering: .relaxed)
    let stay = max((MonotonicClock.now() - stayBegan.time).seconds, 0.001)
    let ownCores = (Self.processTime - stayBegan.cpu).seconds / stay
    var report = report(joiningSeconds: joining)
    report.ownCores = ownCores
    leave()
    return report
  }

  /// All at once: somebody waits for them.
  private func makeContents() throws -> [EncodedContent] {
    let made = Mutex<[Int: Result<EncodedContent, any Error>]>([:])
    DispatchQueue.concurrentPerform(iterations: min(options.publishers, Self.contentMax)) { index in
      let result = Result { try content(index) }
      made.withLock { $0[index] = result }
    }
    return try made.withLock { made in try made.sorted { $0.key < $1.key }.map { try $0.value.get() } }
  }

  private func content(_ index: Int) throws -> EncodedContent {
    let voice = Sound.voice(talker: index)
    var content =
      options.isAudioOnly
      ? EncodedContent(sounds: try EncodedContent.encode(voice))
      : try EncodedContent(seed: UInt64(index + 1), lift: { _ in index * 12 - 30 }, sample: voice)
    if options.takesTurns { content.pauses = try EncodedContent.encode(hasDTX: true, Sound.hush(seed: UInt64(index + 1))) }
    return content
  }

  // MARK: Joining

  private func join(
    _ count: Int, _ loops: [ClientLoop], _ local: TransportAddress, _ certificate: DTLSCertificate, isPublisher: Bool
  ) {
    let next = SharedCounter()
    let start = MonotonicClock.now()
    // Publishers come in the order of their names.
    let workers = min(isPublisher ? 1 : Self.joinerCount, count)
    joined.withLock { $0.running = workers }
    for _ in 0..<workers {
      MediaThread.start(name: "joiner") { [self] in
        let http = HTTPClient(token: options.token, checksCertificate: options.checksCertificate)
        while !isOver.load(ordering: .relaxed) {
          let index = next.take()
          guard index < count else { break }
          if options.joinsPerSecond > 0 {
            MonotonicClock.sleep(until: start + .seconds(Int64(index)) / Int64(options.joinsPerSecond))
          }
          joinOne(index, isPublisher, loops, local, certificate, http)
        }
        joined.withLock { $0.running -= 1 }
      }
    }
    var told = MonotonicClock.now()
    while joined.withLock({ $0.running }) > 0 {
      MonotonicClock.sleep(until: MonotonicClock.now() + .milliseconds(20))
      guard MonotonicClock.now() - told >= .seconds(1) else { continue }
      told = MonotonicClock.now()
      say("\(joined.withLock { isPublisher ? $0.publishers.count : $0.viewers.count }) of \(count) have joined")
    }
  }

  private func joinOne(
    _ index: Int, _ isPublisher: Bool, _ loops: [ClientLoop], _ local: TransportAddress, _ certificate: DTLSCertificate,
    _ http: HTTPClient
  ) {
    var options = LoadClient.Options()
    options.kinds = self.options.kinds
    let output = self.options.output.map { "output=\($0)" }
    if isPublisher {
      let turn = index / Self.names.count
      options.path = "participants?name=" + Self.names[index % Self.names.count] + (turn > 0 ? "%20\(turn + 1)" : "")
    } else {
      options.path = "whep?name=viewer\(index)" + (output.map { "&" + $0 } ?? "")
      options.sends = false
      options.lossShare = self.options.lossShare
      if index < self.options.slowViewers { options.lineBitsPerSecond = self.options.lineBitsPerSecond }
      options.srtpProfiles = self.options.viewerProfiles
      options.keyframeRequestsPerSecond = self.options.keyframeRequestsPerSecond
    }
    do {
      let client = try LoadClient(
        number: index, address: self.options.address, options: options, local: local, certificate: certificate, http: http,
        delivery: nil)
      loops[index % loops.count].add(client)
      joined.withLock { if isPublisher { $0.publishers.append(client) } else { $0.viewers.append(client) } }
    } catch {
      joined.withLock { $0.refusals.add(error) }
    }
  }

  private func startTalking(_ clients: [LoadClient], _ contents: [EncodedContent]) {
    MediaThread.start(name: "talkers") { [self] in
      let start = MonotonicClock.now()
      let conversation = options.takesTurns ? Conversation(peopleCount: clients.count) : nil
      var talkers = clients.enumerated().map { place, client in
        // A little after one another, as in life.
        Talker(
          client, contents[client.number % contents.count], start: start + .milliseconds(Int64(client.number * 7 % 33)),
          turn: conversation.map { ($0, place) })
      }
      while !isOver.load(ordering: .relaxed) {
        guard let due = talkers.map(\.due).min() else { return }
        MonotonicClock.sleep(until: due)
        let now = MonotonicClock.now()
        for index in talkers.indices where talkers[index].due <= now { talkers[index].advance(at: now) }
      }
    }
  }

  private func tellRefusals() {
    let refusals = joined.withLock { $0.refusals }
    // Where nobody came, that is all there is to report.
    guard !watched.isEmpty else { return }
    let asked = refusals.total + joined.withLock { $0.publishers.count + $0.viewers.count }
    for (refusal, count) in refusals.sorted { say("\(count) of \(asked) could not come in: \(refusal)") }
  }

  // MARK: While they stay

  private func watch(since start: Instant) {
    var last = totals()
    var seconds = 0
    while !isOver.load(ordering: .relaxed), options.seconds == 0 || seconds < options.seconds {
      seconds += 1
      MonotonicClock.sleep(until: start + .seconds(Int64(seconds)))
      let now = totals()
      let each = Double(now.frames - last.frames) / Double(max(now.connected, 1))
      say(
        "\(seconds) s: \(now.connected) connected, \(figure(each)) \(options.isAudioOnly ? "sound frames" : "pictures") each, "
          + "\(figure(Double(now.bytes - last.bytes) * 8 / 1e6)) Mb/s, \(now.lost - last.lost) packets lost" + rungs())
      last = now
      if now.connected == 0, watched.contains(where: { $0.measures.hasEnded }) {
        say("All connections have ended.")
        break
      }
    }
  }

  /// Who is shown which size, where they are not all shown the same.
  private func rungs() -> String {
    guard !options.isAudioOnly else { return "" }
    let rungs = LoadReport.rungs(of: watched.map(\.measures), now: MonotonicClock.now())
    guard rungs.count > 1 else { return "" }
    return "; " + rungs.map { "\($0.count) \($0.size)" }.joined(separator: ", ")
  }

  /// - Returns: `frames` are pictures, with sound alone those of sound.
  private func totals() -> (connected: Int, frames: Int, bytes: UInt64, lost: UInt64) {
    var sums = (connected: 0, frames: 0, bytes: UInt64(0), lost: UInt64(0))
    for client in watched {
      let measures = client.measures
      if measures.connected != nil, !measures.hasEnded { sums.connected += 1 }
      sums.frames += options.isAudioOnly ? measures.sounds : measures.pictures
      sums.bytes += measures.transport.bytesReceived
      sums.lost += measures.transport.packetsLost
    }
    return sums
  }

  /// Viewers, or publishers where they are alone.
  private var watched: [LoadClient] { joined.withLock { $0.viewers.isEmpty ? $0.publishers : $0.viewers } }

  /// CPU time of this program so far.
  private static var processTime: Interval {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
  }

  private func report(joiningSeconds: Double) -> LoadReport {
    let isOfViewers = joined.withLock { !$0.viewers.isEmpty || $0.publishers.isEmpty && options.viewers > 0 }
    var report = LoadReport(
      watched.map(\.measures), isOfViewers ? .viewers : .publishers, hasPictures: !options.isAudioOnly,
      now: MonotonicClock.now())
    report.joiningSeconds = joiningSeconds
    report.refusals = joined.withLock { $0.refusals }
    return report
  }

  /// Why it was for nothing, where nobody could be connected at all; empty where somebody was.
  package var failures: [String] {
    guard !watched.contains(where: { $0.measures.connected != nil }) else { return [] }
    guard let client = watched.first else {
      let refusals = joined.withLock { $0.refusals.sorted }
      return refusals.isEmpty ? ["Nobody came."] : refusals.map { "\($0.count) could not come in: \($0.refusal)" }
    }
    return [
      "Nobody could be connected: nothing came back from \(client.remoteAddresses.joined(separator: ", ")), where the server "
        + "takes media. See that UDP gets there, or give the server another address with --rtc or --announce."
    ]
  }

  private func leave() {
    let http = HTTPClient(token: options.token, checksCertificate: options.checksCertificate)
    let (publishers, viewers) = joined.withLock { ($0.publishers, $0.viewers) }
    for client in viewers { client.close() }
    for client in publishers { client.leave(http) }
  }
}

private final class SharedCounter: Sendable {
  private let value = Atomic<Int>(0)
  func take() -> Int { value.add(1, ordering: .relaxed).oldValue }
}
