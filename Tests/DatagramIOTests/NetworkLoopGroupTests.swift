import Bytes
import DatagramIO
import EncodedMedia
import ICE
import RealTime
import SecureTransport
import Synchronization
import Testing
import Timing
import WebRTCTransport

private let loopback = TransportAddress(ipv4: 0x7F00_0001, port: 0)

/// Counts the frames that come, and knows whether the peer connected and whether it ended.
private final class Listener: PeerObserver {
  let frames = Atomic(0)
  let isConnected = Atomic(false)
  let hasEnded = Atomic(false)

  func peer(_ peer: PeerID, didReceive frame: EncodedFrame, on stream: StreamID) { frames.add(1, ordering: .relaxed) }
  func peerDidConnect(_ peer: PeerID) { isConnected.store(true, ordering: .relaxed) }
  func peerDidEnd(_ peer: PeerID, _ reason: PeerEndReason) { hasEnded.store(true, ordering: .relaxed) }
  func peer(_ peer: PeerID, needsKeyframeOf output: OutputID) {}
  func peer(_ peer: PeerID, didMeasure statistics: PeerStatistics) {}
}

/// Polls until `condition` holds, doing `step` each time; false where it does not within ten seconds.
private func waits(until condition: () -> Bool, doing step: () -> Void = {}) -> Bool {
  let deadline = MonotonicClock.now() + .seconds(10)
  while !condition() {
    if MonotonicClock.now() > deadline { return false }
    step()
    MonotonicClock.sleep(until: MonotonicClock.now() + .milliseconds(20))
  }
  return true
}

private func silence(_ number: UInt32) -> EncodedFrame {
  EncodedFrame(
    codec: .opus, payload: FrameBuffer([0xF8, 0xFF, 0xFE]), timestamp: RTPTimestamp(number &* 960), time: MonotonicClock.now())
}

/// A client with a thread and a socket of its own, and what the server has of it.
private struct Caller {
  let network: NetworkLoop
  let heard = Listener()
  let server = Listener()
  let answer: PeerAnswer
  let offerer: PeerOfferer

  init(_ peer: PeerID, _ group: NetworkLoopGroup, _ negotiator: PeerNegotiator, _ certificate: DTLSCertificate) throws {
    var random = SystemRandomNumberGenerator()
    network = try NetworkLoop(bind: [loopback], acceptsTCP: false, seed: random.next())
    var offerer = PeerOfferer(
      certificate: certificate, candidates: network.localAddresses.map { .host($0) }, using: &random)
    answer = try negotiator.answer(
      offerer.offer([.init(.audio, sends: true, receives: true)]), direction: .both, using: &random)
    let setup = try offerer.apply(answer: answer.text)
    self.offerer = offerer
    group.add(peer, answer.setup, observer: server)
    network.add(peer, setup, observer: heard)
    network.subscribe(peer, .audio, to: OutputID(1))
  }
}

/// A group and those who called it: peer 1 is the first of them.
private struct Party {
  let group: NetworkLoopGroup
  let callers: [Caller]

  init(_ count: UInt32, threads: Int, acceptsTCP: Bool = false) throws {
    let group = try NetworkLoopGroup(bind: [loopback], acceptsTCP: acceptsTCP, threads: threads, seed: 1)
    let negotiator = PeerNegotiator(
      certificate: try DTLSCertificate(), candidates: group.localAddresses.map { .host($0) }, capabilities: .client)
    let certificate = try DTLSCertificate()
    self.group = group
    callers = try (1...count).map { try Caller(PeerID($0), group, negotiator, certificate) }
    for number in 1...count { group.subscribe(PeerID(number), .audio, to: OutputID(7)) }
  }

  func stop() {
    group.stop()
    for caller in callers { caller.network.stop() }
  }
}

@Suite struct NetworkLoopGroupTests {
  @Test func everybodyIsServedWhicheverThreadReadsHisPackets() throws {
    let party = try Party(12, threads: 4, acceptsTCP: true)
    defer { party.stop() }
    let (group, callers) = (party.group, party.callers)
    var sent: UInt32 = 0
    let isHeard = waits {
      callers.allSatisfy { $0.heard.frames.load(ordering: .relaxed) >= 10 && $0.server.frames.load(ordering: .relaxed) >= 10 }
    } doing: {
      group.send(silence(sent), to: OutputID(7))
      for caller in callers { caller.network.send(silence(sent), to: OutputID(1)) }
      sent += 1
    }
    #expect(isHeard)
    // The kernel chose twelve times among four: that it was right each time happens once in sixteen million runs.
    #expect(waits { group.statistics.peers == 12 && group.statistics.datagramsHandedOver > 0 })
    #expect(group.statistics.datagramsStray < 12 && group.statistics.datagramsDropped == 0)
  }

