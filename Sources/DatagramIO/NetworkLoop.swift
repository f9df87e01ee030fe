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
/// The clock is read once a turn. Commands are bounded: frames to be sent are dropped and counted when the loop is that far behind,
/// everything else is kept.
public final class NetworkLoop: PeerTransport {
  /// Counters since the start.
  public struct Counters: Sendable {
    public var datagramsReceived: UInt64 = 0
    public var datagramsSent: UInt64 = 0
    /// For want of room in the kernel's buffers.
    public var datagramsDropped: UInt64 = 0
    /// Datagrams no peer was meant by.
    public var datagramsStray: UInt64 = 0
    public var framesDropped: UInt64 = 0
    public var peers: Int = 0
    public var tcpConnections: Int = 0
    public var punctuality = SendingPunctuality()
    /// The longest that something waited until it was sent, in the last half second in which anything did.
    public var longestWait = Interval.zero
  }

  private struct Mail {
    var commands: [Endpoint.Command] = []
    /// When the first of them was posted.
    var since = Instant.zero
    var framesDropped: UInt64 = 0
    var isStopping = false

    /// - Returns: whether it is the first.
    mutating func add(_ command: Endpoint.Command) -> Bool {
      if commands.isEmpty { since = MonotonicClock.now() }
      commands.append(command)
      return commands.count == 1
    }
  }

  /// Frames that may wait for the loop: a tenth of a second of five hundred rooms.
  private static let framesWaitingMax = 8192

  private let mail = Mutex(Mail())
  private let waker: Waker
  private let counters = Mutex(Counters())
  /// Where peers reach us.
  public let localAddresses: [TransportAddress]

  /// Opens the sockets and starts the thread.
  ///
  /// - Parameters:
  ///   - addresses: to be bound for UDP, and for ICE-TCP where `acceptsTCP`; port 0 has the kernel choose.
  /// - Throws: a sentence that says which address cannot be had and why.
  public init(bind addresses: [TransportAddress], acceptsTCP: Bool, seed: UInt64) throws(SocketError) {
    waker = try Waker()
    let worker = try NetworkWorker(bind: addresses, acceptsTCP: acceptsTCP, waker: waker, seed: seed)
    localAddresses = worker.localAddresses
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
    copy.framesDropped = mail.withLock { $0.framesDropped }
    return copy
  }

  // MARK: PeerTransport

  public func add(_ peer: PeerID, _ setup: PeerSetup, observer: any PeerObserver) { post(.add(peer, setup, observer)) }
  public func update(_ peer: PeerID, _ setup: PeerSetup) { post(.update(peer, setup)) }
  public func remove(_ peer: PeerID) { post(.remove(peer)) }
  public func subscribe(_ peer: PeerID, _ kind: MediaKind, to output: OutputID?) { post(.subscribe(peer, kind, output)) }
  public func subscribe(_ peer: PeerID, to ladder: VideoLadder) { post(.subscribeToLadder(peer, ladder)) }
  public func requestKeyframe(_ peer: PeerID, _ stream: StreamID) { post(.requestKeyframe(peer, stream)) }

  public func send(_ frame: EncodedFrame, to output: OutputID) {
    let wakes = mail.withLock { mail in
      guard mail.commands.count < Self.framesWaitingMax else {
        mail.framesDropped &+= 1
        return false
      }
      return mail.add(.send(frame, output))
    }
    if wakes { waker.wake() }
  }

  private func post(_ command: Endpoint.Command) {
    if mail.withLock({ $0.add(command) }) { waker.wake() }
  }

  public var punctuality: SendingPunctuality { counters.withLock { $0.punctuality } }

  // MARK: For the thread

  /// Takes what was posted.
  ///
  /// - Returns: when the first of it was, and whether the loop goes on.
  func collect(_ commands: inout [Endpoint.Command]) -> (since: Instant, goesOn: Bool) {
    commands.removeAll(keepingCapacity: true)
    return mail.withLock { mail in
      swap(&mail.commands, &commands)
      return (mail.since, !mail.isStopping)
    }
  }

  func publish(_ new: Counters) { counters.withLock { $0 = new } }
}

/// Takes the worker to its thread, which is the only one that touches it from then on.
private final class WorkerHandover: @unchecked Sendable {
  let worker: NetworkWorker
  init(_ worker: NetworkWorker) { self.worker = worker }
}
