import Bytes
import ICE
import TestSupport
import Testing
import Timing

@Suite struct FullAgentTests {
  let serverAddress = TransportAddress(ipv4: 0xC000_0201, port: 8000)
  let clientAddress = TransportAddress(ipv4: 0x0A00_0002, port: 5000)
  let secondAddress = TransportAddress(ipv4: 0x0A00_0003, port: 5001)

  /// A full agent (node 0) and a lite one (node 1).
  func clientAndServer(seed: UInt64, clientSockets: Int = 1) -> Simulation {
    var random = SeededRandom(seed: seed)
    let (ours, theirs) = (ICECredentials(using: &random), ICECredentials(using: &random))
    var client = ICEFullAgent(local: ours, remote: theirs, at: .zero, using: &random)
    let addresses = Array([clientAddress, secondAddress].prefix(clientSockets))
    for (socket, address) in addresses.enumerated() {
      client.addLocal(.host(address, localPreference: UInt16(65535 - socket)), socket: UInt32(socket))
    }
    client.addRemote(.host(serverAddress))
    let server = ICELiteAgent(local: theirs, remote: ours, at: .zero)
    return Simulation([.full(client), .lite(server)], sockets: [addresses, [serverAddress]], seed: seed)
  }

  /// Two full agents of the given roles; `isTrickled` leaves the second one's candidate out.
  func peers(seed: UInt64, roles: (ICEFullAgent.Role, ICEFullAgent.Role), isTrickled: Bool = false) -> Simulation {
    var random = SeededRandom(seed: seed)
    let (a, b) = (ICECredentials(using: &random), ICECredentials(using: &random))
    var first = ICEFullAgent(role: roles.0, local: a, remote: b, at: .zero, using: &random)
    first.addLocal(.host(clientAddress))
    if !isTrickled { first.addRemote(.host(serverAddress)) }
    var second = ICEFullAgent(role: roles.1, local: b, remote: a, at: .zero, using: &random)
    second.addLocal(.host(serverAddress))
    second.addRemote(.host(clientAddress))
    return Simulation([.full(first), .full(second)], sockets: [[clientAddress], [serverAddress]], seed: seed)
  }

  func role(_ agent: Agent) -> ICEFullAgent.Role? {
    if case .full(let agent) = agent { agent.role } else { nil }
  }

