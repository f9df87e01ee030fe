import Bytes
import EncodedMedia
import ICE
import RealTime
import Synchronization
import Timing
import WebRTCTransport

/// One thread that owns the sockets and all peers behind them.
///
///     any thread ─commands─▶ mailbox ─wake─▶ ┌─ loop ────────────────────────────────────────┐
///                                            │ wait ▶ commands ▶ recvmmsg ▶ deadlines ▶ send │
///     PeerObserver ◀─frames, events───────── └───────────────────────────────────────────────┘
///
/// The clock is read once a turn for commands and once for packets.
public final class NetworkLoop: PeerTransport {
  /// Counters since the start.
  public struct Counters: Sendable {
    public var datagramsReceived: UInt64 = 0
    public var datagramsSent: UInt64 = 0
    /// For want of room in the kernel's buffers.
    public var datagramsDropped: UInt64 = 0
    /// Datagrams no peer was meant by.
    public var datagramsStray: UInt64 = 0
    /// Datagrams that came in by another loop of the port than their peer's.
    public var datagramsHandedOver: UInt64 = 0
    public var framesDropped: UInt64 = 0
    public var peers: Int = 0
    public var tcpConnections: Int = 0
    public var punctuality = SendingPunctuality()
    /// The longest that something waited until it was sent, in the last half second in which anything did.
    public var longestWait = Interval.zero

    /// Those of another loop as well.
    mutating func add(_ other: Counters) {
      datagramsReceived &+= other.datagramsReceived
      datagramsSent &+= other.datagramsSent
      datagramsDropped &+= other.datagramsDropped
      datagramsStray &+= other.datagramsStray
      datagramsHandedOver &+= other.datagramsHandedOver
      framesDropped &+= other.framesDropped
      peers += other.peers
      tcpConnections += other.tcpConnections
      punctuality.add(other.punctuality)
      longestWait = max(longestWait, other.longestWait)
    }
  }

  private struct Mail {
    var commands = CommandMailbox()
    var isStopping = false
    /// What other loops of the port read and this one is meant by.
    var datagrams = HandedDatagrams()
    var connections: [StreamConnections.Moved] = []
  }

  private let mail = Mutex(Mail())
  private let waker: Waker
  /// Rung when datagrams are handed over: unlike the first it does not end the rest between turns.
  private let datagramWaker: Waker
  private let counters = Mutex(Counters())
  /// Where peers reach us.
  public let localAddresses: [TransportAddress]

  /// Opens the sockets and starts the thread.
  ///
  /// - Parameters:
  ///   - addresses: to be bound for UDP, and for ICE-TCP where `acceptsTCP`; port 0 has the kernel choose.
  /// - Throws: a sentence that says which address cannot be had and why.
  public convenience init(bind addresses: [TransportAddress], acceptsTCP: Bool, seed: UInt64) throws(SocketError) {
    try self.init(MediaPort.open(addresses, acceptsTCP: acceptsTCP, loops: 1)[0], place: nil, seed: seed)
  }

  /// - Parameter place: among loops that share the ports; nil for one that has them for itself.
  init(_ ports: [MediaPort], place: LoopPlace?, seed: UInt64) throws(SocketError) {
    waker = try Waker()
    datagramWaker = try Waker()
    let worker = try NetworkWorker(ports, wakers: (waker, datagramWaker), place: place, seed: seed)
    localAddresses = ports.map(\.socket.localAddress)
    let handover = WorkerHandover(worker)
    // What is mixed in time is of no use if it is sent late, whoever else wants the processor.
    MediaThread.start(name: "network", priority: .raised) { [self] in handover.worker.run(for: self) }
  }

  /// Ends the thread and closes the sockets; peers are told first.
  public func stop() {
    mail.withLock { $0.isStopping = true }
    waker.wake()
  }

  public var statistics: Counters {
    var copy = counters.withLock { $0 }
    copy.framesDropped = mail.withLock { $0.commands.framesDropped }
    return copy
  }

  // MARK: PeerTransport

  public func add(_ peer: PeerID, _ setup: PeerSetup, observer: any PeerObserver) { post(.add(peer, setup, observer)) }
  public func update(_ peer: PeerID, _ setup: PeerSetup) { post(.update(peer, setup)) }
  public func remove(_ peer: PeerID) { post(.remove(peer)) }
  public func subscribe(_ peer: PeerID, _ kind: MediaKind, to output: OutputID?) { post(.subscribe(peer, kind, output)) }
  public func subscribe(_ peer: PeerID, to ladder: VideoLadder) { post(.subscribeToLadder(peer, ladder)) }
  public func requestKeyframe(_ peer: PeerID, _ stream: StreamID) { post(.requestKeyframe(peer, stream)) }
  public func want(_ peer: PeerID, _ stream: StreamID, temporalLayers: UInt8) {
    post(.want(peer, stream, temporalLayers: temporalLayers))
  }

  public func send(_ frame: EncodedFrame, to output: OutputID) {
    if mail.withLock({ $0.commands.post(frame, to: output) }) { waker.wake() }
  }

  private func post(_ command: Endpoint.Command) {
    if mail.withLock({ $0.commands.post(command) }) { waker.wake() }
  }

  // MARK: For other loops of the port

  /// Takes a datagram that this loop is meant by; false where it is too far behind.
  func take(_ datagram: Span<UInt8>, from path: TransportPath) -> Bool {
    let (isTaken, isFirst) = mail.withLock { mail in
      let isFirst = mail.datagrams.isEmpty
      return (mail.datagrams.append(datagram, from: path), isFirst)
    }
    if isTaken, isFirst { datagramWaker.wake() }
    return isTaken
  }

  /// Takes a connection whose peer is here.
  func take(_ moved: StreamConnections.Moved) {
    mail.withLock { $0.connections.append(moved) }
    datagramWaker.wake()
  }

  /// Asks for a path that a peer here has, and may hold no more.
  func yield(_ path: TransportPath) { post(.yield(path)) }

  public var punctuality: SendingPunctuality { counters.withLock { $0.punctuality } }

  // MARK: For the thread

  /// Takes what was posted.
  ///
  /// - Returns: when the first of it was, and whether the loop goes on.
  func collect(_ commands: inout [Endpoint.Command]) -> (since: Instant, goesOn: Bool) {
    commands.removeAll(keepingCapacity: true)
    return mail.withLock { mail in (mail.commands.collect(&commands), !mail.isStopping) }
  }

  /// Takes what other loops handed over, in place of `datagrams`, which are all done with.
  func collect(_ datagrams: inout HandedDatagrams) -> [StreamConnections.Moved] {
    mail.withLock { mail in
      swap(&mail.datagrams, &datagrams)
      defer { mail.connections.removeAll() }
      return mail.connections
    }
  }

  func publish(_ new: Counters) { counters.withLock { $0 = new } }
}

/// Takes the worker to its thread, which is the only one that touches it from then on.
private final class WorkerHandover: @unchecked Sendable {
  let worker: NetworkWorker
  init(_ worker: NetworkWorker) { self.worker = worker }
}
