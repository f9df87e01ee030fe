import Bytes
import DatagramIO
import EncodedMedia
import ICE
import RTP
import RTPStreams
import SDP
import SecureTransport
import Timing
import WebRTCTransport

/// A client that shakes hands with an endpoint in memory, and then sends it media over a real socket.
///
/// Made of ICE, DTLS and SRTP by themselves, so that the SRTP profile can be chosen.
final class MemoryClient {
  let peer: PeerID
  let socket: UDPSocket
  private let serverAddress: TransportAddress
  private var agent: ICEFullAgent
  private let dtls: DTLSConnection
  private var keys: SRTPKeys?
  private var sender: SRTPSender?
  private var streams: [MediaKind: SendStream] = [:]
  private var arena = PacketArena(capacity: 1 << 16)
  private var iceOutputs: [ICEOutput] = []
  private var dtlsOutput = DTLSOutput()

  /// Adds itself to `endpoint` and shakes hands with it.
  init(
    number: Int, profile: SRTPProfile, certificate: DTLSCertificate, server: DTLSCertificate, serverAddress: TransportAddress,
    endpoint: inout Endpoint, outputs: inout PeerOutputs, observer: any PeerObserver, at now: Instant
  ) throws {
    peer = PeerID(UInt32(number + 1))
    self.serverAddress = serverAddress
    socket = try UDPSocket(bind: TransportAddress(ipv4: 0x7F00_0001, port: 0))
    var random = SystemRandomNumberGenerator()
    var offerer = PeerOfferer(certificate: certificate, candidates: [], using: &random)
    let offer = offerer.offer([.init(.audio, sends: true, receives: true), .init(.video, sends: true, receives: true)])
    let answer = try PeerNegotiator(certificate: server, candidates: [.host(serverAddress)])
      .answer(offer, direction: .both, using: &random)
    let setup = try offerer.apply(answer: answer.text)
    agent = ICEFullAgent(local: setup.localCredentials, remote: setup.remoteCredentials, at: now, using: &random)
    agent.addLocal(.host(socket.localAddress))
    agent.addRemote(.host(serverAddress))
    dtls = try DTLSConnection(
      role: .active, certificate: certificate, expected: setup.remoteFingerprint, profiles: [profile])
    for media in setup.session.media {
      if let stream = SendStream(media, using: &random) { streams[stream.configuration.kind] = stream }
    }
    endpoint.execute(.add(peer, answer.setup, observer), at: now, into: &outputs) { _ in }
    try shakeHands(with: &endpoint, &outputs, from: now)
  }

  private func shakeHands(with endpoint: inout Endpoint, _ outputs: inout PeerOutputs, from start: Instant) throws {
    for step in 0..<200 {
      let now = start + .milliseconds(Int64(step))
      agent.handleTimeout(at: now, arena: &arena, outputs: &iceOutputs)
      dtls.handleTimeout(at: now, into: &dtlsOutput)
      deliver(to: &endpoint, &outputs, at: now)
      for transmit in outputs.transmits { take(Array(copying: outputs.arena.packet(transmit.range)), at: now) }
      outputs.removeAll()
      if let keys {
        sender = try SRTPSender(keys)
        return
      }
    }
    throw BenchmarkError("a handshake in memory came to nothing")
  }

  /// Hands over what ICE and DTLS want sent.
  private func deliver(to endpoint: inout Endpoint, _ outputs: inout PeerOutputs, at now: Instant) {
    let path = TransportPath(remote: socket.localAddress)
    for output in iceOutputs {
      switch output {
      case .send(let range, _):
        var datagram = Array(copying: arena.packet(range))
        var span = datagram.mutableSpan
        endpoint.receive(&span, from: path, at: now, into: &outputs)
      case .connected: dtls.start(at: now, into: &dtlsOutput)
      case .pathChanged, .disconnected, .failed: break
      }
    }
    iceOutputs.removeAll()
    arena.removeAll()
    for var datagram in dtlsOutput.datagrams {
      var span = datagram.mutableSpan
      endpoint.receive(&span, from: path, at: now, into: &outputs)
    }
    dtlsOutput.removeAll()
  }

  private func take(_ datagram: [UInt8], at now: Instant) {
    switch DatagramKind(of: datagram.span) {
    case .stun:
      let path = TransportPath(remote: serverAddress)
      agent.receive(datagram.span, from: path, at: now, arena: &arena, outputs: &iceOutputs)
    case .dtls:
      dtls.receive(datagram.span, at: now, into: &dtlsOutput)
      for case .connected(let keys) in dtlsOutput.events { self.keys = keys }
      dtlsOutput.events.removeAll()
    default: break
    }
  }

  // MARK: Media

  /// Puts the packets of a frame into `batch`, encrypted; sent by the caller from the client's socket.
  func write(_ frame: PacketizedFrame, at now: Instant, into arena: inout PacketArena, _ batch: SendBatch) {
    guard let sender, let outgoing = streams[frame.codec.kind]?.begin(frame, at: now) else { return }
    for index in 0..<outgoing.packetCount {
      let range = arena.append(capacity: 1500) { packet in
        guard let length = streams[frame.codec.kind]?.write(index, of: outgoing, into: &packet) else { return nil }
        return try? sender.protectRTP(&packet, length: length)
      }
      if let range { _ = batch.append(range, to: serverAddress) }
    }
  }
}

extension Array where Element == UInt8 {
  init(copying bytes: Span<UInt8>) {
    self.init()
    append(contentsOf: bytes)
  }
}
