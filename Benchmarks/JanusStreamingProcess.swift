import Bytes
import DatagramIO
import EncodedMedia
import Glibc
import ICE
import LoadGenerator
import RTP
import RTPStreams
import RealTime
import SecureTransport
import Synchronization
import Timing
import WebRTCTransport

/// Janus with its streaming plug-in and nothing else: relays one stream of RTP to viewers over WebRTC.
final class JanusStreamingProcess: MixingProcess {
  private let process: JanusProcess
  private let clients: [LoadClient]
  private let loop: ClientLoop
  let clientLoad: ClientLoad
  private let socket: UDPSocket
  private let batch = SendBatch(capacity: 64)
  private var arena = PacketArena(capacity: 1 << 18)
  private var streams: [MediaKind: SendStream]
  private var packetizer = OutputPacketizer()
  private let ports: [MediaKind: UInt16]

  /// Janus offers no candidate of the loopback interface: viewers take the address this machine has towards others (RFC 5737).
  private static let elsewhere = "http://192.0.2.1"
  private static let mountpoint = 1

  /// - Parameter eventLoops: nil for Janus's default, a thread for each viewer.
  init(viewers: Int, eventLoops: Int?) throws {
    socket = try UDPSocket(bind: TransportAddress(ipv4: LocalPort.host, port: 0))
    let ports = [MediaKind.audio: try LocalPort.free(), .video: try LocalPort.free()]
    self.ports = ports
    streams = Dictionary(uniqueKeysWithValues: MediaKind.allCases.map { ($0, Self.stream($0)) })
    let janus = try JanusProcess(
      plugin: "streaming", settings: "general: { }\n", general: eventLoops.map { "event_loops = \($0)" } ?? "")
    process = janus
    let created = try janus.control.ask(
      janus.control.attach(),
      #"{"request":"create","type":"rtp","id":\#(Self.mountpoint),"audio":true,"audioport":\#(ports[.audio] ?? 0),"audiopt":111,"audiocodec":"opus","video":true,"videoport":\#(ports[.video] ?? 0),"videopt":96,"videocodec":"vp8"}"#
    )
    guard created.contains("\"created\"") else { throw BenchmarkError("Janus made no mountpoint: \(created)") }
    loop = try ClientLoop()
    let certificate = try DTLSCertificate()
    let local = try LocalAddress.facing(Self.elsewhere)
    clients = try (0..<viewers).map { [loop] number in
      let client = try Self.watch(number, janus.control, certificate, local)
      loop.add(client)
      try client.waitUntilConnected()
      return client
    }
    clientLoad = ClientLoad(clients)
  }

  /// One viewer: Janus makes the offer.
  private static func watch(
    _ number: Int, _ control: JanusControl, _ certificate: DTLSCertificate, _ local: TransportAddress
  ) throws -> LoadClient {
    var options = LoadClient.Options()
    options.sends = false
    return try LoadClient(number: number, options: options, local: local) { reachedAt in
      var random = SystemRandomNumberGenerator()
      let handle = try control.attach()
      let offer = try JanusControl.description(in: control.ask(handle, #"{"request":"watch","id":\#(mountpoint)}"#))
      let answer = try PeerNegotiator(certificate: certificate, candidates: [.host(reachedAt)])
        .answer(offer, direction: .receiveOnly, using: &random)
      let started = try control.ask(handle, #"{"request":"start"}"#, answer: answer.text)
      guard !started.contains("\"error\"") else { throw BenchmarkError("Janus takes no answer: \(started)") }
      return (answer.setup, nil)
    }
  }

  private static func stream(_ kind: MediaKind) -> SendStream {
    var random = SeededRandom(seed: kind == .audio ? 1 : 2)
    var types = PayloadTypeMap()
    types[kind == .audio ? 111 : 96] = .media(kind == .audio ? .opus : .vp8)
    return SendStream(.init(source: SSRC(kind == .audio ? 1001 : 1002), kind: kind, payloadTypes: types, using: &random))
  }

  func send(_ frame: EncodedFrame, from client: Int) {
    let kind = frame.codec.kind
    guard let port = ports[kind], let outgoing = streams[kind]?.begin(packetizer.packetize(frame), at: MonotonicClock.now())
    else { return }
    for index in 0..<outgoing.packetCount {
      let range = arena.append(capacity: 1500) { streams[kind]?.write(index, of: outgoing, into: &$0) }
      if let range { _ = batch.append(range, to: TransportAddress(ipv4: LocalPort.host, port: port)) }
    }
    batch.send(from: &arena, over: socket)
    arena.removeAll()
  }

  var cpuTime: Int64? { process.cpuTime }

  func stop() {
    loop.stop()
    for client in clients { client.close() }
    process.stop()
  }
}
