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
  private static let datagramWakerToken = UInt64.max
  private static let firstPortToken: UInt64 = 1
  private static let firstListenerToken: UInt64 = 1 << 16
  static let firstConnectionToken: UInt64 = 1 << 32
  /// Batches read from one socket before the others have their turn.
  private static let batchesPerTurn = 8
  /// Where the process has no descriptors left, new connections wait for so long.
  private static let listeningPause = Interval.seconds(1)

  private let queue: EventQueue
  private let waker: Waker
  private let datagramWaker: Waker
  /// Among the loops that share the ports; nil where none does.
  private let place: LoopPlace?
  private let rest: TurnRest
  private var ports: [Port] = []
  private let receiving = ReceiveBatch()
  private var connections = StreamConnections()
  private var endpoint: Endpoint
  private var outputs = PeerOutputs()
  private var commands: [Endpoint.Command] = []
  private var handed = HandedDatagrams()
  private var ready: [UInt64] = []
  private var lastTurn = Instant.zero
  /// Paths whose TCP connections ended; told to the endpoint at the end of the turn.
  private var closedPaths: [TransportPath] = []
  private var counters = NetworkLoop.Counters()
  /// Of the endpoint's stray datagrams those another loop was meant by.
  private var strayHandedOver: UInt64 = 0
  /// For want of room at the other loop.
  private var handedLost: UInt64 = 0
  /// Since they were published.
  private var longestWait = Interval.zero
  /// No sooner are the counters published again.
  private var publishAt = Instant.zero
  /// Whether something changed since they were published, or connections may grow idle.
  private var mustPublish = false
  /// When listeners that found no descriptors left are watched again; nil while all are.
  private var listenAgainAt: Instant?

  /// - Parameters:
  ///   - wakers: rung for commands, and for what other loops hand over.
  ///   - place: among the loops that share the ports; nil where none does.
  init(
    _ media: [MediaPort], wakers: (commands: Waker, datagrams: Waker), place: LoopPlace?, seed: UInt64
  ) throws(SocketError) {
    queue = try EventQueue()
    (waker, datagramWaker) = wakers
    self.place = place
    rest = try TurnRest(waker)
    let now = MonotonicClock.now()
    endpoint = Endpoint(wallClockAtZero: WallClock.now() + (.zero - now), seed: seed, registry: place)
    queue.add(waker.descriptor, token: Self.wakerToken, for: .readable)
    queue.add(datagramWaker.descriptor, token: Self.datagramWakerToken, for: .readable)
    for (index, port) in media.enumerated() {
      queue.add(port.socket.descriptor, token: Self.firstPortToken + UInt64(index), for: .readable)
      if let listener = port.listener {
        queue.add(listener.descriptor, token: Self.firstListenerToken + UInt64(index), for: .readable)
      }
      ports.append(Port(socket: port.socket, sending: SendBatch(capacity: 1024), listener: port.listener))
    }
  }

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
    lastTurn = MonotonicClock.now()
    if ready.contains(Self.wakerToken) { waker.clear() }
    if ready.contains(Self.datagramWakerToken) { datagramWaker.clear() }
    let goesOn = executeCommands(of: loop)
    let now = MonotonicClock.now()
    receiveReady(at: now)
    listenAgain(at: now)
    if place != nil { receiveHanded(from: loop, at: now) }
    for path in closedPaths { endpoint.pathClosed(path, at: now, into: &outputs) }
    closedPaths.removeAll(keepingCapacity: true)
    endpoint.handleTimeout(at: now, into: &outputs) { outputs in flush(&outputs) }
    flush(&outputs)
    publish(to: loop, at: now)
    return goesOn
  }

  /// Before anything is received: a peer has been added when his first check is read.
  ///
  /// - Returns: whether the loop goes on.
  private func executeCommands(of loop: NetworkLoop) -> Bool {
    let (since, goesOn) = loop.collect(&commands)
    guard !commands.isEmpty else { return goesOn }
    for command in commands {
      endpoint.execute(command, at: lastTurn, into: &outputs) { outputs in flush(&outputs) }
    }
    commands.removeAll(keepingCapacity: true)
    flush(&outputs)
    note(wait: MonotonicClock.now() - since)
    return goesOn
  }

  private func receiveReady(at now: Instant) {
    for token in ready {
      switch token {
      case Self.wakerToken, Self.datagramWakerToken: break
      case Self.firstPortToken..<Self.firstListenerToken: receive(Int(token - Self.firstPortToken), at: now)
      case Self.firstListenerToken..<Self.firstConnectionToken: accept(Int(token - Self.firstListenerToken), at: now)
      default: readStream(token, at: now)
      }
    }
  }

  private func note(wait: Interval) {
    counters.punctuality.note(wait)
    longestWait = max(longestWait, wait)
  }

  private var nextDeadline: Instant? {
    var earliest = endpoint.nextDeadline
    if mustPublish { earliest = min(earliest ?? publishAt, publishAt) }
    if let listenAgainAt { earliest = min(earliest ?? listenAgainAt, listenAgainAt) }
    return earliest
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
        let isTaken = endpoint.receive(&datagram, from: path, at: now, into: &outputs)
        if !isTaken { handOver(datagram.span, from: path) }
      } expect: { remote, distance in
        endpoint.expect(from: TransportPath(transport: .udp, socket: socket, remote: remote), distance)
      }
      // A full batch of answers or repairs may stand in the outputs by now.
      flush(&outputs)
      if count < ReceiveBatch.capacity { return }
    }
  }

  // MARK: Loops that share the ports

  /// Hands a datagram no peer here was meant by to the loop that has its peer.
  private func handOver(_ datagram: Span<UInt8>, from path: TransportPath) {
    guard let other = place?.loop(for: datagram, from: path) else { return }
    strayHandedOver &+= 1
    if !other.take(datagram, from: path) { handedLost &+= 1 }
  }

  private func receiveHanded(from loop: NetworkLoop, at now: Instant) {
    var connections = loop.collect(&handed)
    handed.removeAll { datagram, path in
      endpoint.receive(&datagram, from: path, at: now, into: &outputs)
      counters.datagramsHandedOver &+= 1
    }
    for index in connections.indices { adopt(&connections[index], at: now) }
    flush(&outputs)
  }

  /// Takes a connection that another loop accepted, and what that read of it.
  private func adopt(_ moved: inout StreamConnections.Moved, at now: Instant) {
    guard let token = connections.add(moved, at: now), let connection = connections[token] else { return }
    queue.add(connection.stream.descriptor, token: token, for: .readable)
    moved.datagrams.removeAll { datagram, _ in
      endpoint.receive(&datagram, from: connection.path, at: now, into: &outputs)
    }
    admit(token)
    updateInterest(token)
  }

  // MARK: TCP

  private func accept(_ index: Int, at now: Instant) {
    guard index < ports.count, let listener = ports[index].listener else { return }
    while let stream = listener.accept() {
      guard let token = connections.add(stream, at: now) else { continue }
      queue.add(stream.descriptor, token: token, for: .readable)
    }
    guard listener.lacksDescriptors else { return }
    // It would be ready in each turn, and nothing to be done.
    queue.remove(listener.descriptor)
    listenAgainAt = now + Self.listeningPause
  }

  /// Watches the listeners again for which there were no descriptors; the queue refuses those that are watched anyway.
  private func listenAgain(at now: Instant) {
    guard let due = listenAgainAt, now >= due else { return }
    listenAgainAt = nil
    for (index, port) in ports.enumerated() {
      guard let listener = port.listener else { continue }
      queue.add(listener.descriptor, token: Self.firstListenerToken + UInt64(index), for: .readable)
    }
  }

  /// Lets a connection stay once its path is a peer's.
  private func admit(_ token: UInt64) {
    guard let connection = connections[token], !connection.isPeers, endpoint.isKnown(connection.path) else { return }
    connections.admit(token)
  }

  private func readStream(_ token: UInt64, at now: Instant) {
    var elsewhere: NetworkLoop?
    var datagrams = HandedDatagrams()
    connections.read(token, at: now) { datagram, path in
      counters.datagramsReceived &+= 1
      if elsewhere == nil, !endpoint.receive(&datagram, from: path, at: now, into: &outputs) {
        elsewhere = place?.loop(for: datagram.span, from: path)
        if elsewhere != nil { strayHandedOver &+= 1 }
      }
      if elsewhere != nil { _ = datagrams.append(datagram.span, from: path) }
    }
    guard let elsewhere, let connection = connections[token], !connection.stream.isClosed else {
      admit(token)
      return updateInterest(token)
    }
    queue.remove(connection.stream.descriptor)
    guard var moved = connections.move(token) else { return }
    moved.datagrams = datagrams
    elsewhere.take(moved)
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
    counters.datagramsDropped = ports.reduce(handedLost) { $0 + UInt64($1.sending.dropped) }
    counters.datagramsStray = endpoint.strayDatagrams &- strayHandedOver
    counters.peers = endpoint.peerCount
    counters.tcpConnections = connections.count
    if longestWait > .zero { counters.longestWait = longestWait }
    longestWait = .zero
    loop.publish(counters)
    mustPublish = connections.count > 0
  }
}