  @Test func itConnectsToALiteAgentWithinAFewRoundTrips() {
    var simulation = clientAndServer(seed: 1)
    simulation.run(for: .seconds(5)) { $0.areBothConnected }
    #expect(simulation.areBothConnected)
    #expect(simulation.now <= .zero + .milliseconds(150))
    #expect(simulation.agents[0].selectedPath == TransportPath(remote: serverAddress))
    #expect(simulation.agents[1].selectedPath == TransportPath(remote: clientAddress))
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func itConnectsOverALossyLink(_ seed: UInt64) {
    var simulation = clientAndServer(seed: seed, clientSockets: Int(seed % 2) + 1)
    simulation.lossPercent = 30
    simulation.delayMilliseconds = 5...200
    simulation.run(for: .seconds(39)) { $0.areBothConnected }
    #expect(simulation.areBothConnected)
    simulation.lossPercent = 0
    simulation.run(for: .seconds(60))
    #expect(simulation.areBothConnected)
    #expect(simulation.agents[0].selectedPath?.socket == socket(of: simulation.agents[1].selectedPath))
  }

  private func socket(of path: TransportPath?) -> UInt32? { path.map { $0.remote == clientAddress ? 0 : 1 } }

  @Test func theSameSeedGivesTheSameConference() {
    func run() -> [Simulation.Event] {
      var simulation = clientAndServer(seed: 9, clientSockets: 2)
      simulation.lossPercent = 40
      simulation.run(for: .seconds(120))
      return simulation.events
    }
    #expect(run() == run())
  }

  @Test func checksArePaced() {
    var random = SeededRandom(seed: 1)
    let (ours, theirs) = (ICECredentials(using: &random), ICECredentials(using: &random))
    var client = ICEFullAgent(local: ours, remote: theirs, at: .zero, using: &random)
    client.addLocal(.host(clientAddress))
    for port in 1...60 as ClosedRange<UInt16> { client.addRemote(.host(serverAddress.withPort(port))) }
    var simulation = Simulation([.full(client)], sockets: [[clientAddress]])
    simulation.run(for: .milliseconds(449))
    // Nine new checks in 449 ms; the first one's retransmission is due at 500.
    #expect(simulation.sent.count == 9)
    simulation.run(for: .seconds(30))
    // No more than 32 remote candidates are taken up.
    #expect(Set(simulation.sent.map(\.to)).count == 32)
  }

  @Test func aCheckIsSentSevenTimesWithGrowingPauses() {
    var simulation = clientAndServer(seed: 1)
    simulation.blocked = [serverAddress]
    simulation.run(for: .seconds(39))
    let times = simulation.sent.map { ($0.at - .zero).milliseconds }
    #expect(simulation.sent.count == 7)
    for (time, expected) in zip(times, [0.0, 500, 1500, 3500, 7500, 15500, 31500]) {
      #expect((expected...expected + 20).contains(time))
    }
    #expect(Set(simulation.sent.map(\.bytes)).count == 1)
  }

  @Test func withoutAnAnswerItFails() {
    var simulation = clientAndServer(seed: 1)
    simulation.blocked = [serverAddress]
    simulation.run(for: .seconds(60))
    #expect(simulation.events.map(\.output) == [.failed, .failed])
    #expect(simulation.agents.allSatisfy { $0.nextDeadline == nil })
  }

  @Test func theBestPairOfSeveralIsNominated() {
    var simulation = clientAndServer(seed: 3, clientSockets: 2)
    simulation.run(for: .seconds(2))
    #expect(simulation.agents[0].selectedPath?.socket == 0)
    #expect(simulation.agents[1].selectedPath?.remote == clientAddress)
  }

  @Test func aPairThatWorksIsTakenWhenTheBetterOneDoesNot() {
    var simulation = clientAndServer(seed: 3, clientSockets: 2)
    simulation.blocked = [clientAddress]
    simulation.run(for: .seconds(1))
    #expect(simulation.agents[0].selectedPath?.socket == 1)
    #expect(simulation.agents[1].selectedPath?.remote == secondAddress)
  }

  @Test(arguments: [true, false])
  func equalRolesAreSettledByTheTieBreaker(_ controlling: Bool) {
    for seed in 1...20 as ClosedRange<UInt64> {
      let role: ICEFullAgent.Role = controlling ? .controlling : .controlled
      var simulation = peers(seed: seed, roles: (role, role))
      simulation.run(for: .seconds(10)) { $0.areBothConnected }
      #expect(simulation.areBothConnected)
      #expect(self.role(simulation.agents[0]) != self.role(simulation.agents[1]))
    }
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func twoFullAgentsConnectOverALossyLinkWhateverTheirRoles(_ seed: UInt64) {
    let roles: [(ICEFullAgent.Role, ICEFullAgent.Role)] = [
      (.controlling, .controlled), (.controlling, .controlling), (.controlled, .controlled), (.controlled, .controlling),
    ]
    var simulation = peers(seed: seed, roles: roles[Int(seed % 4)])
    simulation.lossPercent = 25
    simulation.delayMilliseconds = 5...150
    simulation.run(for: .seconds(39)) { $0.areBothConnected }
    #expect(simulation.areBothConnected)
    simulation.lossPercent = 0
    simulation.run(for: .seconds(60))
    #expect(simulation.areBothConnected)
    #expect(role(simulation.agents[0]) != role(simulation.agents[1]))
  }

  @Test func aControlledClientOfALiteAgentBecomesControlling() {
    var random = SeededRandom(seed: 4)
    let (ours, theirs) = (ICECredentials(using: &random), ICECredentials(using: &random))
    var client = ICEFullAgent(role: .controlled, local: ours, remote: theirs, at: .zero, using: &random)
    client.addLocal(.host(clientAddress))
    client.addRemote(.host(serverAddress))
    let server = ICELiteAgent(local: theirs, remote: ours, at: .zero)
    var simulation = Simulation([.full(client), .lite(server)], sockets: [[clientAddress], [serverAddress]])
    simulation.run(for: .seconds(2)) { $0.areBothConnected }
    #expect(simulation.areBothConnected)
    #expect(role(simulation.agents[0]) == .controlling)
  }

  @Test func anAddressLearnedFromAnAuthenticatedCheckIsEnough() {
    var simulation = peers(seed: 6, roles: (.controlling, .controlled), isTrickled: true)
    let outside = TransportAddress(ipv4: 0xCB00_7107, port: 40000)
    simulation.translations[serverAddress] = outside
    simulation.run(for: .seconds(5)) { $0.areBothConnected }
    #expect(simulation.areBothConnected)
    #expect(simulation.agents[0].selectedPath?.remote == outside)
  }

  @Test func trickledCandidatesAndCredentialsMayComeLate() {
    var random = SeededRandom(seed: 7)
    let (ours, theirs) = (ICECredentials(using: &random), ICECredentials(using: &random))
    var client = ICEFullAgent(local: ours, at: .zero, using: &random)
    client.addRemote(.host(serverAddress))
    let server = ICELiteAgent(local: theirs, remote: ours, at: .zero)
    var simulation = Simulation([.full(client), .lite(server)], sockets: [[clientAddress], [serverAddress]])
    simulation.run(for: .seconds(1))
    #expect(simulation.sent.isEmpty)
    simulation.agents[0].withFull { $0.addLocal(.host(clientAddress)) }
    simulation.run(for: .seconds(1))
    #expect(simulation.sent.isEmpty)
    simulation.agents[0].withFull { $0.setRemote(theirs) }
    simulation.run(for: .seconds(1))
    #expect(simulation.areBothConnected)
  }

  @Test func consentIsRenewedEveryFiveSecondsOrSo() {
    var simulation = clientAndServer(seed: 8)
    simulation.run(for: .seconds(1))
    let before = simulation.sent.count
    simulation.run(for: .seconds(600))
    let checks = (simulation.sent.count - before) / 2
    #expect((100...150).contains(checks))
    #expect(simulation.events.count == 2)
    let times = simulation.sent[before...].filter { $0.from == clientAddress }.map(\.at)
    let pauses = zip(times.dropFirst(), times).map { ($0 - $1).milliseconds }
    #expect(pauses.allSatisfy { (3980...6020).contains($0) })
    #expect(Set(pauses.map { Int($0 / 200) }).count > 4)
  }

  @Test func bothSidesNoticeALinkThatIsGone() throws {
    var simulation = clientAndServer(seed: 8)
    simulation.run(for: .seconds(10))
    simulation.blocked = [serverAddress]
    let cut = simulation.now
    simulation.run(for: .seconds(100))
    for node in 0...1 {
      let times = simulation.events.filter { $0.node == node }.map { ($0.at - cut).seconds }
      let outputs = simulation.events.filter { $0.node == node }.map(\.output).dropFirst()
      // The client may find another path; the server waits for none that it was not told of.
      #expect(Array(outputs) == (node == 0 ? [.disconnected, .failed] : [.failed]))
      #expect((23...30).contains(times[1]))
    }
  }

  @Test func aLinkThatComesBackBeforeConsentExpiresIsGoneOnWith() {
    var simulation = clientAndServer(seed: 8)
    simulation.run(for: .seconds(10))
    simulation.blocked = [serverAddress]
    simulation.run(for: .seconds(22))
    simulation.blocked = []
    simulation.run(for: .seconds(40))
    #expect(simulation.areBothConnected)
    #expect(simulation.events.count == 2)
  }

  @Test func aClientThatGetsAnotherAddressIsFollowed() {
    var simulation = clientAndServer(seed: 10)
    simulation.run(for: .seconds(2))
    let outside = TransportAddress(ipv4: 0xCB00_7107, port: 40000)
    simulation.translations[clientAddress] = outside
    simulation.run(for: .seconds(7))
    #expect(simulation.agents[1].selectedPath?.remote == outside)
    #expect(simulation.count(.pathChanged(TransportPath(remote: outside)), of: 1) == 1)
    #expect(simulation.count(.disconnected, of: 0) == 0)
  }

  @Test func aRestartMovesOverWithoutABreak() {
    for seed in 1...20 as ClosedRange<UInt64> {
      var simulation = clientAndServer(seed: seed)
      simulation.run(for: .seconds(3))
      simulation.lossPercent = 20
      var random = SeededRandom(seed: seed &+ 1000)
      let (ours, theirs) = (ICECredentials(using: &random), ICECredentials(using: &random))
      let now = simulation.now
      simulation.agents[1].withLite { $0.restart(local: theirs, remote: ours, at: now) }
      simulation.run(for: .milliseconds(300))
      #expect(simulation.areBothConnected)
      simulation.agents[0].withFull { agent in
        agent.restart(local: ours, remote: theirs, at: now)
        agent.addRemote(.host(serverAddress))
      }
      simulation.run(for: .seconds(30))
      simulation.lossPercent = 0
      simulation.run(for: .seconds(60))
      #expect(simulation.areBothConnected)
      #expect(simulation.events.count { $0.output == .disconnected } == 0)
      if case .lite(let server) = simulation.agents[1] { #expect(server.previousLocalCredentials == nil) }
    }
  }

  @Test func aFailedSessionRevivesByARestart() {
    var simulation = clientAndServer(seed: 12)
    simulation.blocked = [serverAddress]
    simulation.run(for: .seconds(60))
    simulation.blocked = []
    var random = SeededRandom(seed: 13)
    let (ours, theirs) = (ICECredentials(using: &random), ICECredentials(using: &random))
    let now = simulation.now
    simulation.agents[1].withLite { $0.restart(local: theirs, remote: ours, at: now) }
    simulation.agents[0].withFull { agent in
      agent.restart(local: ours, remote: theirs, at: now)
      agent.addRemote(.host(serverAddress))
    }
    simulation.run(for: .seconds(5))
    #expect(simulation.areBothConnected)
  }

  @Test func everythingEverSentReplayedFromElsewhereMovesNothing() {
    var simulation = clientAndServer(seed: 14)
    simulation.run(for: .seconds(60))
    let paths = simulation.agents.map(\.selectedPath)
    let attacker = TransportAddress(ipv4: 0xC633_6407, port: 666)
    for datagram in simulation.sent { simulation.inject(datagram.bytes, from: attacker, to: datagram.to) }
    #expect(simulation.agents.map(\.selectedPath) == paths)
    #expect(simulation.events.count == 2)
    #expect(!simulation.sent.contains { $0.to == attacker })
    for agent in simulation.agents {
      let path = TransportPath(remote: attacker)
      switch agent {
      case .lite(let agent): #expect(!agent.isValidated(path))
      case .full(let agent): #expect(!agent.isValidated(path))
      }
    }
  }

  @Test func noiseChangesNothing() {
    var simulation = clientAndServer(seed: 15)
    simulation.run(for: .seconds(10))
    let deadlines = simulation.agents.map(\.nextDeadline)
    var random = SeededRandom(seed: 16)
    let samples = simulation.sent.map(\.bytes)
    for _ in 0..<5000 {
      var bytes = samples.randomElement(using: &random) ?? []
      switch Int.random(in: 0...2, using: &random) {
      case 0: bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
      case 1: bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
      default: bytes = bytes.map { _ in UInt8.random(in: 0...255, using: &random) }
      }
      let toServer = Bool.random(using: &random)
      simulation.inject(
        bytes, from: toServer ? clientAddress : serverAddress, to: toServer ? serverAddress : clientAddress)
    }
    #expect(simulation.agents.map(\.nextDeadline) == deadlines)
    #expect(simulation.events.count == 2)
  }

  @Test func aSteadyConsentCheckAllocatesNothing() {
    var simulation = clientAndServer(seed: 17)
    simulation.run(for: .seconds(30))
    guard case .full(var client) = simulation.agents[0], case .lite(var server) = simulation.agents[1] else { return }
    simulation.agents = []
    let (toServer, toClient) = (TransportPath(remote: serverAddress), TransportPath(remote: clientAddress))
    let (toSend, toAnswer) = (PacketArenaBox(), PacketArenaBox())
    var (sent, answered): ([ICEOutput], [ICEOutput]) = ([], [])
    sent.reserveCapacity(8)
    answered.reserveCapacity(8)
    var rounds = 0
    func round() {
      let now = client.nextDeadline ?? .zero
      toSend.arena.removeAll()
      toAnswer.arena.removeAll()
      sent.removeAll(keepingCapacity: true)
      answered.removeAll(keepingCapacity: true)
      client.handleTimeout(at: now, arena: &toSend.arena, outputs: &sent)
      for case .send(let range, toServer) in sent {
        withPacket(range, of: toSend.arena) {
          server.receive($0, from: toClient, at: now, arena: &toAnswer.arena, outputs: &answered)
        }
      }
      for case .send(let range, toClient) in answered {
        withPacket(range, of: toAnswer.arena) {
          client.receive($0, from: toServer, at: now, arena: &toSend.arena, outputs: &sent)
        }
        rounds += 1
      }
    }
    for _ in 0..<300 { round() }
    rounds = 0
    let count = allocations { for _ in 0..<300 { round() } }
    #expect(rounds == 300)
    #expect(count == 0)
  }
}
