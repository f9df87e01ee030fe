import EncodedMedia
import ICE
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// Datagrams nobody meant well: whatever they hold, nobody else notices.
@Suite struct HostileTests {
  private static let stranger = TransportAddress(ipv4: 0x0D00_0001, port: 6666)

  /// What a server can be asked to have kept unchanged.
  private struct State: Equatable {
    var connected: Int
    var frames: Int
    var ends: Int
    var requests: Int
    var paths: Int
    var fragments: Int
    var peers: Int
    var selected: TransportPath?

    init(_ simulation: Simulation, _ observer: TestObserver) {
      connected = observer.connectedCount
      frames = observer.frameCount
      ends = observer.endReasons.count
      requests = observer.keyframeRequests.count
      paths = simulation.endpoint.bookkeeping.paths
      fragments = simulation.endpoint.bookkeeping.fragments
      peers = simulation.endpoint.peerCount
    }
  }

  /// A whole call, and every datagram its client sent.
  private func recordCall(seed: UInt64) throws -> (Simulation, TestClient, TestObserver, [[UInt8]]) {
    let simulation = Simulation(seed: seed)
    var recorded: [[UInt8]] = []
    simulation.tap = { datagram, from, _ in
      if from != Simulation.serverAddress { recorded.append(datagram) }
      return false
    }
    let observer = TestObserver()
    let client = try simulation.join(observer: observer)
    try #require(simulation.connectAll())
    simulation.execute(.subscribe(client.id, .video, OutputID(2)))
    exchange(simulation, client, seconds: 3)
    simulation.run(for: .milliseconds(200))
    simulation.tap = { _, _, _ in false }
    return (simulation, client, observer, recorded)
  }

  @Test func aWholeCallPlayedAgainChangesNothing() throws {
    let (simulation, client, observer, recorded) = try recordCall(seed: 1)
    #expect(recorded.count > 200)
    let before = State(simulation, observer)
    var answers = 0
    simulation.tap = { datagram, from, _ in
      if from == Simulation.serverAddress { answers += 1 }
      return true
    }
    for _ in 0..<3 {
      for datagram in recorded { simulation.inject(datagram, from: client.address) }
    }
    #expect(State(simulation, observer) == before)
    // A finished handshake answers a repeated last flight; nothing else is worth a word.
    #expect(answers < 12, "\(answers) answers")
    simulation.tap = { _, _, _ in false }
    exchange(simulation, client, seconds: 1)
    #expect(observer.frameCount > before.frames + 70 && observer.endReasons.isEmpty)
  }

  @Test func aWholeCallPlayedFromElsewhereChangesNothing() throws {
    let (simulation, client, observer, recorded) = try recordCall(seed: 2)
    let before = State(simulation, observer)
    let path = client.session.selectedPath
    for datagram in recorded { simulation.inject(datagram, from: Self.stranger) }
    #expect(State(simulation, observer) == before && client.session.selectedPath == path)
    simulation.run(for: .seconds(1))
    var strays = 0
    simulation.tap = { _, _, to in
      if to == Self.stranger { strays += 1 }
      return false
    }
    exchange(simulation, client, seconds: 1)
    #expect(strays == 0 && observer.frameCount > before.frames)
  }

  @Test func dtlsAndMediaFromAnUncheckedAddressAreIgnored() throws {
    let (_, _, _, recorded) = try recordCall(seed: 3)
    let simulation = Simulation(seed: 4)
    let observer = TestObserver()
    let client = try simulation.join(observer: observer)
    let kinds = recorded.filter { DatagramKind(of: $0.span) != .stun }
    // Before the first check nothing is known of the address, not even the client's own.
    for datagram in kinds {
      simulation.inject(datagram, from: client.address)
      simulation.inject(datagram, from: Self.stranger)
    }
    #expect(observer.connectedCount == 0 && observer.frameCount == 0 && simulation.endpoint.bookkeeping.paths == 0)
    #expect(simulation.endpoint.strayDatagrams == UInt64(kinds.count * 2))
    #expect(simulation.connectAll() && observer.connectedCount == 1)
  }

  @Test func everyTruncationOfEveryKindOfDatagramIsHarmless() throws {
    let (simulation, client, observer, recorded) = try recordCall(seed: 5)
    let other = TestObserver()
    let neighbour = try simulation.join(observer: other)
    try #require(simulation.connectAll())
    var samples: [[UInt8]] = []
    var seen: [String: Int] = [:]
    for datagram in recorded {
      // Of each kind, first byte and rough length a few.
      let kind = "\(DatagramKind(of: datagram.span)) \(datagram[0]) \(datagram.count / 100)"
      seen[kind, default: 0] += 1
      if seen[kind, default: 0] <= 2 { samples.append(datagram) }
    }
    #expect(Set(samples.map { DatagramKind(of: $0.span) }).count == 4)
    let before = State(simulation, observer)
    simulation.tap = { _, _, _ in true }
    for datagram in samples {
      for length in 0..<datagram.count {
        simulation.inject(Array(datagram[0..<length]), from: client.address)
        if length % 16 == 0 { simulation.inject(Array(datagram[0..<length]), from: Self.stranger) }
      }
    }
    #expect(State(simulation, observer) == before)
    simulation.tap = { _, _, _ in false }
    let frames = (observer.frameCount, other.frameCount)
    for index in 0..<50 {
      client.send(TestFrames.audio(5000 + index, at: simulation.now), at: simulation.now)
      neighbour.send(TestFrames.audio(index, at: simulation.now), at: simulation.now)
      simulation.run(for: .milliseconds(20))
    }
    simulation.run(for: .milliseconds(200))
    #expect(observer.frameCount == frames.0 + 50 && other.frameCount == frames.1 + 50)
  }

