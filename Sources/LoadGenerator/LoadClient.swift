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
    /// What its line carries of what it is sent; nil for as much as comes.
    package var lineBitsPerSecond: Int?
    /// What may protect what it sends and is sent.
    package var srtpProfiles = SRTPProfile.byPreference
    /// How often to ask for keyframes nobody needs, in a second.
    package var keyframeRequestsPerSecond = 0
    package init() {}
  }

  package let number: Int
  /// Where the server said that it takes media.
  let remoteAddresses: [String]
  /// For the loop that waits for its datagrams.
  let descriptor: Int32
  private let options: Options
  private let state: Mutex<State>
  private let delivery: Delivery?
  /// What is deleted to leave.
  private let resource: String?
  /// When `advance` is to be called even where nothing comes, in nanoseconds.
  private let deadline = Atomic<Int64>(0)

  private struct State: ~Copyable {
    let socket: UDPSocket
    var session: PeerSession
    var packetizers: [MediaKind: OutputPacketizer] = [:]
    /// For what is sent from other threads than the loop's; none before the first.
    var workspace: ClientWorkspace?
    /// Where the last datagram came from: the server's only address.
    var remote = TransportPath(remote: TransportAddress(ipv4: 0, port: 0))
    var line: EmulatedLine?
    var random: SeededRandom
    var measures: ClientMeasures
    var wantsKeyframe = false
    var nextKeyframeRequest = Instant.zero
    var videoStream: StreamID?

    mutating func takeWorkspace() -> ClientWorkspace {
      let workspace = workspace ?? ClientWorkspace()
      self.workspace = workspace
      return workspace
    }

    /// Sets down what came to be known.
    mutating func note(_ events: borrowing [PeerEvent], at now: Instant) {
      for index in events.indices {
        switch events[index] {
        case .frame(let frame, let stream):
          if stream.kind == .video { videoStream = stream }
          measures.take(frame, at: now)
        case .keyframeNeeded: wantsKeyframe = true
        case .ended: measures.hasEnded = true
        case .connected: break
        }
      }
      if measures.connected == nil, session.isConnected { measures.connected = now }
    }
  }

  /// Posts its offer to the server.
  ///
  /// - Throws: `Refusal` where the server refused.
  package convenience init(
    number: Int, address: RoomAddress, options: Options, local: TransportAddress, certificate: DTLSCertificate,
    token: String? = nil, delivery: Delivery? = nil
  ) throws {
    try self.init(
      number: number, address: address, options: options, local: local, certificate: certificate,
      http: HTTPClient(token: token), delivery: delivery)
  }

  convenience init(
    number: Int, address: RoomAddress, options: Options, local: TransportAddress, certificate: DTLSCertificate,
    http: HTTPClient, delivery: Delivery?
  ) throws {
    let url = "\(address.origin)/rooms/\(address.room)/\(options.path)"
    var resource: String?
    do {
      try self.init(number: number, options: options, local: local, certificate: certificate, delivery: delivery) { offer in
        let response = try http.request("POST", url, type: "application/sdp", body: offer)
        guard response.status == 201 else {
          throw Refusal(status: response.status, body: response.body, retryAfter: response.retryAfter)
        }
        resource = address.origin + (response.location ?? "")
        return Answer(sdp: response.body, resource: resource)
      }
    } catch {
      // Who cannot use the answer leaves nobody behind.
      if let resource { _ = try? http.request("DELETE", resource) }
      throw error
    }
  }

  /// What a server says to an offer.
  package struct Answer {
    package var sdp: String
    /// What is deleted to leave; nil where the connection's own end has to do.
    package var resource: String?

    package init(sdp: String, resource: String? = nil) {
      self.sdp = sdp
      self.resource = resource
    }
  }

  /// Joins a server of any kind.
  ///
  /// - Parameter exchange: brings an offer to the server and returns its answer (RFC 9429).
  package convenience init(
    number: Int, options: Options, local: TransportAddress, certificate: DTLSCertificate, delivery: Delivery? = nil,
    exchange: (_ offer: String) throws -> Answer
  ) throws {
    try self.init(number: number, options: options, local: local, delivery: delivery) { reachedAt in
      var random = SystemRandomNumberGenerator()
      var offerer = PeerOfferer(
        certificate: certificate, candidates: [.host(reachedAt)],
        capabilities: options.takesH264 ? .clientWithH264 : .client, using: &random)
      let answer = try exchange(
        offerer.offer(options.kinds.map { .init($0, sends: options.sends, receives: options.receives) }))
      return (try offerer.apply(answer: answer.sdp), answer.resource)
    }
  }

  /// Joins a server of any kind, whoever of the two makes the offer.
  ///
  /// - Parameter agree: is told where the client is reached; returns what came of it, and what is deleted to leave.
  package init(
    number: Int, options: Options, local: TransportAddress, delivery: Delivery? = nil,
    agree: (_ reachedAt: TransportAddress) throws -> (setup: PeerSetup, resource: String?)
  ) throws {
    let asked = MonotonicClock.now()
    var socket = try UDPSocket(bind: local, bufferBytes: 1 << 19)
    var (setup, resource) = try agree(socket.localAddress)
    if let other = try LocalAddress.reaching(setup.remoteCandidates, insteadOf: socket.localAddress) {
      // The server learns where it is from its checks.
      socket = try UDPSocket(bind: other, bufferBytes: 1 << 19)
      setup.localCandidates = [.host(socket.localAddress)]
    }
    setup.srtpProfiles = options.srtpProfiles
    let now = MonotonicClock.now()
    let wallClockAtZero = WallClock.now() + (.zero - now)
    let session = try PeerSession(setup, wallClockAtZero: wallClockAtZero, seed: UInt64(number + 1), at: now)
    remoteAddresses = setup.remoteCandidates.map(\.address.description)
    state = Mutex(
      State(
        socket: socket, session: session, line: options.lineBitsPerSecond.map { EmulatedLine(bitsPerSecond: $0) },
        random: SeededRandom(seed: UInt64(number)),
        measures: ClientMeasures(asked: asked, wallClockAtZero: wallClockAtZero)))
    descriptor = socket.descriptor
    self.resource = resource
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

  /// Rates and delays count from now on; what was lost and what stood still counts from the start.
  func beginStay(at now: Instant) { state.withLock { $0.measures.beginStay(at: now) } }

  package func send(_ frame: EncodedFrame) {
    state.withLock { state in
      guard state.session.isConnected else { return }
      let packetized = state.packetizers[frame.codec.kind, default: OutputPacketizer()].packetize(frame)
      let workspace = state.takeWorkspace()
      state.session.send(packetized, at: MonotonicClock.now(), into: &workspace.outputs)
      workspace.flush(over: state.socket)
    }
  }

  /// Whether something is due though nothing came.
  func isDue(at now: Instant) -> Bool { deadline.load(ordering: .relaxed) <= now.nanoseconds }

  /// Takes what has come and does what is due.
  ///
  /// - Parameter workspace: of the calling thread; is left empty.
  func advance(at now: Instant, _ workspace: ClientWorkspace) {
    state.withLock { state in
      var count: Int
      repeat {
        count = workspace.receiving.receive(from: state.socket)
        receive(&state, at: now, workspace)
      } while count == ReceiveBatch.capacity
      if isDue(at: now) { state.session.handleTimeout(at: now, into: &workspace.outputs) }
      if options.keyframeRequestsPerSecond > 0 { askForKeyframe(&state, at: now, into: &workspace.outputs) }
      var next = min(state.session.nextDeadline ?? now, now + .milliseconds(500))
      if let deadline = state.line?.nextDeadline { next = min(next, deadline) }
      deadline.store(next.nanoseconds, ordering: .relaxed)
      workspace.flush(over: state.socket)
      state.note(workspace.outputs.events, at: now)
    }
    if let delivery {
      for case .frame(let frame, _) in workspace.outputs.events { delivery(number, frame, now) }
    }
    workspace.outputs.removeAll()
  }

  private func receive(_ state: inout State, at now: Instant, _ workspace: ClientWorkspace) {
    let loss = options.lossShare
    workspace.receiving.forEach { datagram, remote in
      // Only media is lost: a connection that never comes about is another test.
      if loss > 0, datagram.count > 0, 128...191 ~= datagram[0], Double.random(in: 0..<1, using: &state.random) < loss {
        return
      }
      state.remote = TransportPath(remote: remote)
      if state.line != nil {
        state.line?.take(datagram.span, at: now)
      } else {
        state.session.receive(&datagram, from: state.remote, at: now, into: &workspace.outputs)
      }
    }
    while let arrived = state.line?.next(at: now) {
      var bytes = arrived.bytes
      var datagram = bytes.mutableSpan
      // It came when it left the line, though nobody looked before.
      state.session.receive(&datagram, from: state.remote, at: arrived.at, into: &workspace.outputs)
    }
  }

  private func askForKeyframe(_ state: inout State, at now: Instant, into outputs: inout PeerOutputs) {
    guard let stream = state.videoStream, now >= state.nextKeyframeRequest else { return }
    state.nextKeyframeRequest = now + .seconds(1) / Int64(options.keyframeRequestsPerSecond)
    state.session.insistOnKeyframe(stream, into: &outputs)
  }

  /// Leaves politely: over the connection itself.
  package func close() {
    state.withLock { state in
      let workspace = state.takeWorkspace()
      state.session.close(at: MonotonicClock.now(), into: &workspace.outputs)
      workspace.flush(over: state.socket)
    }
  }

  /// Deletes the session, as WHIP and WHEP have it.
  func leave(_ http: HTTPClient) {
    if let resource { _ = try? http.request("DELETE", resource) }
    close()
  }
}

/// Where sessions put what they send and tell: one for each thread that calls them, since hundreds of clients have one each to spare.
final class ClientWorkspace: @unchecked Sendable {
  // Unchecked: belongs to one thread, or stands behind its client's lock.
  var outputs = PeerOutputs(capacity: 1 << 18)
  private(set) lazy var receiving = ReceiveBatch()
  private let sending = SendBatch(capacity: 64)

  /// Sends what is to be sent; events stay.
  func flush(over socket: UDPSocket) {
    for transmit in outputs.transmits {
      if sending.isFull { sending.send(from: &outputs.arena, over: socket) }
      _ = sending.append(transmit.range, to: transmit.path.remote)
    }
    sending.send(from: &outputs.arena, over: socket)
    outputs.removeSent()
  }
}
