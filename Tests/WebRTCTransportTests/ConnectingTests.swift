import EncodedMedia
import ICE
import SecureTransport
import TestPeers
import TestSupport
import Testing
import Timing
import WebRTCTransport

@Suite struct ConnectingTests {
  @Test(arguments: 1...12) func aClientConnectsHoweverMuchIsLost(seed: Int) throws {
    var link = Link.lossy(0.2)
    link.jitter = .milliseconds(30)
    link.reordering = 0.1
    link.duplication = 0.05
    let simulation = Simulation(link: link, seed: UInt64(seed))
    let observer = TestObserver()
    let client = try simulation.join(observer: observer)
    let connected = simulation.connectAll()
    #expect(connected && observer.connectedCount == 1 && observer.endReasons.isEmpty)
    #expect(client.endReason == nil)
  }

  @Test func theAnswerNamesTheServersCandidateAsRFC8839Prints() throws {
    let simulation = Simulation(seed: 1)
    let call = try simulation.negotiate(address: simulation.newAddress())
    let line = call.answer.split(whereSeparator: \.isNewline).first { $0.hasPrefix("a=candidate:") }
    let candidate = try ICECandidate.parse(String(try #require(line)))
    #expect(candidate?.address == Simulation.serverAddress)
    #expect(call.client.iceRole == .controlling && call.client.dtlsRole == .active && call.server.dtlsRole == .passive)
    #expect(call.client.remoteCandidates.map(\.address) == [Simulation.serverAddress])
  }

  @Test func aWrongFingerprintNeverConnectsAndNoMediaFlows() throws {
    for side in [true, false] {
      let simulation = Simulation(seed: 2)
      let observer = TestObserver()
      let client = try simulation.join(observer: observer) { call in
        let wrong = Fingerprint(algorithm: .sha256, bytes: [UInt8](repeating: 7, count: 32))!
        if side { call.server.remoteFingerprint = wrong } else { call.client.remoteFingerprint = wrong }
      }
      for index in 0..<50 {
        client.send(TestFrames.audio(index, at: simulation.now), at: simulation.now)
        simulation.run(for: .milliseconds(20))
      }
      #expect(observer.connectedCount == 0 || !side)
      #expect(!client.isConnected || side)
      #expect(observer.frames.isEmpty && client.frames.isEmpty)
      simulation.run(for: .seconds(60))
      #expect(!observer.endReasons.isEmpty || client.endReason != nil)
    }
  }

  @Test func consentThatExpiresEndsThePeer() throws {
    let simulation = Simulation(seed: 3)
    let observer = TestObserver()
    let client = try simulation.join(observer: observer)
    #expect(simulation.connectAll())
    let silence = simulation.now
    simulation.clients.removeAll()
    simulation.run(for: .seconds(25))
    #expect(observer.endReasons.isEmpty)
    simulation.run(for: .seconds(60))
    #expect(observer.endReasons == [.connectivityLost])
    #expect(client.endReason == nil && simulation.now > silence)
  }

  @Test func aPeerThatNeverComesEnds() throws {
    let simulation = Simulation(seed: 4)
    let observer = TestObserver()
    try simulation.join(observer: observer)
    simulation.clients.removeAll()
    simulation.run(for: .seconds(60))
    #expect(observer.endReasons == [.neverConnected])
  }

  @Test func aPoliteGoodbyeEndsTheOtherSide() throws {
    let simulation = Simulation(seed: 5)
    let observer = TestObserver()
    let client = try simulation.join(observer: observer)
    let other = try simulation.join()
    #expect(simulation.connectAll())
    client.session.close(at: simulation.now, into: &client.outputs)
    simulation.run(for: .seconds(1))
    #expect(observer.endReasons == [.closed])
    simulation.execute(.remove(other.id))
    simulation.run(for: .seconds(1))
    #expect(other.endReason == .closed)
  }

  @Test func anICERestartLeavesNoGap() throws {
    let simulation = Simulation(seed: 6)
    let observer = TestObserver()
    var server: PeerSetup?
    let client = try simulation.join(observer: observer) { server = $0.server }
    #expect(simulation.connectAll())
    simulation.execute(.subscribe(client.id, .audio, OutputID(1)))
    var setup = try #require(server)
    for index in 0..<400 {
      if index == 100 || index == 110 || index == 250 {
        // The second restart comes before the first has led to anything.
        let fragment = client.offerer.restart(using: &simulation.random)
        let outcome = try simulation.negotiator.apply(
          fragment: try #require(fragment), to: setup, using: &simulation.random)
        let restart = try #require(outcome.restart)
        #expect(
          restart.entityTag == outcome.setup.localCredentials.ufrag && outcome.setup.localCredentials != setup.localCredentials)
        setup = outcome.setup
        simulation.execute(.update(client.id, outcome.setup))
        client.session.update(try client.offerer.apply(fragment: restart.fragment), at: simulation.now)
        client.address.port += 1
      }
      client.send(TestFrames.audio(index, at: simulation.now), at: simulation.now)
      simulation.execute(.send(TestFrames.audio(index, at: simulation.now), OutputID(1)))
      simulation.run(for: .milliseconds(20))
    }
    simulation.run(for: .seconds(1))
    #expect(observer.connectedCount == 1 && observer.endReasons.isEmpty && client.endReason == nil)
    #expect(simulation.endpoint.peerCount == 1)
    // What was under way to the old address when the NAT changed is lost, nothing else.
    #expect(observer.frames(.audio).count >= 380)
    #expect(client.frames(.audio).count >= 370)
  }

  @Test func restartsThatComeToNothingDoNotCostTheConnection() throws {
    let simulation = Simulation(seed: 7)
    let observer = TestObserver()
    var server: PeerSetup?
    let client = try simulation.join(observer: observer) { server = $0.server }
    #expect(simulation.connectAll())
    var setup = try #require(server)
    for _ in 0..<5 {
      // The server's answers never reach the client, who goes on under the old credentials.
      let fragment = client.offerer.restart(using: &simulation.random)
      setup = try simulation.negotiator.apply(
        fragment: try #require(fragment), to: setup, using: &simulation.random
      ).setup
      simulation.execute(.update(client.id, setup))
      simulation.run(for: .seconds(1))
    }
    simulation.run(for: .seconds(120))
    #expect(observer.endReasons.isEmpty && client.endReason == nil && client.session.isConnected)
  }

  @Test func mediaFollowsTheNewestNomination() throws {
    let simulation = Simulation(seed: 8)
    let client = try simulation.join()
    #expect(simulation.connectAll())
    simulation.execute(.subscribe(client.id, .audio, OutputID(1)))
    // A NAT gives the client another address; its consent checks repeat the nomination.
    client.address = TransportAddress(ipv4: 0x0B00_0001, port: 1234)
    simulation.run(for: .seconds(7))
    var ways: Set<TransportAddress> = []
    simulation.tap = { datagram, from, to in
      if from == Simulation.serverAddress, datagram[0] & 0xC0 == 0x80 { ways.insert(to) }
      return false
    }
    for index in 0..<10 {
      simulation.execute(.send(TestFrames.audio(index, at: simulation.now), OutputID(1)))
      simulation.run(for: .milliseconds(20))
    }
    #expect(ways == [client.address])
    simulation.run(for: .milliseconds(100))
    #expect(client.frames(.audio).count == 10)
  }

  @Test func twoPeersBehindOneAddressAreTwo() throws {
    let simulation = Simulation(seed: 9)
    let (first, second) = (TestObserver(), TestObserver())
    let host = TransportAddress(ipv4: 0x0A0A_0A0A, port: 0)
    let a = try simulation.join(at: host.withPort(50_001), observer: first)
    let b = try simulation.join(at: host.withPort(50_002), observer: second)
    #expect(simulation.connectAll())
    for index in 0..<20 {
      a.send(TestFrames.audio(index, at: simulation.now), at: simulation.now)
      b.send(TestFrames.audio(1000 + index, at: simulation.now), at: simulation.now)
      simulation.run(for: .milliseconds(20))
    }
    simulation.run(for: .milliseconds(100))
    #expect(first.frames(.audio).map(\.payload.bytes) == (0..<20).map { TestFrames.audio($0, at: .zero).payload.bytes })
    #expect(second.frames(.audio).map(\.payload.bytes) == (1000..<1020).map { TestFrames.audio($0, at: .zero).payload.bytes })
  }
}