  @Test func whoNoLongerReceivesAnOutputIsSentNoMoreOfIt() throws {
    let party = try Party(2, threads: 2)
    defer { party.stop() }
    let (group, callers) = (party.group, party.callers)
    var sent: UInt32 = 0
    let send = {
      group.send(silence(sent), to: OutputID(7))
      sent += 1
    }
    #expect(waits(until: { callers.allSatisfy { $0.heard.frames.load(ordering: .relaxed) >= 5 } }, doing: send))
    group.subscribe(PeerID(1), .audio, to: nil)
    group.remove(PeerID(2))
    group.subscribe(PeerID(1), .audio, to: OutputID(8))
    // The goodbye is the last that comes.
    #expect(waits { callers[1].heard.hasEnded.load(ordering: .relaxed) })
    let before = callers.map { $0.heard.frames.load(ordering: .relaxed) }
    for _ in 0..<10 { send() }
    let isHeard = waits {
      callers[0].heard.frames.load(ordering: .relaxed) >= before[0] + 3
    } doing: {
      group.send(silence(sent), to: OutputID(8))
      sent += 1
    }
    #expect(isHeard)
    #expect(callers[1].heard.frames.load(ordering: .relaxed) == before[1])
    #expect(waits { group.statistics.peers == 1 })
  }

  @Test func aRestartedSessionIsFoundByItsNewFragment() throws {
    let party = try Party(6, threads: 3)
    defer { party.stop() }
    let (group, callers) = (party.group, party.callers)
    #expect(waits { callers.allSatisfy { $0.server.isConnected.load(ordering: .relaxed) } })
    var setups: [PeerSetup] = []
    for index in callers.indices {
      var random = SystemRandomNumberGenerator()
      var setup = callers[index].answer.setup
      setup.localCredentials = ICECredentials(using: &random)
      setup.remoteCredentials = ICECredentials(using: &random)
      group.update(PeerID(UInt32(index + 1)), setup)
      setups.append(setup)
    }
    for setup in setups { try expectsAnswer(toACheckOf: setup, at: group.localAddresses[0]) }
  }

  @Test func aSessionRestartedTwiceIsFoundByTheFragmentItWasConnectedUnder() throws {
    let party = try Party(2, threads: 2)
    defer { party.stop() }
    let (group, callers) = (party.group, party.callers)
    #expect(waits { callers.allSatisfy { $0.server.isConnected.load(ordering: .relaxed) } })
    for (index, caller) in callers.enumerated() {
      for _ in 0..<2 {
        var random = SystemRandomNumberGenerator()
        var setup = caller.answer.setup
        setup.localCredentials = ICECredentials(using: &random)
        setup.remoteCredentials = ICECredentials(using: &random)
        group.update(PeerID(UInt32(index + 1)), setup)
      }
      try expectsAnswer(toACheckOf: caller.answer.setup, at: group.localAddresses[0])
    }
  }

  @Test func aConnectionGoesToTheThreadOfItsPeer() throws {
    let party = try Party(3, threads: 3, acceptsTCP: true)
    defer { party.stop() }
    let (group, callers) = (party.group, party.callers)
    // Each thread has one of the peers; all connections come in at the first.
    let connections = try callers.map { _ in try TCPConnection(connectingTo: group.localAddresses[0]) }
    for (caller, connection) in zip(callers, connections) {
      for transaction in 1...2 {
        try write(check(of: caller.answer.setup, transaction: UInt64(transaction)), to: connection)
        #expect(try isSuccess(readFrame(from: connection), transaction: UInt64(transaction)))
      }
    }
    #expect(waits { group.statistics.tcpConnections == 3 })
    withExtendedLifetime(connections) {}
  }

