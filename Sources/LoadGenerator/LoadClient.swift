import Bytes
import DatagramIO
import EncodedMedia
import ICE
import RealTime
import SecureTransport
import Synchronization
import Timing
import WebRTCTransport

/// One client of a server: ICE's controlling side, DTLS's active one, on a socket of its own.
///
///     join ─offer─▶ HTTP ─answer─▶ PeerSession ◀─datagrams─▶ ClientLoop calls advance
package final class LoadClient: @unchecked Sendable {
  // Unchecked: what changes is behind the lock.

  /// What came, when: called on the loop's thread.
  package typealias Delivery = @Sendable (_ client: Int, _ frame: EncodedFrame, _ arrived: Instant) -> Void

  package struct Options: Sendable {
    package var name = ""
    /// The last part of the path and its query: `participants`, `whip`, `whep?output=low` …
    package var path = "participants"
    package var sends = true
    package var receives = true
    package var kinds = MediaKind.allCases
    /// Whether it takes H.264 as well as VP8, which it sends.
    package var takesH264 = false
    /// Share of what comes that is thrown away, 0 to 1, as a bad line would.
    package var lossShare = 0.0
    /// How often to ask for keyframes nobody needs, in a second.
    package var keyframeRequestsPerSecond = 0
    package init() {}
  }

  package let number: Int
  /// For the loop that waits for its datagrams.
  let descriptor: Int32
  private let options: Options
  private let state: Mutex<State>
  private let delivery: Delivery?
  private let address: String
  /// When `advance` is to be called even where nothing comes, in nanoseconds.
  private let deadline = Atomic<Int64>(0)

  private struct State: ~Copyable {
    let socket: UDPSocket
    var session: PeerSession
    var outputs = PeerOutputs()
    var packetizers: [MediaKind: OutputPacketizer] = [:]
    var events: [PeerEvent] = []
    let sending = SendBatch(capacity: 64)
    let receiving = ReceiveBatch()
    var random: SeededRandom
    var measures: ClientMeasures
    var wantsKeyframe = false
    var nextKeyframeRequest = Instant.zero
    var videoStream: StreamID?

    mutating func flush() {
      for transmit in outputs.transmits { _ = sending.append(transmit.range, to: transmit.path.remote) }
      sending.send(from: &outputs.arena, over: socket)
      swap(&events, &outputs.events)
      outputs.removeAll()
    }
  }

  /// Posts its offer to the server.
  ///
  /// - Throws: what the server said where it refused.
  package convenience init(
    number: Int, address: RoomAddress, options: Options, local: TransportAddress, certificate: DTLSCertificate,
    token: String? = nil, delivery: Delivery? = nil
  ) throws {
    try self.init(
      number: number, address: address, options: options, local: local, certificate: certificate,
      http: HTTPClient(token: token), delivery: delivery)
  }

  init(
    number: Int, address: RoomAddress, options: Options, local: TransportAddress, certificate: DTLSCertificate,
    http: HTTPClient, delivery: Delivery?
  ) throws {
    let asked = MonotonicClock.now()
    let socket = try UDPSocket(bind: local, bufferBytes: 1 << 19)
    var random = SystemRandomNumberGenerator()
    var offerer = PeerOfferer(
      certificate: certificate, candidates: [.host(socket.localAddress)],
      capabilities: options.takesH264 ? .clientWithH264 : .client, using: &random)
    let offer = offerer.offer(options.kinds.map { .init($0, sends: options.sends, receives: options.receives) })
    let url = "\(address.origin)/rooms/\(address.room)/\(options.path)"
    let response = try http.request("POST", url, type: "application/sdp", body: offer)
    guard response.status == 201 else { throw LoadError("\(url) answered \(response.status): \(response.body.prefix(500))") }
    let now = MonotonicClock.now()
    let wallClockAtZero = WallClock.now() + (.zero - now)
    let session = try PeerSession(
      try offerer.apply(answer: response.body), wallClockAtZero: wallClockAtZero, seed: UInt64(number + 1), at: now)
    state = Mutex(
      State(
        socket: socket, session: session, random: SeededRandom(seed: UInt64(number)),
        measures: ClientMeasures(asked: asked, wallClockAtZero: wallClockAtZero)))
    descriptor = socket.descriptor
    self.address = address.origin + (response.location ?? "")
    self.number = number
    self.options = options
    self.delivery = delivery
  }

  package var isConnected: Bool { state.withLock { $0.session.isConnected } }
  package var measures: ClientMeasures {
    state.withLock { state in
      var measures = state.measures
      measures.transport = state.session.statistics
      return measures
    }
  }

  /// Whether a keyframe of what it sends was asked for since this was asked last.
  func takeKeyframeRequest() -> Bool {
    state.withLock { state in
      defer { state.wantsKeyframe = false }
      return state.wantsKeyframe
    }
  }

  package func send(_ frame: EncodedFrame) {
    state.withLock { state in
      guard state.session.isConnected else { return }
      let packetized = state.packetizers[frame.codec.kind, default: OutputPacketizer()].packetize(frame)
      state.session.send(packetized, at: MonotonicClock.now(), into: &state.outputs)
      state.flush()
    }
  }

  /// Whether something is due though nothing came.
  func isDue(at now: Instant) -> Bool { deadline.load(ordering: .relaxed) <= now.nanoseconds }

  /// Takes what has come and does what is due.
  func advance() {
    let now = MonotonicClock.now()
    let frames = state.withLock { state in
      var frames: [EncodedFrame] = []
      var count: Int
      repeat {
        count = state.receiving.receive(from: state.socket)
        receive(&state, at: now)
      } while count == ReceiveBatch.capacity
      if isDue(at: now) { state.session.handleTimeout(at: now, into: &state.outputs) }
      take(&state, into: &frames)
      if options.keyframeRequestsPerSecond > 0 { askForKeyframe(&state, at: now) }
      if state.measures.connected == nil, state.session.isConnected { state.measures.connected = now }
      deadline.store(min(state.session.nextDeadline ?? now, now + .milliseconds(500)).nanoseconds, ordering: .relaxed)
      for frame in frames { state.measures.take(frame, at: now) }
      return frames
    }
    guard let delivery else { return }
    for frame in frames { delivery(number, frame, now) }
  }

  private func receive(_ state: inout State, at now: Instant) {
    let loss = options.lossShare
    state.receiving.forEach { datagram, remote in
      // Only media is lost: a connection that never comes about is another test.
      if loss > 0, datagram.count > 0, 128...191 ~= datagram[0], Double.random(in: 0..<1, using: &state.random) < loss {
        return
      }
      state.session.receive(&datagram, from: TransportPath(remote: remote), at: now, into: &state.outputs)
    }
  }

  private func take(_ state: inout State, into frames: inout [EncodedFrame]) {
    state.flush()
    for event in state.events {
      switch event {
      case .frame(let frame, let stream):
        if stream.kind == .video { state.videoStream = stream }
        frames.append(frame)
      case .keyframeNeeded: state.wantsKeyframe = true
      case .ended: state.measures.hasEnded = true
      default: break
      }
    }
    state.events.removeAll(keepingCapacity: true)
  }

  private func askForKeyframe(_ state: inout State, at now: Instant) {
    guard let stream = state.videoStream, now >= state.nextKeyframeRequest else { return }
    state.nextKeyframeRequest = now + .seconds(1) / Int64(options.keyframeRequestsPerSecond)
    state.session.insistOnKeyframe(stream, into: &state.outputs)
    state.flush()
  }

  /// Leaves politely: over the connection itself.
  package func close() {
    state.withLock { state in
      state.session.close(at: MonotonicClock.now(), into: &state.outputs)
      state.flush()
    }
  }

  /// Deletes the session, as WHIP and WHEP have it.
  func leave(_ http: HTTPClient) {
    _ = try? http.request("DELETE", address)
    close()
  }
}
