import EncodedMedia
import ICE
import Synchronization
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

/// Several endpoints behind one port, seen from one of them.
@Suite struct SharedPortTests {
  /// What the endpoint told, and whether it may have what it asks for.
  private final class Registry: PathRegistry {
    struct State {
      var isGiving = true
      var claims = 0
      var held: Set<TransportPath> = []
      var fragmentsReleased: [UfragKey] = []
    }

    let state: Mutex<State>
    init(isGiving: Bool = true) { state = Mutex(State(isGiving: isGiving)) }

    func claim(_ path: TransportPath) -> Bool {
      state.withLock { state in
        state.claims += 1
        if state.isGiving { state.held.insert(path) }
        return state.isGiving
      }
    }

    func release(_ path: TransportPath) { state.withLock { _ = $0.held.remove(path) } }

    func release(_ fragment: UfragKey) { state.withLock { $0.fragmentsReleased.append(fragment) } }

    var held: Set<TransportPath> { state.withLock { $0.held } }
  }

  @Test func aPathIsClaimedBeforeItsCheckIsAnswered() throws {
    let registry = Registry()
    let simulation = Simulation(seed: 1, registry: registry)
    var unclaimed = 0
    simulation.tap = { _, from, to in
      if from == Simulation.serverAddress, !registry.held.contains(TransportPath(remote: to)) { unclaimed += 1 }
      return false
    }
    let clients = try (0..<3).map { _ in try simulation.join() }
    #expect(simulation.connectAll() && unclaimed == 0)
    #expect(registry.held == Set(clients.map { TransportPath(remote: $0.address) }))
    for client in clients.dropFirst() { simulation.leave(client, politely: false) }
    #expect(registry.held == [TransportPath(remote: clients[0].address)])
  }

  @Test func onAPathThatLeadsElsewhereChecksAreAnsweredAndNothingElseIs() throws {
    let registry = Registry(isGiving: false)
    let simulation = Simulation(seed: 2, registry: registry)
    let client = try simulation.join()
    simulation.run(for: .seconds(2))
    #expect(!client.isConnected && simulation.endpoint.bookkeeping.paths == 0 && simulation.endpoint.strayDatagrams > 0)
    registry.state.withLock { $0.isGiving = true }
    #expect(simulation.connectAll())
  }

  @Test func aPathIsYieldedOnceItsPeerIsHeardNoMore() throws {
    let registry = Registry()
    let simulation = Simulation(seed: 3, registry: registry)
    let client = try simulation.join()
    try #require(simulation.connectAll())
    let path = TransportPath(remote: client.address)
    simulation.execute(.yield(path))
    #expect(registry.held == [path] && simulation.endpoint.bookkeeping.paths == 1)
    simulation.tap = { _, from, _ in from == client.address }
    simulation.run(for: .seconds(4))
    simulation.execute(.yield(path))
    #expect(registry.held.isEmpty && simulation.endpoint.bookkeeping.paths == 0)
    simulation.execute(.yield(path))
    // Who was only slow comes back with his next check.
    simulation.tap = { _, _, _ in false }
    simulation.run(for: .seconds(6))
    #expect(registry.held == [path] && client.endReason == nil)
  }

  @Test func aFragmentIsReleasedOnceARestartHasTakenItsPlace() throws {
    let registry = Registry()
    let simulation = Simulation(seed: 5, registry: registry)
    var setups: [PeerSetup] = []
    let client = try simulation.join { call in
      for _ in 0..<3 {
        setups.append(call.server)
        call.server.localCredentials = ICECredentials(using: &simulation.random)
        call.server.remoteCredentials = ICECredentials(using: &simulation.random)
      }
      call.server = setups[0]
    }
    try #require(simulation.connectAll())
    simulation.execute(.update(client.id, setups[1]))
    #expect(registry.state.withLock { $0.fragmentsReleased }.isEmpty)
    // Nothing was nominated under the second: he is connected under the first still.
    simulation.execute(.update(client.id, setups[2]))
    #expect(registry.state.withLock { $0.fragmentsReleased } == [setups[1].localCredentials.key])
  }

  @Test func whoIsMeantByADatagramIsSaid() throws {
    let simulation = Simulation(seed: 4)
    let client = try simulation.join()
    try #require(simulation.connectAll())
    let stranger = TransportAddress(ipv4: 0x0D00_0001, port: 6666)
    for (address, isKnown) in [(client.address, true), (stranger, false)] {
      var bytes: [UInt8] = [0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7, 7, 7, 7]
      let before = bytes
      var span = bytes.mutableSpan
      let isMeant = simulation.endpoint.receive(
        &span, from: TransportPath(remote: address), at: simulation.now, into: &simulation.outputs)
      #expect(isMeant == isKnown)
      if !isKnown { #expect(bytes == before) }
    }
  }
}
