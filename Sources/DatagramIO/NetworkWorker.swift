import Bytes
import ICE
import RealTime
import Timing
import WebRTCTransport

/// What the network thread owns: sockets, batches, the endpoint with its peers. Touched by that thread alone.
final class NetworkWorker {
  private struct Port {
    let socket: UDPSocket
    let sending: SendBatch
    let listener: TCPListener?
  }

  private static let wakerToken: UInt64 = 0
  private static let firstPortToken: UInt64 = 1
  private static let firstListenerToken: UInt64 = 1 << 16
  static let firstConnectionToken: UInt64 = 1 << 32
  /// Batches read from one socket before the others have their turn.
  private static let batchesPerTurn = 8

  private let queue: EventQueue
  private let waker: Waker
  private let rest: TurnRest
  private var ports: [Port] = []
  private let receiving = ReceiveBatch()
  private var connections = StreamConnections()
  private var endpoint: Endpoint
  private var outputs = PeerOutputs()
  private var commands: [Endpoint.Command] = []
  private var ready: [UInt64] = []
  private var lastTurn = Instant.zero
  /// Paths whose TCP connections ended; told to the endpoint at the end of the turn.
  private var closedPaths: [TransportPath] = []
  private var counters = NetworkLoop.Counters()
  /// Since they were published.
  private var longestWait = Interval.zero
  /// No sooner are the counters published again.
  private var publishAt = Instant.zero
  /// Whether something changed since they were published, or connections may grow idle.
  private var mustPublish = false

  init(bind addresses: [TransportAddress], acceptsTCP: Bool, waker: Waker, seed: UInt64) throws(SocketError) {
    queue = try EventQueue()
    self.waker = waker
    rest = try TurnRest(waker)
    let now = MonotonicClock.now()
    endpoint = Endpoint(wallClockAtZero: WallClock.now() + (.zero - now), seed: seed)
    queue.add(waker.descriptor, token: Self.wakerToken, for: .readable)
    for address in addresses {
      let (socket, listener) = try Self.open(address, acceptsTCP: acceptsTCP)
      let index = UInt64(ports.count)
      queue.add(socket.descriptor, token: Self.firstPortToken + index, for: .readable)
      if let listener { queue.add(listener.descriptor, token: Self.firstListenerToken + index, for: .readable) }
      ports.append(Port(socket: socket, sending: SendBatch(capacity: 1024), listener: listener))
    }
  }

  /// A number the kernel chose for UDP may be somebody else's for TCP: then another is asked for.
  private static let choicesMax = 8

  private static func open(_ address: TransportAddress, acceptsTCP: Bool) throws(SocketError) -> (UDPSocket, TCPListener?) {
    for _ in 1..<(address.port == 0 ? choicesMax : 1) {
      let socket = try UDPSocket(bind: address)
      guard acceptsTCP else { return (socket, nil) }
      if let listener = try? TCPListener(bind: socket.localAddress) { return (socket, listener) }
    }
    let socket = try UDPSocket(bind: address)
    return (socket, acceptsTCP ? try TCPListener(bind: socket.localAddress) : nil)
  }

  var localAddresses: [TransportAddress] { ports.map(\.socket.localAddress) }

  func run(for loop: NetworkLoop) {
    while turn(for: loop) {}
    endpoint.removeAll(at: MonotonicClock.now(), into: &outputs) { outputs in flush(&outputs) }
    flush(&outputs)
    for connection in connections.all { connection.stream.close() }
  }

  /// One turn of the loop; false where it was the last.
  ///
  /// Where packets of hundreds of peers come one by one, waking for each would cost more than handling it: see `TurnRest`.
  private func turn(for loop: NetworkLoop) -> Bool {
    var timeout: Interval?
    rest.afterTurn(at: lastTurn, lastPicture: endpoint.lastPicture)
    if let deadline = nextDeadline { timeout = max(.zero, deadline - MonotonicClock.now()) }
    ready.removeAll(keepingCapacity: true)
    queue.wait(timeout: timeout) { token, _ in ready.append(token) }
    let now = MonotonicClock.now()
    lastTurn = now
    for token in ready {
      switch token {
      case Self.wakerToken: waker.clear()
      case Self.firstPortToken..<Self.firstListenerToken: receive(Int(token - Self.firstPortToken), at: now)
      case Self.firstListenerToken..<Self.firstConnectionToken: accept(Int(token - Self.firstListenerToken), at: now)
      default: readStream(token, at: now)
      }
    }
    let (since, goesOn) = loop.collect(&commands)
    let hasCommands = !commands.isEmpty
    for command in commands {
      endpoint.execute(command, at: now, into: &outputs) { outputs in flush(&outputs) }
    }
    commands.removeAll(keepingCapacity: true)
    for path in closedPaths { endpoint.pathClosed(path, at: now, into: &outputs) }
    closedPaths.removeAll(keepingCapacity: true)
    endpoint.handleTimeout(at: now, into: &outputs) { outputs in flush(&outputs) }
    flush(&outputs)
    if hasCommands { note(wait: MonotonicClock.now() - since) }
    publish(to: loop, at: now)
    return goesOn
  }

