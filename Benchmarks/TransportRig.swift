import Bytes
import DatagramIO
import EncodedMedia
import ICE
import RTP
import RealTime
import SecureTransport
import Synchronization
import Timing
import WebRTCTransport

/// One endpoint on a loopback socket with established peers behind it: what the network thread has, without its thread.
final class TransportRig {
  static let peerCount = 50

  let frames = FrameCounter()
  let socket: UDPSocket
  private var endpoint: Endpoint
  private var outputs = PeerOutputs()
  private let sending = SendBatch(capacity: 1024)
  private let receiving = ReceiveBatch()
  private var clients: [MemoryClient] = []
  private var clientArena = PacketArena(capacity: 1 << 16)
  private let clientBatch = SendBatch(capacity: 64)
  private let drain = ReceiveBatch()
  /// Of what `send` sent.
  private(set) var packetsSent = 0
  private(set) var bytesSent = 0
  private(set) var packetsReceived = 0

  init(_ profile: SRTPProfile) throws {
    let now = MonotonicClock.now()
    socket = try UDPSocket(bind: TransportAddress(ipv4: 0x7F00_0001, port: 0))
    endpoint = Endpoint(wallClockAtZero: WallClock.now() + (.zero - now), seed: 1)
    let (ours, theirs) = (try DTLSCertificate(), try DTLSCertificate())
    for number in 0..<Self.peerCount {
      let client = try MemoryClient(
        number: number, profile: profile, certificate: theirs, server: ours, serverAddress: socket.localAddress,
        endpoint: &endpoint, outputs: &outputs, observer: frames, at: now)
      clients.append(client)
      for kind in MediaKind.allCases {
        endpoint.execute(.subscribe(client.peer, kind, Self.output(kind)), at: now, into: &outputs) { _ in }
      }
    }
  }

  private static func output(_ kind: MediaKind) -> OutputID { OutputID(kind == .audio ? 1 : 2) }

  // MARK: Sending

  /// The whole of what the network thread does with one frame for all peers.
  func send(_ frame: EncodedFrame) {
    let now = MonotonicClock.now()
    endpoint.execute(.send(frame, Self.output(frame.codec.kind)), at: now, into: &outputs) { [self] in flush(&$0) }
    flush(&outputs)
  }

  private func flush(_ outputs: inout PeerOutputs) {
    for transmit in outputs.transmits {
      if sending.isFull { sending.send(from: &outputs.arena, over: socket) }
      _ = sending.append(transmit.range, to: transmit.path.remote)
      bytesSent += transmit.range.count
    }
    packetsSent += outputs.transmits.count
    sending.send(from: &outputs.arena, over: socket)
    outputs.removeSent()
  }

  /// Sends so many datagrams of this size to each peer without making them: what the kernel takes for itself.
  func sendBare(packetsPerPeer: Int, size: Int, from arena: inout PacketArena) {
    arena.removeAll()
    for client in clients {
      for _ in 0..<packetsPerPeer {
        if sending.isFull { sending.send(from: &arena, over: socket) }
        if let range = arena.append(capacity: size, { _ in size }) { _ = sending.append(range, to: client.socket.localAddress) }
      }
    }
    sending.send(from: &arena, over: socket)
  }

  /// Throws away what the clients received.
  func drainClients() {
    for client in clients {
      while drain.receive(from: client.socket) > 0 {}
    }
  }

  // MARK: Receiving

  /// Has every client send a frame to the server's socket.
  func clientsSend(_ frame: PacketizedFrame) {
    let now = MonotonicClock.now()
    for client in clients {
      clientArena.removeAll()
      client.write(frame, at: now, into: &clientArena, clientBatch)
      clientBatch.send(from: &clientArena, over: client.socket)
    }
  }

  /// The whole of what the network thread does with what has come in.
  func receive() {
    let now = MonotonicClock.now()
    while receiving.receive(from: socket) > 0 {
      receiving.forEach { datagram, remote in
        endpoint.receive(&datagram, from: TransportPath(remote: remote), at: now, into: &outputs)
      }
      packetsReceived += receiving.count
      flushAnswers()
    }
    endpoint.handleTimeout(at: now, into: &outputs)
    flushAnswers()
  }

  private func flushAnswers() {
    for transmit in outputs.transmits { _ = sending.append(transmit.range, to: transmit.path.remote) }
    sending.send(from: &outputs.arena, over: socket)
    outputs.removeSent()
  }
}

/// Counts the frames that peers delivered.
final class FrameCounter: PeerObserver {
  private let counted = Atomic<Int>(0)
  var count: Int { counted.load(ordering: .relaxed) }

  func peerDidConnect(_ peer: PeerID) {}
  func peer(_ peer: PeerID, didReceive frame: EncodedFrame, on stream: StreamID) { counted.add(1, ordering: .relaxed) }
  func peer(_ peer: PeerID, needsKeyframeOf output: OutputID) {}
  func peerDidEnd(_ peer: PeerID, _ reason: PeerEndReason) {}
  func peer(_ peer: PeerID, didMeasure statistics: PeerStatistics) {}
}
