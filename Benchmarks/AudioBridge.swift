import EncodedMedia
import Glibc
import ICE
import LoadGenerator
import RealTime
import SecureTransport
import Synchronization
import Timing

/// A Janus with a room of its AudioBridge.
struct AudioBridge {
  let janus: JanusProcess
  private static let room = 1
  private static let settings = "general: { local_ip = \"127.0.0.1\" rtp_port_range = \"40000-60000\" }\n"

  init() throws {
    janus = try JanusProcess(plugin: "audiobridge", settings: Self.settings)
    let answer = try janus.control.ask(
      janus.control.attach(),
      #"{"request":"create","room":\#(Self.room),"sampling_rate":48000,"default_bitrate":24000,"allow_rtp_participants":true,"audiolevel_event":false}"#
    )
    guard answer.contains("\"created\"") else { throw BenchmarkError("Janus made no room: \(answer)") }
  }

  /// - Returns: the port to which the participant's packets go.
  func join(_ number: Int, port: UInt16) throws -> UInt16 {
    let answer = try join(number, #","rtp":{"ip":"127.0.0.1","port":\#(port),"payload_type":100}"#).answer
    guard let rtp = answer.rest(after: "\"rtp\""), let port = JanusControl.number("port", in: rtp).flatMap({ UInt16($0) })
    else { throw BenchmarkError("Janus let nobody in: \(answer)") }
    return port
  }

  /// - Returns: Janus's answer to the participant's offer.
  func join(_ number: Int, offer: String) throws -> String {
    let joined = try join(number, "")
    return try JanusControl.description(
      in: janus.control.ask(joined.handle, #"{"request":"configure","muted":false}"#, offer: offer))
  }

  private func join(_ number: Int, _ more: String) throws -> (handle: String, answer: String) {
    let handle = try janus.control.attach()
    let answer = try janus.control.ask(
      handle,
      #"{"request":"join","room":\#(Self.room),"display":"P\#(number)","codec":"opus","quality":5,"bitrate":24000\#(more)}"#)
    return (handle, answer)
  }
}

/// The AudioBridge with participants over ICE, DTLS and SRTP, as ours has them.
final class SecureAudioBridgeProcess: MixingProcess {
  private let bridge: AudioBridge
  private let clients: [LoadClient]
  private let loop: ClientLoop
  /// Janus offers no candidate of the loopback interface: clients take the address this machine has towards others (RFC 5737).
  private static let elsewhere = "http://192.0.2.1"

  init(_ count: Int, delivery: @escaping Delivery) throws {
    let bridge = try AudioBridge()
    let certificate = try DTLSCertificate()
    let local = try LocalAddress.facing(Self.elsewhere)
    loop = try ClientLoop()
    var options = LoadClient.Options()
    options.kinds = [.audio]
    clients = try (0..<count).map { [loop] number in
      let client = try LoadClient(
        number: number, options: options, local: local, certificate: certificate, delivery: delivery
      ) { .init(sdp: try bridge.join(number, offer: $0)) }
      loop.add(client)
      try client.waitUntilConnected()
      return client
    }
    self.bridge = bridge
  }

  func send(_ frame: EncodedFrame, from client: Int) {
    if clients.indices.contains(client) { clients[client].send(frame) }
  }

  var cpuTime: Int64? { bridge.janus.cpuTime }

  func stop() {
    loop.stop()
    bridge.janus.stop()
  }
}