  @Test func changedAndRandomBytesAreHarmless() throws {
    let (simulation, client, observer, recorded) = try recordCall(seed: 6)
    var random = SeededRandom(seed: 66)
    let before = State(simulation, observer)
    simulation.tap = { _, _, _ in true }
    for _ in 0..<20_000 {
      var bytes: [UInt8]
      if Bool.random(using: &random), let known = recorded.randomElement(using: &random) {
        bytes = known
        for _ in 0...Int.random(in: 0..<4, using: &random) {
          bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
        }
      } else {
        bytes = (0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        if let first = ([0, 22, 128, 144, 200] as [UInt8]).randomElement(using: &random), !bytes.isEmpty { bytes[0] = first }
      }
      simulation.inject(bytes, from: Bool.random(using: &random) ? client.address : Self.stranger)
    }
    #expect(State(simulation, observer) == before)
    simulation.tap = { _, _, _ in false }
    let frames = observer.frameCount
    exchange(simulation, client, seconds: 1)
    simulation.run(for: .milliseconds(200))
    #expect(observer.frameCount > frames + 70 && observer.endReasons.isEmpty)
  }

  @Test func strangersWhoBeginHandshakesGetNoAnswer() throws {
    let (simulation, client, observer, recorded) = try recordCall(seed: 7)
    let hello = try #require(recorded.first { DatagramKind(of: $0.span) == .dtls })
    var answers = 0
    simulation.tap = { _, from, to in
      if from == Simulation.serverAddress, to != client.address { answers += 1 }
      return false
    }
    for index in 0..<5000 {
      simulation.inject(hello, from: TransportAddress(ipv4: 0x0E00_0000 + UInt32(index), port: 443))
    }
    #expect(answers == 0 && simulation.endpoint.bookkeeping.paths == 1)
    exchange(simulation, client, seconds: 1)
    #expect(observer.endReasons.isEmpty)
  }

  @Test func aParticipantCannotStealTheNeighboursPath() throws {
    let simulation = Simulation(seed: 8)
    let (first, second) = (TestObserver(), TestObserver())
    let victim = try simulation.join(observer: first)
    let thief = try simulation.join(observer: second)
    var checks: [[UInt8]] = []
    simulation.tap = { datagram, from, _ in
      // The thief's checks never reach the server from his own address: he sends them in the victim's name.
      if from == thief.address, DatagramKind(of: datagram.span) == .stun { checks.append(datagram) }
      return from == thief.address && victim.isConnected
    }
    try #require(simulation.connectAll())
    simulation.run(for: .seconds(30))
    #expect(checks.count > 3)
    for check in checks { simulation.inject(check, from: victim.address) }
    let frames = (first.frameCount, second.frameCount)
    simulation.execute(.subscribe(victim.id, .audio, OutputID(1)))
    let received = victim.frames.count
    for index in 0..<50 {
      victim.send(TestFrames.audio(index, at: simulation.now), at: simulation.now)
      simulation.execute(.send(TestFrames.audio(index, at: simulation.now), OutputID(1)))
      simulation.run(for: .milliseconds(20))
    }
    simulation.run(for: .milliseconds(100))
    #expect(first.frameCount == frames.0 + 50 && second.frameCount == frames.1)
    #expect(victim.frames.count == received + 50 && first.endReasons.isEmpty)
  }

  @Test func aSessionItselfRefusesWhatComesFromAnUncheckedPath() throws {
    let (_, _, _, recorded) = try recordCall(seed: 9)
    let simulation = Simulation(seed: 10)
    let call = try simulation.negotiate(address: simulation.newAddress())
    for setup in [call.server, call.client] {
      var session = try PeerSession(setup, wallClockAtZero: Simulation.wallClockAtZero, seed: 1, at: .zero)
      var outputs = PeerOutputs()
      var count: UInt64 = 0
      for datagram in recorded where DatagramKind(of: datagram.span) != .stun {
        var bytes = datagram
        var span = bytes.mutableSpan
        session.receive(&span, from: TransportPath(remote: Self.stranger), at: .zero, into: &outputs)
        count += 1
      }
      let refused = session.statistics.datagramsRefused
      #expect(refused == count && outputs.transmits.isEmpty && outputs.events.isEmpty)
    }
  }

  @Test func aClientSurvivesWhateverItsServersAddressSends() throws {
    let (simulation, client, observer, _) = try recordCall(seed: 12)
    var recorded: [[UInt8]] = []
    simulation.tap = { datagram, from, _ in
      if from == Simulation.serverAddress { recorded.append(datagram) }
      return false
    }
    exchange(simulation, client, seconds: 1)
    simulation.run(for: .milliseconds(200))
    simulation.tap = { _, _, _ in false }
    var random = SeededRandom(seed: 13)
    let frames = client.frames.count
    for _ in 0..<20_000 {
      guard var bytes = recorded.randomElement(using: &random) else { break }
      switch Int.random(in: 0..<3, using: &random) {
      case 0: bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
      case 1: bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
      default: break
      }
      var span = bytes.mutableSpan
      client.session.receive(
        &span, from: TransportPath(remote: Simulation.serverAddress), at: simulation.now, into: &client.outputs)
      client.outputs.removeSent()
    }
    simulation.flush(client)
    #expect(client.frames.count == frames && client.endReason == nil)
    exchange(simulation, client, seconds: 1)
    simulation.run(for: .milliseconds(200))
    #expect(client.frames.count > frames + 25 && observer.endReasons.isEmpty)
  }
}