  @Test func strangersConnectionsMakeRoomForEachOtherAndThoseOfPeersStay() throws {
    let party = try Party(3, threads: 3, acceptsTCP: true)
    defer { party.stop() }
    let (group, callers) = (party.group, party.callers)
    let connections = try callers.map { _ in try TCPConnection(connectingTo: group.localAddresses[0]) }
    let answersCheck = { (index: Int, transaction: UInt64) in
      try write(check(of: callers[index].answer.setup, transaction: transaction), to: connections[index])
      return try isSuccess(readFrame(from: connections[index]), transaction: transaction)
    }
    for index in callers.indices { #expect(try answersCheck(index, 1)) }
    // One host may have 64 on which nothing is checked; the oldest of them go.
    let strangers = try (0..<70).map { _ in try TCPConnection(connectingTo: group.localAddresses[0]) }
    #expect(waits { strangers.prefix(6).allSatisfy(isEnded) })
    #expect(waits { group.statistics.tcpConnections == 67 })
    #expect(!strangers.suffix(64).contains(where: isEnded))
    for index in callers.indices { #expect(try answersCheck(index, 2)) }
  }

  private func isEnded(_ connection: TCPConnection) -> Bool {
    var byte: [UInt8] = [0]
    var room = byte.mutableSpan
    return connection.read(into: &room) == .closed
  }

  @Test func aSecondServerCannotHaveTheSharedPort() throws {
    let group = try NetworkLoopGroup(bind: [loopback], acceptsTCP: false, threads: 3, seed: 1)
    defer { group.stop() }
    #expect(throws: SocketError.self) { _ = try NetworkLoop(bind: group.localAddresses, acceptsTCP: false, seed: 2) }
    #expect(throws: SocketError.self) {
      _ = try NetworkLoopGroup(bind: group.localAddresses, acceptsTCP: false, threads: 2, seed: 2)
    }
  }

  // MARK: Checks by hand

  /// A binding request to the session that a server has of this answer.
  private func check(of setup: PeerSetup, transaction: UInt64) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 256)
    var span = bytes.mutableSpan
    let room = span.count
    var writer = STUNWriter(
      span._mutatingExtracting(0..<room), type: .bindingRequest, transactionID: STUNTransactionID(high: 7, low: transaction))
    let name = Array("\(setup.localCredentials.ufrag):\(setup.remoteCredentials.ufrag)".utf8)
    writer.username(name.span)
    writer.priority(1_000_000)
    writer.controlling(5)
    let password = Array(setup.localCredentials.password.utf8)
    let count = writer.finish(STUNIntegrityKey(password: password.span)) ?? 0
    return Array(bytes[..<count])
  }

  private func isSuccess(_ datagram: [UInt8], transaction: UInt64) -> Bool {
    guard let message = STUNMessage(datagram.span) else { return false }
    return message.type == .bindingSuccess && message.transactionID == STUNTransactionID(high: 7, low: transaction)
  }

  private func write(_ datagram: [UInt8], to connection: TCPConnection) throws {
    let header = try #require(StreamFraming.header(count: datagram.count))
    let bytes = [header.0, header.1] + datagram
    let isWritten = connection.write(bytes.span)
    #expect(isWritten)
  }

  private func readFrame(from connection: TCPConnection) throws -> [UInt8] {
    let queue = try EventQueue()
    queue.add(connection.descriptor, token: 1, for: .readable)
    var deframer = StreamDeframer()
    var frame: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 2048)
    for _ in 0..<100 where frame.isEmpty {
      connection.flush()
      queue.wait(timeout: .milliseconds(100)) { _, _ in }
      var span = buffer.mutableSpan
      guard case .bytes(let count) = connection.read(into: &span) else { continue }
      try deframer.append(span.span.extracting(0..<count)) { datagram in
        for index in datagram.indices { frame.append(datagram[index]) }
      }
    }
    return frame
  }

  /// Twenty checks from as many addresses: the kernel hands some of them to each thread.
  private func expectsAnswer(toACheckOf setup: PeerSetup, at address: TransportAddress) throws {
    for transaction in 1...20 {
      let socket = try UDPSocket(bind: loopback)
      var arena = PacketArena(capacity: 1 << 12)
      let datagram = check(of: setup, transaction: UInt64(transaction))
      let range = arena.append(capacity: datagram.count) { slot in
        slot.copy(datagram.span, at: 0)
        return datagram.count
      }
      let batch = SendBatch(capacity: 1)
      let receiving = ReceiveBatch()
      var answers = 0
      let isAnswered = waits {
        _ = receiving.receive(from: socket)
        receiving.forEach { datagram, _ in
          var bytes: [UInt8] = []
          for index in datagram.indices { bytes.append(datagram[index]) }
          if isSuccess(bytes, transaction: UInt64(transaction)) { answers += 1 }
        }
        return answers > 0
      } doing: {
        if let range { _ = batch.append(range, to: address) }
        batch.send(from: &arena, over: socket)
      }
      #expect(isAnswered)
    }
  }
}
