import DatagramIO
import Glibc
import ICE
import TestSupport
import Testing
import Timing

private let loopback = TransportAddress(ipv4: 0x7F00_0001, port: 0)

/// A connected pair over loopback.
private func connectedPair() throws -> (client: TCPConnection, server: TCPConnection, listener: TCPListener) {
  let listener = try TCPListener(bind: loopback)
  let client = try TCPConnection(connectingTo: listener.localAddress)
  let queue = try EventQueue()
  queue.add(listener.descriptor, token: 1, for: .readable)
  queue.wait(timeout: .seconds(5)) { _, _ in }
  let server = try #require(listener.accept())
  return (client, server, listener)
}

private func readAll(_ connection: TCPConnection, count: Int) throws -> [UInt8] {
  let queue = try EventQueue()
  queue.add(connection.descriptor, token: 1, for: .readable)
  var received: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65_536)
  while received.count < count, queue.wait(timeout: .seconds(5), { _, _ in }) > 0 {
    var span = buffer.mutableSpan
    guard case .bytes(let length) = connection.read(into: &span) else { break }
    received += buffer.prefix(length)
  }
  return received
}

@Suite struct TCPTests {
  @Test func bytesArriveBothWays() throws {
    let (client, server, listener) = try connectedPair()
    #expect(listener.accept() == nil)
    let hello: [UInt8] = [1, 2, 3, 4]
    let answer: [UInt8] = [9, 8, 7]
    let helloIsTaken = client.write(hello.span)
    #expect(helloIsTaken)
    #expect(try readAll(server, count: 4) == hello)
    let answerIsTaken = server.write(answer.span)
    #expect(answerIsTaken)
    #expect(try readAll(client, count: 3) == answer)
    #expect(client.remoteAddress == listener.localAddress)
    #expect(server.remoteAddress.isLoopback)
    var buffer = [UInt8](repeating: 0, count: 10)
    var span = buffer.mutableSpan
    let result = server.read(into: &span)
    #expect(result == .nothingYet)
  }

  @Test func whatTheKernelDoesNotTakeFollowsLater() throws {
    let (client, server, _) = try connectedPair()
    var random = SeededRandom(seed: 1)
    var written: [UInt8] = []
    while !client.wantsToWrite {
      let chunk = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &random) }
      let accepted = client.write(chunk.span)
      #expect(accepted)
      written += chunk
    }
    var received: [UInt8] = []
    while received.count < written.count {
      let more = try readAll(server, count: min(60_000, written.count - received.count))
      guard !more.isEmpty else { break }
      received += more
      client.flush()
    }
    #expect(received == written)
    #expect(!client.wantsToWrite && !client.isClosed)
  }

  @Test func aPeerThatDoesNotReadLosesItsConnection() throws {
    let (client, server, _) = try connectedPair()
    let chunk = [UInt8](repeating: 5, count: 50_000)
    var writes = 0
    while client.write(chunk.span), writes < 10_000 { writes += 1 }
    #expect(client.isClosed && writes < 10_000)
    let isTaken = client.write(chunk.span)
    #expect(!isTaken && !client.wantsToWrite)
    client.flush()
    var buffer = [UInt8](repeating: 0, count: 10)
    var span = buffer.mutableSpan
    let result = client.read(into: &span)
    #expect(result == .closed)
    #expect(!server.isClosed)
  }

  @Test func theEndOfThePeerIsSeenAndWritingAfterItKillsNobody() throws {
    let (client, server, _) = try connectedPair()
    client.close()
    let queue = try EventQueue()
    queue.add(server.descriptor, token: 1, for: .readable)
    queue.wait(timeout: .seconds(5)) { _, _ in }
    var buffer = [UInt8](repeating: 0, count: 10)
    var span = buffer.mutableSpan
    let result = server.read(into: &span)
    #expect(result == .closed)
    let bytes: [UInt8] = [1]
    let isTaken = server.write(bytes.span)
    #expect(!isTaken)
  }

  @Test func aListenerTellsWantOfDescriptorsFromWantOfConnections() async {
    // In a process of its own: the limit holds for the whole of it.
    await #expect(processExitsWith: .success) {
      let (_, _, listener) = try connectedPair()
      _ = listener.accept()
      try #require(!listener.lacksDescriptors)
      let second = try TCPConnection(connectingTo: listener.localAddress)
      let queue = try EventQueue()
      queue.add(listener.descriptor, token: 1, for: .readable)
      queue.wait(timeout: .seconds(5)) { _, _ in }
      var before = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before)
      var none = rlimit(rlim_cur: 1, rlim_max: before.rlim_max)
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none)
      let refused = listener.accept()
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before)
      try #require(refused == nil && listener.lacksDescriptors)
      let taken = listener.accept()
      try #require(taken != nil && !listener.lacksDescriptors)
      withExtendedLifetime(second) {}
    }
  }

  @Test func aListenersPortInUseIsAClearSentence() throws {
    let listener = try TCPListener(bind: loopback)
    do {
      _ = try TCPListener(bind: listener.localAddress)
      Issue.record("two listeners share a port")
    } catch {
      #expect(error.description.contains("another program uses this port"))
    }
  }
}