  private func note(wait: Interval) {
    counters.punctuality.note(wait)
    longestWait = max(longestWait, wait)
  }

  private var nextDeadline: Instant? {
    guard mustPublish else { return endpoint.nextDeadline }
    return endpoint.nextDeadline.map { min($0, publishAt) } ?? publishAt
  }

  private func receive(_ index: Int, at now: Instant) {
    guard index < ports.count else { return }
    for _ in 0..<Self.batchesPerTurn {
      let count = receiving.receive(from: ports[index].socket)
      guard count > 0 else { return }
      counters.datagramsReceived &+= UInt64(count)
      let socket = UInt32(truncatingIfNeeded: index)
      receiving.forEach { datagram, remote in
        let path = TransportPath(transport: .udp, socket: socket, remote: remote)
        endpoint.receive(&datagram, from: path, at: now, into: &outputs)
      } expect: { remote, isNear in
        endpoint.expect(from: TransportPath(transport: .udp, socket: socket, remote: remote), isNear: isNear)
      }
      // A full batch of answers or repairs may stand in the outputs by now.
      flush(&outputs)
      if count < ReceiveBatch.capacity { return }
    }
  }

  // MARK: TCP

  private func accept(_ index: Int, at now: Instant) {
    guard index < ports.count, let listener = ports[index].listener else { return }
    while let stream = listener.accept() {
      guard let token = connections.add(stream, at: now) else { continue }
      queue.add(stream.descriptor, token: token, for: .readable)
    }
  }

  private func readStream(_ token: UInt64, at now: Instant) {
    connections.read(token, at: now) { datagram, path in
      counters.datagramsReceived &+= 1
      endpoint.receive(&datagram, from: path, at: now, into: &outputs)
    }
    updateInterest(token)
  }

  /// Watches for writability only while something waits to be written, and lets go of what is closed.
  private func updateInterest(_ token: UInt64) {
    guard let connection = connections[token] else { return }
    if connection.stream.isClosed {
      queue.remove(connection.stream.descriptor)
      connections.remove(token)
      closedPaths.append(connection.path)
    } else {
      queue.change(
        connection.stream.descriptor, token: token, for: connection.stream.wantsToWrite ? [.readable, .writable] : .readable)
    }
  }

  // MARK: Sending

  private func flush(_ outputs: inout PeerOutputs) {
    guard !outputs.transmits.isEmpty else { return outputs.removeSent() }
    for transmit in outputs.transmits {
      switch transmit.path.transport {
      case .udp:
        let index = Int(transmit.path.socket)
        guard index < ports.count else { continue }
        if ports[index].sending.isFull { ports[index].sending.send(from: &outputs.arena, over: ports[index].socket) }
        _ = ports[index].sending.append(transmit.range, to: transmit.path.remote)
      case .tcp:
        let token = Self.firstConnectionToken + UInt64(transmit.path.socket)
        connections.write(outputs.arena.packet(transmit.range), to: token)
        updateInterest(token)
      }
    }
    counters.datagramsSent &+= UInt64(outputs.transmits.count)
    for port in ports where port.sending.count > 0 { port.sending.send(from: &outputs.arena, over: port.socket) }
    outputs.removeSent()
  }

  private func publish(to loop: NetworkLoop, at now: Instant) {
    mustPublish = now < publishAt
    if mustPublish { return }
    publishAt = now + .milliseconds(500)
    connections.closeIdle(at: now)
    counters.datagramsDropped = ports.reduce(0) { $0 + UInt64($1.sending.dropped) }
    counters.datagramsStray = endpoint.strayDatagrams
    counters.peers = endpoint.peerCount
    counters.tcpConnections = connections.count
    if longestWait > .zero { counters.longestWait = longestWait }
    longestWait = .zero
    loop.publish(counters)
    mustPublish = connections.count > 0
  }
}
