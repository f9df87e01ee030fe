import Bytes
import DatagramIO
import EncodedMedia
import ICE
import RTP
import RealTime
import SDP
import SecureTransport
import Synchronization
import Timing
import WebRTCTransport

/// A client of the server: ICE's controlling side, DTLS's active one, on a socket of its own.
final class ServerClient: @unchecked Sendable {
  // Unchecked: what changes is behind the lock.

  /// For the thread that waits for its datagrams.
  let descriptor: Int32
  private let number: Int
  private let state: Mutex<State>
  private let delivery: MixingProcess.Delivery

  private struct State: ~Copyable {
    let socket: UDPSocket
    var session: PeerSession
    var outputs = PeerOutputs()
    var packetizer = VP8Packetizer(payloadSizeMax: 1124)
    var events: [PeerEvent] = []
    let sending = SendBatch(capacity: 512)
    let receiving = ReceiveBatch()

    mutating func flush() {
      for transmit in outputs.transmits { _ = sending.append(transmit.range, to: transmit.path.remote) }
      sending.send(from: &outputs.arena, over: socket)
      swap(&events, &outputs.events)
      outputs.removeAll()
    }
  }

  /// Posts its offer to the server.
  init(
    number: Int, path: String, direction: MediaDirection, kinds: [MediaKind] = MediaKind.allCases, port: UInt16,
    certificate: DTLSCertificate,
    delivery: @escaping MixingProcess.Delivery
  ) throws {
    let socket = try UDPSocket(bind: TransportAddress(ipv4: LocalPort.host, port: 0))
    var random = SystemRandomNumberGenerator()
    var offerer = PeerOfferer(certificate: certificate, candidates: [.host(socket.localAddress)], using: &random)
    let lines = kinds.map { PeerOfferer.Line($0, sends: direction.sends, receives: direction.receives) }
    let answer = try LocalHTTP.post(offerer.offer(lines), to: path, port: port)
    let now = MonotonicClock.now()
    let session = try PeerSession(
      try offerer.apply(answer: answer), wallClockAtZero: WallClock.now() + (.zero - now),
      seed: UInt64(number + 1), at: now)
    state = Mutex(State(socket: socket, session: session))
    descriptor = socket.descriptor
    self.number = number
    self.delivery = delivery
  }

  var isConnected: Bool { state.withLock { $0.session.isConnected } }

  func send(_ frame: EncodedFrame) {
    state.withLock { state in
      let packetized = frame.codec == .vp8 ? state.packetizer.packetize(frame) : AudioPacketizer.packetize(frame)
      state.session.send(packetized, at: MonotonicClock.now(), into: &state.outputs)
      state.flush()
    }
  }

  /// Takes what has come and does what is due.
  func advance() {
    let now = MonotonicClock.now()
    let events = state.withLock { state in
      var events: [PeerEvent] = []
      while state.receiving.receive(from: state.socket) > 0 {
        state.receiving.forEach { datagram, remote in
          state.session.receive(&datagram, from: TransportPath(remote: remote), at: now, into: &state.outputs)
        }
        state.flush()
        events += state.events
        state.events.removeAll(keepingCapacity: true)
      }
      state.session.handleTimeout(at: now, into: &state.outputs)
      state.flush()
      events += state.events
      state.events.removeAll(keepingCapacity: true)
      return events
    }
    for case .frame(let frame, _) in events { delivery(number, frame, now) }
  }

  func close() {
    state.withLock { state in
      state.session.close(at: MonotonicClock.now(), into: &state.outputs)
      state.flush()
    }
  }
}
